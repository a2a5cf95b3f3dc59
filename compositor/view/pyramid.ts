/**
 * Sums of a layout's tokens by cell, from its finest summed cells up to those at which all of it lies in one
 * tile (of `timeline`, in one column of tiles), so that any picture of it costs what its cells cost.
 */
import { type LayoutName, TILE_SIDE } from '../../broadcast/protocol/view.ts'
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_INTERVAL,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  COLUMN_TIMES,
  COLUMN_VALUES,
  NO_INTERVAL,
  PAGE_TOKENS,
  SHAPE_KIND_MASK,
  SHAPE_KIND_SHIFT,
  TICKS_PER_MS,
  UNKNOWN,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import { LONGEST_INTERVAL } from './channels.ts'
import { GRIDS, type WorldRect } from './layout-grid.ts'
import { COUNT, KNOWN, NEWEST, PyramidTile, REASONING, SLOT, TOOL_CALLS } from './pyramid-tile.ts'

/** More columns of tiles than any layout has. */
const STRIDE = 2 ** 26

/** Tiles of one z, by `x + y * STRIDE`. */
type Level = Map<number, PyramidTile>

export class Pyramid {
  readonly #baseZ: number
  /** Units of a base cell along y, and by how much a cell of the next z is higher. */
  readonly #cellHeight: number
  readonly #fold: 1 | 2
  /** From the base on; never empty. */
  #levels: Level[] = [new Map()]
  /** Its first cell is the one that is being added up. */
  readonly #cell = new PyramidTile(CHUNK_TOKENS)

  constructor(layout: LayoutName) {
    const { baseZ, cellHeight } = GRIDS[layout]
    this.#baseZ = baseZ
    this.#cellHeight = cellHeight ?? 2 ** baseZ
    this.#fold = cellHeight === null ? 2 : 1
  }

