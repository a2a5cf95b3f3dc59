import type { Generation } from '../generation.ts'

/** How long a token glows after it landed. */
export const GLOW_MS = 400
/** More than this at once would be one white patch, and slow. */
const MOST_LANDINGS = 48

/** A token that landed a moment ago. */
export interface Landing {
  generation: Generation
  index: number
  at: number
}

/** The tokens that glow now, oldest first. */
export class Landings {
  #list: Landing[] = []

  /** Whether anything glows. */
  get any(): boolean {
    return this.#list.length > 0
  }

  /** A token lands at `at` (milliseconds of the animation clock). */
  add(generation: Generation, index: number, at: number): void {
    this.#list.push({ generation, index, at })
    if (this.#list.length > MOST_LANDINGS) this.#list.splice(0, this.#list.length - MOST_LANDINGS)
  }

  /** Those that still glow at `now`; the others are forgotten. */
  at(now: number): readonly Landing[] {
    let gone = 0
    while (gone < this.#list.length && now - (this.#list[gone] as Landing).at >= GLOW_MS) gone++
    if (gone > 0) this.#list.splice(0, gone)
    return this.#list
  }

  /** Ends all glowing. */
  clear(): void {
    this.#list = []
  }
}
