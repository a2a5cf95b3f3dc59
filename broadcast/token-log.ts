/**
 * The log: every event of every generation, once, in one order.
 *
 * Guarantees: `seq` counts 1, 2, 3, … within an epoch, without holes; an entry never changes after
 * `append` returned; `append` never waits for a reader, and no event is kept beyond it. Readers hold a cursor
 * (the seq they have read) and ask for what comes after it at their own pace. What falls out of the bounds is
 * gone for readers that far behind; `tail` says where the kept part begins. Of count and bytes the newest entry
 * is exempt: it is kept however large it is. Age is looked at when `trim` is called. Memory is bounded by the
 * log, not by the number of readers: each encoding of an entry is made once, for all of them, binary at append
 * and JSON when it is first asked for. Memory is let go of block by block, some 256 entries at a time.
 */
import { randomBytes } from 'node:crypto'
import type { GenerationEvent, LogEntry } from '../events/generation.ts'
import { isFinal } from '../events/generation.ts'
import { CellAllocator } from './cells.ts'
import { BLOCK_ENTRIES } from './encoded-block.ts'
import { GenerationKeys } from './generation-keys.ts'
import { LogBlock } from './log-block.ts'
import { type Filter, type Payload, PayloadMaker } from './payload.ts'
import type { GenerationKey, JSON_SUBPROTOCOL, SnapshotGeneration, Subprotocol } from './protocol.ts'
import { Transcripts } from './transcripts.ts'

export type { Filter, Payload } from './payload.ts'

export interface TokenLogOptions {
  /** Where a cell lies on the map, in cells. */
  place: (cell: number) => [x: number, y: number]
  /** Entries kept at most. */
  maxEntries?: number
  /** Bytes of entries kept at most, in all encodings together. */
  maxBytes?: number
  /** How old an entry may become, in milliseconds since its append. */
  maxAgeMs?: number
  /** Name of this run of the log; one of its own if not given. */
  epoch?: string
  /** Number of the first block of 256 cells to give: those before it were given by earlier runs. */
  nextBlock?: number
  /** What snapshots hold as finished from earlier runs, oldest first; of these, too, the last 50 are kept. */
  finished?: readonly SnapshotGeneration[]
}

type AppendListener = (seq: number, event: GenerationEvent) => void

export class TokenLog {
  /** `<log id>.<decimal>`: one log may go on over several runs, which count up. */
  readonly epoch: string
  readonly #place: TokenLogOptions['place']
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #maxAgeMs: number
  /** Blocks with entries that are kept, oldest first. */
  readonly #blocks: LogBlock[] = []
  readonly #generations = new GenerationKeys()
  readonly #cells: CellAllocator
  readonly #transcripts: Transcripts
  readonly #listeners = new Set<AppendListener>()
  #head = 0
  #tail = 1
  #bytes = 0
  /** What `bytesAfter` gave last: viewers that stand together ask one after the other. */
  #measured: { cursor: number; protocol: Subprotocol; bytes: number } | null = null

  constructor(options: TokenLogOptions) {
    this.#place = options.place
    this.#maxEntries = options.maxEntries ?? 65_536
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024
    this.#maxAgeMs = options.maxAgeMs ?? 60 * 60 * 1000
    this.epoch = options.epoch ?? `${randomBytes(5).toString('hex')}.1`
    this.#cells = new CellAllocator(options.nextBlock)
    this.#transcripts = new Transcripts(options.finished)
  }

  /** Seq of the newest entry; 0 while there is none. */
  get head(): number {
    return this.#head
  }

  /** Seq of the oldest entry kept; `head + 1` while there is none. */
  get tail(): number {
    return this.#tail
  }

  /** Number of the block of cells that is given next, 0 … 2^24 − 1: where a later run of the log goes on. */
  get nextBlock(): number {
    return this.#cells.nextBlock
  }

