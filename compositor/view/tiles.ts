/**
 * Sums of tokens by cell, of a part of a layout: what a viewport shows where tokens are too small to be told
 * apart. The CPU twin of shaders/tiles.wgsl, word for word.
 */
import { layoutMap, mapPlace } from '../layout/map.ts'
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  COLUMN_TIMES,
  COLUMN_VALUES,
  FLOW_COLUMN_MASK,
  FLOW_LINE_SHIFT,
  PAGE_CHUNKS,
  PAGE_TOKENS,
  SHAPE_KIND_MASK,
  SHAPE_KIND_SHIFT,
  TICKS_PER_MS,
  UNKNOWN,
} from '../tokens/record.ts'
import {
  CELL_WORDS,
  channelValue,
  GENERATION_LANE,
  GENERATION_PANELS,
  GENERATION_PASSES,
  GENERATION_WORDS,
  isMeanChannel,
  LONGEST_INTERVAL,
} from './channels.ts'
import { lowest } from './lowest.ts'
import { ALL_KINDS, NO_TIME, type TilesPage, type TilesRequest } from './tiles-request.ts'

/** Height of a line of `flow`, in units. */
const LINE_UNITS = 2

const NOWHERE = -1

/**
 * Counts the tokens of each cell and adds up what its colour is made of.
 *
 * @returns CELL_WORDS a cell, row by row: first the number of its tokens; then for `confidence`, `entropy` and
 *   `interval` how many of them have a value, and the sum of those, low and high word; for `kind` how many are
 *   reasoning and how many tool calls; for `model` the highest slot plus 1; for `age` the newest token's time in
 *   ms plus 1
 */
export function sumTiles(request: TilesRequest, pages: Iterable<TilesPage>): Uint32Array {
  const sums = new TileSums(request)
  for (const page of pages) {
    for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) sums.addChunk(page, chunk)
  }
  return sums.cells
}

/** Adds up chunk by chunk: what is of a chunk is decided once, and only the rest token by token. */
export class TileSums {
  /** As `sumTiles` gives them. */
  readonly cells: Uint32Array
  readonly #request: TilesRequest
  /** Cell of each token of the chunk that is looked at; NOWHERE if it does not count. */
  readonly #at = new Int32Array(CHUNK_TOKENS)
  readonly #places = new Uint32Array(CHUNK_TOKENS)

  /** @param cells zeros, CELL_WORDS a cell at least */
  constructor(request: TilesRequest, cells = new Uint32Array(request.width * request.height * CELL_WORDS)) {
    this.#request = request
    this.cells = cells
  }

  /** Adds the tokens of a chunk, by its place in a page. */
  addChunk(page: TilesPage, chunk: number): void {
    const { generations, layout, t, since } = this.#request
    const { chunks, records } = page
    if (layout === 'flow' && page.flow === null) return
    const header = chunk * CHUNK_WORDS
    const length = chunks[header + CHUNK_END] as number
    if (length === 0) return
    const slot = chunks[header + CHUNK_GENERATION] as number
    const row = slot * GENERATION_WORDS
    if (row >= generations.length || generations[row + GENERATION_PASSES] === 0) return
    const base = chunks[header + CHUNK_BASE] as number
    if (base > t) return
    const origin = chunk << CHUNK_BITS
    let first = origin + (chunks[header + CHUNK_FIRST] as number)
    let end = origin + length
    // Times of a chunk do not go back.
    if (since > base) first = firstAt(records, first, end, (since - base) * TICKS_PER_MS)
    if (t !== NO_TIME) end = firstAt(records, first, end, (t - base + 1) * TICKS_PER_MS)
    if (first >= end) return
    const cell = this.#commonCell(page, origin, first, end, row)
    if (cell === NOWHERE) return
    if (cell !== null) {
      this.#addRun(page, first, end, cell * CELL_WORDS)
      return
    }
    if (layout === 'timeline') {
      this.#addInTime(page, origin, first, end, row)
      return
    }
    if (layout === 'map' && this.#request.z >= 2) {
      this.#addSquares(page, first, end)
      return
    }
    this.#findCells(page, origin, first, end, row)
    this.#addScattered(page, origin, first, end)
  }

