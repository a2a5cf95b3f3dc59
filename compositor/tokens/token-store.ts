/** The tokens that the compositor holds, in pages; the page with the oldest goes when there are too many. */
import {
  isFinal,
  type LogEntry,
  TOKEN_KINDS,
  type TokenEntry,
  type TokenKind,
} from '../../events/generation.ts'
import { mapCell } from '../draw/block-number.ts'
import { CHUNK_PAGE_BITS, ChunkLinks, headerOf } from './chunk-links.ts'
import { type GenerationRow, Generations } from './generations.ts'
import { HeldPages, isAfter } from './held-pages.ts'
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_INDEX,
  CHUNK_INTERVAL,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  COLUMN_TIMES,
  COLUMN_VALUES,
  CONFIDENCE_STEPS,
  ENTROPY_STEPS,
  NO_INTERVAL,
  PAGE_BITS,
  PAGE_TOKENS,
  SHAPE_COMPLEX,
  SHAPE_KIND_MASK,
  SHAPE_KIND_SHIFT,
  SHAPE_NEWLINE,
  TICKS_PER_MS,
  UNKNOWN,
} from './record.ts'
import { TextShaper } from './shape.ts'
import type { TokenPage } from './token-page.ts'

/** Tokens of one chunk that were written one after the other. */
export interface Run {
  page: TokenPage
  /** Place in the page of the first of them. */
  first: number
  count: number
  slot: number
}

export type { GenerationRow }

export interface TokenStoreOptions {
  /** Pages that are held at most, at least 1. */
  maxPages: number
}

/** Ticks of 0.1 ms in a second. */
const TICKS_PER_SECOND = 1000 * TICKS_PER_MS
const MAX_MS = 0xffff_fffe
const VALUES_AT = COLUMN_VALUES * PAGE_TOKENS
const TIMES_AT = COLUMN_TIMES * PAGE_TOKENS
const SHAPES_AT = COLUMN_SHAPES * PAGE_TOKENS

/** Confidence and entropy as the record keeps them, see record.ts. */
export function packValues(confidence: number | null, entropy: number | null): number {
  return ((fixed(entropy, ENTROPY_STEPS) << 16) | fixed(confidence, CONFIDENCE_STEPS)) >>> 0
}

function fixed(value: number | null, steps: number): number {
  if (value === null || !(value >= 0)) return UNKNOWN
  return Math.min(Math.round(value * steps), UNKNOWN - 1)
}

export class TokenStore {
  readonly #pages: HeldPages
  readonly #generations = new Generations()
  readonly #links: ChunkLinks
  readonly #shaper = new TextShaper()
  readonly #freeListeners: ((page: TokenPage) => void)[] = []
  #originTicks: number | null = null
  #size = 0
  #upto = 0
  #dropped = 0
  #isRelabelled = false

  constructor({ maxPages }: TokenStoreOptions) {
    this.#pages = new HeldPages(maxPages)
    this.#links = new ChunkLinks(this.#pages)
  }

  /**
   * Unix seconds that times count from: of the first token, to the millisecond below, if {@link beginAt} did not say;
   * null while there was none.
   */
  get origin(): number | null {
    return this.#originTicks === null ? null : this.#originTicks / TICKS_PER_SECOND
  }

  /** Tokens held. */
  get size(): number {
    return this.#size
  }

  /** Seq of the last entry that was taken in; 0 before. */
  get upto(): number {
    return this.#upto
  }

  /** Tokens that could not be kept: their cell was taken, does not follow the one before it in its
   * block, came before another or lies in a page that is gone. */
  get dropped(): number {
    return this.#dropped
  }

  /** Whether the last {@link append} told another model of tokens that were there before it. */
  get isRelabelled(): boolean {
    return this.#isRelabelled
  }

  /** By number, from the oldest to the newest. */
  get pages(): ReadonlyMap<number, TokenPage> {
    return this.#pages.all
  }

  /** By slot; a generation may have several rows, see {@link Generations}. */
  get generations(): readonly GenerationRow[] {
    return this.#generations.rows
  }

  get models(): readonly string[] {
    return this.#generations.models
  }

  /** Lanes of the timeline that were ever taken. */
  get lanes(): number {
    return this.#generations.lanes
  }

  /** Tells `listener` of every page that is let go, while its tokens can still be read. */
  onFree(listener: (page: TokenPage) => void): void {
    this.#freeListeners.push(listener)
  }

  /** Tells `listener` of every row without tokens whose slot another one takes. */
  onForget(listener: (row: GenerationRow) => void): void {
    this.#generations.onForget(listener)
  }

  /** Says what times count from, in Unix seconds: no token to come is earlier. Without effect after the first one. */
  beginAt(seconds: number): void {
    this.#originTicks ??= Math.floor(seconds * 1000) * TICKS_PER_MS
  }

