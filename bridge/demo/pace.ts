/**
 * Keeps a rate by a schedule: step k is due k / rate after the start, so late timers do not add up and
 * several steps can be due at once.
 */
import { setImmediate, setTimeout } from 'node:timers/promises'

/** How long work without a rate goes on before other work of the process gets its turn. */
const TURN_MS = 4

export class Pace {
  readonly #rate: number
  #start = performance.now()
  #turn = performance.now()
  #steps = 0

  /** `rate` is in steps per second, above 0; Infinity is unlimited. */
  constructor(rate: number) {
    this.#rate = rate
  }

  /**
   * Resolves when the next step is due, the first at once. Without waiting it returns null, so that a
   * caller need not pass through the event loop. Rejects with an AbortError when `signal` aborts.
   */
  next(signal: AbortSignal): Promise<unknown> | null {
    const now = performance.now()
    const due = this.#start + (this.#steps++ / this.#rate) * 1000
    if (due > now) {
      this.#turn = due
      return setTimeout(due - now, undefined, { signal })
    }
    if (now - this.#turn < TURN_MS) return null
    return setImmediate(undefined, { signal }).then(() => {
      this.#turn = performance.now()
    })
  }

  /** Moves the schedule by a time during which nothing could be done, so that no burst follows it. */
  skip(milliseconds: number): void {
    this.#start += milliseconds
    this.#turn = performance.now()
  }
}
