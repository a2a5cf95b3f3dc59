import { ByteWriter } from '../broadcast/protocol/byte-codec.ts'
import { BIN_SUBPROTOCOL, writeGenerations } from '../broadcast/protocol.ts'
import type { TokenLog } from '../broadcast/token-log.ts'
import type { Batch } from './messages.ts'

/** Bytes of entries in a batch, so that a long log does not hold up what else this process does. */
const BATCH_BYTES = 256 * 1024
/** Entries are gathered for so long, a frame's time: a message for each costs more than laying it out. */
const GATHER_MS = 16
/** As long as nobody watches: only for the log not to let go of what was not read yet. */
const IDLE_GATHER_MS = 10_000
/** So many entries need not be gathered any longer; with watchers, and without. */
const GATHER_ENTRIES = 4096
const IDLE_GATHER_ENTRIES = 16_384
/** Batches on their way: one at work, and the next so that the process need not wait for it. */
const MAX_BATCHES = 2

/**
 * Reads the log by a cursor and hands it out in batches: gathered for a frame's time, or much longer while nobody
 * watches, and no faster than they are done with. It begins for a new reader with all that it has to be told. What
 * the log lets go of unread, since the reader is slower than it for that long, does not come.
 */
export class Feed {
  readonly #log: TokenLog
  readonly #send: (batch: Batch) => void
  #unlisten: (() => void) | null = null
  /** Whether there is a reader, which takes batches. */
  #open = false
  #hurried = false
  /** Seq of the last entry read. */
  #cursor = 0
  /** What is still to be sent before it is said that the past was. */
  #past: { upto: number; on: () => void } | null = null
  /** Whether the reader knows the generations that go on after the cursor. */
  #told = false
  /** Batches on their way, oldest first: the cursor before each. */
  #batches: number[] = []
  #turn: NodeJS.Timeout | null = null
  /** `performance.now()` of the last batch. */
  #sentAt = Number.NEGATIVE_INFINITY

  constructor(log: TokenLog, send: (batch: Batch) => void) {
    this.#log = log
    this.#send = send
  }

  /** Begins to follow the log. */
  start(): void {
    this.#unlisten = this.#log.onAppend(() => this.#schedule())
  }

  stop(): void {
    this.#unlisten?.()
    this.close()
  }

  /**
   * Begins anew, for a reader that knows nothing but the entries up to `from`.
   *
   * @param past `onPast` is called once all entries up to this seq were sent, and none after it
   */
  open(past: number, onPast: () => void, from = 0): void {
    this.#open = true
    this.#cursor = from
    this.#told = false
    this.#past = { upto: past, on: onPast }
    this.#passOn()
    this.#schedule()
  }

  /** The reader is gone. */
  close(): void {
    this.#open = false
    this.#unschedule()
    this.#cursor = 0
    this.#past = null
    this.#batches = []
  }

  /** Whether somebody waits for what comes. */
  hurry(hurried: boolean): void {
    if (hurried === this.#hurried) return
    this.#hurried = hurried
    this.#unschedule()
    this.#schedule()
  }

  /** The oldest batch on its way is done with. */
  done(): void {
    this.#batches.shift()
    this.#schedule()
  }

  /** Everything up to this seq that the log had is done with, or the log had let go of it before it was read. */
  get doneTo(): number {
    return this.#batches[0] ?? this.#cursor
  }

  #schedule(): void {
    if (!this.#open || this.#cursor === this.#log.head || this.#batches.length === MAX_BATCHES) return
    if (this.#turn !== null && !this.#isDue) return
    this.#unschedule()
    this.#turn = setTimeout(() => this.#step(), this.#gatherMs)
  }

  #unschedule(): void {
    if (this.#turn) clearTimeout(this.#turn)
    this.#turn = null
  }

  /** Whether there is enough for a batch. */
  get #isDue(): boolean {
    const entries = this.#hurried ? GATHER_ENTRIES : IDLE_GATHER_ENTRIES
    return this.#log.head - this.#cursor === entries
  }

  /** How long to gather: not at all after a while without a batch, nor for what fills one. */
  get #gatherMs(): number {
    const entries = this.#hurried ? GATHER_ENTRIES : IDLE_GATHER_ENTRIES
    if (this.#log.head - this.#cursor >= entries) return 0
    if (!this.#hurried) return IDLE_GATHER_MS
    return Math.max(0, this.#sentAt + GATHER_MS - performance.now())
  }

  /** Hands out what came since the last step, as far as it is one batch. */
  #step(): void {
    this.#turn = null
    this.#passOn()
    const { head, tail } = this.#log
    if (this.#batches.length === MAX_BATCHES || this.#cursor === head) return
    // What the log let go of unread may have told what goes on after it.
    if (this.#cursor + 1 < tail) this.#told = false
    const end = Math.min(head, this.#past?.upto ?? head)
    const { payload, to } = this.#log.collect(BIN_SUBPROTOCOL, this.#cursor, end, BATCH_BYTES, null)
    const bytes = this.#told ? payload : Buffer.concat([this.#definitions(), payload])
    this.#told = true
    this.#batches.push(this.#cursor)
    this.#cursor = to
    this.#sentAt = performance.now()
    this.#send({ type: 'batch', bytes, upto: to })
    this.#passOn()
    this.#schedule()
  }

  /** Says that the past was sent, if it was. */
  #passOn(): void {
    const past = this.#past
    if (past === null || Math.max(this.#cursor, this.#log.tail - 1) < past.upto) return
    this.#past = null
    past.on()
  }

  #definitions(): Uint8Array {
    const out = new ByteWriter()
    const keys = this.#log.definitions(this.#cursor)
    if (keys.length > 0) writeGenerations(out, keys)
    return out.written
  }
}
