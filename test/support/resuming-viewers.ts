import { WebSocket as UndiciSocket } from 'undici'
import { WebSocket as WsSocket } from 'ws'
import { createScopeClient } from '../../broadcast/client.ts'
import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  type ClientMessage,
  JSON_SUBPROTOCOL,
  type ServerMessage,
} from '../../broadcast/protocol.ts'
import type { ResumeAudit } from './resume-audit.ts'

export type Speech = 'bin' | 'json'

/** A viewer that comes back after every break until it is closed, and has all it is told audited. */
export interface ResumingViewer {
  close(): void
}

export interface ResumingViewerOptions {
  /** `http://…` of the server. */
  url: string
  speech: Speech
  generations: '*' | string[]
  /** Entries of its snapshot's time that the client asks for. */
  historyEntries: number
  audit: ResumeAudit
}

/** The client of the page over Node's own WebSocket; comes back at once. */
export function scopeViewer(options: ResumingViewerOptions): ResumingViewer {
  const { url, speech, generations, historyEntries, audit } = options
  const client = createScopeClient({
    url: streamUrl(url),
    protocol: speech,
    generations,
    historyEntries,
    random: () => 0,
    onMessage: (message, { replay }) => audit.read(message, replay),
    // A server that stops asks for some seconds of patience.
    onState: state => state.kind === 'waiting' && setImmediate(() => client.wake()),
  })
  return client
}

/** What the protocol asks of a viewer and nothing else, over ws and undici in turn. */
export function bareViewer({ url, speech, generations, audit }: ResumingViewerOptions): ResumingViewer {
  let closed = false
  let connections = 0
  let socket: WsSocket | UndiciSocket

  function connect(): void {
    if (closed) return
    const Socket = connections++ % 2 === 0 ? WsSocket : UndiciSocket
    socket = new Socket(streamUrl(url), speech === 'bin' ? BIN_SUBPROTOCOL : JSON_SUBPROTOCOL)
    socket.binaryType = 'arraybuffer'
    const reader = new BinaryReader()
    socket.onopen = () => {
      const message: ClientMessage = { type: 'subscribe', generations }
      if (audit.position !== null) message.since = { ...audit.position }
      socket.send(JSON.stringify(message))
    }
    socket.onmessage = ({ data }: { data: unknown }) => {
      for (const message of messagesOf(data as string | ArrayBuffer, reader)) audit.read(message)
    }
    socket.onerror = () => {} // a close always follows
    socket.onclose = () => setImmediate(connect)
  }

  connect()
  return {
    close() {
      closed = true
      socket.close()
    },
  }
}

/** The messages in what a WebSocket received, in either protocol. */
export function messagesOf(data: string | ArrayBuffer, reader: BinaryReader): ServerMessage[] {
  if (typeof data !== 'string') return reader.read(data)
  const parsed = JSON.parse(data) as ServerMessage | ServerMessage[]
  return Array.isArray(parsed) ? parsed : [parsed]
}

function streamUrl(url: string): string {
  return `${url.replace('http', 'ws')}/scope/v1/stream`
}
