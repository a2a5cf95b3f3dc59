import { TokenscopeError } from '../events/errors.ts'
import { type Ask, mayBeDoneTwice } from './ask.ts'
import { backoffMs } from './backoff.ts'
import { type ConnectError, connectionError, isConnectError } from './connect-error.ts'
import type { Exchange } from './exchange.ts'
import { headerOf, retryAfterMs } from './headers.ts'
import { resumable } from './resumption.ts'
import type { AnswerHead, AnswerListener, Sending } from './transport.ts'
import type { Upstream } from './upstream.ts'
import { Watchdog } from './watchdog.ts'

/**
 * What a request may spend on waits and on connections that do not come about, all attempts together: apps have limits
 * of their own, and who is asked to wait for longer does so better by itself.
 */
const RETRY_BUDGET_MS = 30_000
/** A machine that is off takes 2 s to be known as such each time, and is rarely back within seconds. */
const UNREACHED_ATTEMPTS = 2
/** Of an answer that is not passed on so much is read, for so long, that its connection can be used again. */
const DISCARDED_BYTES = 64 * 1024
const DISCARD_MS = 2000
/** These say that the request was not taken on. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 503])

/** A place at an instance, taken for one attempt. */
export interface Lease {
  readonly upstream: Upstream
  /**
   * Gives the place back; later calls do nothing.
   *
   * @param result how the instance did: `neutral` is an attempt that says nothing about it, as one whose client
   *   went
   * @param firstTokenMs from sending to the first token, or null if there was none
   */
  release(result: 'ok' | 'failed' | 'neutral', firstTokenMs: number | null): void
}

/** Who has places: the set of upstreams. */
export interface Places {
  /**
   * Waits for a place at the best instance for a request, at one that was not tried if there is any.
   *
   * @throws TokenscopeError NO_UPSTREAM, POOL_FULL; the signal's reason if it aborts meanwhile
   */
  lease(ask: Ask, tried: ReadonlySet<Upstream>, signal: AbortSignal): Promise<Lease>
  /** Whether an instance could take the request that was not tried. */
  hasOther(ask: Ask, tried: ReadonlySet<Upstream>): boolean
}

export interface DeliveryPolicy {
  /** Further attempts after the first. */
  retries: number
  /** Limits of silence before and after the first token, ms; null for none. */
  firstTokenMs: number | null
  silenceMs: number | null
  /** Where jitter is drawn from, 0..1. */
  random?: () => number
}

export interface DeliveryOptions {
  ask: Ask
  places: Places
  policy: DeliveryPolicy
  /** Told of one answer, as if there had been one attempt only. */
  listener: AnswerListener
  /** Reads along; null where nothing is generated. */
  exchange: Exchange | null
  /** Called with the instance of each attempt before it is sent. */
  onInstance: (upstream: Upstream) => void
  signal: AbortSignal
}

/**
 * One request on its way to its answer, in as many attempts as it takes.
 *
 * It is sent again only while nothing of an answer was passed on, only if the upstream did not take it on (no
 * connection, 429, 503) or if doing it twice does no harm, and to another instance first. Between attempts at the
 * same instances it waits with full jitter, and as long as `Retry-After` says, 30 s in all at most. Once bytes were
 * passed on there is no second attempt, for that would be another answer.
 *
 * Guarantees its listener what `AnswerListener` does; `broken` carries a TokenscopeError where the
 * reason is here.
 */
export class Delivery implements Sending {
  readonly #options: DeliveryOptions
  readonly #tried = new Set<Upstream>()
  /** Until when instances asked to be left alone, as `performance.now()`. */
  readonly #busyUntil = new Map<Upstream, number>()
  #attempts = 0
  /** Of the budget. */
  #spentMs = 0
  /** Attempts whose connection did not come about in time. */
  #unreached = 0
  #sending: Sending | null = null
  #watchdog: Watchdog | null = null

