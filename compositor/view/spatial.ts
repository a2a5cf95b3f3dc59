/**
 * Where a layout has its tokens, and which tokens it has at a place. Places are the left upper corners of
 * tokens, in units.
 */
import type { TokenPage } from '../tokens/token-page.ts'
import type { WorldRect } from './layout-grid.ts'

export interface SpatialIndex {
  /** Writes the places of tokens `[first, end)` of one chunk of a page, from index 0 on. */
  locate(page: TokenPage, first: number, end: number, xs: Float64Array, ys: Float64Array): void

  /** Width of a token, in units. */
  widthOf(n: number): number

  /**
   * From where to where the layout counts as taken along x by a token at `x`. It does not shrink when tokens are
   * added or move.
   */
  extent(x: number): readonly [from: number, to: number]

  /**
   * Gives every chunk (by its number) that has a token whose place is in a rectangle, once each; others may be
   * among them.
   */
  chunksIn(rect: WorldRect, visit: (chunk: number) => void): void
}
