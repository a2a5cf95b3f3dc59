/** Ends without anything done between them, or within a minute, after which a process is given up. */
const MAX_ENDS = 3
const WITHIN_MS = 60_000
/** After an end that something was done before, the restart is at once; then waits double, up to the last. */
const FIRST_WAIT_MS = 100
const LAST_WAIT_MS = 30_000

export interface Verdict {
  /** How long to wait before the next start, in ms. */
  waitMs: number
  /** Whether it ended so often that it should not be started like this again. */
  hopeless: boolean
}

/** Remembers the ends of a process, and judges when it is started again and when it is given up. */
export class Restarts {
  readonly #maxEnds: number
  /** When it ended, in ms, within the last minute. */
  #ends: number[] = []
  /** Starts since it last did anything. */
  #fruitless = 0
  /** Of these, how many came to run. */
  #fruitlessRuns = 0

  constructor(maxEnds = MAX_ENDS) {
    this.#maxEnds = maxEnds
  }

  /** Notes that it did what it is for. */
  worked(): void {
    this.#fruitless = 0
    this.#fruitlessRuns = 0
  }

  /**
   * Judges an end, at `now` in ms of a clock that does not jump. One that never `ran`, since the system had no
   * room for another process, is waited for like any other but says nothing about what it runs on.
   */
  judge(now: number, ran = true): Verdict {
    this.#ends = this.#ends.filter(at => now - at < WITHIN_MS)
    this.#fruitless++
    if (ran) {
      this.#ends.push(now)
      this.#fruitlessRuns++
    }
    return {
      waitMs: this.#fruitless === 1 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (this.#fruitless - 2), LAST_WAIT_MS),
      hopeless: ran && Math.max(this.#ends.length, this.#fruitlessRuns) >= this.#maxEnds,
    }
  }

  /** Forgets all, for a process of another kind. */
  clear(): void {
    this.#ends = []
    this.worked()
  }
}
