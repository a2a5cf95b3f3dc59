/** What computes on pages of tokens, whatever it runs on. */
import type { TokenPage } from './tokens/token-page.ts'
import type { TilesRequest } from './view/tiles-request.ts'

/**
 * Lays out and counts the tokens of pages.
 *
 * Guarantees: calls take effect and resolve in the order in which they were made, whatever page they are about.
 * What a call gives is what the CPU twin of its shader gives, bit for bit. What a call works on must not change
 * until it has resolved. However many calls are made, what they hold at a time is bounded; later ones wait. A
 * call rejects if the engine was stopped or can no longer work; it is of no use afterwards.
 */
export interface Engine {
  readonly backend: 'cpu' | 'webgpu'

  /**
   * Says that records of a page's places `[first, first + count)` and headers of their chunks were written since
   * the last call. Pieces need not be told: they are only added to.
   */
  wrote(page: TokenPage, first: number, count: number): void

  /**
   * Says that `page.flow` was written at places `[first, first + count)` since the last call, other than by a
   * call. That it is there at all, or no longer, or another array, need not be told.
   */
  wroteFlow(page: TokenPage, first: number, count: number): void

  /**
   * Wraps tokens that were added, as `flowAppend` of layout/flow.ts does: writes `page.flow`, the last word of
   * each job, and the carries of its generations.
   *
   * @param width columns of a line
   */
  flowAppend(page: TokenPage, jobs: Uint32Array, carries: Uint32Array, width: number): Promise<void>

  /**
   * Wraps all of a page, as the stages `flowFragments`, `flowNumber` and `flowShift` of layout/flow.ts do: writes
   * `page.flow`, and the carries of the generations in it.
   *
   * @param width columns of a line
   */
  reflow(page: TokenPage, fragments: Uint32Array, carries: Uint32Array, width: number): Promise<void>

  /**
   * Where tokens `[first, end)` of a page lie: on `map` a packed place each (as `mapPlace`), on `timeline` x and
   * y each.
   *
   * @param lanes lane of each generation, by slot; for `map` it is not looked at
   */
  places(
    layout: 'map' | 'timeline',
    page: TokenPage,
    lanes: Uint32Array,
    first: number,
    end: number,
  ): Promise<Uint32Array>

  /** The cells of a grid, four words each, as `sumTiles` of view/tiles.ts. */
  tiles(request: TilesRequest, pages: Iterable<TokenPage>): Promise<Uint32Array>

  /** Lets go of what is kept for a page that is no longer used; its calls must have resolved. */
  release(page: TokenPage): void

  /** Waits for what runs, then lets go of everything. */
  stop(): Promise<void>
}
