import { TokenscopeError } from '../../events/errors.ts'
import { Gcra } from '../../events/gcra.ts'

/** What a timer can be early by, and a wait lack in its last bit. */
const SLACK_MS = 1

export interface ShareOptions {
  /** null for no limit. */
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  /** The longest wait, ms. */
  waitMs: number
}

/** What is left of a limit, for the headers that tell it. */
export interface Remaining {
  limit: number
  remaining: number
  /** ms until it is whole again. */
  resetMs: number
}

/** A request's place in its caller's share. */
export interface Place {
  /**
   * Resolves when the request may go on, which it may at once more often than not.
   *
   * @throws TokenscopeError RATE_LIMITED if the wait became too long by what others were charged; the signal's
   *   reason if it aborts meanwhile, and then nothing was taken
   */
  ready(signal: AbortSignal): Promise<void>
  /** It is over and came to so many tokens; gives back or charges what differs. Later calls do nothing. */
  settle(tokens: number): void
}

interface Waiter {
  tokens: number
  deadline: number
  granted: boolean
  go: () => void
  refuse: (error: TokenscopeError) => void
}

/** A caller's share: its two buckets, and those of its requests that wait, in the order in which they came. */
export class Share {
  readonly #requests: Gcra | null
  readonly #tokens: Gcra | null
  readonly #waitMs: number
  readonly #waiting: Waiter[] = []
  #timer: NodeJS.Timeout | null = null
  /** Requests that were let in and whose tokens are not settled. */
  #open = 0

  constructor({ requestsPerMinute, tokensPerMinute, waitMs }: ShareOptions) {
    this.#requests = requestsPerMinute === null ? null : new Gcra({ perMinute: requestsPerMinute })
    this.#tokens = tokensPerMinute === null ? null : new Gcra({ perMinute: tokensPerMinute })
    this.#waitMs = waitMs
  }

  /** Whether it is as good as new: nobody waits, nothing is unsettled, nothing is taken. */
  get isWhole(): boolean {
    if (this.#waiting.length > 0 || this.#open > 0) return false
    const { requests, tokens } = this.remaining
    return (requests?.resetMs ?? 0) === 0 && (tokens?.resetMs ?? 0) === 0
  }

  /** What is left; null where there is no limit. */
  get remaining(): { requests: Remaining | null; tokens: Remaining | null } {
    const now = performance.now()
    const of = (bucket: Gcra | null) =>
      bucket && {
        limit: bucket.burst,
        remaining: Math.max(0, Math.floor(bucket.balance(now))),
        resetMs: bucket.msUntil(bucket.burst, now),
      }
    return { requests: of(this.#requests), tokens: of(this.#tokens) }
  }

  /**
   * Lets a request in, or in line.
   *
   * @param tokens that it may come to, 0 where none are counted; an estimate above a minute's worth counts as that,
   *   and the rest is charged when it is settled
   * @throws TokenscopeError RATE_LIMITED if it would have to wait for longer than the bound
   */
  enter(tokens: number): Place {
    const reserved = Math.min(tokens, this.#tokens?.burst ?? 0)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Whoever is refused in line may have gone before anybody listened.
    promise.catch(() => {})
    const deadline = performance.now() + this.#waitMs
    const waiter = { tokens: reserved, deadline, granted: false, go: resolve, refuse: reject }
    if (this.#waiting.length > 0 || !this.#take(waiter)) {
      const { waitMs, limit } = this.#wait(waiter)
      if (waitMs > this.#waitMs) throw tooMany(limit, waitMs)
      this.#waiting.push(waiter)
      if (this.#waiting.length === 1) this.#serve()
    }
    return {
      ready: signal => {
        const leave = () => this.#leave(waiter, signal.reason)
        if (signal.aborted) leave()
        signal.addEventListener('abort', leave, { once: true })
        return promise.finally(() => signal.removeEventListener('abort', leave))
      },
      settle: used => {
        if (!waiter.granted) return
        waiter.granted = false
        this.#settle(reserved, used)
      },
    }
  }

  #take(waiter: Waiter): boolean {
    const now = performance.now()
    // Both or none.
    if ((this.#requests?.balance(now) ?? 1) < 1) return false
    // What generates nothing does not wait for what others were charged.
    if (waiter.tokens > 0 && this.#tokens?.take(waiter.tokens, now) === false) return false
    this.#requests?.take(1, now)
    this.#open++
    waiter.granted = true
    waiter.go()
    return true
  }

  #settle(reserved: number, used: number): void {
    this.#open--
    if (used > reserved) this.#tokens?.charge(used - reserved, performance.now())
    else this.#tokens?.giveBack(reserved - used, performance.now())
    this.#serve()
  }

  #leave(waiter: Waiter, reason: Error): void {
    const at = this.#waiting.indexOf(waiter)
    if (at === -1) return
    this.#waiting.splice(at, 1)
    waiter.refuse(reason as TokenscopeError)
    this.#serve()
  }

  /** Lets in whoever is first and can go, refuses whoever is first and would wait too long. */
  #serve(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (!this.#take(first)) {
        const { waitMs, limit } = this.#wait(first)
        if (performance.now() + waitMs <= first.deadline + SLACK_MS) {
          this.#timer = setTimeout(() => this.#serve(), Math.max(SLACK_MS, Math.ceil(waitMs)))
          return
        }
        first.refuse(tooMany(limit, waitMs))
      }
      this.#waiting.shift()
    }
  }

  /** How long until the waiter has what it needs, after those before it, and which limit takes the longest. */
  #wait(waiter: Waiter): { waitMs: number; limit: string } {
    const now = performance.now()
    let requests = 1
    let tokens = waiter.tokens
    for (const before of this.#waiting) {
      if (before === waiter) break
      requests++
      tokens += before.tokens
    }
    const forRequests = this.#requests?.msUntil(requests, now) ?? 0
    const forTokens = tokens === 0 ? 0 : (this.#tokens?.msUntil(tokens, now) ?? 0)
    return forRequests >= forTokens
      ? { waitMs: forRequests, limit: `${this.#requests?.burst} requests` }
      : { waitMs: forTokens, limit: `${this.#tokens?.burst} tokens` }
  }
}

function tooMany(limit: string, waitMs: number): TokenscopeError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  const message = `A caller may have ${limit} a minute here; ask again in ${retryAfterSeconds} s.`
  return new TokenscopeError('RATE_LIMITED', message, { retryAfterSeconds })
}
