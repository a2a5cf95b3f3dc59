export interface WatchdogOptions {
  /** The longest silence before the first token, ms; null for no limit. */
  firstTokenMs: number | null
  /** The longest silence after it, ms; null for no limit. */
  silenceMs: number | null
  /** Whether the first token has come. */
  begun: () => boolean
  /** Called once, with the limit that was passed, ms. */
  onExpired: (limitMs: number, begun: boolean) => void
}

/**
 * Watches over the silence of an answer, from its creation on. Every sign of life counts: a token, progress, a
 * ping. While the answer is paused for a slow reader nothing counts, since then the silence is ours.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  #heardAt = performance.now()
  #paused = false
  #timer: NodeJS.Timeout | null = null
  #lastLook: NodeJS.Immediate | null = null

  constructor(options: WatchdogOptions) {
    this.#options = options
    this.#look()
  }

  /** Something came. */
  heard(at: number): void {
    this.#heardAt = at
  }

  /** The answer is held back for its reader. */
  pause(): void {
    this.#paused = true
  }

  /** It goes on. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#heardAt = performance.now()
  }

  /** It is over. */
  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#lastLook) clearImmediate(this.#lastLook)
    this.#lastLook = null
  }

  // One timer that looks when something may be due, instead of one that every chunk sets anew.
  #look(): void {
    const { firstTokenMs, silenceMs, onExpired } = this.#options
    const begun = this.#options.begun()
    const limit = begun ? silenceMs : firstTokenMs
    const silent = this.#paused ? 0 : performance.now() - this.#heardAt
    if (limit !== null && silent >= limit) {
      this.#timer = null
      if (this.#lastLook === null) {
        // After a turn that took long, what came meanwhile is not read yet.
        this.#lastLook = setImmediate(() => this.#look())
        return
      }
      this.#lastLook = null
      onExpired(limit, begun)
      return
    }
    this.#lastLook = null
    const left = (limit ?? Number.POSITIVE_INFINITY) - silent
    // The first token may come just after this look, and the other limit hold from then on.
    const next = begun ? left : Math.min(left, silenceMs ?? Number.POSITIVE_INFINITY)
    if (next === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.#look(), Math.max(1, next))
    this.#timer.unref()
  }
}
