import type { TokenPage } from './server-api.ts'
import type { ScopeStore } from './store.ts'

/** Tokens that are asked for at once. */
const PAGE_TOKENS = 1000

export interface RecordedTokensOptions {
  store: ScopeStore
  /** Reads recorded tokens of a generation; null where nothing is recorded of it. */
  read(generation: string, limit: number, cursor: string | null): Promise<TokenPage | null>
  /** Read in one look at most. */
  mostTokens: number
}

/**
 * Completes what a snapshot tells: it has the texts of the last generations, and the log lets their tokens go
 * after a while and begins anew with each start. What the log does not tell is read from the records.
 */
export class RecordedTokens {
  readonly #options: RecordedTokensOptions
  #looks = 0

  constructor(options: RecordedTokensOptions) {
    this.#options = options
  }

  /**
   * Brings tokens that are missing into the store, of the newest generations first. A look that is under way ends. Where
   * the records cannot be read everything stays as it is.
   */
  async look(): Promise<void> {
    const look = ++this.#looks
    const { store, read } = this.#options
    let room = this.#options.mostTokens
    for (const generation of store.finished) {
      let cursor: string | null = null
      // Looked at anew each time: the log tells on meanwhile.
      while (room > 0 && generation.tokens.held < generation.told) {
        const page: TokenPage | null | Error = await read(
          generation.id,
          Math.min(room, PAGE_TOKENS),
          cursor,
        ).catch(error => error)
        if (look !== this.#looks || page instanceof Error) return
        // Nothing is recorded of it, or the page let it go meanwhile.
        if (page === null || store.get(generation.id) !== generation) break
        store.recallTokens(generation, page.tokens)
        room -= page.tokens.length
        cursor = page.next
        if (cursor === null) break
      }
      if (room <= 0) return
    }
  }
}
