/**
 * The bridge: apps' requests go out to the upstreams and come back unchanged, the page's own prompts go
 * the same way, and everything that is generated is told as events.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ComponentReport } from '../events/components.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import { type Ask, askOf } from './ask.ts'
import { CACHE_HEADER } from './cache/cache-wish.ts'
import { Replay, replayMeter } from './cache/replay.ts'
import type { CacheVisit, ResponseCache } from './cache/response-cache.ts'
import { connectionError } from './connect-error.ts'
import type { BegunAnswer } from './continuation.ts'
import { Delivery, type DeliveryPolicy } from './delivery.ts'
import { type CancelReason, Exchange, type ExchangeReport } from './exchange.ts'
import type { Emit } from './generation.ts'
import { headerOf } from './headers.ts'
import type { Admission, RateLimits } from './limits/rate-limits.ts'
import type { Prompt } from './page-prompt.ts'
import { type PageRequest, PageRequests } from './page-requests.ts'
import { createRelay, discardRest, type RelayOutcome, type RequestBody, takeBody } from './pass-through.ts'
import { ModelUnion } from './pool/model-union.ts'
import { Tap } from './tap.ts'
import type { Tapes } from './tape.ts'
import { TapedAnswer, type TapedAnswerOptions } from './taped-answer.ts'
import type { AnswerListener, Sending } from './transport.ts'
import type { Upstream } from './upstream.ts'
import type { UpstreamSet } from './upstream-set.ts'

export interface BridgeOptions {
  upstreams: UpstreamSet
  policy: DeliveryPolicy
  cache: ResponseCache
  limits: RateLimits
  /** Told of every request that generates, and of its answer. */
  tapes: Tapes
  emit: Emit
  meter: Meter
}

/** What a pass-through needs of the server around it. */
export interface PassThroughContext {
  /** Flat list of headers to add to the answer. */
  added: readonly string[]
  /** Lower-case names of upstream headers that are answered by `added` or the server instead. */
  replaced: Iterable<string>
  /** Answers in OpenAI's error form. */
  fail: (error: TokenscopeError) => void
  /** Told of a fault in reading the answer along, which did not hurt the answer. */
  fault: (fault: unknown) => void
  /** Told once, when it is over. */
  done: (outcome: RelayOutcome & { upstream: string; generations: string[] }) => void
}

/** A request that is being answered; without an exchange it is no generation. */
interface Running {
  ask: Ask
  exchange: Exchange | null
  /** What of an app's answer is still to be read; null where nobody but the exchange waits for it. */
  tap: Tap | null
  /** Who tells of it to who records; null where nothing is generated. */
  taped: TapedAnswer | null
  /** Its place in its caller's share; null where none is kept. */
  admission: Admission | null
  abort: AbortController
  /** Who has it now, or had it last; null while none has. */
  upstream: Upstream | null
  /** `performance.now()` when it was last sent to an upstream; null while it waits for a place. */
  sentAt: number | null
}

/** A request that generates, as it is now. */
export interface ActiveRequest extends ExchangeReport {
  /** Whether it still waits for a place. */
  queued: boolean
}

export class Bridge {
  readonly #upstreams: UpstreamSet
  readonly #policy: DeliveryPolicy
  readonly #cache: ResponseCache
  readonly #limits: RateLimits
  readonly #tapes: Tapes
  readonly #emit: Emit
  readonly #meter: Meter
  readonly #running = new Set<Running>()
  readonly #page: PageRequests
  #draining = false

  constructor(options: BridgeOptions) {
    this.#upstreams = options.upstreams
    this.#page = new PageRequests(options.upstreams)
    this.#policy = options.policy
    this.#cache = options.cache
    this.#limits = options.limits
    this.#tapes = options.tapes
    this.#emit = options.emit
    this.#meter = options.meter
  }

  /** Requests that are being answered. */
  get running(): number {
    return this.#running.size
  }

