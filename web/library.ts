import type { Generation } from './generation.ts'
import type { Selection } from './selection.ts'
import type { ScopeStore } from './store.ts'

export interface LibraryOptions {
  store: ScopeStore
  selection: Selection
}

/** Recorded generations: finds them, and brings to this page what it does not hold (any more). */
export class Library {
  readonly #options: LibraryOptions

  constructor(options: LibraryOptions) {
    this.#options = options
  }

  /**
   * The generation with this id, with its tokens: from the store, or read from the records into it. Null where nobody
   * knows of it.
   *
   * @throws Error with a sentence for a person where it cannot be asked
   */
  async bring(id: string): Promise<Generation | null> {
    return this.#options.store.get(id) ?? null
  }

  /** Brings a generation and chooses it, or one of its tokens. Says whether there is one. */
  async open(id: string, index: number | null = null): Promise<boolean> {
    const generation = await this.bring(id)
    if (generation === null) return false
    if (index === null) this.#options.selection.generation(generation)
    else this.#options.selection.token(generation, index)
    return true
  }
}
