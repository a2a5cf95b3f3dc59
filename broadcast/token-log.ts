/**
 * The log: every event of every generation, once, in one order.
 *
 * Guarantees: `seq` counts 1, 2, 3, … within an epoch, without holes; an entry never changes after
 * `append` returned it; `append` never waits for a reader. Readers hold a cursor (the seq they have read)
 * and ask for what comes after it at their own pace. What falls out of the ring's bounds is gone for
 * readers that far behind; `tail` says where the kept part begins. Memory is bounded by the ring, not by
 * the number of readers.
 */
import { randomBytes } from 'node:crypto'
import type { GenerationEvent, LogEntry } from '../events/generation.ts'
import { isFinal } from '../events/generation.ts'
import { CellAllocator } from './cells.ts'
import type { SnapshotGeneration } from './protocol.ts'
import { Transcripts } from './transcripts.ts'

export interface TokenLogOptions {
  /** Where a cell lies on the map, in cells. */
  place: (cell: number) => [x: number, y: number]
  /** Entries kept at most. */
  maxEntries?: number
  /** Bytes of encoded entries kept at most. */
  maxBytes?: number
}

/** An entry with what delivery needs to know of it. */
export interface LogRecord {
  readonly entry: LogEntry
  /** Number of the token's cell on the map; null for what is no token. */
  readonly cell: number | null
  /** The entry as UTF-8 JSON, encoded once for all readers. */
  readonly json: Buffer
  /** Bytes of JSON appended in this epoch up to and including this entry. */
  readonly end: number
  /** `performance.now()` when the bytes it came from were read. */
  readonly readAt: number
  /** `performance.now()` when it was appended. */
  readonly appendedAt: number
}

type AppendListener = (record: LogRecord) => void

export class TokenLog {
  /** `<random log id>.<decimal>`. */
  readonly epoch: string
  readonly #place: TokenLogOptions['place']
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #ring: (LogRecord | undefined)[]
  readonly #cells = new CellAllocator()
  readonly #transcripts = new Transcripts()
  readonly #listeners = new Set<AppendListener>()
  #head = 0
  #tail = 1
  #bytes = 0

  constructor(options: TokenLogOptions) {
    this.#place = options.place
    this.#maxEntries = options.maxEntries ?? 50_000
    this.#maxBytes = options.maxBytes ?? 32 * 1024 * 1024
    this.#ring = new Array(this.#maxEntries)
    this.epoch = `${randomBytes(5).toString('hex')}.1`
  }

  /** Seq of the newest entry; 0 while there is none. */
  get head(): number {
    return this.#head
  }

  /** Seq of the oldest entry kept; `head + 1` while there is none. */
  get tail(): number {
    return this.#tail
  }

  /**
   * Appends an event: gives it its seq and, to a token, its cell on the map, and tells the listeners.
   *
   * @param readAt `performance.now()` when the bytes it came from were read
   */
  append(event: GenerationEvent, readAt: number): LogEntry {
    const seq = this.#head + 1
    let cell: number | null = null
    let entry: LogEntry
    if (event.type === 'token_activation') {
      cell = this.#cells.allocate(event.generation)
      entry = { seq, ...event, position: this.#place(cell) }
    } else entry = { seq, ...event }
    if (event.type === 'neural_state' && isFinal(event.state)) this.#cells.close(event.generation)

    const json = Buffer.from(JSON.stringify(entry))
    this.#bytes += json.length
    const record = { entry, cell, json, end: this.#bytes, readAt, appendedAt: performance.now() }
    this.#ring[seq % this.#maxEntries] = record
    this.#head = seq
    this.#trim()
    this.#transcripts.apply(entry)
    for (const listener of this.#listeners) listener(record)
    return entry
  }

  /** The record of `seq`, or undefined if it is not kept. */
  record(seq: number): LogRecord | undefined {
    return seq >= this.#tail && seq <= this.#head ? this.#ring[seq % this.#maxEntries] : undefined
  }

  /** Bytes of JSON after `cursor` that are still kept. */
  bytesAfter(cursor: number): number {
    const first = this.record(Math.max(cursor + 1, this.#tail))
    return first === undefined ? 0 : this.#bytes - first.end + first.json.length
  }

  /** Every running generation and the last 50 finished as they are at `head`, oldest first. */
  generations(): SnapshotGeneration[] {
    return this.#transcripts.generations()
  }

  /** Calls `listener` with each record right after it was appended; returns how to stop that. */
  onAppend(listener: AppendListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #trim(): void {
    while (this.#head - this.#tail >= this.#maxEntries || this.bytesAfter(this.#tail - 1) > this.#maxBytes) {
      if (this.#tail === this.#head) return
      const index = this.#tail % this.#maxEntries
      this.#tail++
      if (index !== this.#head % this.#maxEntries) this.#ring[index] = undefined
    }
  }
}