  /**
   * Takes in entries, in the log's order.
   *
   * @returns what was written, by chunk, in the order of first writes; not what is gone again already
   */
  append(entries: readonly LogEntry[]): Run[] {
    const runs: Run[] = []
    const runOf = new Map<number, Run>()
    let last: Run | null = null
    this.#isRelabelled = false
    for (const entry of entries) {
      this.#upto = entry.seq
      if (entry.type === 'neural_state') {
        const row = this.#generations.row(entry.generation)
        if (entry.model !== null && this.#generations.setModel(row, entry.model)) this.#relabel(row, runs)
        if (isFinal(entry.state)) this.#generations.finish(row)
        continue
      }
      const n = this.#write(entry)
      if (n < 0) continue
      const place = n & (PAGE_TOKENS - 1)
      if (last !== null && last.page.number === n >>> PAGE_BITS) {
        if (last.first + last.count === place && (place & (CHUNK_TOKENS - 1)) !== 0) {
          last.count++
          continue
        }
      }
      const known = runOf.get(n >>> CHUNK_BITS)
      if (known !== undefined) {
        known.count++
        last = known
        continue
      }
      const page = this.#page(n)
      last = { page, first: place, count: 1, slot: this.slotOf(n) }
      runOf.set(n >>> CHUNK_BITS, last)
      runs.push(last)
    }
    return runs.filter(({ page }) => this.#pages.get(page.number) === page)
  }

  /** Whether there is a token of this number. */
  has(n: number): boolean {
    const page = this.#pages.get(n >>> PAGE_BITS)
    if (page === undefined) return false
    const header = headerOf(n)
    const place = n & (CHUNK_TOKENS - 1)
    return (
      place < (page.chunks[header + CHUNK_END] as number) &&
      place >= (page.chunks[header + CHUNK_FIRST] as number)
    )
  }

  /** What follows is of tokens that there are, by number. Slot of its generation. */
  slotOf(n: number): number {
    return this.#page(n).chunks[headerOf(n) + CHUNK_GENERATION] as number
  }

  /** Index within its generation. */
  indexOf(n: number): number {
    return ((this.#page(n).chunks[headerOf(n) + CHUNK_INDEX] as number) + (n & (CHUNK_TOKENS - 1))) >>> 0
  }

  /** `<generation>:<index>`. */
  idOf(n: number): string {
    return `${(this.#generations.rows[this.slotOf(n)] as GenerationRow).id}:${this.indexOf(n)}`
  }

  /** Time in whole ms since the origin, rounded down. */
  msOf(n: number): number {
    const page = this.#page(n)
    const ticks = page.records[TIMES_AT + (n & (PAGE_TOKENS - 1))] as number
    return (page.chunks[headerOf(n) + CHUNK_BASE] as number) + Math.trunc(ticks / TICKS_PER_MS)
  }

  /** Time in ticks of 0.1 ms since the origin. */
  ticksOf(n: number): number {
    const page = this.#page(n)
    const ticks = page.records[TIMES_AT + (n & (PAGE_TOKENS - 1))] as number
    return (page.chunks[headerOf(n) + CHUNK_BASE] as number) * TICKS_PER_MS + ticks
  }

  /** Ticks since the token before it in its generation; -1 if there is none. */
  intervalOf(n: number): number {
    const { chunks, records } = this.#page(n)
    const header = headerOf(n)
    const place = n & (PAGE_TOKENS - 1)
    if ((n & (CHUNK_TOKENS - 1)) > (chunks[header + CHUNK_FIRST] as number)) {
      return (records[TIMES_AT + place] as number) - (records[TIMES_AT + place - 1] as number)
    }
    const interval = chunks[header + CHUNK_INTERVAL] as number
    return interval === NO_INTERVAL ? -1 : interval
  }

  /** 0 … 1, or null where it is not known. */
  confidenceOf(n: number): number | null {
    const value = (this.#page(n).records[VALUES_AT + (n & (PAGE_TOKENS - 1))] as number) & 0xffff
    return value === UNKNOWN ? null : value / CONFIDENCE_STEPS
  }

  /** Nats, or null where it is not known. */
  entropyOf(n: number): number | null {
    const value = (this.#page(n).records[VALUES_AT + (n & (PAGE_TOKENS - 1))] as number) >>> 16
    return value === UNKNOWN ? null : value / ENTROPY_STEPS
  }

  kindOf(n: number): TokenKind {
    const shape = this.#page(n).records[SHAPES_AT + (n & (PAGE_TOKENS - 1))] as number
    return TOKEN_KINDS[(shape >>> SHAPE_KIND_SHIFT) & SHAPE_KIND_MASK] ?? 'message'
  }

  textOf(n: number): string {
    return this.#page(n).text(n & (PAGE_TOKENS - 1))
  }

  /** Number of the generation's next token that is held, or -1. */
  next(n: number): number {
    return this.#links.next(n)
  }

  /** Number of the one before it, or -1. */
  previous(n: number): number {
    return this.#links.previous(n)
  }

  /** Number of a row's token, by its index within the generation; -1 if it is not held. */
  tokenAt(slot: number, index: number): number {
    const row = this.#generations.rows[slot]
    return row === undefined ? -1 : this.#links.tokenAt(row, index)
  }

  /** Writes a token. @returns its number; -1 if it could not be kept */
  #write(entry: TokenEntry): number {
    const cell = mapCell(entry.position[0], entry.position[1])
    const number = cell >>> PAGE_BITS
    const page = this.#pages.get(number) ?? this.#openPage(number)
    if (page === null) return this.#drop()
    // Only now: what the generation had may have gone to make room for the page.
    const row = this.#generations.rowToGoOn(entry.generation)
    const chunk = cell >>> CHUNK_BITS
    const chunks = page.chunks
    const header = headerOf(cell)
    const inChunk = cell & (CHUNK_TOKENS - 1)
    const end = chunks[header + CHUNK_END] as number
    const fresh = end === 0
    const last = row.chunks.at(-1) ?? -1
    // Tokens follow each other in their chunk, chunks in the order of their pages: layouts rely on it.
    if (fresh ? last >= 0 && isAfter(last >>> CHUNK_PAGE_BITS, number) : inChunk !== end || last !== chunk) {
      return this.#drop()
    }
    const ticks = this.#since(row.slot, Math.round(entry.timestamp * TICKS_PER_SECOND))
    if (fresh) {
      const ticksBefore = this.#generations.lastTicks(row.slot)
      this.#links.open(row, { page, chunk, first: inChunk, index: entry.index, ticks, ticksBefore })
    }
    chunks[header + CHUNK_END] = inChunk + 1

    const place = cell & (PAGE_TOKENS - 1)
    const text = entry.token_text
    const kind = Math.max(0, TOKEN_KINDS.indexOf(entry.kind))
    const shape = this.#shaper.shape(text, kind, this.#generations.tail(row.slot), page)
    this.#generations.setTail(row.slot, this.#shaper.tail)
    const base = (chunks[header + CHUNK_BASE] as number) * TICKS_PER_MS
    page.records[VALUES_AT + place] = packValues(entry.confidence, entry.entropy)
    page.records[TIMES_AT + place] = Math.min(ticks - base, 0xffff_ffff)
    page.records[SHAPES_AT + place] = shape
    if ((shape & SHAPE_COMPLEX) !== 0 && (shape & SHAPE_NEWLINE) !== 0) {
      page.newlines[place >>> 5] = ((page.newlines[place >>> 5] as number) | (1 << (place & 31))) >>> 0
    }
    page.setText(place, text)
    this.#generations.addToken(row, ticks)
    page.tokens++
    this.#size++
    return cell
  }

  /** Notes that a generation has another model, if it had tokens before the `runs` of this call. */
  #relabel({ slot, tokens }: GenerationRow, runs: readonly Run[]): void {
    if (tokens === 0 || this.#isRelabelled) return
    let added = 0
    for (const run of runs) if (run.slot === slot) added += run.count
    this.#isRelabelled = tokens > added
  }

  #drop(): number {
    this.#dropped++
    return -1
  }

  #page(n: number): TokenPage {
    return this.#pages.get(n >>> PAGE_BITS) as TokenPage
  }

  /** Time in ticks since the origin, not before that of the generation's token before. */
  #since(slot: number, ticks: number): number {
    const last = this.#generations.lastTicks(slot)
    if (!Number.isFinite(ticks)) return last
    this.#originTicks ??= Math.floor(ticks / TICKS_PER_MS) * TICKS_PER_MS
    return Math.max(last, Math.min(ticks - this.#originTicks, MAX_MS * TICKS_PER_MS))
  }

  /** A page that is not there yet; null if it is too old. */
  #openPage(number: number): TokenPage | null {
    const page = this.#pages.open(number)
    for (let oldest = this.#pages.excess; oldest !== null; oldest = this.#pages.excess) this.#free(oldest)
    return page
  }

  /** Lets the oldest page go. */
  #free(page: TokenPage): void {
    for (const listener of this.#freeListeners) listener(page)
    const { chunks } = page
    const slots = new Set<number>()
    for (let header = 0; header < chunks.length; header += CHUNK_WORDS) {
      const end = chunks[header + CHUNK_END] as number
      if (end === 0) continue
      const slot = chunks[header + CHUNK_GENERATION] as number
      const row = this.#generations.rows[slot] as GenerationRow
      row.tokens -= end - (chunks[header + CHUNK_FIRST] as number)
      slots.add(slot)
    }
    this.#size -= page.tokens
    this.#pages.drop(page)
    for (const slot of slots) {
      const row = this.#generations.rows[slot] as GenerationRow
      if (!this.#links.cut(row, page.number)) this.#generations.empty(row)
    }
  }
}