  constructor(options: DeliveryOptions) {
    this.#options = options
    const { signal } = options
    signal.addEventListener('abort', () => this.#sending?.abort(signal.reason), { once: true })
    void this.#attempt()
  }

  resume(): void {
    this.#watchdog?.resume()
    this.#sending?.resume()
  }

  abort(reason: Error): void {
    this.#sending?.abort(reason)
  }

  async #attempt(): Promise<void> {
    const { ask, places, listener, signal, onInstance } = this.#options
    try {
      signal.throwIfAborted()
      const lease = await places.lease(ask, this.#tried, signal)
      if (signal.aborted) {
        lease.release('neutral', null)
        signal.throwIfAborted()
      }
      this.#attempts++
      this.#tried.add(lease.upstream)
      onInstance(lease.upstream)
      this.#send(lease)
    } catch (error) {
      listener.broken(error as Error, performance.now())
    }
  }

  #send(lease: Lease): void {
    const { ask, listener, exchange, signal } = this.#options
    const { upstream } = lease
    const sentAt = performance.now()
    let phase: 'waiting' | 'passing' | 'left' = 'waiting'
    let discarded = 0
    let result: 'ok' | 'failed' | 'neutral' = 'ok'
    const leave = (how: 'ok' | 'failed' | 'neutral') => {
      phase = 'left'
      this.#watchdog?.stop()
      this.#watchdog = null
      const firstAt = exchange?.firstTokenAt ?? null
      lease.release(how, firstAt === null ? null : firstAt - sentAt)
    }
    const failed = (error: Error, readAt: number) => {
      if (isConnectError(error)) this.#missed(error, readAt - sentAt)
      const isOver = phase === 'passing' || !this.#mayRepeat(error)
      leave(signal.aborted ? 'neutral' : 'failed')
      if (isOver) listener.broken(error, readAt)
      else this.#again()
    }
    const passed: AnswerListener = {
      head: (head, readAt) => {
        if (phase === 'left') return
        this.#watchdog?.heard(readAt)
        // 429 and 503 say that it is busy, not that it is broken.
        if (RETRIED_STATUSES.has(head.status)) result = 'neutral'
        else if (head.status >= 500 && head.status !== 501) result = 'failed'
        if (this.#isRetried(head, upstream)) {
          leave(result)
          setTimeout(() => sending.abort(new Error('its answer is not wanted')), DISCARD_MS).unref()
          this.#again()
          return
        }
        phase = 'passing'
        listener.head(head, readAt)
      },
      chunk: (bytes, readAt) => {
        if (phase === 'left') {
          discarded += bytes.length
          if (discarded > DISCARDED_BYTES) sending.abort(new Error('its answer is not wanted'))
          return true
        }
        this.#watchdog?.heard(readAt)
        const more = listener.chunk(bytes, readAt)
        if (!more) this.#watchdog?.pause()
        return more
      },
      end: readAt => {
        if (phase === 'left') return
        listener.end(readAt)
        leave(result)
      },
      broken: (error, readAt) => {
        if (phase !== 'left') failed(error, readAt)
      },
    }
    const { method, target, headers, body } = ask
    const request = { method, path: target, headers, body, repeatable: mayBeDoneTwice(ask) }
    const { random = Math.random } = this.#options.policy
    const sending =
      resumable({ ask, upstream, request, listener: passed, exchange, random }) ??
      upstream.send(request, passed)
    this.#sending = sending
    if (exchange === null) return
    this.#watch(exchange, error => {
      // The app need not wait until the upstream has let go.
      sending.abort(error)
      failed(error, performance.now())
    })
  }

  #watch(exchange: Exchange, expired: (error: TokenscopeError) => void): void {
    const { firstTokenMs, silenceMs } = this.#options.policy
    if (firstTokenMs === null && silenceMs === null) return
    this.#watchdog = new Watchdog({
      firstTokenMs,
      silenceMs,
      begun: () => exchange.firstTokenAt !== null,
      onExpired: (limitMs, begun) => {
        // Who has been given up is not too late as well.
        if (this.#options.signal.aborted) return
        const what = begun ? 'The upstream went silent' : 'The upstream did not begin to answer'
        expired(new TokenscopeError('UPSTREAM_TIMEOUT', `${what}: nothing came for ${limitMs / 1000} s.`))
      },
    })
  }

  /** Whether an answer with this head is asked for anew instead of passed on. Notes what it asks to wait. */
  #isRetried({ status, headers }: AnswerHead, upstream: Upstream): boolean {
    if (!RETRIED_STATUSES.has(status) || !this.#hasAttempt()) return false
    const waitMs = retryAfterMs(headerOf(headers, 'retry-after'), Date.now()) ?? 0
    // Another instance need not wait for this one.
    if (waitMs > RETRY_BUDGET_MS - this.#spentMs && !this.#hasOther()) return false
    this.#busyUntil.set(upstream, performance.now() + waitMs)
    return true
  }

  #mayRepeat(error: Error): boolean {
    const { ask, signal } = this.#options
    if (signal.aborted || !this.#hasAttempt()) return false
    if (error instanceof TokenscopeError) return error.code === 'UPSTREAM_TIMEOUT' && this.#hasOther()
    if (isConnectError(error)) return this.#unreached < UNREACHED_ATTEMPTS || this.#hasOther()
    return connectionError(error).retryable && mayBeDoneTwice(ask)
  }

  #hasAttempt(): boolean {
    const { ask, policy } = this.#options
    const isHeld = ask.body === null || Buffer.isBuffer(ask.body)
    return isHeld && this.#attempts <= policy.retries && this.#spentMs < RETRY_BUDGET_MS
  }

  #missed({ code }: ConnectError, ms: number): void {
    this.#spentMs += ms
    if (code === 'ETIMEDOUT') this.#unreached++
  }

  #hasOther(): boolean {
    return this.#options.places.hasOther(this.#options.ask, this.#tried)
  }

  #again(): void {
    this.#sending = null
    if (this.#hasOther()) {
      void this.#attempt()
      return
    }
    // All were tried: from here on they are tried again, those first that did not ask to be left alone.
    const { policy, signal } = this.#options
    const now = performance.now()
    const readyAt = Math.min(...[...this.#tried].map(upstream => this.#busyUntil.get(upstream) ?? now))
    for (const upstream of this.#tried) {
      if ((this.#busyUntil.get(upstream) ?? now) <= Math.max(readyAt, now)) this.#tried.delete(upstream)
    }
    const go = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', go)
      void this.#attempt()
    }
    const jitterMs = backoffMs(this.#attempts, policy.random ?? Math.random)
    const waitMs = Math.max(0, readyAt - now) + jitterMs
    this.#spentMs += waitMs
    const timer = setTimeout(go, waitMs)
    signal.addEventListener('abort', go, { once: true })
  }
}
