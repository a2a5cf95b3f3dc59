/** One layout of all tokens, while somebody watches it: where they lie, sums of them, and what changed when. */
import type { LayoutName } from '../../broadcast/protocol/view.ts'
import {
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  PAGE_BITS,
  PAGE_CHUNKS,
  PAGE_TOKENS,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import type { Run, TokenStore } from '../tokens/token-store.ts'
import { GRIDS, type WorldRect } from './layout-grid.ts'
import { Pyramid } from './pyramid.ts'
import type { SpatialIndex } from './spatial.ts'
import { Versions } from './versions.ts'

export interface WatchedLayoutOptions {
  layout: LayoutName
  store: TokenStore
  index: SpatialIndex
  /** What all of its tiles begin with. */
  version: number
}

export class WatchedLayout {
  readonly layout: LayoutName
  readonly index: SpatialIndex
  readonly versions: Versions
  readonly #store: TokenStore
  #pyramid: Pyramid
  /** By page, what its tokens take. */
  readonly #bounds = new Map<number, WorldRect>()
  /** Base cells in which tokens have gone. */
  #left = new Set<number>()
  readonly #xs = new Float64Array(CHUNK_TOKENS)
  readonly #ys = new Float64Array(CHUNK_TOKENS)
  /** Of one token, while those of a chunk stand in the others. */
  readonly #x = new Float64Array(1)
  readonly #y = new Float64Array(1)

  constructor({ layout, store, index, version }: WatchedLayoutOptions) {
    this.layout = layout
    this.index = index
    this.versions = new Versions(layout, version)
    this.#store = store
    this.#pyramid = new Pyramid(layout)
  }

  /** Takes in all that the store holds, anew. */
  build(version: number): void {
    this.#pyramid = new Pyramid(this.layout)
    this.#bounds.clear()
    for (const page of this.#store.pages.values()) {
      for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) {
        const count = this.#locate(page, chunk)
        if (count === 0) continue
        const first = firstOf(page, chunk)
        this.#pyramid.add(page, first, first + count, this.#xs, this.#ys, false)
        this.#widen(page, count)
      }
    }
    this.#pyramid.fold()
    this.versions.touchAll(version)
  }

  /** Takes in tokens that were added. */
  add(runs: readonly Run[], version: number): void {
    for (const { page, first, count } of runs) {
      const end = first + count
      this.index.locate(page, first, end, this.#xs, this.#ys)
      this.#pyramid.add(page, first, end, this.#xs, this.#ys, true)
      this.#widen(page, count)
      for (let i = 0; i < count; i++) {
        this.versions.touch(this.#xs[i] as number, this.#ys[i] as number, version)
      }
      // How wide the token before is, or how its text goes on, depends on what comes after it.
      if (this.layout !== 'map') this.#touchBefore(page.number * PAGE_TOKENS + first, version)
    }
  }

  /**
   * Tokens have moved.
   *
   * @param moved their numbers, those of a generation in order
   * @param left where they lay before: places that are no longer theirs, x and y each
   */
  move(moved: readonly number[], left: ArrayLike<number>, version: number): void {
    if (moved.length === 0) return
    const cells = new Set<number>()
    for (let i = 0; i < left.length; i += 2) {
      const x = left[i] as number
      const y = left[i + 1] as number
      cells.add(this.#pyramid.baseCell(x, y))
      this.versions.touch(x, y, version)
    }
    for (const n of moved) {
      const [x, y] = this.placeOf(n)
      cells.add(this.#pyramid.baseCell(x, y))
      this.versions.touch(x, y, version)
      this.#widenTo(n >>> PAGE_BITS, x, y)
      this.#touchBefore(n, version)
    }
    this.#resum(cells)
  }

  /** A page goes: called while its tokens can still be read. */
  leave(page: TokenPage): void {
    // A page that went in the append it came in was not laid out.
    if (this.layout === 'flow' && page.flow === null) return
    for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) {
      const count = this.#locate(page, chunk)
      let last = -1
      for (let i = 0; i < count; i++) {
        const cell = this.#pyramid.baseCell(this.#xs[i] as number, this.#ys[i] as number)
        if (cell !== last) this.#left.add(cell)
        last = cell
      }
    }
    this.#bounds.delete(page.number)
  }

  /** The pages that went are gone. */
  settle(version: number): void {
    if (this.#left.size === 0) return
    this.#resum(this.#left)
    this.#left = new Set()
    this.versions.touchAll(version)
  }

  /** Where a token lies. */
  placeOf(n: number): [x: number, y: number] {
    const i = n % PAGE_TOKENS
    this.index.locate(this.#store.pages.get(n >>> PAGE_BITS) as TokenPage, i, i + 1, this.#x, this.#y)
    return [this.#x[0] as number, this.#y[0] as number]
  }

  /** What all of its tokens take; null while there is none. */
  get bounds(): WorldRect | null {
    let all: WorldRect | null = null
    for (const { left, top, right, bottom } of this.#bounds.values()) {
      all ??= { left, top, right, bottom }
      all.left = Math.min(all.left, left)
      all.top = Math.min(all.top, top)
      all.right = Math.max(all.right, right)
      all.bottom = Math.max(all.bottom, bottom)
    }
    return all
  }

  get pyramid(): Pyramid {
    return this.#pyramid
  }

  /**
   * Gives the tokens of every chunk that may have some whose place is in a rectangle: those of a page at `first` to
   * `end - 1`, and their places, index 0 that of `first`, which hold until the next call.
   */
  locatedIn(
    rect: WorldRect,
    visit: (page: TokenPage, first: number, end: number, xs: Float64Array, ys: Float64Array) => void,
  ): void {
    this.index.chunksIn(rect, chunk => {
      const found = this.#chunk(chunk)
      if (found === null) return
      const { page, first, end } = found
      this.index.locate(page, first, end, this.#xs, this.#ys)
      visit(page, first, end, this.#xs, this.#ys)
    })
  }

  /** Gives every token that a rectangle shows a part of. */
  tokensIn(rect: WorldRect, visit: (n: number, x: number, y: number) => void): void {
    if (rect.right <= rect.left || rect.bottom <= rect.top) return
    const { rowHeight, maxTokenWidth } = GRIDS[this.layout]
    // Rows lie at multiples of their height: what begins after this one reaches into the rectangle.
    const top = Math.floor(rect.top / rowHeight) * rowHeight
    const left = maxTokenWidth === 1 ? Math.floor(rect.left) : rect.left - maxTokenWidth
    this.locatedIn({ ...rect, left, top }, (page, first, end, xs, ys) => {
      for (let i = first; i < end; i++) {
        const x = xs[i - first] as number
        const y = ys[i - first] as number
        if (x < left || x >= rect.right || y < top || y >= rect.bottom) continue
        const n = page.number * PAGE_TOKENS + i
        if (x >= rect.left || x + this.index.widthOf(n) > rect.left) visit(n, x, y)
      }
    })
  }

  #chunk(chunk: number): { page: TokenPage; first: number; end: number } | null {
    const page = this.#store.pages.get(Math.floor(chunk / PAGE_CHUNKS))
    if (page === undefined) return null
    const base = (chunk % PAGE_CHUNKS) * CHUNK_TOKENS
    const header = (chunk % PAGE_CHUNKS) * CHUNK_WORDS
    const end = page.chunks[header + CHUNK_END] as number
    return { page, first: base + (page.chunks[header + CHUNK_FIRST] as number), end: base + end }
  }

  /** Writes the places of a chunk's tokens into `#xs` and `#ys`, and gives their number. */
  #locate(page: TokenPage, chunk: number): number {
    const end = page.chunks[chunk * CHUNK_WORDS + CHUNK_END] as number
    if (end === 0) return 0
    const first = firstOf(page, chunk)
    this.index.locate(page, first, chunk * CHUNK_TOKENS + end, this.#xs, this.#ys)
    return chunk * CHUNK_TOKENS + end - first
  }

  /** Adds up these base cells anew. */
  #resum(cells: ReadonlySet<number>): void {
    const chunks = new Set<number>()
    for (const cell of cells) this.index.chunksIn(this.#pyramid.baseRect(cell), chunk => chunks.add(chunk))
    this.#pyramid.clear(cells)
    for (const chunk of chunks) {
      const found = this.#chunk(chunk)
      if (found === null) continue
      const { page, first, end } = found
      this.index.locate(page, first, end, this.#xs, this.#ys)
      const isIn = (i: number) =>
        cells.has(this.#pyramid.baseCell(this.#xs[i - first] as number, this.#ys[i - first] as number))
      for (let i = first; i < end; i++) {
        if (!isIn(i)) continue
        let to = i + 1
        while (to < end && isIn(to)) to++
        this.#pyramid.add(
          page,
          i,
          to,
          this.#xs.subarray(i - first, to - first),
          this.#ys.subarray(i - first, to - first),
          false,
        )
        i = to
      }
    }
    this.#pyramid.refold(cells)
  }

  #touchBefore(n: number, version: number): void {
    const before = this.#store.previous(n)
    if (before < 0) return
    const [x, y] = this.placeOf(before)
    this.versions.touch(x, y, version)
  }

  /** Widens the bounds by tokens whose places stand in `#xs` and `#ys`. */
  #widen({ number }: TokenPage, count: number): void {
    for (let i = 0; i < count; i++) this.#widenTo(number, this.#xs[i] as number, this.#ys[i] as number)
  }

  #widenTo(page: number, x: number, y: number): void {
    const { rowHeight, maxTokenWidth } = GRIDS[this.layout]
    let bounds = this.#bounds.get(page)
    if (bounds === undefined) {
      bounds = { left: x, top: y, right: x, bottom: y }
      this.#bounds.set(page, bounds)
    }
    if (y < bounds.top) bounds.top = y
    if (y + rowHeight > bounds.bottom) bounds.bottom = y + rowHeight
    if (x >= bounds.left && x + maxTokenWidth <= bounds.right) return
    const [left, right] = this.index.extent(x)
    if (left < bounds.left) bounds.left = left
    if (right > bounds.right) bounds.right = right
  }
}

/** The place in its page of a chunk's first token. */
function firstOf({ chunks }: TokenPage, chunk: number): number {
  return chunk * CHUNK_TOKENS + (chunks[chunk * CHUNK_WORDS + CHUNK_FIRST] as number)
}
