/** How a generation's chunks hang together over the pages that are held; see record.ts for their headers. */
import type { GenerationRow } from './generations.ts'
import type { HeldPages } from './held-pages.ts'
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_INDEX,
  CHUNK_INTERVAL,
  CHUNK_NEXT,
  CHUNK_PREVIOUS,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  NO_INTERVAL,
  PAGE_BITS,
  PAGE_CHUNKS,
  PAGE_TOKENS,
  TICKS_PER_MS,
} from './record.ts'
import type { TokenPage } from './token-page.ts'

/** A chunk's number without these is that of its page. */
export const CHUNK_PAGE_BITS = PAGE_BITS - CHUNK_BITS

/** A chunk as its first token is written. */
export interface NewChunk {
  page: TokenPage
  /** Number of the chunk. */
  chunk: number
  /** Place in the chunk of its first token, and that one's index within the generation. */
  first: number
  index: number
  /** Time of its first token in ticks since the origin, and of the generation's token before it. */
  ticks: number
  ticksBefore: number
}

export class ChunkLinks {
  readonly #pages: HeldPages

  constructor(pages: HeldPages) {
    this.#pages = pages
  }

  /** Begins a generation's next chunk. */
  open(row: GenerationRow, { page, chunk, first, index, ticks, ticksBefore }: NewChunk): void {
    const { chunks } = page
    const header = (chunk & (PAGE_CHUNKS - 1)) * CHUNK_WORDS
    const before = row.chunks.at(-1)
    chunks[header + CHUNK_GENERATION] = row.slot
    chunks[header + CHUNK_INDEX] = (index - first) >>> 0
    chunks[header + CHUNK_BASE] = Math.trunc(ticks / TICKS_PER_MS)
    chunks[header + CHUNK_NEXT] = 0
    chunks[header + CHUNK_FIRST] = first
    if (before === undefined) {
      chunks[header + CHUNK_PREVIOUS] = 0
      chunks[header + CHUNK_INTERVAL] = NO_INTERVAL
    } else {
      chunks[header + CHUNK_PREVIOUS] = before + 1
      chunks[header + CHUNK_INTERVAL] = Math.min(ticks - ticksBefore, NO_INTERVAL - 1)
      this.#header(before, CHUNK_NEXT, chunk + 1)
    }
    row.chunks.push(chunk)
  }

  /** Takes the chunks of a page that is gone from a generation. @returns whether it has any left */
  cut(row: GenerationRow, page: number): boolean {
    const kept = row.chunks.filter(chunk => chunk >>> CHUNK_PAGE_BITS !== page)
    row.chunks.length = 0
    for (const [i, chunk] of kept.entries()) {
      row.chunks.push(chunk)
      this.#header(chunk, CHUNK_PREVIOUS, (kept[i - 1] ?? -1) + 1)
      this.#header(chunk, CHUNK_NEXT, (kept[i + 1] ?? -1) + 1)
    }
    return kept.length > 0
  }

  /** Number of the generation's next token that is held, or -1. */
  next(n: number): number {
    const page = this.#pages.get(n >>> PAGE_BITS)
    if (page === undefined) return -1
    const header = headerOf(n)
    if ((n & (CHUNK_TOKENS - 1)) + 1 < (page.chunks[header + CHUNK_END] as number)) return n + 1
    const next = (page.chunks[header + CHUNK_NEXT] as number) - 1
    return next < 0 ? -1 : this.#firstOf(next)
  }

  /** Number of the one before it, or -1. */
  previous(n: number): number {
    const page = this.#pages.get(n >>> PAGE_BITS)
    if (page === undefined) return -1
    const header = headerOf(n)
    if ((n & (CHUNK_TOKENS - 1)) > (page.chunks[header + CHUNK_FIRST] as number)) return n - 1
    const previous = (page.chunks[header + CHUNK_PREVIOUS] as number) - 1
    return previous < 0 ? -1 : previous * CHUNK_TOKENS + this.#word(previous, CHUNK_END) - 1
  }

  /** Number of a generation's token, or -1 if it is not held. Takes a binary search over its chunks. */
  tokenAt({ chunks }: GenerationRow, index: number): number {
    let low = 0
    let high = chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const chunk = chunks[middle] as number
      const begins = (this.#word(chunk, CHUNK_INDEX) + this.#word(chunk, CHUNK_FIRST)) >>> 0
      if (begins <= index) low = middle + 1
      else high = middle
    }
    if (low === 0) return -1
    const chunk = chunks[low - 1] as number
    const place = (index - this.#word(chunk, CHUNK_INDEX)) >>> 0
    if (place < this.#word(chunk, CHUNK_FIRST) || place >= this.#word(chunk, CHUNK_END)) return -1
    return chunk * CHUNK_TOKENS + place
  }

  #firstOf(chunk: number): number {
    return chunk * CHUNK_TOKENS + this.#word(chunk, CHUNK_FIRST)
  }

  #word(chunk: number, word: number): number {
    const { chunks } = this.#pages.get(chunk >>> CHUNK_PAGE_BITS) as TokenPage
    return chunks[(chunk & (PAGE_CHUNKS - 1)) * CHUNK_WORDS + word] as number
  }

  #header(chunk: number, word: number, value: number): void {
    const { chunks } = this.#pages.get(chunk >>> CHUNK_PAGE_BITS) as TokenPage
    chunks[(chunk & (PAGE_CHUNKS - 1)) * CHUNK_WORDS + word] = value
  }
}

/** Where the header of a token's chunk stands in its page's `chunks`. */
export function headerOf(n: number): number {
  return ((n & (PAGE_TOKENS - 1)) >>> CHUNK_BITS) * CHUNK_WORDS
}
