import type { Tape, TapedRequest, TapeOutcome, Tapes } from '../../bridge/tape.ts'
import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import { BIN_SUBPROTOCOL, writeGenerations } from '../../broadcast/protocol.ts'
import type { TokenLog } from '../../broadcast/token-log.ts'
import { type GenerationEvent, isFinal } from '../../events/generation.ts'
import { BatchBuffer } from './batch-items.ts'
import { LossTally } from './loss-tally.ts'
import { RecordedTape } from './recorded-tape.ts'
import type { Batch } from './writer-messages.ts'

/** What was appended is handed over after so long at most. */
const GATHER_MS = 200
/** As the end of a generation is: a crash after it should not cost it. */
const FINAL_GATHER_MS = 20
/** So much is handed over at once. */
const GATHER_ENTRIES = 8192
const GATHER_BYTES = 256 * 1024
/** Handed over and not written yet, and gathered: with more, what comes is not kept. */
const MAX_UNWRITTEN = 64 * 1024 * 1024

/** Bytes of entries about, before they are encoded: enough to tell when to gather. */
const STATE_BYTES = 400
const TOKEN_BYTES = 24
const ALTERNATIVE_BYTES = 12

export interface RecorderOptions {
  /** Takes a batch; its buffer is the taker's. */
  hand: (batch: Batch) => void
  /** Whether requests and answers are recorded too. */
  tapes: boolean
  /** Told how many entries were not kept. */
  onLost: (entries: number) => void
  maxUnwritten?: number
}

interface Waiting {
  number: number
  resolve: () => void
}

/**
 * Follows the log, and what the bridge tells of requests and answers, and hands out batches of it. It reads the
 * log within `append` as soon as enough is there, so that the log lets go of nothing that was not read. It never
 * waits: where batches are not written fast enough to keep to the bound of memory, entries are left out, counted,
 * and what is known of them is told with the next batch that fits.
 */
