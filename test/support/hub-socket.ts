import { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'
import { Delivery } from '../../broadcast/delivery.ts'
import { GenerationFilter } from '../../broadcast/generation-filter.ts'
import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  JSON_SUBPROTOCOL,
  type Position,
  type ServerMessage,
  type Subprotocol,
} from '../../broadcast/protocol.ts'
import type { TokenLog } from '../../broadcast/token-log.ts'
import { Viewer } from '../../broadcast/viewer.ts'
import type { LogEntry } from '../../events/generation.ts'
import { RecordingMeter } from './hub-meter.ts'

/** What a viewer did to its socket, in order. */
export type Act =
  | { kind: 'frame'; bytes: Buffer; binary: boolean }
  | { kind: 'ping'; payload: string }
  | { kind: 'close'; code: number }
  | { kind: 'terminate' }

/** A socket whose other side is the test: it answers a ping only when it is told to. */
export class FakeSocket extends EventEmitter {
  readonly OPEN = 1
  readyState = 1
  bufferedAmount = 0
  isPaused = false
  readonly acts: Act[] = []
  /** Bytes sent, by the end of each ping not answered yet. */
  readonly unanswered: { payload: string; sent: number }[] = []
  sent = 0
  acked = 0
  /** Sees each frame before it counts as sent. */
  onFrame: (bytes: Buffer) => void = () => {}

  send(bytes: Buffer, options: { binary: boolean }): void {
    this.onFrame(bytes)
    this.acts.push({ kind: 'frame', bytes, binary: options.binary })
    this.sent += bytes.length
  }

  ping(payload: string): void {
    this.acts.push({ kind: 'ping', payload })
    this.unanswered.push({ payload, sent: this.sent })
  }

  close(code: number): void {
    if (this.readyState !== this.OPEN) return
    this.readyState = 2
    this.acts.push({ kind: 'close', code })
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  terminate(): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.acts.push({ kind: 'terminate' })
    this.emit('close')
  }

  /** Answers the oldest pings, one by one, at most `count`. */
  answer(count = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < count; i++) {
      const ping = this.unanswered.shift()
      if (ping === undefined) return
      this.acked = ping.sent
      this.emit('pong', Buffer.from(ping.payload))
    }
  }

  get frames(): Buffer[] {
    return this.acts.flatMap(act => (act.kind === 'frame' ? [act.bytes] : []))
  }

  get pings(): string[] {
    return this.acts.flatMap(act => (act.kind === 'ping' ? [act.payload] : []))
  }

  get closes(): number[] {
    return this.acts.flatMap(act => (act.kind === 'close' ? [act.code] : []))
  }

  /** What was sent, as a reader of all of it understands it. */
  get messages(): ServerMessage[] {
    const reader = new BinaryReader()
    return this.acts.flatMap(act => {
      if (act.kind !== 'frame') return []
      return act.binary ? reader.read(act.bytes) : messagesIn(act.bytes)
    })
  }

  get entries(): LogEntry[] {
    return this.messages.filter(isEntry)
  }

  get seqs(): number[] {
    return this.entries.map(({ seq }) => seq)
  }
}

/** The messages of one frame. */
export function messagesIn(frame: Buffer): ServerMessage[] {
  const parsed = JSON.parse(frame.toString('utf8')) as ServerMessage | ServerMessage[]
  return Array.isArray(parsed) ? parsed : [parsed]
}

export function isEntry(message: ServerMessage): message is LogEntry {
  return message.type === 'neural_state' || message.type === 'token_activation'
}

/** A viewer of a log on a fake socket, served up to the head whenever it is pumped. */
export class FakeViewer {
  readonly socket = new FakeSocket()
  readonly meter = new RecordingMeter()
  readonly viewer: Viewer
  readonly delivery: Delivery
  readonly #log: TokenLog

  constructor(log: TokenLog, protocol: Subprotocol = JSON_SUBPROTOCOL) {
    this.#log = log
    this.delivery = new Delivery(log, this.meter)
    const { socket } = this
    this.viewer = new Viewer(socket as unknown as WebSocket, this.delivery, {
      name: 'c_1',
      address: '127.0.0.1',
      protocol,
    })
    socket.on('pong', payload => this.viewer.onPong(Number(payload.toString('latin1')), log.head))
  }

  /** A viewer of the binary protocol. */
  static binary(log: TokenLog): FakeViewer {
    return new FakeViewer(log, BIN_SUBPROTOCOL)
  }

  get cursor(): number {
    return this.viewer.cursor
  }

  /** Entries that it was moved past, and why, each time. */
  get skips(): { reason: string; entries: number }[] {
    return this.meter.counted
      .filter(({ name }) => name === 'tokenscope_broadcast_skipped_total')
      .map(({ labels, value }) => ({ reason: labels.reason as string, entries: value }))
  }

  get lags(): number[] {
    return this.meter.observations('tokenscope_broadcast_lag_entries').map(({ value }) => value)
  }

  subscribe(generations: string[] | null = null, since: Position | null = null): void {
    const filter = generations === null ? null : new GenerationFilter(generations)
    this.viewer.subscribe(filter, since, this.#log.head)
  }

  tell(message: ServerMessage): void {
    this.viewer.tell(message)
  }

  pump(): void {
    this.viewer.pump(this.#log.head)
  }

  /** Its turn in a second in which no frame takes its ping along. */
  tick(): void {
    this.viewer.tick(this.#log.head)
    this.viewer.pingIfDue()
  }

  /** Pumps, ticks and acknowledges until nothing more comes. */
  settle(): void {
    for (let quiet = 0; quiet < 2; quiet++) {
      const before = this.socket.frames.length
      this.pump()
      this.tick()
      this.socket.answer()
      if (this.socket.frames.length > before) quiet = -1
    }
  }
}
