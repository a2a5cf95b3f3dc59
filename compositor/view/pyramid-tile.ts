/**
 * Sums of 64 × 64 cells, in every channel. Rows take memory when something is in them, and numbers take what the
 * largest needs: most cells have few tokens.
 */
import type { CellWriter, EncodedContent } from '../../broadcast/protocol/tile-writers.ts'
import type { ColorName } from '../../broadcast/protocol/view.ts'
import { TILE_SIDE } from '../../broadcast/protocol/view.ts'
import { frequentKind, MEAN_CHANNELS } from './channels.ts'

/** What is summed of tokens, as numbers of a cell's `counts`. */
export const COUNT = 0
/** Tokens whose confidence, entropy, interval is known: three of them. */
export const KNOWN = 1
export const REASONING = 4
export const TOOL_CALLS = 5
export const COUNTS = 6
/** Sums of confidence, entropy, interval. */
export const SUMS = 3
/** Of `marks`: the highest slot plus 1, and the newest token's milliseconds plus 1. */
export const SLOT = 0
export const NEWEST = 1
export const MARKS = 2

/** Tokens of a cell at most while its counts take a byte each, and two; sums fit 32 bits as long. */
const FEW = 0xff
const SOME = 0xffff

export class PyramidTile {
  /** By row, its place in what follows plus 1; 0 while nothing is in it. */
  readonly #rows = new Uint8Array(TILE_SIDE)
  #used = 0
  /** COUNTS a cell. */
  counts: Uint8Array | Uint16Array | Uint32Array = new Uint8Array(TILE_SIDE * COUNTS)
  /** SUMS a cell; beyond 32 bits they stay integers. */
  sums: Uint32Array | Float64Array = new Uint32Array(TILE_SIDE * SUMS)
  /** MARKS a cell. */
  marks = new Uint32Array(TILE_SIDE * MARKS)
  #most = FEW

  /** @param most tokens of a cell that may be written without {@link add} */
  constructor(most = 0) {
    if (most > this.#most) this.#widen(most)
  }

  /** Which cell of the arrays is that at row `y`, column `x`; -1 while nothing is in the row. */
  find(x: number, y: number): number {
    const row = this.#rows[y] as number
    return row === 0 ? -1 : (row - 1) * TILE_SIDE + x
  }

  /** The same; the row is made if there is none yet. */
  make(x: number, y: number): number {
    if (this.#rows[y] === 0) {
      if (this.#used * TILE_SIDE * MARKS === this.marks.length) this.#grow()
      this.#rows[y] = ++this.#used
    }
    return ((this.#rows[y] as number) - 1) * TILE_SIDE + x
  }

  /** Whether nothing is in a cell of the arrays. */
  isEmpty(at: number): boolean {
    return this.counts[at * COUNTS] === 0
  }

  /** Adds to a cell of the arrays one of another tile's. */
  add(to: number, tile: PyramidTile, from: number): void {
    const as = from * COUNTS
    const at = to * COUNTS
    const count = (this.counts[at] as number) + (tile.counts[as] as number)
    if (count > this.#most) this.#widen(count)
    const { counts, sums, marks } = this
    // Written out: a live append spends most of its time here.
    counts[at] = count
    counts[at + 1] = (counts[at + 1] as number) + (tile.counts[as + 1] as number)
    counts[at + 2] = (counts[at + 2] as number) + (tile.counts[as + 2] as number)
    counts[at + 3] = (counts[at + 3] as number) + (tile.counts[as + 3] as number)
    counts[at + REASONING] = (counts[at + REASONING] as number) + (tile.counts[as + REASONING] as number)
    counts[at + TOOL_CALLS] = (counts[at + TOOL_CALLS] as number) + (tile.counts[as + TOOL_CALLS] as number)
    const into = to * SUMS
    const of = from * SUMS
    sums[into] = (sums[into] as number) + (tile.sums[of] as number)
    sums[into + 1] = (sums[into + 1] as number) + (tile.sums[of + 1] as number)
    sums[into + 2] = (sums[into + 2] as number) + (tile.sums[of + 2] as number)
    for (let mark = 0; mark < MARKS; mark++) {
      const value = tile.marks[from * MARKS + mark] as number
      if (value > (marks[to * MARKS + mark] as number)) marks[to * MARKS + mark] = value
    }
  }

  /** Empties a cell of the arrays. */
  clear(at: number): void {
    this.counts.fill(0, at * COUNTS, (at + 1) * COUNTS)
    this.sums.fill(0, at * SUMS, (at + 1) * SUMS)
    this.marks.fill(0, at * MARKS, (at + 1) * MARKS)
  }

  /** Tokens in columns `left` … `right - 1` of rows `top` … `bottom - 1`. */
  countIn(left: number, top: number, right: number, bottom: number): number {
    let count = 0
    for (let y = top; y < bottom; y++) {
      const from = this.find(left, y)
      if (from < 0) continue
      for (let at = from; at < from + right - left; at++) count += this.counts[at * COUNTS] as number
    }
    return count
  }

  /**
   * The bytes of what is in its cells; `out` is empty before and after.
   *
   * @param models by slot: index of the model plus 1, 0 for none
   */
  encode(color: ColorName, models: (slot: number) => number, out: CellWriter): EncodedContent {
    for (let y = 0; y < TILE_SIDE; y++) {
      const from = this.find(0, y)
      if (from < 0) continue
      for (let x = 0; x < TILE_SIDE; x++) {
        const count = this.counts[(from + x) * COUNTS] as number
        if (count > 0) out.add(y * TILE_SIDE + x, count, valueAt(this, from + x, color, models))
      }
    }
    return out.finish()
  }

  /** Makes room for twice as many rows. */
  #grow(): void {
    const rows = Math.min(this.#used * 2, TILE_SIDE)
    const { counts, sums, marks } = this
    this.counts = new (counts.constructor as Uint8ArrayConstructor)(rows * TILE_SIDE * COUNTS)
    this.sums = new (sums.constructor as Uint32ArrayConstructor)(rows * TILE_SIDE * SUMS)
    this.marks = new Uint32Array(rows * TILE_SIDE * MARKS)
    this.counts.set(counts)
    this.sums.set(sums)
    this.marks.set(marks)
  }

  /** Makes numbers wide enough for so many tokens in a cell. */
  #widen(count: number): void {
    if (count > SOME) {
      this.counts = Uint32Array.from(this.counts)
      this.sums = Float64Array.from(this.sums)
      this.#most = 0xffff_ffff
    } else {
      this.counts = Uint16Array.from(this.counts)
      this.#most = SOME
    }
  }
}

function valueAt(
  { counts, sums, marks }: PyramidTile,
  cell: number,
  color: ColorName,
  models: (slot: number) => number,
): number | null {
  const at = cell * COUNTS
  switch (color) {
    case 'kind':
      return frequentKind(
        counts[at + COUNT] as number,
        counts[at + REASONING] as number,
        counts[at + TOOL_CALLS] as number,
      )
    case 'model': {
      const model = models((marks[cell * MARKS + SLOT] as number) - 1)
      return model === 0 ? null : model - 1
    }
    case 'age':
      return (marks[cell * MARKS + NEWEST] as number) - 1
    default: {
      const channel = MEAN_CHANNELS.indexOf(color)
      const known = counts[at + KNOWN + channel] as number
      return known === 0 ? null : Math.floor((sums[cell * SUMS + channel] as number) / known)
    }
  }
}
