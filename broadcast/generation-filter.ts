import { createHash } from 'node:crypto'
import type { Filter } from './token-log.ts'

/** The generations that a viewer asked for by name. */
export class GenerationFilter implements Filter {
  /** Equal for filters of the same generations, so that they share frames. */
  readonly key: string
  readonly #ids: ReadonlySet<string>

  /** @param ids in any order; what is named twice counts once */
  constructor(ids: readonly string[]) {
    this.#ids = new Set(ids)
    this.key = createHash('sha1').update(JSON.stringify(this.ids)).digest('base64')
  }

  /** The generations, sorted. */
  get ids(): string[] {
    return [...this.#ids].sort()
  }

  has(generation: string): boolean {
    return this.#ids.has(generation)
  }
}
