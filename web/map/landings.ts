import type { UnitRect } from '../view/token-index.ts'

/** How long a token glows after it landed. */
export const GLOW_MS = 400
/** More than this at once would be one white patch, and slow. */
const MOST_LANDINGS = 32

/** A place where a token landed a moment ago, in units of the layout. */
export interface Landing extends UnitRect {
  at: number
}

/** The places that glow now, oldest first. */
export class Landings {
  #list: Landing[] = []

  /** Whether anything glows. */
  get any(): boolean {
    return this.#list.length > 0
  }

  /** A token lands here at `at` (milliseconds of the animation clock). */
  add({ x, y, width, height }: UnitRect, at: number): void {
    this.#list.push({ x, y, width, height, at })
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
