/**
 * One viewer: a cursor into the log, and what is known of how far the other side has come.
 *
 * Nothing is queued for a viewer. What it has not got yet lies in the log, and is sent when it can take
 * it; so a slow viewer costs no memory beyond its socket's, and catches up with larger frames. How far it
 * has come is known from pongs: each ping carries the cursor's seq, and every WebSocket stack answers with
 * the same payload by itself. (`bufferedAmount` would be blind for the first 4 MB that the kernel takes.)
 */
import type { WebSocket } from 'ws'
import { CLOSE_CODES } from '../events/close-codes.ts'
import type { GapReason, Position, ServerMessage } from './protocol.ts'
import type { TokenLog } from './token-log.ts'

const KIB = 1024

/** The numbers of the contract that rule a viewer. */
export const LIMITS = {
  /** Never more than this unacknowledged, snapshots aside. */
  unackedBytes: 256 * KIB,
  /** A ping at least this often in bytes. */
  pingBytes: 64 * KIB,
  /** Bytes of entries in one frame at most. */
  frameBytes: 64 * KIB,
  /** Left alone while the socket holds more than this. */
  highWaterBytes: 64 * KIB,
  /** Further behind than this: a gap and a snapshot. */
  lagBytes: 4 * KIB * KIB,
  lagMs: 10_000,
  /** Data outstanding and no pong for this long: closed. */
  silentMs: 60_000,
  /** Replies that may wait in the socket before its questions do. */
  replyBytes: 256 * KIB,
  /** Text in one part of a snapshot. */
  snapshotPartChars: 64 * KIB,
}

/** The whole entries after a cursor that fit one frame. */
export interface Frame {
  bytes: Buffer
  /** Seq of the last entry in it: where the cursor goes. */
  to: number
  entries: number
}

/** What a viewer asks its hub for. */
export interface FrameSource {
  /** The frame of entries `after` < seq that pass `filter`; frames without a filter are shared. */
  frame(after: number, filter: ReadonlySet<string> | null): Frame
  /** The parts of a snapshot at the head of what passes `filter`; without one they are shared. */
  snapshot(filter: ReadonlySet<string> | null): { upto: number; parts: Buffer[] }
  delivered(to: number, entries: number): void
  skipped(reason: GapReason, entries: number): void
  lag(entries: number): void
}

interface Subscription {
  filter: ReadonlySet<string> | null
  since: Position | null
}

export class Viewer {
  readonly #socket: WebSocket
  readonly #log: TokenLog
  readonly #source: FrameSource
  /** What was asked for and waits until the viewer can take it. */
  #asked: Subscription | null = null
  #filter: ReadonlySet<string> | null = null
  /** Seq up to which this viewer has been served; null until it subscribed. */
  #cursor: number | null = null
  /** Until it first reaches the head after a resume, being behind is its right. */
  #catchingUp = false
  #sentBytes = 0
  #ackedBytes = 0
  #pingedBytes = 0
  /** Pings not answered yet, oldest first. */
  #pings: { seq: number; sentBytes: number }[] = []
  /** The next frame did not fit the window, and no pong has made room since. */
  #full = false
  #heardAt = performance.now()
  #advancedAt = performance.now()
  #closed = false

