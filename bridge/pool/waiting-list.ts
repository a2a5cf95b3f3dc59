/** A step of priority counts as much as so long a wait, ms. */
export const PRIORITY_STEP_MS = 60_000
/** Priorities beyond are taken for these. */
const GREATEST_PRIORITY = 100

/** Somebody who waits. */
export interface Waiting<T> {
  readonly what: T
  /** Served in ascending order. */
  readonly rank: number
}

/**
 * Who waits, in the order in which they are to be served: by priority, lower first, and by arrival within
 * one. Nobody waits for ever: a minute of waiting counts as much as a step of priority, so that what comes
 * later overtakes only for so many minutes as its priority is better.
 *
 * Bounded. Adding and taking out find their place by bisection; the rest is moving at most `limit` references.
 */
export class WaitingList<T> {
  readonly #limit: number
  readonly #list: Waiting<T>[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get length(): number {
    return this.#list.length
  }

  get isFull(): boolean {
    return this.#list.length >= this.#limit
  }

  /**
   * Adds somebody behind all who are to be served before or at the same time.
   *
   * @param now ms, never less than in the call before
   * @throws RangeError if the list is full
   */
  add(what: T, priority: number, now: number): Waiting<T> {
    if (this.isFull) throw new RangeError(`the list holds ${this.#limit} already`)
    const step = Math.max(-GREATEST_PRIORITY, Math.min(GREATEST_PRIORITY, priority))
    const waiting = { what, rank: now + step * PRIORITY_STEP_MS }
    this.#list.splice(this.#upperBound(waiting.rank), 0, waiting)
    return waiting
  }

  /** Takes somebody out; false if they are not on the list. */
  remove(waiting: Waiting<T>): boolean {
    for (let i = this.#upperBound(waiting.rank) - 1; this.#list[i]?.rank === waiting.rank; i--) {
      if (this.#list[i] !== waiting) continue
      this.#list.splice(i, 1)
      return true
    }
    return false
  }

  /** All of them in order, as they are now: who is taken out meanwhile still comes. */
  [Symbol.iterator](): Iterator<Waiting<T>> {
    return [...this.#list][Symbol.iterator]()
  }

  #upperBound(rank: number): number {
    let low = 0
    let high = this.#list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#list[middle] as Waiting<T>).rank <= rank) low = middle + 1
      else high = middle
    }
    return low
  }
}
