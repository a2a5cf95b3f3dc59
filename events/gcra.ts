export interface GcraOptions {
  /** What is given per minute, in whatever is counted. */
  perMinute: number
  /** What may be taken at once after a rest; a minute's worth if not given. */
  burst?: number
}

/**
 * The Generic Cell Rate Algorithm as a continuous-state leaky bucket (ATM Forum, Traffic Management 4.0, §4.4.2;
 * the twin of its virtual scheduling form), which is a token bucket seen from the other side: what was taken fills
 * it, it leaks at the rate, and there is room for a burst.
 *
 * In any span of time not more than the burst and what the rate gives in it is granted: there is no window at whose
 * border a second burst begins. The state is two numbers. A clock that goes back is taken to stand still.
 */
export class Gcra {
  readonly burst: number
  readonly #perMs: number
  /** What was taken and has not leaked yet; above `burst` when more was charged than there was. */
  #level = 0
  #at = Number.NEGATIVE_INFINITY

  constructor({ perMinute, burst = perMinute }: GcraOptions) {
    this.burst = burst
    this.#perMs = perMinute / 60_000
  }

  /** What can be taken now; negative while more was charged than there was. */
  balance(now: number): number {
    this.#leak(now)
    return this.burst - this.#level
  }

  /** How long until `amount` will have been given from now on, if all of it is taken as it comes, in ms. */
  msUntil(amount: number, now: number): number {
    return Math.max(0, (amount - this.balance(now)) / this.#perMs)
  }

  /** Takes `cost` if it is there, which more than the burst never is; says whether. */
  take(cost: number, now: number): boolean {
    if (cost > this.balance(now)) return false
    this.#level += cost
    return true
  }

  /** Charges what turned out to be more than was taken, whether it is there or not. */
  charge(amount: number, now: number): void {
    this.#leak(now)
    this.#level += amount
  }

  /** Gives back what turned out not to be needed; there is never more than the burst. */
  giveBack(amount: number, now: number): void {
    this.#leak(now)
    this.#level = Math.max(0, this.#level - amount)
  }

  #leak(now: number): void {
    if (now <= this.#at) return
    if (this.#level > 0) this.#level = Math.max(0, this.#level - (now - this.#at) * this.#perMs)
    this.#at = now
  }
}
