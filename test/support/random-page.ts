/** Pages of tokens from anywhere, within what compositor/tokens/record.ts allows. */
import { FRAGMENT_CLOSES, FRAGMENT_OPENS, FRAGMENT_WORDS } from '../../compositor/layout/flow-words.ts'
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_INTERVAL,
  CHUNK_NEXT,
  CHUNK_PREVIOUS,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  COLUMN_TIMES,
  COLUMN_VALUES,
  NO_INTERVAL,
  PAGE_CHUNKS,
  PAGE_TOKENS,
  PIECE_BREAK,
  PIECE_NEWLINES,
  PIECE_SPACES,
  PIECE_TABS,
  PIECE_TYPE_SHIFT,
  PIECE_WORD,
  SHAPE_BREAK,
  SHAPE_COMPLEX,
  SHAPE_KIND_SHIFT,
  SHAPE_NEWLINE,
  SHAPE_SPACES_SHIFT,
  UNKNOWN,
} from '../../compositor/tokens/record.ts'
import { TokenPage } from '../../compositor/tokens/token-page.ts'
import { between, oneOf } from './random.ts'

/** What a generation's text is like. */
export type TextManner = 'prose' | 'hostile' | 'empty' | 'newlines' | 'long' | 'wide'
export const TEXT_MANNERS: readonly TextManner[] = ['prose', 'hostile', 'empty', 'newlines', 'long', 'wide']

export interface RandomPageOptions {
  number?: number
  /** Generations, slots 0 … n − 1; each has one chunk or more if there is room. */
  generations: number
  /** Chunks of a generation at most. */
  chunks?: number
  /** The first chunk used. */
  firstChunk?: number
  manner?: TextManner
}

const WIDTHS = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 39, 40, 41, 79, 80, 81, 159, 160, 161, 10_000, 0xf_ffff]
const AMOUNTS = [0, 1, 1, 2, 3, 7, 8, 9, 79, 80, 127]

/** A page whose chunks are dealt out to generations in turn, as a log deals out its blocks. */
export function randomPage(random: () => number, options: RandomPageOptions): TokenPage {
  const { number = 0, generations, chunks = 4, firstChunk = 0, manner } = options
  const page = new TokenPage(number)
  const left = Array.from({ length: generations }, () => between(random, 1, chunks + 1))
  const lastChunk = new Int32Array(generations).fill(-1)
  const waiting = left.map((_, slot) => slot)
  const manners = left.map(() => manner ?? oneOf(random, TEXT_MANNERS))
  for (let chunk = firstChunk; chunk < PAGE_CHUNKS && waiting.length > 0; chunk++) {
    const turn = between(random, 0, waiting.length)
    const slot = waiting[turn] as number
    const previous = lastChunk[slot] as number
    writeChunk(random, page, chunk, slot, previous, manners[slot] as TextManner)
    lastChunk[slot] = chunk
    left[slot] = (left[slot] as number) - 1
    if (left[slot] === 0) waiting.splice(turn, 1)
  }
  return page
}

/** Places of a generation's tokens in the page, in the order of its text. */
export function placesOf({ chunks }: Pick<TokenPage, 'chunks'>, slot: number): number[] {
  const places: number[] = []
  for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) {
    const header = chunk * CHUNK_WORDS
    const end = chunks[header + CHUNK_END] as number
    if (end === 0 || chunks[header + CHUNK_GENERATION] !== slot) continue
    for (let i = chunks[header + CHUNK_FIRST] as number; i < end; i++) places.push((chunk << CHUNK_BITS) + i)
  }
  return places
}

/** All of a page, generation by generation, cut after every token with a line feed, as `flowFragments` takes it. */
export function everyFragmentOf(page: TokenPage, slots: number): Uint32Array<ArrayBuffer> {
  const words: number[] = []
  for (let slot = 0; slot < slots; slot++) {
    const places = placesOf(page, slot)
    if (places.length === 0) continue
    let first = 0
    let begun = 0
    for (let i = 0; i <= places.length; i++) {
      const closes = i === places.length
      if (!closes && !hasNewline(page, places[i] as number)) continue
      const flags = (begun === 0 ? FRAGMENT_OPENS : 0) | (closes ? FRAGMENT_CLOSES : 0)
      words.push(slot, places[first] as number, (closes ? i : i + 1) - first - begun, flags)
      words.push(...new Array<number>(FRAGMENT_WORDS - 4).fill(0))
      first = i
      begun = 1
    }
  }
  return Uint32Array.from(words)
}

function hasNewline({ newlines }: TokenPage, place: number): boolean {
  return (((newlines[place >>> 5] as number) >>> (place & 31)) & 1) === 1
}

