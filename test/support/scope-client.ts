import { vi } from 'vitest'
import {
  createScopeClient,
  type Delivery,
  type ScopeClientOptions,
  type ScopeMessage,
  type ScopeSocket,
} from '../../broadcast/client.ts'

/** A WebSocket whose other end is the test. */
export class FakeSocket implements ScopeSocket {
  static all: FakeSocket[] = []
  readyState = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  binaryType = 'blob'
  readonly sent: Record<string, unknown>[] = []
  readonly url: string
  readonly protocol: string

  constructor(url: string, protocol: string) {
    this.url = url
    this.protocol = protocol
    FakeSocket.all.push(this)
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data))
  }

  close(code = 1000): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.onclose?.({ code, reason: '' } as never)
  }

  open(): this {
    this.readyState = 1
    this.onopen?.({} as never)
    return this
  }

  say(...messages: unknown[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) } as never)
  }
}

/** The socket of the client's last attempt. */
export const last = () => FakeSocket.all.at(-1) as FakeSocket
export const hello = (epoch = 'a.1', head = 0) => ({
  type: 'hello',
  epoch,
  head,
  protocol: 'p',
  layouts: [],
  demo: false,
})
export const snapshot = (upto: number, part = 0, end = true) => ({
  type: 'snapshot',
  upto,
  part,
  last: end,
  generations: [],
})
export const token = (seq: number) => ({ type: 'token_activation', seq, generation: 'g_1', index: seq })
export const SUBSCRIBE = { type: 'subscribe', generations: '*', layout: 'map' }
/** Seqs that were acknowledged on a socket. */
export const acks = (socket: FakeSocket) =>
  socket.sent.filter(({ type }) => type === 'ack').map(({ seq }) => seq)
export const asked = (socket: FakeSocket) => socket.sent.filter(({ type }) => type === 'subscribe')

/** A client over such sockets, and all that its owner is told; its waits are the longest ones. */
export function start(options: Partial<ScopeClientOptions> = {}) {
  const seen: { message: ScopeMessage; delivery: Delivery }[] = []
  const states: string[] = []
  const client = createScopeClient({
    url: 'ws://x/scope/v1/stream',
    WebSocket: FakeSocket,
    random: () => 1,
    ...options,
    onMessage: (message, delivery) => {
      seen.push({ message, delivery: { ...delivery } })
      options.onMessage?.(message, delivery)
    },
    onState: state => {
      states.push(state.kind)
      options.onState?.(state)
    },
  })
  const seqs = () => seen.flatMap(({ message }) => (message.type === 'token_activation' ? [message.seq] : []))
  return { client, seen, states, seqs }
}

/** Collects what owners throw, until globals are unstubbed. */
export function faultsOfOwners(): Error[] {
  const faults: Error[] = []
  vi.stubGlobal('queueMicrotask', (task: () => void) => {
    try {
      task()
    } catch (error) {
      faults.push(error as Error)
    }
  })
  return faults
}