  /** Bytes of the entries kept, in all encodings that are made. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Appends an event: encodes it and gives it its seq and, to a token, its cell on the map, and tells the
   * listeners. The time of a token is rounded to 0.1 ms.
   *
   * @param readAt `performance.now()` when the bytes it came from were read
   * @returns its seq
   */
  append(event: GenerationEvent, readAt: number): number {
    const seq = this.#head + 1
    const { generation } = event
    let block = this.#blocks.at(-1)
    if (block === undefined || block.length === BLOCK_ENTRIES) {
      block = new LogBlock(seq)
      this.#blocks.push(block)
    }
    const known = this.#generations.find(generation) ?? this.#generations.open(generation, seq)
    if (event.type === 'token_activation') {
      const cell = this.#cells.allocate(generation)
      // What comes after a final state is told anew: readers that began in between were not told.
      const token = { cell, position: this.#place(cell), opens: known.last === 0 || known.final }
      this.#bytes += block.append(event, known, token, readAt)
    } else {
      this.#bytes += block.append(event, known, null, readAt)
      known.final = isFinal(event.state)
      if (known.final) this.#cells.close(generation)
    }
    known.last = seq
    this.#head = seq
    this.#measured = null
    this.#trimToSize()
    this.#transcripts.apply(event)
    for (const listener of this.#listeners) listener(seq, event)
    return seq
  }

  /** The entry `seq`, decoded anew each time; undefined if it is not kept. */
  entry(seq: number): LogEntry | undefined {
    return this.#blockOf(seq)?.entry(indexOf(seq), this.#generations.keys)
  }

  /** Number of a token's cell on the map; null for what is no token or is not kept. */
  cell(seq: number): number | null {
    const cell = this.#blockOf(seq)?.cell(indexOf(seq))
    return cell === undefined || Number.isNaN(cell) ? null : cell
  }

  /** `performance.now()` when the bytes were read that `seq` came from; NaN if it is not kept. */
  readAt(seq: number): number {
    return this.#blockOf(seq)?.readAt(indexOf(seq)) ?? Number.NaN
  }

  /** `performance.now()` when `seq` was appended; NaN if it is not kept. */
  appendedAt(seq: number): number {
    return this.#blockOf(seq)?.appendedAt(indexOf(seq)) ?? Number.NaN
  }

  /** Id of the generation that `seq` is of; undefined if it is not kept. */
  generationOf(seq: number): string | undefined {
    const block = this.#blockOf(seq)
    return block && this.#generations.idOf(block.handle(indexOf(seq)))
  }

  /** Bytes of the entries after `cursor` that are kept, in the encoding of `protocol`, which is made for it. */
  bytesAfter(cursor: number, protocol: Subprotocol): number {
    const last = this.#measured
    if (last !== null && last.cursor === cursor && last.protocol === protocol) return last.bytes
    let bytes = this.#measure(cursor, protocol)
    if (this.#trimToSize()) bytes = this.#measure(cursor, protocol)
    this.#measured = { cursor, protocol, bytes }
    return bytes
  }

  /**
   * The entries with `after` < seq ≤ `upTo` that are kept and pass `filter` (null: all), as many as fit
   * `maxBytes`, at least one if there is any. JSON: one object, or an array of several. Binary: a message of
   * entries for each run of neighbouring seqs.
   *
   * @returns with `to`, the seq up to which all that passes is in it; `upTo` where nothing passes
   */
  collect(
    protocol: Subprotocol,
    after: number,
    upTo: number,
    maxBytes: number,
    filter: Filter | null,
  ): Payload {
    const last = Math.min(upTo, this.#head)
    const maker = new PayloadMaker(protocol, maxBytes)
    const passes = filter === null ? null : this.#passing(filter)
    let to = Math.max(after, last)
    let seq = Math.max(after + 1, this.#tail)
    scan: for (
      let block = this.#blockOf(seq);
      block !== undefined && seq <= last;
      block = this.#blockOf(seq)
    ) {
      const end = Math.min(last, block.first + block.length - 1)
      for (; seq <= end; seq++) {
        const index = seq - block.first
        if (passes !== null && !passes(block.handle(index))) continue
        const before = block.jsonBytes
        const encoded = block.encoded(protocol, index, index, this.#generations.keys)
        this.#bytes += block.jsonBytes - before
        if (maker.add(block, encoded, index)) continue
        to = seq - 1
        break scan
      }
    }
    const payload = maker.payload(to)
    this.#trimToSize()
    return payload
  }

  /** What a reader of the binary protocol has to be told who begins after entry `after`, or at `tail` if it is later. */
  definitions(after: number): GenerationKey[] {
    return this.#generations.before(Math.max(after, this.#tail - 1))
  }

  /**
   * Every running generation and the last 50 finished as they are at `head`, oldest first; with a filter, those
   * of them that pass it.
   */
  generations(filter: Filter | null = null): SnapshotGeneration[] {
    return this.#transcripts.generations(filter)
  }

  /** Lets go of all JSON, which nobody reads any more; who asks again gets it made again. */
  forget(_protocol: typeof JSON_SUBPROTOCOL): void {
    for (const block of this.#blocks) this.#bytes -= block.forgetJson()
  }

  /** Lets go of what is too old. */
  trim(): void {
    const oldest = performance.now() - this.#maxAgeMs
    while (this.#tail <= this.#head && this.appendedAt(this.#tail) < oldest) this.#drop()
  }

  /** Calls `listener` with each event right after it was appended; returns how to stop that. */
  onAppend(listener: AppendListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The block of `seq`, or undefined if it is not kept. */
  #blockOf(seq: number): LogBlock | undefined {
    if (seq < this.#tail || seq > this.#head) return undefined
    const { first } = this.#blocks[0] as LogBlock
    return this.#blocks[Math.floor((seq - first) / BLOCK_ENTRIES)]
  }

  #measure(cursor: number, protocol: Subprotocol): number {
    let bytes = 0
    let seq = Math.max(cursor + 1, this.#tail)
    for (let block = this.#blockOf(seq); block !== undefined; block = this.#blockOf(seq)) {
      const from = seq - block.first
      const before = block.jsonBytes
      const encoded = block.encoded(protocol, from, block.length - 1, this.#generations.keys)
      this.#bytes += block.jsonBytes - before
      if (from === 0) bytes += encoded.bytes
      else for (let index = from; index < block.length; index++) bytes += encoded.sizeOf(index)
      seq = block.first + block.length
    }
    return bytes
  }

  /** `filter` by handle, asked once for each. */
  #passing(filter: Filter): (handle: number) => boolean {
    const known = new Map<number, boolean>()
    return handle => {
      let passes = known.get(handle)
      if (passes === undefined) {
        passes = filter.has(this.#generations.idOf(handle) as string)
        known.set(handle, passes)
      }
      return passes
    }
  }

  /** Keeps to the bounds of count and bytes; gives whether anything had to go. */
  #trimToSize(): boolean {
    const tail = this.#tail
    while (
      this.#tail < this.#head &&
      (this.#head - this.#tail >= this.#maxEntries || this.#bytes > this.#maxBytes)
    ) {
      this.#drop()
    }
    return this.#tail > tail
  }

  /** Drops the oldest entry. */
  #drop(): void {
    const block = this.#blocks[0] as LogBlock
    const index = indexOf(this.#tail)
    this.#bytes -= block.drop(index)
    this.#generations.dropped(block.handle(index), this.#tail)
    this.#tail++
    this.#measured = null
    if (index === BLOCK_ENTRIES - 1) this.#blocks.shift()
  }
}

/** Place of `seq` in its block: blocks follow each other from seq 1 on. */
function indexOf(seq: number): number {
  return (seq - 1) % BLOCK_ENTRIES
}