function writeChunk(
  random: () => number,
  page: TokenPage,
  chunk: number,
  slot: number,
  previous: number,
  manner: TextManner,
): void {
  const { chunks, records } = page
  const header = chunk * CHUNK_WORDS
  // Only a generation's first chunk can lack tokens at its beginning, and one that went on lacks them at its end.
  const first = previous === -1 && random() < 0.3 ? between(random, 0, CHUNK_TOKENS) : 0
  const end = random() < 0.5 ? CHUNK_TOKENS : between(random, first + 1, CHUNK_TOKENS + 1)
  chunks[header + CHUNK_GENERATION] = slot
  chunks[header + CHUNK_FIRST] = first
  chunks[header + CHUNK_END] = end
  chunks[header + CHUNK_INTERVAL] =
    previous === -1 || random() < 0.1 ? NO_INTERVAL : oneOf(random, [0, 1, 900, 65_533, 65_534, 65_535, 4e9])
  chunks[header + CHUNK_BASE] = between(random, 0, 60_000)
  if (previous !== -1) {
    const before = page.number * PAGE_CHUNKS + previous
    chunks[header + CHUNK_PREVIOUS] = before + 1
    chunks[previous * CHUNK_WORDS + CHUNK_NEXT] = page.number * PAGE_CHUNKS + chunk + 1
    // Times of a generation do not go back.
    const last = (previous << CHUNK_BITS) + (chunks[previous * CHUNK_WORDS + CHUNK_END] as number) - 1
    const ticks = records[COLUMN_TIMES * PAGE_TOKENS + last] as number
    chunks[header + CHUNK_BASE] =
      (chunks[previous * CHUNK_WORDS + CHUNK_BASE] as number) + Math.floor(ticks / 10) + between(random, 0, 3)
  }
  let ticks = between(random, 0, 10)
  const pace = oneOf(random, [0, 3, 200, 5000])
  for (let i = (chunk << CHUNK_BITS) + first; i < (chunk << CHUNK_BITS) + end; i++) {
    records[COLUMN_VALUES * PAGE_TOKENS + i] = ((value(random) << 16) | value(random)) >>> 0
    records[COLUMN_TIMES * PAGE_TOKENS + i] = ticks
    const shape = randomShape(random, page, manner)
    records[COLUMN_SHAPES * PAGE_TOKENS + i] = shape
    if (shape >= SHAPE_COMPLEX && (shape & SHAPE_NEWLINE) !== 0) {
      page.newlines[i >>> 5] = (page.newlines[i >>> 5] as number) | (1 << (i & 31))
    }
    page.tokens++
    ticks += random() < 0.01 ? 100_000 : between(random, 0, pace + 1)
  }
}

function value(random: () => number): number {
  const chance = random()
  if (chance < 0.1) return UNKNOWN
  return chance < 0.3 ? oneOf(random, [0, 1, 65_533, 65_534]) : between(random, 0, 65_535)
}

function randomShape(random: () => number, page: TokenPage, manner: TextManner): number {
  const kind = between(random, 0, 3) << SHAPE_KIND_SHIFT
  const complex = { prose: 0.05, hostile: 0.5, empty: 0, newlines: 1, long: 0.2, wide: 0.3 }[manner]
  if (random() >= complex) {
    const breaks = random() < (manner === 'wide' ? 0.9 : 0.2) ? SHAPE_BREAK : 0
    return (kind | breaks | (spaces(random, manner) << SHAPE_SPACES_SHIFT) | columns(random, manner)) >>> 0
  }
  const pieces = Uint32Array.from({ length: between(random, 0, 7) }, () => piece(random, manner))
  const fed = pieces.some(piece => piece >>> PIECE_TYPE_SHIFT === PIECE_NEWLINES) ? SHAPE_NEWLINE : 0
  return (SHAPE_COMPLEX | kind | fed | page.addPieces(pieces, pieces.length)) >>> 0
}

function piece(random: () => number, manner: TextManner): number {
  const types = [PIECE_WORD, PIECE_WORD, PIECE_SPACES, PIECE_NEWLINES, PIECE_TABS]
  const type = manner === 'newlines' ? PIECE_NEWLINES : oneOf(random, types)
  if (type !== PIECE_WORD) return ((type << PIECE_TYPE_SHIFT) | Math.max(1, oneOf(random, AMOUNTS))) >>> 0
  return (random() < 0.3 ? PIECE_BREAK : 0) | columns(random, manner)
}

function columns(random: () => number, manner: TextManner): number {
  if (manner === 'empty') return 0
  if (manner === 'wide') return 2
  if (manner === 'hostile' || (manner === 'long' && random() < 0.2)) return oneOf(random, WIDTHS)
  return between(random, 0, 8)
}

function spaces(random: () => number, manner: TextManner): number {
  if (manner === 'empty' || manner === 'long') return 0
  if (manner === 'hostile') return oneOf(random, AMOUNTS)
  return random() < 0.6 ? 1 : 0
}
