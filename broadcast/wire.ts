/**
 * WebSocket frames (RFC 6455 §5.2) that are made once and written to many sockets.
 *
 * The socket write is most of what a delivery costs. So a frame's header and payload stand in one Buffer, and that
 * goes straight to the TCP socket under the `ws` socket: one write, and no frame header per viewer. This leans on
 * parts of ws that it does not promise. They are looked at before each write, and where something is not as
 * expected the payload goes the official way, at the cost of speed alone.
 */
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import * as ws from 'ws'

/** A frame of a server, header and payload in one Buffer. What follows the payload is the ping that rides along. */
export interface WireFrame {
  readonly bytes: Buffer
  /** Bytes of header before the payload; 0 where ws does not make headers for us, and `bytes` is the payload. */
  readonly headerBytes: number
  /** Whether it is a binary message; else it is text. */
  readonly binary: boolean
  /** Payload of a ping that is written with the frame, right after it. */
  readonly ping?: string
}

/** A ping alone, header and payload in one Buffer. */
export interface PingFrame {
  /** Null where ws does not make headers for us. */
  readonly bytes: Buffer | null
  readonly payload: string
}

/** `Sender.frame` of ws: the header and, where there is one, the payload as given. */
type MakeFrame = (
  data: Uint8Array,
  options: { fin: boolean; rsv1: boolean; opcode: number; mask: boolean; readOnly: boolean },
) => Uint8Array[]

/** What ws keeps about a socket, as far as it is used here. */
interface Inside {
  readonly _isServer?: unknown
  readonly _socket?: Socket | null
  readonly _sender?: { _state?: unknown; _queue?: { length?: unknown }; _firstFragment?: unknown } | null
}

const TEXT = 1
const BINARY = 2
const PING = 9

const makeFrame = (ws as unknown as { Sender?: { frame?: MakeFrame } }).Sender?.frame

/** A whole message of its own, as text or binary. */
export function wireFrame(payload: Uint8Array, binary: boolean): WireFrame {
  const header = headerOf(payload, binary ? BINARY : TEXT)
  return {
    bytes: header === null ? Buffer.from(payload) : Buffer.concat([header, payload]),
    headerBytes: header === null ? 0 : header.length,
    binary,
  }
}

/** The same frame with a ping right after it, whose payload is `ping` (at most 125 bytes of ASCII). */
export function withPing(frame: WireFrame, ping: string): WireFrame {
  if (frame.headerBytes === 0) return { ...frame, ping }
  const payload = Buffer.from(ping, 'latin1')
  const header = headerOf(payload, PING) as Uint8Array
  return { ...frame, bytes: Buffer.concat([frame.bytes, header, payload]), ping }
}

/** A ping whose payload is `payload` (at most 125 bytes of ASCII). */
export function pingFrame(payload: string): PingFrame {
  const body = Buffer.from(payload, 'latin1')
  const header = headerOf(body, PING)
  return { bytes: header === null ? null : Buffer.concat([header, body]), payload }
}

/** Bytes of a frame's payload. */
export function payloadBytes(frame: WireFrame): number {
  const ping = frame.ping === undefined || frame.headerBytes === 0 ? 0 : frame.ping.length + 2
  return frame.bytes.length - frame.headerBytes - ping
}

/**
 * Writes a frame, in order with all that is sent, pinged and closed on this socket. What is written counts in its
 * `bufferedAmount`. On a socket that is not open, nothing happens.
 */
export function writeFrame(socket: WebSocket, frame: WireFrame): void {
  if (socket.readyState !== socket.OPEN) return
  const tcp = frame.headerBytes === 0 ? null : tcpSocketOf(socket)
  if (tcp !== null) {
    tcp.write(frame.bytes)
    return
  }
  const { bytes, headerBytes, binary, ping } = frame
  socket.send(bytes.subarray(headerBytes, headerBytes + payloadBytes(frame)), { binary })
  if (ping !== undefined) socket.ping(ping)
}

/** Writes a ping, as `writeFrame` does a frame. */
export function writePing(socket: WebSocket, { bytes, payload }: PingFrame): void {
  if (socket.readyState !== socket.OPEN) return
  const tcp = bytes === null ? null : tcpSocketOf(socket)
  if (tcp !== null && bytes !== null) tcp.write(bytes)
  else socket.ping(payload)
}

/** The TCP socket under a server's ws socket, if what is written to it now stands where ws would have put it. */
function tcpSocketOf(socket: WebSocket): Socket | null {
  const { _isServer, _socket, _sender } = socket as unknown as Inside
  // Not while ws compresses or waits for a Blob: then it has a queue of its own. And not amid a fragmented message.
  const free = _sender?._state === 0 && _sender._queue?.length === 0 && _sender._firstFragment === true
  // A client has to mask what it sends.
  return free && _isServer === true && typeof _socket?.write === 'function' ? _socket : null
}

function headerOf(payload: Uint8Array, opcode: number): Uint8Array | null {
  if (makeFrame === undefined) return null
  return makeFrame(payload, { fin: true, rsv1: false, opcode, mask: false, readOnly: true })[0] ?? null
}