  /** Passes an app's request through; never rejects. */
  async passThrough(
    request: IncomingMessage,
    response: ServerResponse,
    context: PassThroughContext,
  ): Promise<void> {
    const startedAt = performance.now()
    let body: RequestBody | null = null
    try {
      if (this.#draining) throw draining()
      body = await takeBody(request)
      const ask = askOf(request, body)
      const visit = this.#cache.visit(ask, request.headers, this.#upstreams.labels)
      // What is kept costs nobody anything: it waits for no place and counts against no limit.
      const label = visit.answer?.upstream ?? this.#upstreams.forApp(ask).label
      const admission = visit.answer === null ? this.#limits.admit(ask) : null
      const exchange = this.#listen(ask, label, startedAt, { cached: visit.answer !== null, isQuiet: true })
      this.#relay(request, response, context, this.#begin(ask, exchange, admission), visit, startedAt)
    } catch (error) {
      const failure =
        error instanceof TokenscopeError
          ? error
          : new TokenscopeError('BAD_REQUEST', 'The request broke off.', { cause: error })
      context.fail(failure)
      if (body?.send instanceof Readable) body.send.destroy()
      else discardRest(request)
      context.done({ outcome: 'unreached', error: failure, upstream: '', generations: [] })
    }
  }

  /**
   * Sends a prompt of the page and returns at once; what comes of it is told as events.
   *
   * @returns the id of its generation, and the parameters that its upstream has no name for
   * @throws TokenscopeError NO_UPSTREAM, DRAINING
   */
  generate(prompt: Prompt): { generation: string; leftOut: string[] } {
    if (this.#draining) throw draining()
    const request = this.#page.ofPrompt(prompt)
    return { generation: this.#start(request), leftOut: request.leftOut }
  }

  /**
   * Asks for what comes after an answer that broke off, as a new generation that names the old one as its
   * parent; returns at once.
   *
   * @returns the id of the new generation
   * @throws TokenscopeError NOT_FOUND, NOT_CONTINUABLE, NO_UPSTREAM, DRAINING
   */
  continue(parent: string): string {
    if (this.#draining) throw draining()
    return this.#start(this.#page.ofParent(parent))
  }

  /**
   * Asks for another end of an answer that was recorded, as a new generation whose parent it is; returns at once.
   *
   * @returns the id of the new generation
   * @throws TokenscopeError NOT_CONTINUABLE, NO_UPSTREAM, DRAINING
   */
  continueFrom(begun: BegunAnswer): string {
    if (this.#draining) throw draining()
    return this.#start(this.#page.ofBegun(begun))
  }

  /** Sends a request of our own; returns the id of its generation. */
  #start({ ask, upstream }: PageRequest): string {
    const startedAt = performance.now()
    const exchange = this.#listen(ask, upstream.label, startedAt) as Exchange
    const running = this.#begin(ask, exchange)
    const listener: AnswerListener = {
      head: (head, readAt) => exchange.head(head.status, headerOf(head.headers, 'content-type'), readAt),
      chunk: (bytes, readAt) => {
        exchange.bytes(bytes, readAt)
        return true
      },
      end: readAt => {
        exchange.end(readAt)
        this.#finish(running)
      },
      broken: (error, readAt) => {
        exchange.broken(connectionError(error), readAt)
        this.#finish(running)
      },
    }
    // Nobody waits here who could be told of a fault.
    const taped = this.#taped(running, { startedAt, correlationId: null, onFault: () => {} })
    this.#deliver(ask, running, taped?.listening(listener) ?? listener)
    return exchange.ids[0] as string
  }

  /** The requests that generate now, the oldest first. */
  active(): ActiveRequest[] {
    return [...this.#running].flatMap(({ exchange, sentAt }) => {
      if (exchange === null) return []
      const report = exchange.report()
      // An upstream is silent only since it was asked.
      const heardAt = Math.max(report.heardAt, sentAt ?? 0)
      return [{ ...report, heardAt, queued: sentAt === null }]
    })
  }

  /**
   * Stops a running generation, and with it the others of the same request. An app whose request it was
   * sees a broken connection.
   *
   * @throws TokenscopeError NOT_FOUND if no such generation is running
   */
  stop(generation: string): void {
    for (const running of this.#running) {
      if (!running.exchange?.ids.includes(generation)) continue
      cancel(running, 'stopped')
      return
    }
    throw new TokenscopeError('NOT_FOUND', `No generation ${generation} is running.`)
  }

  /** Takes no more requests; waits up to `seconds` for the running ones, then cancels what is left. */
  async drain(seconds: number): Promise<void> {
    this.#draining = true
    const until = performance.now() + seconds * 1000
    const idle = () => this.#running.size === 0
    while (!idle() && performance.now() < until) await pause(20)
    for (const running of this.#running) cancel(running, 'shutdown')
    const patience = performance.now() + 1000
    while (!idle() && performance.now() < patience) await pause(5)
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    return {
      name: 'bridge',
      status: this.#draining ? 'failed' : 'ok',
      detail: this.#draining
        ? `stopping, ${this.running} still running`
        : `${this.running} ${this.running === 1 ? 'request' : 'requests'} running`,
      facts: { running: this.running },
    }
  }

  #relay(
    request: IncomingMessage,
    response: ServerResponse,
    context: PassThroughContext,
    running: Running,
    visit: CacheVisit,
    startedAt: number,
  ): void {
    const { ask, exchange, admission, abort } = running
    const tap = exchange === null ? null : new Tap(exchange, context.fault)
    running.tap = tap
    let over = false
    const clientGone = () => {
      if (!over && !response.writableFinished) cancel(running, 'client_gone')
    }
    response.on('close', clientGone)
    let resume = () => {}
    const relay = createRelay({
      ...context,
      added: [...context.added, ...visit.headers],
      replaced: [...context.replaced, ...(visit.headers.length === 0 ? [] : [CACHE_HEADER])],
      response,
      tap,
      signal: abort.signal,
      resume: () => resume(),
      done: outcome => {
        over = true
        visit.over()
        this.#finish(running)
        context.done({
          ...outcome,
          upstream: running.upstream?.label ?? '',
          generations: exchange?.ids ?? [],
        })
      },
    })
    const kept = visit.answer
    const given =
      kept === null
        ? visit.recorded(admission?.marked(relay) ?? relay, exchange, () => running.upstream?.label ?? '')
        : relay
    const correlationId = request.headers['x-correlation-id'] as string
    const taped = this.#taped(running, { startedAt, correlationId, onFault: context.fault })
    const listener = taped?.listening(given) ?? given
    const sending =
      kept === null
        ? this.#deliver(ask, running, listener)
        : new Replay({ answer: kept, listener, signal: abort.signal })
    resume = () => sending.resume()
    // The client may have gone while its body was read, before anybody listened.
    if (request.socket.destroyed) clientGone()
  }

  #deliver(ask: Ask, running: Running, listener: AnswerListener): Sending {
    const { signal } = running.abort
    const listed = this.#upstreams.listing(ask)
    if (listed !== null) return new ModelUnion({ ask, upstreams: listed, listener, signal })
    return new Delivery({
      ask,
      places: running.admission?.behind(this.#upstreams) ?? this.#upstreams,
      policy: this.#policy,
      listener,
      exchange: running.exchange,
      onInstance: upstream => {
        running.upstream = upstream
        running.sentAt = performance.now()
        running.exchange?.assign(upstream.label)
      },
      signal,
    })
  }

  /** Who listens to the answer; null where nothing is generated. */
  #listen(
    { endpoint, facts, parent }: Ask,
    upstream: string,
    startedAt: number,
    { cached = false, isQuiet = false }: { cached?: boolean; isQuiet?: boolean } = {},
  ): Exchange | null {
    if (endpoint === null || facts === null) return null
    return new Exchange({
      endpoint,
      facts,
      upstream,
      startedAt,
      parent,
      cached,
      isQuiet,
      emit: this.#emit,
      meter: cached ? replayMeter(this.#meter) : this.#meter,
      modelLabel: model => (model !== null && this.#upstreams.lists(model) ? model : 'other'),
    })
  }

  /** Who tells of it to who records; null where nothing is generated. */
  #taped(
    running: Running,
    about: Pick<TapedAnswerOptions, 'startedAt' | 'correlationId' | 'onFault'>,
  ): TapedAnswer | null {
    const { ask, exchange, abort } = running
    if (exchange === null) return null
    const { signal } = abort
    running.taped = new TapedAnswer({
      ...about,
      tapes: this.#tapes,
      ask,
      signal,
      generations: () => exchange.ids,
    })
    return running.taped
  }

  #begin(ask: Ask, exchange: Exchange | null, admission: Admission | null = null): Running {
    const abort = new AbortController()
    const running = { ask, exchange, tap: null, taped: null, admission, abort, upstream: null, sentAt: null }
    this.#running.add(running)
    return running
  }

  #finish(running: Running): void {
    this.#running.delete(running)
    const { ask, exchange, taped, admission, upstream } = running
    taped?.over()
    admission?.settle(upstream === null ? null : exchange)
    if (exchange === null || upstream === null) return
    upstream.used(exchange.model)
    if (exchange.answerId !== null) this.#upstreams.answered(ask, exchange.answerId, upstream)
    this.#page.learn(ask, exchange, upstream)
  }
}

function cancel({ exchange, tap, abort }: Running, reason: CancelReason): void {
  // What came before it was cancelled is shown.
  tap?.flush()
  exchange?.cancel(reason, performance.now())
  // Who has no answer yet is told why; else a broken connection says that it is not whole.
  abort.abort(reason === 'shutdown' ? draining() : undefined)
}

function draining(): TokenscopeError {
  return new TokenscopeError('DRAINING', 'Tokenscope is stopping; ask again later.')
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