  /** The cell that all of these tokens lie in, NOWHERE if that is outside; null if they may lie in several. */
  #commonCell(page: TilesPage, origin: number, first: number, end: number, row: number): number | null {
    const { layout, z, left, top, width, height, generations } = this.#request
    switch (layout) {
      case 'map': {
        // A chunk is an aligned square of 16 × 16.
        const place = mapPlace(page.number * PAGE_TOKENS + origin)
        const x = place & 0xfff0
        const y = (place >>> 16) & 0xfff0
        if (z >= 4) return this.#cellAt(x >>> z, y >>> z)
        const outside =
          x >>> z >= left + width || (x + 15) >>> z < left || y >>> z >= top + height || (y + 15) >>> z < top
        return outside ? NOWHERE : null
      }
      case 'timeline': {
        const lane = generations[row + GENERATION_LANE] as number
        if (lane < top || lane >= top + height) return NOWHERE
        const base = page.chunks[(origin >>> CHUNK_BITS) * CHUNK_WORDS + CHUNK_BASE] as number
        const from = timeOf(page.records, base, first) >>> z
        const to = timeOf(page.records, base, end - 1) >>> z
        if (from >= left + width || to < left) return NOWHERE
        return from === to ? this.#cellAt(from, lane) : null
      }
      case 'flow':
        return null
    }
  }

  #findCells(page: TilesPage, origin: number, first: number, end: number, row: number): void {
    if (page.flow === null || this.#request.layout === 'map') this.#findMapCells(page, origin, first, end)
    else this.#findFlowCells(page.flow, origin, first, end, row)
  }

  /** Adds tokens of the map by aligned runs of 4^z: each is a square of 2^z × 2^z, a cell. */
  #addSquares(page: TilesPage, first: number, end: number): void {
    const { z } = this.#request
    const low = 4 ** z - 1
    const base = page.number * PAGE_TOKENS
    for (let i = first; i < end; ) {
      const after = Math.min((i | low) + 1, end)
      const place = mapPlace(base + i)
      const cell = this.#cellAt((place & 0xffff) >>> z, (place >>> 16) >>> z)
      if (cell !== NOWHERE) this.#addRun(page, i, after, cell * CELL_WORDS)
      i = after
    }
  }

  #findMapCells(page: TilesPage, origin: number, first: number, end: number): void {
    const { z, left, top, width, height } = this.#request
    const at = this.#at
    const places = this.#places
    layoutMap(page, places, first, end)
    for (let i = first; i < end; i++) {
      const place = places[i - first] as number
      const column = ((place & 0xffff) >>> z) - left
      const row = ((place >>> 16) >>> z) - top
      const inside = column >= 0 && column < width && row >= 0 && row < height
      at[i - origin] = inside ? row * width + column : NOWHERE
    }
  }

  /** Adds tokens of a chunk by their times, which do not go back. */
  #addInTime(page: TilesPage, origin: number, first: number, end: number, row: number): void {
    const { z, left, top, width, generations } = this.#request
    const { records, chunks } = page
    const lane = (generations[row + GENERATION_LANE] as number) - top
    const base = chunks[(origin >>> CHUNK_BITS) * CHUNK_WORDS + CHUNK_BASE] as number
    for (let i = first; i < end; ) {
      const x = timeOf(records, base, i) >>> z
      const limit = ((x + 1) * 2 ** z - base) * TICKS_PER_MS
      let after = i + 1
      while (after < end && (records[COLUMN_TIMES * PAGE_TOKENS + after] as number) < limit) after++
      const column = x - left
      if (column >= 0 && column < width) this.#addRun(page, i, after, (lane * width + column) * CELL_WORDS)
      i = after
    }
  }

  #findFlowCells(flow: Uint32Array, origin: number, first: number, end: number, row: number): void {
    const { z, left, top, width, height, generations, panels, panelSide } = this.#request
    const panelLines = Math.floor(panelSide / LINE_UNITS)
    const offset = generations[row + GENERATION_PANELS] as number
    const at = this.#at
    let x = 0
    let y = 0
    // The lines of the panel that was looked up last; none has been.
    let from = 0
    let to = 0
    // The line of the token before, and the first cell of its row; below 0 if that is outside.
    let known = NOWHERE
    let rowStart = NOWHERE
    for (let i = first; i < end; i++) {
      const word = flow[i] as number
      const line = word >>> FLOW_LINE_SHIFT
      if (line !== known) {
        known = line
        if (line < from || line >= to) {
          const panel = offset + Math.floor(line / panelLines)
          from = line - (line % panelLines)
          to = from + panelLines
          const place = mapPlace(panels[panel] as number)
          x = panel < panels.length ? (place & 0xffff) * panelSide : NOWHERE
          y = (place >>> 16) * panelSide
        }
        const cellRow = ((y + (line - from) * LINE_UNITS) >>> z) - top
        rowStart = x >= 0 && cellRow >= 0 && cellRow < height ? cellRow * width : NOWHERE
      }
      const column = ((x + (word & FLOW_COLUMN_MASK)) >>> z) - left
      at[i - origin] = rowStart >= 0 && column >= 0 && column < width ? rowStart + column : NOWHERE
    }
  }

  #cellAt(x: number, y: number): number {
    const { left, top, width, height } = this.#request
    const column = x - left
    const row = y - top
    return column >= 0 && column < width && row >= 0 && row < height ? row * width + column : NOWHERE
  }

  /** Adds tokens of a chunk whose cells `#at` has: neighbours often share one. */
  #addScattered(page: TilesPage, origin: number, first: number, end: number): void {
    const { color, kinds } = this.#request
    if (kinds === ALL_KINDS && (color === 'confidence' || color === 'entropy')) {
      this.#scatterValues(page.records, origin, first, end, color === 'confidence' ? 0 : 16)
      return
    }
    const at = this.#at
    for (let i = first; i < end; ) {
      const cell = at[i - origin] as number
      let after = i + 1
      while (after < end && at[after - origin] === cell) after++
      if (cell !== NOWHERE) this.#addRun(page, i, after, cell * CELL_WORDS)
      i = after
    }
  }

  /** The same in one loop, for what is asked most. */
  #scatterValues(records: Uint32Array, origin: number, first: number, end: number, shift: number): void {
    const { cells } = this
    const at = this.#at
    for (let i = first; i < end; i++) {
      const cell = at[i - origin] as number
      if (cell === NOWHERE) continue
      const to = cell * CELL_WORDS
      const value = ((records[COLUMN_VALUES * PAGE_TOKENS + i] as number) >>> shift) & 0xffff
      const known = knownBit(value)
      const low = (cells[to + 2] as number) + (value & -known)
      cells[to] = (cells[to] as number) + 1
      cells[to + 1] = (cells[to + 1] as number) + known
      cells[to + 2] = low
      if (low > 0xffff_ffff) cells[to + 3] = (cells[to + 3] as number) + 1
    }
  }

  /** Adds tokens of a chunk that lie in one cell, whose words begin at `at`. */
  #addRun(page: TilesPage, first: number, end: number, at: number): void {
    const { cells } = this
    const { color, kinds } = this.#request
    if (kinds !== ALL_KINDS) {
      this.#addFiltered(page, first, end, at)
      return
    }
    cells[at] = (cells[at] as number) + (end - first)
    switch (color) {
      case 'confidence':
        this.#addValues(page, first, end, at, 0)
        break
      case 'entropy':
        this.#addValues(page, first, end, at, 16)
        break
      case 'interval':
        this.#addIntervals(page, first, end, at)
        break
      case 'kind':
        this.#addKinds(page, first, end, at)
        break
      default:
        this.#addNewest(page, end - 1, at)
    }
  }

  /** The same, of those tokens whose kinds count. */
  #addFiltered(page: TilesPage, first: number, end: number, at: number): void {
    const { color, kinds } = this.#request
    const mean = isMeanChannel(color) ? color : null
    let count = 0
    let second = 0
    let third = 0
    let last = first
    for (let i = first; i < end; i++) {
      const kind = kindAt(page.records, i)
      if (((kinds >>> kind) & 1) === 0) continue
      count++
      last = i
      if (mean !== null) {
        const value = channelValue(page, i, mean)
        if (value === UNKNOWN) continue
        second++
        third += value
      } else {
        second += kind & ~(kind >>> 1) & 1
        third += (kind >>> 1) & ~kind & 1
      }
    }
    if (count === 0) return
    this.cells[at] = (this.cells[at] as number) + count
    if (color === 'model' || color === 'age') this.#addNewest(page, last, at)
    else this.#addSums(at, second, third)
  }

  #addValues({ records }: TilesPage, first: number, end: number, at: number, shift: number): void {
    let known = 0
    let sum = 0
    for (let i = COLUMN_VALUES * PAGE_TOKENS + first; i < COLUMN_VALUES * PAGE_TOKENS + end; i++) {
      const value = ((records[i] as number) >>> shift) & 0xffff
      const isKnown = knownBit(value)
      known += isKnown
      sum += value & -isKnown
    }
    this.#addSums(at, known, sum)
  }

  #addIntervals(page: TilesPage, first: number, end: number, at: number): void {
    const { records } = page
    const value = channelValue(page, first, 'interval')
    let sum = value === UNKNOWN ? 0 : value
    let last = records[COLUMN_TIMES * PAGE_TOKENS + first] as number
    for (let i = COLUMN_TIMES * PAGE_TOKENS + first + 1; i < COLUMN_TIMES * PAGE_TOKENS + end; i++) {
      const ticks = records[i] as number
      sum += Math.min(ticks - last, LONGEST_INTERVAL)
      last = ticks
    }
    this.#addSums(at, end - first - (value === UNKNOWN ? 1 : 0), sum)
  }

  #addKinds({ records }: TilesPage, first: number, end: number, at: number): void {
    let reasoning = 0
    let toolCalls = 0
    for (let i = first; i < end; i++) {
      const kind = kindAt(records, i)
      reasoning += kind & ~(kind >>> 1) & 1
      toolCalls += (kind >>> 1) & ~kind & 1
    }
    this.#addSums(at, reasoning, toolCalls)
  }

  /** @param third below 2^32: what a chunk can have at most */
  #addSums(at: number, second: number, third: number): void {
    const { cells } = this
    cells[at + 1] = (cells[at + 1] as number) + second
    const low = (cells[at + 2] as number) + third
    cells[at + 2] = low
    if (low > 0xffff_ffff) cells[at + 3] = (cells[at + 3] as number) + 1
  }

  /** @param last the last token of a run, which is its newest */
  #addNewest({ records, chunks }: TilesPage, last: number, at: number): void {
    const { cells } = this
    const header = (last >>> CHUNK_BITS) * CHUNK_WORDS
    const newest =
      this.#request.color === 'model'
        ? (chunks[header + CHUNK_GENERATION] as number)
        : timeOf(records, chunks[header + CHUNK_BASE] as number, last)
    cells[at + 1] = Math.max(cells[at + 1] as number, newest + 1)
  }
}

/** The first of tokens `[first, end)` of a chunk that came `ticks` after its base or later; `end` if none. */
function firstAt(records: Uint32Array, first: number, end: number, ticks: number): number {
  const times = COLUMN_TIMES * PAGE_TOKENS + first
  return first + lowest(end - first, i => (records[times + i] as number) >= ticks)
}

/** 1 unless it is UNKNOWN, without a branch that nothing foretells. */
function knownBit(value: number): number {
  return ((value ^ UNKNOWN) + 0xffff) >>> 16
}

/** In ms since the origin. */
function timeOf(records: Uint32Array, base: number, i: number): number {
  return base + Math.floor((records[COLUMN_TIMES * PAGE_TOKENS + i] as number) / TICKS_PER_MS)
}

function kindAt(records: Uint32Array, i: number): number {
  return ((records[COLUMN_SHAPES * PAGE_TOKENS + i] as number) >>> SHAPE_KIND_SHIFT) & SHAPE_KIND_MASK
}