  constructor(socket: WebSocket, log: TokenLog, source: FrameSource) {
    this.#socket = socket
    this.#log = log
    this.#source = source
    socket.on('pong', payload => this.#onPong(Number(payload.toString('latin1'))))
    socket.on('close', () => {
      this.#closed = true
    })
  }

  /** Seq up to which this viewer has been served; 0 before it subscribed. */
  get cursor(): number {
    return this.#cursor ?? 0
  }

  /** Sends a message that is no log entry. */
  tell(message: ServerMessage): void {
    if (this.#closed) return
    this.#write(Buffer.from(JSON.stringify(message)))
    // Who asks and does not read is not asked to go on: the next questions wait in its own socket.
    if (this.#socket.bufferedAmount > LIMITS.replyBytes) this.#socket.pause()
  }

  /** Closes with a code of the table. */
  close(code: keyof typeof CLOSE_CODES): void {
    if (!this.#closed) this.#socket.close(CLOSE_CODES[code].code, CLOSE_CODES[code].reason)
  }

  /** Cuts the connection without a closing handshake, for one that does not answer any more. */
  terminate(): void {
    this.#socket.terminate()
  }

  /**
   * Starts, or starts anew, with a filter (null: everything): from `since` if it is kept, else from a
   * snapshot.
   */
  subscribe(filter: ReadonlySet<string> | null, since: Position | null): void {
    this.#asked = { filter, since }
    this.pump()
  }

  /** Sends what the viewer has not got yet, as far as it can take it now. */
  pump(): void {
    if (this.#closed) return
    // One that asks again and again without reading is owed one snapshot, not one each.
    if (this.#asked !== null && this.#canTake()) this.#begin(this.#asked)
    if (this.#cursor === null) return
    while (this.#cursor < this.#log.head && this.#canTake()) {
      if (this.#tooFarBehind()) {
        this.#skip('slow_consumer')
        continue
      }
      const frame = this.#source.frame(this.#cursor, this.#filter)
      const unacked = this.#sentBytes - this.#ackedBytes
      if (unacked > 0 && unacked + frame.bytes.length > LIMITS.unackedBytes) {
        this.#full = true
        break
      }
      this.#cursor = frame.to
      this.#advancedAt = performance.now()
      if (frame.entries === 0) continue
      this.#write(frame.bytes)
      this.#source.delivered(frame.to, frame.entries)
      if (this.#sentBytes - this.#pingedBytes >= LIMITS.pingBytes) this.#ping()
    }
    if (this.#cursor >= this.#log.head) this.#catchingUp = false
  }

  /** Once a second: pings, and closes a viewer that has had data outstanding for a minute in silence. */
  tick(): void {
    if (this.#closed) return
    const outstanding = this.#sentBytes > this.#ackedBytes
    if (outstanding && performance.now() - this.#heardAt > LIMITS.silentMs) {
      this.close('TOO_SLOW')
      // Nobody answers there; the closing handshake would only wait as well.
      setTimeout(() => this.terminate(), 1000).unref()
      return
    }
    if (this.#socket.isPaused && this.#socket.bufferedAmount < LIMITS.highWaterBytes) this.#socket.resume()
    this.#ping()
    this.pump()
  }

  #begin({ filter, since }: Subscription): void {
    this.#asked = null
    this.#filter = filter
    this.#catchingUp = true
    this.#advancedAt = performance.now()
    if (since === null) this.#sendSnapshot()
    else if (since.epoch !== this.#log.epoch || since.seq > this.#log.head) {
      this.tell({ type: 'gap', from: null, to: null, reason: 'epoch' })
      this.#source.skipped('epoch', 0)
      this.#sendSnapshot()
    } else {
      this.#cursor = since.seq
      if (since.seq + 1 < this.#log.tail) this.#skip('expired')
    }
  }

  #canTake(): boolean {
    return (
      !this.#full &&
      this.#sentBytes - this.#ackedBytes < LIMITS.unackedBytes &&
      this.#socket.bufferedAmount < LIMITS.highWaterBytes
    )
  }

  #tooFarBehind(): boolean {
    const cursor = this.#cursor as number
    const next = this.#log.record(cursor + 1)
    if (next === undefined) return true
    const now = performance.now()
    if (this.#catchingUp) return now - this.#advancedAt > LIMITS.lagMs
    return now - next.appendedAt > LIMITS.lagMs || this.#log.bytesAfter(cursor) > LIMITS.lagBytes
  }

  /** Moves on to a snapshot of now, saying what will not come. */
  #skip(reason: GapReason): void {
    const from = this.cursor + 1
    this.tell({ type: 'gap', from, to: this.#log.head, reason })
    this.#source.skipped(reason, this.#log.head - from + 1)
    this.#sendSnapshot()
  }

  #sendSnapshot(): void {
    const { upto, parts } = this.#source.snapshot(this.#filter)
    for (const part of parts) this.#write(part)
    this.#cursor = upto
    this.#advancedAt = performance.now()
    this.#ping()
  }

  #write(bytes: Buffer): void {
    // The minute of silence is counted from when something was there to be answered.
    if (this.#sentBytes === this.#ackedBytes) this.#heardAt = performance.now()
    this.#sentBytes += bytes.length
    this.#socket.send(bytes, { binary: false })
  }

  #ping(): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#pingedBytes = this.#sentBytes
    this.#pings.push({ seq: this.cursor, sentBytes: this.#sentBytes })
    this.#socket.ping(String(this.cursor))
  }

  #onPong(seq: number): void {
    // A pong may answer several pings at once (RFC 6455 §5.5.3: the most recent one). Of pings with the same
    // seq the first is taken as answered: bytes counted as arrived too late do less harm than too early.
    const exact = this.#pings.findIndex(ping => ping.seq === seq)
    const index = exact >= 0 ? exact : this.#pings.findLastIndex(ping => ping.seq < seq)
    const answered = this.#pings[index]
    if (answered === undefined) return
    this.#ackedBytes = answered.sentBytes
    this.#pings = this.#pings.slice(index + 1)
    this.#full = false
    this.#heardAt = performance.now()
    this.#source.lag(this.#log.head - answered.seq)
    this.pump()
  }
}
