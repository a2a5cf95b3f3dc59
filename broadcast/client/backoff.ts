const FIRST_MS = 500
const LONGEST_MS = 20_000

/**
 * How long to wait before the next attempt: exponential backoff with full jitter (AWS Architecture Blog,
 * "Exponential Backoff and Jitter", 2015), anything between nothing and a bound that doubles from 0.5 s to
 * 20 s, so that viewers who lost their server together do not come back together.
 */
export class Backoff {
  readonly #random: () => number
  #failures = 0

  /** @param random 0..1, of which the wait is drawn evenly */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Counts a failure and gives the wait after it, ms. */
  next(): number {
    // 2 ** failures would be infinite at some time, but no wrong number.
    return this.#random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures++)
  }

  /** A connection was a good one: waits are short again. */
  reset(): void {
    this.#failures = 0
  }
}
