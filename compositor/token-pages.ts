/** The tokens that the compositor knows, in pages, of which the oldest is let go when there are too many. */
import type { Engine, TokenPage } from './engine.ts'

export interface TokenPagesOptions {
  engine: Engine
  /** Tokens in a page. */
  pageTokens: number
  /** Pages kept at most. */
  maxPages: number
}

/** Tokens, by seq, and where they lie on the map (packed as by `mapPlace`). */
export interface PlacedTokens {
  seqs: Float64Array
  places: Uint32Array
}

export class TokenPages {
  readonly #engine: Engine
  readonly #pageTokens: number
  readonly #maxPages: number
  readonly #pages: TokenPage[] = []
  #last: Promise<void> = Promise.resolve()

  constructor({ engine, pageTokens, maxPages }: TokenPagesOptions) {
    this.#engine = engine
    this.#pageTokens = pageTokens
    this.#maxPages = maxPages
  }

  /** Tokens kept. */
  get size(): number {
    return this.#pages.reduce((sum, { used }) => sum + used, 0)
  }

  /**
   * Takes in tokens, which are newer than all before, and lays them out.
   *
   * @returns resolves when they and all before are laid out; rejects as the engine does
   */
  append({ seqs, cells }: { seqs: Float64Array; cells: Uint32Array }): Promise<void> {
    const runs: Promise<() => void>[] = []
    const gone: TokenPage[] = []
    for (let taken = 0; taken < seqs.length; ) {
      const page = this.#openPage(gone)
      const from = page.used
      const to = Math.min(from + seqs.length - taken, this.#pageTokens)
      page.seqs.set(seqs.subarray(taken, taken + to - from), from)
      page.cells.set(cells.subarray(taken, taken + to - from), from)
      page.used = to
      taken += to - from
      runs.push(
        this.#engine.layOut(page, from, to).then(() => () => {
          page.laidOut = to
        }),
      )
    }
    this.#last = this.#finish(this.#last, runs, gone)
    return this.#last
  }

  /** Those with a seq from `from` to `to`, both included, that are laid out. */
  placesOf(from: number, to: number): PlacedTokens {
    const seqs: number[] = []
    const places: number[] = []
    for (const page of this.#pages) {
      for (let i = 0; i < page.laidOut; i++) {
        const seq = page.seqs[i] as number
        if (seq < from || seq > to) continue
        seqs.push(seq)
        places.push(page.places[i] as number)
      }
    }
    return { seqs: Float64Array.from(seqs), places: Uint32Array.from(places) }
  }

  /** The page that has room; the one that had to go for it is put into `gone`. */
  #openPage(gone: TokenPage[]): TokenPage {
    const newest = this.#pages.at(-1)
    if (newest !== undefined && newest.used < this.#pageTokens) return newest
    const page = {
      seqs: new Float64Array(this.#pageTokens),
      cells: new Uint32Array(this.#pageTokens),
      places: new Uint32Array(this.#pageTokens),
      used: 0,
      laidOut: 0,
    }
    this.#pages.push(page)
    if (this.#pages.length > this.#maxPages) gone.push(this.#pages.shift() as TokenPage)
    return page
  }

  /** Pages are released only here, when no call of the engine is about them any more. */
  async #finish(before: Promise<void>, runs: Promise<() => void>[], gone: TokenPage[]): Promise<void> {
    await before
    for (const markLaidOut of await Promise.all(runs)) markLaidOut()
    for (const page of gone) this.#engine.release(page)
  }
}
