/**
 * The bridge: apps' requests go out to the upstreams and come back unchanged, the page's own prompts go
 * the same way, and everything that is generated is told as events.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ComponentReport } from '../events/components.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import { DEMO_MODEL_NAME } from './demo/surfaces/model-name.ts'
import type { Dialect, RequestFacts } from './dialect.ts'
import { openaiChat } from './dialect-openai-chat.ts'
import { type CancelReason, Exchange } from './exchange.ts'
import type { Emit } from './generation.ts'
import { headerOf, requestHeaders } from './headers.ts'
import { createRelay, discardRest, type RelayOutcome, type RequestBody, takeBody } from './pass-through.ts'
import { type AnswerListener, connectionError, type Upstream, type UpstreamRequest } from './upstream.ts'
import type { UpstreamSet } from './upstream-set.ts'

/** Alternatives to ask for with the page's own prompts. */
const TOP_LOGPROBS = 5

/** Which path speaks which dialect. */
const DIALECTS: ReadonlyMap<string, Dialect> = new Map([['/v1/chat/completions', openaiChat]])

export interface BridgeOptions {
  upstreams: UpstreamSet
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
  /** Told once, when it is over. */
  done: (outcome: RelayOutcome & { upstream: string; generations: string[] }) => void
}

/** A prompt of the page. */
export interface Prompt {
  messages: { role: string; content?: unknown }[]
  model?: string
  /** Further fields of the request, passed on as they are: temperature, max_tokens, … */
  parameters: Record<string, unknown>
}

/** A request that is being answered; without an exchange it is no generation. */
interface Running {
  exchange: Exchange | null
  abort: AbortController
}

export class Bridge {
  readonly #upstreams: UpstreamSet
  readonly #emit: Emit
  readonly #meter: Meter
  readonly #running = new Set<Running>()
  #draining = false

  constructor(options: BridgeOptions) {
    this.#upstreams = options.upstreams
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
      if (this.#draining) throw new TokenscopeError('DRAINING', 'Tokenscope is stopping; ask again later.')
      body = await takeBody(request)
      const path = pathOf(request)
      const dialect = request.method === 'POST' ? DIALECTS.get(path) : undefined
      const facts = dialect?.request(parsed(body.held)) ?? null
      const upstream = this.#upstreams.forApp(facts?.model ?? modelInPath(path))
      const exchange = dialect && facts ? this.#listen(dialect, facts, upstream, startedAt) : null
      const running = this.#begin(exchange)
      this.#relay(request, response, context, upstream, running, {
        method: request.method as string,
        path: request.url as string,
        headers: requestHeaders(request.rawHeaders, body.held?.length ?? null),
        body: body.send,
      })
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
   * @returns the id of its generation
   * @throws TokenscopeError NO_UPSTREAM, DRAINING
   */
  generate(prompt: Prompt): string {
    if (this.#draining) throw new TokenscopeError('DRAINING', 'Tokenscope is stopping; ask again later.')
    const upstream = this.#upstreams.forPage()
    const model = prompt.model ?? upstream.defaultModel
    const body = Buffer.from(
      JSON.stringify({
        ...prompt.parameters,
        ...(model === null ? {} : { model }),
        messages: prompt.messages,
        stream: true,
        stream_options: { include_usage: true },
        logprobs: true,
        top_logprobs: TOP_LOGPROBS,
      }),
    )
    const exchange = this.#listen(openaiChat, { model, stream: true }, upstream, performance.now())
    const running = this.#begin(exchange)
    const listener: AnswerListener = {
      head: (head, readAt) => exchange.head(head.status, headerOf(head.headers, 'content-type'), readAt),
      chunk: (bytes, readAt) => {
        exchange.bytes(bytes, readAt)
        return true
      },
      end: readAt => {
        exchange.end(readAt)
        this.#finish(running, upstream)
      },
      broken: (error, readAt) => {
        exchange.broken(connectionError(error), readAt)
        this.#finish(running, upstream)
      },
    }
    upstream.send(
      {
        method: 'POST',
        path: '/v1/chat/completions',
        headers: [
          ...['content-type', 'application/json', 'accept', 'text/event-stream'],
          ...['accept-encoding', 'identity', 'content-length', String(body.length)],
        ],
        body,
        signal: running.abort.signal,
      },
      listener,
    )
    return exchange.ids[0] as string
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
      detail: this.#draining ? `stopping, ${this.running} still running` : `${this.running} requests running`,
      facts: { running: this.running },
    }
  }

  #relay(
    request: IncomingMessage,
    response: ServerResponse,
    context: PassThroughContext,
    upstream: Upstream,
    running: Running,
    upstreamRequest: Omit<UpstreamRequest, 'signal'>,
  ): void {
    const { exchange, abort } = running
    let over = false
    const clientGone = () => {
      if (!over && !response.writableFinished) cancel(running, 'client_gone')
    }
    response.on('close', clientGone)
    let resume = () => {}
    const relay = createRelay({
      ...context,
      response,
      exchange,
      cancelled: () => abort.signal.aborted,
      resume: () => resume(),
      done: outcome => {
        over = true
        this.#finish(running, upstream)
        context.done({ ...outcome, upstream: upstream.label, generations: exchange?.ids ?? [] })
      },
    })
    resume = upstream.send({ ...upstreamRequest, signal: abort.signal }, relay)
    // The client may have gone while its body was read, before anybody listened.
    if (request.socket.destroyed) clientGone()
  }

  #listen(dialect: Dialect, facts: RequestFacts, upstream: Upstream, startedAt: number): Exchange {
    return new Exchange({
      dialect,
      facts,
      upstream: upstream.label,
      startedAt,
      emit: this.#emit,
      meter: this.#meter,
      modelLabel: model => (model !== null && upstream.models.includes(model) ? model : 'other'),
    })
  }

  #begin(exchange: Exchange | null): Running {
    const running = { exchange, abort: new AbortController() }
    this.#running.add(running)
    return running
  }

  #finish(running: Running, upstream: Upstream): void {
    this.#running.delete(running)
    if (running.exchange !== null) upstream.used(running.exchange.model)
  }
}

function cancel({ exchange, abort }: Running, reason: CancelReason): void {
  exchange?.cancel(reason, performance.now())
  abort.abort()
}

function pathOf(request: IncomingMessage): string {
  return (request.url as string).split('?', 1)[0] as string
}

/** `/v1/models/<name>` names a model as well as a body does. */
function modelInPath(path: string): string | null {
  return path === `/v1/models/${DEMO_MODEL_NAME}` ? DEMO_MODEL_NAME : null
}

function parsed(body: Buffer | null): unknown {
  if (body === null || body.length === 0) return null
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
