import { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'
import { FrameCache } from '../../broadcast/frames.ts'
import type { GapReason, ServerMessage } from '../../broadcast/protocol.ts'
import type { TokenLog } from '../../broadcast/token-log.ts'
import { type Frame, type FrameSource, Viewer } from '../../broadcast/viewer.ts'
import type { LogEntry } from '../../events/generation.ts'

/** What a viewer did to its socket, in order. */
export type Act =
  | { kind: 'frame'; bytes: Buffer }
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
    if (options.binary) throw new Error('a JSON frame is text')
    this.onFrame(bytes)
    this.acts.push({ kind: 'frame', bytes })
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

  get messages(): ServerMessage[] {
    return this.frames.flatMap(messagesIn)
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

/** Real frames of a log, and a record of what the viewer told about itself. */
export class RecordingSource implements FrameSource {
  readonly deliveries: { to: number; entries: number }[] = []
  readonly skips: { reason: GapReason; entries: number }[] = []
  readonly lags: number[] = []
  readonly #cache: FrameCache

  constructor(log: TokenLog) {
    this.#cache = new FrameCache(log)
  }

  frame(after: number, filter: ReadonlySet<string> | null): Frame {
    return this.#cache.frame(after, filter)
  }

  snapshot(filter: ReadonlySet<string> | null): { upto: number; parts: Buffer[] } {
    return this.#cache.snapshot(filter)
  }

  delivered(to: number, entries: number): void {
    this.deliveries.push({ to, entries })
  }

  skipped(reason: GapReason, entries: number): void {
    this.skips.push({ reason, entries })
  }

  lag(entries: number): void {
    this.lags.push(entries)
  }
}

/** A viewer of `log` on a fake socket. */
export function fakeViewer(log: TokenLog): { viewer: Viewer; socket: FakeSocket; source: RecordingSource } {
  const socket = new FakeSocket()
  const source = new RecordingSource(log)
  return { viewer: new Viewer(socket as unknown as WebSocket, log, source), socket, source }
}
