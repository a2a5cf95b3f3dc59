import { LRUCache } from 'lru-cache'
import type { Ask } from '../ask.ts'
import type { Places } from '../delivery.ts'
import type { Exchange } from '../exchange.ts'
import { headerOf } from '../headers.ts'
import type { AnswerListener } from '../transport.ts'
import { type Remaining, Share, type ShareOptions } from './share.ts'

/** Callers that are remembered; of more, the one longest unheard of begins anew. */
const MAX_CALLERS = 10_000
/** How often callers are forgotten whose share is whole again, ms. */
const SWEEP_MS = 60_000
/** Bytes of a request's body per token of its prompt, until the upstream has counted. */
const BYTES_PER_TOKEN = 4
/** Tokens of an answer for which its request names no bound. */
const ANSWER_TOKENS = 512

/** A request that its caller's share lets in. */
export interface Admission {
  /**
   * The places of the pool as the request may have them: once it is its turn among its caller's. A lease that is
   * refused for it throws RATE_LIMITED.
   */
  behind(places: Places): Places
  /** Adds to an answer's head what the caller has left, in OpenAI's headers, where the upstream does not say it. */
  marked(listener: AnswerListener): AnswerListener
  /** It is over: what it was reserved for gives way to what it came to. */
  settle(exchange: Exchange | null): void
}

/**
 * Requests and tokens per minute for each caller, by the Generic Cell Rate Algorithm (gcra.ts).
 *
 * A POST counts as a request. One that generates is also reserved an estimate of its tokens (a quarter of its body's
 * bytes for the prompt, and what it allows for its answers), which its end settles: by the upstream's usage where it
 * gave one, else by what came. Who got no token and did not give up itself pays none. A request that is not there
 * yet waits in the order of its caller's requests if that is no longer than the bound, and is refused otherwise.
 *
 * At most 10,000 callers are remembered, and none whose share is whole.
 */
export class RateLimits {
  readonly #options: ShareOptions
  readonly #shares = new LRUCache<string, Share>({ max: MAX_CALLERS })
  #sweptAt = performance.now()

  constructor(options: ShareOptions) {
    this.#options = options
  }

  /** Callers that are remembered. */
  get callers(): number {
    this.#sweep()
    return this.#shares.size
  }

  /**
   * Lets a request in, or in line.
   *
   * @returns null where nothing is counted
   * @throws TokenscopeError RATE_LIMITED if it would have to wait for longer than the bound
   */
  admit(ask: Ask): Admission | null {
    const { requestsPerMinute, tokensPerMinute } = this.#options
    if (ask.method !== 'POST' || (requestsPerMinute ?? tokensPerMinute) === null) return null
    if (performance.now() - this.#sweptAt >= SWEEP_MS) this.#sweep()
    let share = this.#shares.get(ask.caller)
    if (share === undefined) {
      share = new Share(this.#options)
      this.#shares.set(ask.caller, share)
    }
    const place = share.enter(estimatedTokens(ask))
    return {
      behind: places => ({
        lease: async (asked, tried, signal) => {
          await place.ready(signal)
          return places.lease(asked, tried, signal)
        },
        hasOther: (asked, tried) => places.hasOther(asked, tried),
      }),
      marked: listener => marked(listener, share),
      settle: exchange => place.settle(exchange === null ? 0 : usedTokens(ask, exchange)),
    }
  }

  #sweep(): void {
    this.#sweptAt = performance.now()
    for (const [caller, share] of this.#shares.entries()) {
      if (share.isWhole) this.#shares.delete(caller)
    }
  }
}

/** Tokens that a request may come to, prompt and answers together; 0 where nothing is generated. */
export function estimatedTokens(ask: Ask): number {
  if (ask.facts === null) return 0
  const { maxTokens, choices } = ask.facts
  return promptTokens(ask) + (maxTokens ?? ANSWER_TOKENS) * choices
}

/** Tokens that a request has come to, as the upstream counted or, where it did not, as far as they were seen. */
function usedTokens(ask: Ask, exchange: Exchange): number {
  const { usage, tokens, cancelled } = exchange
  if (usage !== null)
    return usage.totalTokens ?? (usage.promptTokens ?? promptTokens(ask)) + usage.completionTokens
  return tokens > 0 || cancelled ? promptTokens(ask) + tokens : 0
}

function promptTokens({ body, headers }: Ask): number {
  // A body that is not held has said how long it is, or is as if it were empty.
  const bytes = Buffer.isBuffer(body) ? body.length : Number(headerOf(headers, 'content-length') ?? 0)
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

function marked(listener: AnswerListener, share: Share): AnswerListener {
  return {
    ...listener,
    head: (head, readAt) => {
      const { requests, tokens } = share.remaining
      const headers = [...head.headers]
      for (const [name, value] of [...headersOf('requests', requests), ...headersOf('tokens', tokens)]) {
        if (headerOf(head.headers, name) === null) headers.push(name, value)
      }
      listener.head({ ...head, headers }, readAt)
    },
  }
}

function headersOf(what: string, left: Remaining | null): [name: string, value: string][] {
  if (left === null) return []
  return [
    [`x-ratelimit-limit-${what}`, String(left.limit)],
    [`x-ratelimit-remaining-${what}`, String(left.remaining)],
    [`x-ratelimit-reset-${what}`, durationText(left.resetMs)],
  ]
}

/** A time as OpenAI's headers have it: `12ms`, `7.66s`, `6m0s`. */
export function durationText(ms: number): string {
  if (ms <= 999) return `${Math.ceil(ms)}ms`
  const hundredths = Math.ceil(ms / 10)
  const minutes = Math.floor(hundredths / 6000)
  const seconds = (hundredths % 6000) / 100
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`
}
