/** The pages that are held, in the order in which the log gives out their numbers. */
import { PAGE_BITS } from './record.ts'
import { TokenPage } from './token-page.ts'

/** Numbers that pages can have; after the last the log begins with 0 again. */
const NUMBERS = 1 << (32 - PAGE_BITS)

export class HeldPages {
  readonly #most: number
  #pages = new Map<number, TokenPage>()
  /** Number of the page that was let go last; -1 before. */
  #gone = -1

  /** @param most pages that are held, at least 1 */
  constructor(most: number) {
    this.#most = Math.max(1, most)
  }

  /** By number, from the oldest to the newest. */
  get all(): ReadonlyMap<number, TokenPage> {
    return this.#pages
  }

  get(number: number): TokenPage | undefined {
    return this.#pages.get(number)
  }

  /** A page of a number that none has. @returns null if it is too old to be held */
  open(number: number): TokenPage | null {
    const pages = [...this.#pages.values()]
    if (this.#gone >= 0 && !isAfter(number, this.#gone)) return null
    const newer = pages.findIndex(page => isAfter(page.number, number))
    if (newer === 0 && pages.length >= this.#most) return null
    const page = new TokenPage(number)
    pages.splice(newer < 0 ? pages.length : newer, 0, page)
    this.#pages.clear()
    for (const held of pages) this.#pages.set(held.number, held)
    return page
  }

  /** The page that has to go, which stays until {@link drop}; null if there are not too many. */
  get excess(): TokenPage | null {
    if (this.#pages.size <= this.#most) return null
    const [oldest] = this.#pages.values()
    return oldest ?? null
  }

  drop(page: TokenPage): void {
    this.#pages.delete(page.number)
    this.#gone = page.number
  }
}

/** Whether page `a` comes after page `b`, round the circle of numbers. */
export function isAfter(a: number, b: number): boolean {
  const distance = (a - b + NUMBERS) % NUMBERS
  return distance > 0 && distance < NUMBERS / 2
}