export class Recorder implements Tapes {
  readonly #options: RecorderOptions
  readonly #maxUnwritten: number
  #buffer = new BatchBuffer()
  readonly #losses = new LossTally()
  #log: TokenLog | null = null
  #unlisten: (() => void) | null = null
  /** Seq of the last entry read. */
  #cursor = 0
  /** Seq of the last entry before the first that was lost. */
  #whole = Number.POSITIVE_INFINITY
  /** Whether the writer knows what the handles of entries after the cursor stand for. */
  #told = true
  /** Bytes of the entries after the cursor, about. */
  #weight = 0
  #timer: NodeJS.Timeout | null = null
  /** Whether the timer was set for the end of a generation. */
  #soon = false
  readonly #tapes = new Set<RecordedTape>()
  #tapeNumber = 0
  #batches = 0
  /** Bytes of the batches that are not written, by their numbers. */
  readonly #handed = new Map<number, number>()
  #unwritten = 0
  #waiting: Waiting[] = []
  /** Whether nothing can be written by now. */
  #stuck = false
  #closed = false

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#maxUnwritten = options.maxUnwritten ?? MAX_UNWRITTEN
  }

  /** Begins to follow a log; before anything is appended to it. */
  follow(log: TokenLog): void {
    this.#log = log
    this.#cursor = log.head
    this.#unlisten = log.onAppend((_seq, event) => this.#appended(event))
  }

  open(request: TapedRequest): Tape | null {
    if (!this.#options.tapes || this.#closed) return null
    const { body } = request
    if (!this.hasRoom(body?.length ?? 0)) return null
    const number = ++this.#tapeNumber
    const generations = [...request.generations()]
    const startedMs = Date.now() - (performance.now() - request.startedAt)
    const { method, target, headers, correlationId } = request
    this.#buffer.open(number, { method, target, headers, correlationId, startedMs, generations }, body)
    const tape = new RecordedTape(number, request, generations.length, this)
    this.#tapes.add(tape)
    this.gathered()
    return tape
  }

  /** Whether so many bytes more keep to the bound of memory. */
  hasRoom(bytes: number): boolean {
    return !this.#closed && this.#unwritten + this.#buffer.length + bytes <= this.#maxUnwritten
  }

  /** Where a tape puts what it is told. */
  get buffer(): BatchBuffer {
    return this.#buffer
  }

  /** Something was put into the buffer. */
  gathered(): void {
    if (this.#closed) return
    if (this.#buffer.length + this.#weight >= GATHER_BYTES) this.#gather()
    else this.#schedule(GATHER_MS)
  }

  /** A tape has ended. */
  ended(tape: RecordedTape, outcome: TapeOutcome): void {
    if (!this.#tapes.delete(tape) || this.#closed) return
    this.#tellGenerations(tape)
    this.#buffer.end(tape.number, outcome, tape.lost)
    this.#schedule(FINAL_GATHER_MS)
  }

  /**
   * A batch is written, or never will be.
   *
   * @param lost entries of it that never will be
   */
  done(number: number, lost: number): void {
    // They may have told what the handles of others stand for.
    if (lost > 0) this.#told = false
    this.#unwritten -= this.#handed.get(number) ?? 0
    this.#handed.delete(number)
    if (this.#losses.size > 0 && !this.#closed) this.#schedule(GATHER_MS)
    this.#settle()
  }

  /** Whether nothing can be written: then nobody waits for it. */
  stuck(stuck: boolean): void {
    this.#stuck = stuck
    this.#settle()
  }

  /** Resolves once all that was appended by now is written; at once while nothing can be. */
  flush(): Promise<void> {
    this.#gather()
    if (this.#stuck || this.#handed.size === 0) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push({ number: this.#batches, resolve }))
  }

  /** Hands over what is left and follows no longer. */
  close(): void {
    this.#unlisten?.()
    this.#gather()
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Who took batches is gone, and with it what it had not written; another one takes them from now on. */
  lost(): void {
    this.#told = false
    this.#handed.clear()
    this.#unwritten = 0
    this.#settle()
  }

  /** Nobody takes batches any more. */
  abandon(): void {
    this.#unlisten?.()
    this.#closed = true
    this.#buffer = new BatchBuffer()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#handed.clear()
    this.#settle()
  }

  /** Called with each event of the log: it has to cost next to nothing. */
  #appended(event: GenerationEvent): void {
    if (event.type === 'token_activation') {
      this.#weight += TOKEN_BYTES + event.token_text.length + event.top.length * ALTERNATIVE_BYTES
      if (this.#timer === null) this.#schedule(GATHER_MS)
    } else {
      this.#weight += STATE_BYTES
      this.#schedule(isFinal(event.state) ? FINAL_GATHER_MS : GATHER_MS)
    }
    const entries = (this.#log as TokenLog).head - this.#cursor
    if (entries >= GATHER_ENTRIES || this.#weight + this.#buffer.length >= GATHER_BYTES) this.#gather()
  }

  #schedule(ms: number): void {
    const soon = ms === FINAL_GATHER_MS
    if (this.#timer !== null) {
      if (!soon || this.#soon) return
      clearTimeout(this.#timer)
    }
    this.#soon = soon
    this.#timer = setTimeout(() => this.#gather(), ms)
  }

  /** Hands over what came since the last time. */
  #gather(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#closed) return
    for (const tape of this.#tapes) this.#tellGenerations(tape)
    if (this.#losses.size > 0 && this.hasRoom(0)) this.#buffer.lost(this.#losses.take())
    const entries = this.#collect()
    if (this.#buffer.length === 0) return
    const bytes = this.#buffer.take()
    const number = ++this.#batches
    this.#handed.set(number, bytes.length)
    this.#unwritten += bytes.length
    const nextBlock = this.#log?.nextBlock ?? 0
    this.#options.hand({ number, bytes, entries, upto: Math.min(this.#cursor, this.#whole), nextBlock })
  }

  /** Puts the entries after the cursor into the buffer; gives how many. */
  #collect(): number {
    const log = this.#log
    if (log === null || log.head === this.#cursor) return 0
    const { head, tail } = log
    const after = this.#cursor
    this.#cursor = head
    this.#weight = 0
    if (tail > after + 1) this.#lose(after, tail - after - 1)
    const { payload, entries } = log.collect(BIN_SUBPROTOCOL, after, head, Number.POSITIVE_INFINITY, null)
    if (!this.hasRoom(payload.length)) {
      for (let seq = Math.max(tail, after + 1); seq <= head; seq++) this.#losses.add(log.entry(seq))
      this.#lose(after, entries)
      return 0
    }
    this.#buffer.messages(this.#told ? new Uint8Array(0) : definitionsOf(log, after), payload)
    this.#told = true
    return entries
  }

  #lose(after: number, entries: number): void {
    this.#told = false
    this.#whole = Math.min(this.#whole, after)
    this.#options.onLost(entries)
  }

  /** A request may come to have more generations while it is answered. */
  #tellGenerations(tape: RecordedTape): void {
    const generations = tape.newGenerations()
    if (generations.length > 0) this.#buffer.generations(tape.number, generations)
  }

  #settle(): void {
    const oldest = this.#stuck ? undefined : this.#handed.keys().next().value
    const isWritten = ({ number }: Waiting) => oldest === undefined || number < oldest
    for (const waiting of this.#waiting) if (isWritten(waiting)) waiting.resolve()
    this.#waiting = this.#waiting.filter(waiting => !isWritten(waiting))
  }
}

function definitionsOf(log: TokenLog, after: number): Uint8Array {
  const out = new ByteWriter()
  const keys = log.definitions(after)
  if (keys.length > 0) writeGenerations(out, keys)
  return out.written
}