  /**
   * Adds tokens `[first, end)` of one chunk of a page, which lie at these places (index 0 is that of `first`).
   *
   * @param deep whether at every z; otherwise only the base is added to, until `fold`
   */
  add(page: TokenPage, first: number, end: number, xs: Float64Array, ys: Float64Array, deep: boolean): void {
    const width = 2 ** this.#baseZ
    let from = first
    while (from < end) {
      const x = Math.floor((xs[from - first] as number) / width)
      const y = Math.floor((ys[from - first] as number) / this.#cellHeight)
      let to = from + 1
      while (
        to < end &&
        Math.floor((xs[to - first] as number) / width) === x &&
        Math.floor((ys[to - first] as number) / this.#cellHeight) === y
      ) {
        to++
      }
      this.#sum(page, from, to)
      this.#addTo(0, x, y, this.#cell, 0)
      if (deep) this.#addAbove(x, y)
      from = to
    }
  }

  /** Adds up every z anew from the base. */
  fold(): void {
    this.#levels.length = 1
    this.#grow()
  }

  /** Empties base cells, by `x + y * 2^32`; what is in them has then to be added again, and `refold` called. */
  clear(cells: Iterable<number>): void {
    for (const cell of cells) {
      const x = cell % 2 ** 32
      const y = Math.floor(cell / 2 ** 32)
      const tile = this.#levels[0]?.get(tileKey(x, y))
      const at = tile?.find(x % TILE_SIDE, y % TILE_SIDE) ?? -1
      if (at >= 0) tile?.clear(at)
    }
  }

  /** Adds up anew what lies above these base cells, by `x + y * 2^32`. */
  refold(cells: Iterable<number>): void {
    let dirty = new Set(cells)
    for (let level = 1; level < this.#levels.length; level++) {
      const above = new Set<number>()
      for (const cell of dirty) {
        above.add(
          Math.floor((cell % 2 ** 32) / 2) + Math.floor(Math.floor(cell / 2 ** 32) / this.#fold) * 2 ** 32,
        )
      }
      for (const cell of above) this.#foldCell(level, cell % 2 ** 32, Math.floor(cell / 2 ** 32))
      dirty = above
    }
    this.#grow()
  }

  /** The base cell of a place, by `x + y * 2^32`. */
  baseCell(x: number, y: number): number {
    return Math.floor(x / 2 ** this.#baseZ) + Math.floor(y / this.#cellHeight) * 2 ** 32
  }

  /** The units that a base cell covers. */
  baseRect(cell: number): WorldRect {
    const width = 2 ** this.#baseZ
    const left = (cell % 2 ** 32) * width
    const top = Math.floor(cell / 2 ** 32) * this.#cellHeight
    return { left, top, right: left + width, bottom: top + this.#cellHeight }
  }

  /** A tile of a z from the base on; null where there is nothing. */
  tile(z: number, x: number, y: number): PyramidTile | null {
    const level = z - this.#baseZ
    if (level < this.#levels.length) return this.#levels[level]?.get(x + y * STRIDE) ?? null
    return this.#coarse(level, x, y)
  }

  /** How many tokens lie in the base cells that a rectangle meets, or of which it has all. */
  countIn({ left, top, right, bottom }: WorldRect, cells: 'met' | 'covered'): number {
    const width = 2 ** this.#baseZ
    const [low, high] = cells === 'met' ? [Math.floor, Math.ceil] : [Math.ceil, Math.floor]
    const x0 = low(left / width)
    const x1 = high(right / width)
    const y0 = low(top / this.#cellHeight)
    const y1 = high(bottom / this.#cellHeight)
    let count = 0
    for (const [key, tile] of this.#levels[0] as Level) {
      const x = (key % STRIDE) * TILE_SIDE
      const y = Math.floor(key / STRIDE) * TILE_SIDE
      if (x >= x1 || x + TILE_SIDE <= x0 || y >= y1 || y + TILE_SIDE <= y0) continue
      count += tile.countIn(
        Math.max(0, x0 - x),
        Math.max(0, y0 - y),
        Math.min(TILE_SIDE, x1 - x),
        Math.min(TILE_SIDE, y1 - y),
      )
    }
    return count
  }

  /** Sums tokens of one cell into `#cell`. */
  #sum({ records, chunks }: TokenPage, first: number, end: number): void {
    const { counts, sums, marks } = this.#cell
    const header = (first >>> CHUNK_BITS) * CHUNK_WORDS
    let confidences = 0
    let confidence = 0
    let entropies = 0
    let entropy = 0
    let interval = 0
    let intervals = end - first
    let reasoning = 0
    let toolCalls = 0
    let last = 0
    if ((first & (CHUNK_TOKENS - 1)) === chunks[header + CHUNK_FIRST]) {
      // The token before it is in another chunk; that of the loop is made to be as long ago.
      const ticks = chunks[header + CHUNK_INTERVAL] as number
      if (ticks === NO_INTERVAL) {
        intervals--
        last = records[COLUMN_TIMES * PAGE_TOKENS + first] as number
      } else last = (records[COLUMN_TIMES * PAGE_TOKENS + first] as number) - ticks
    } else last = records[COLUMN_TIMES * PAGE_TOKENS + first - 1] as number
    for (let i = first; i < end; i++) {
      const values = records[COLUMN_VALUES * PAGE_TOKENS + i] as number
      const low = values & 0xffff
      const high = values >>> 16
      if (low !== UNKNOWN) {
        confidences++
        confidence += low
      }
      if (high !== UNKNOWN) {
        entropies++
        entropy += high
      }
      const ticks = records[COLUMN_TIMES * PAGE_TOKENS + i] as number
      interval += Math.min(ticks - last, LONGEST_INTERVAL)
      last = ticks
      const kind =
        ((records[COLUMN_SHAPES * PAGE_TOKENS + i] as number) >>> SHAPE_KIND_SHIFT) & SHAPE_KIND_MASK
      if (kind === 1) reasoning++
      else if (kind === 2) toolCalls++
    }
    counts[COUNT] = end - first
    counts[KNOWN] = confidences
    counts[KNOWN + 1] = entropies
    counts[KNOWN + 2] = intervals
    counts[REASONING] = reasoning
    counts[TOOL_CALLS] = toolCalls
    marks[SLOT] = (chunks[header + CHUNK_GENERATION] as number) + 1
    marks[NEWEST] = (chunks[header + CHUNK_BASE] as number) + Math.floor(last / TICKS_PER_MS) + 1
    sums[0] = confidence
    sums[1] = entropy
    sums[2] = interval
  }

  /** Adds `#cell` above the base, where it lies in this base cell. */
  #addAbove(x: number, y: number): void {
    for (let level = 1; level < this.#levels.length; level++) {
      x = Math.floor(x / 2)
      y = Math.floor(y / this.#fold)
      this.#addTo(level, x, y, this.#cell, 0)
    }
    if (x >= TILE_SIDE || (this.#fold === 2 && y >= TILE_SIDE)) this.#grow()
  }

  /** Adds a cell of another tile's arrays to one of a level. */
  #addTo(level: number, x: number, y: number, from: PyramidTile, at: number): void {
    const tile = this.#tileOf(level, x, y)
    tile.add(tile.make(x % TILE_SIDE, y % TILE_SIDE), from, at)
  }

  /** The tile of a cell, made if there is none yet. */
  #tileOf(level: number, x: number, y: number): PyramidTile {
    const tiles = this.#levels[level] as Level
    const key = tileKey(x, y)
    let tile = tiles.get(key)
    if (tile === undefined) {
      tile = new PyramidTile()
      tiles.set(key, tile)
    }
    return tile
  }

  /** Adds levels until all lies in one tile, or one column of them. */
  #grow(): void {
    for (;;) {
      const top = this.#levels.at(-1) as Level
      if (!top.keys().some(key => (this.#fold === 2 ? key !== 0 : key % STRIDE !== 0))) return
      const level = this.#levels.length
      this.#levels.push(new Map())
      for (const [key, tile] of top) {
        const left = (key % STRIDE) * TILE_SIDE
        const above = Math.floor(key / STRIDE) * TILE_SIDE
        for (let row = 0; row < TILE_SIDE; row++) {
          const from = tile.find(0, row)
          if (from < 0) continue
          const y = Math.floor((above + row) / this.#fold)
          for (let x = 0; x < TILE_SIDE; x++) {
            if (tile.isEmpty(from + x)) continue
            this.#addTo(level, Math.floor((left + x) / 2), y, tile, from + x)
          }
        }
      }
    }
  }

  #foldCell(level: number, x: number, y: number): void {
    const to = this.#tileOf(level, x, y)
    to.clear(to.make(x % TILE_SIDE, y % TILE_SIDE))
    const below = this.#levels[level - 1] as Level
    for (let row = y * this.#fold; row < (y + 1) * this.#fold; row++) {
      const from = below.get(tileKey(2 * x, row))
      const at = from?.find((2 * x) % TILE_SIDE, row % TILE_SIDE) ?? -1
      if (from === undefined || at < 0) continue
      this.#addTo(level, x, y, from, at)
      this.#addTo(level, x, y, from, at + 1)
    }
  }

  /** A tile of a z at which all would lie in a part of one. */
  #coarse(level: number, x: number, y: number): PyramidTile | null {
    const top = this.#levels.length - 1
    const bits = level - top
    if (x !== 0 || (this.#fold === 2 && y !== 0)) return null
    const from = (this.#levels[top] as Level).get(y * STRIDE)
    if (from === undefined) return null
    const tile = new PyramidTile()
    for (let row = 0; row < TILE_SIDE; row++) {
      const at = from.find(0, row)
      if (at < 0) continue
      const y = this.#fold === 2 ? Math.floor(row / 2 ** bits) : row
      for (let i = 0; i < TILE_SIDE; i++) {
        if (!from.isEmpty(at + i)) tile.add(tile.make(Math.floor(i / 2 ** bits), y), from, at + i)
      }
    }
    return tile
  }
}

/** The tile of a cell. */
function tileKey(x: number, y: number): number {
  return Math.floor(x / TILE_SIDE) + Math.floor(y / TILE_SIDE) * STRIDE
}
