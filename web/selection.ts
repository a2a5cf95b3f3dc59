import { type Signal, signal } from '@preact/signals'
import type { Generation } from './generation.ts'
import { hesitationBeside } from './inspector/hesitation.ts'
import type { ScopeStore } from './store.ts'

/** What is looked at closely: a generation, or one token of it. */
export interface Selected {
  generation: Generation
  index: number | null
}

/** What the person has chosen. */
export class Selection {
  readonly current: Signal<Selected | null> = signal(null)
  readonly #store: ScopeStore

  constructor(store: ScopeStore) {
    this.#store = store
    // What is chosen may be dropped for want of room, or with its epoch.
    store.list.subscribe(() => {
      const chosen = this.current.peek()
      if (chosen !== null && this.#store.get(chosen.generation.id) !== chosen.generation) this.clear()
    })
  }

  /** Chooses a token. */
  token(generation: Generation, index: number): void {
    this.current.value = { generation, index }
  }

  /** Chooses a generation as a whole. */
  generation(generation: Generation): void {
    this.current.value = { generation, index: null }
  }

  /** Goes to the next or the previous token; from a generation as a whole, to its first or last. */
  walk(step: 1 | -1): void {
    const chosen = this.current.value
    if (chosen === null) return
    const { tokens } = chosen.generation
    if (tokens.held === 0) return
    const from = chosen.index ?? (step === 1 ? tokens.first - 1 : tokens.end)
    const index = chosen.index === null && step === 1 ? tokens.first : tokens.neighbour(from, step)
    if (index !== null) this.token(chosen.generation, index)
  }

  /** Goes to the first or the last token of what is chosen. */
  end(which: 'first' | 'last'): void {
    const chosen = this.current.value
    if (chosen === null || chosen.generation.tokens.held === 0) return
    const { first, end } = chosen.generation.tokens
    this.token(chosen.generation, which === 'first' ? first : end - 1)
  }

  /** Goes to the next or the previous token that was hard to choose. Says whether there is one. */
  hesitate(step: 1 | -1): boolean {
    const chosen = this.current.value
    if (chosen === null) return false
    const { tokens } = chosen.generation
    const from = chosen.index ?? (step === 1 ? tokens.first - 1 : tokens.end)
    const index = hesitationBeside(tokens, from, step)
    if (index !== null) this.token(chosen.generation, index)
    return index !== null
  }

  /** Chooses nothing. */
  clear(): void {
    this.current.value = null
  }
}
