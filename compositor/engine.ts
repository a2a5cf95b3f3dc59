/** What lays out, on whatever it runs. */

/** A run of tokens in log order: flat arrays, filled from the front. */
export interface TokenPage {
  /** Seq of each token's entry. */
  readonly seqs: Float64Array
  /** Cell number of each token. */
  readonly cells: Uint32Array
  /** Where each lies on the map: x in the low, y in the high 16 bits. */
  readonly places: Uint32Array
  /** Tokens in the page. */
  used: number
  /** Of these, how many are laid out: from the first on, without holes. */
  laidOut: number
}

/**
 * Lays out tokens of pages.
 *
 * Guarantees: calls of `layOut` take effect and resolve in the order in which they were made, whatever page
 * they are about. When one has resolved, `places[from … to)` of its page holds exactly what `layoutMap` of
 * `map.ts` would have put there, bit for bit, and nothing else of the page was written to. `cells[from … to)`
 * must not change from the call until then. However many calls are made, what they hold at a time is bounded;
 * later ones wait. A call rejects if the engine was stopped or can no longer work; it is of no use afterwards.
 */
export interface Engine {
  /** Lays out `page.cells[from … to)` into `page.places`. */
  layOut(page: TokenPage, from: number, to: number): Promise<void>
  /** Lets go of what is kept for a page that is no longer used; its calls must have resolved. */
  release(page: TokenPage): void
  /** Waits for what runs, then lets go of everything. */
  stop(): Promise<void>
}
