import type { Readable } from 'node:stream'
import { Pool } from 'undici'
import { reasonOf } from '../events/errors.ts'
import type { GenerationError } from '../events/generation.ts'
import type { Meter } from '../events/metrics.ts'

const CONNECT_MS = 2000
const PROBE_MS = 10_000
/** A start does not wait longer than this for the first answer. */
const START_MS = 3000
/** So many probes without an answer in a row say that it is gone; a refused connection says so at once. */
const PROBES_TO_DOWN = 3
const PROBE_BODY_BYTES = 4 * 1024 * 1024
/** Between probes while the upstream answers, and while it does not. */
const WATCH_UP_MS = 5000
const WATCH_DOWN_MS = 1000

export interface UpstreamRequest {
  method: string
  /** Path and query as the client wrote them. */
  path: string
  headers: string[]
  body: Buffer | Readable | null
  signal: AbortSignal
}

/** The beginning of an answer. */
export interface AnswerHead {
  status: number
  statusText: string
  /** Flat list, as they came. */
  headers: string[]
}

/**
 * What happens to a request, in this order: `head` at most once, `chunk`s, and then `end` or `broken`
 * exactly once. `broken` without a `head` before it means that there was no answer.
 */
export interface AnswerListener {
  head(head: AnswerHead, readAt: number): void
  /** Returns false if no more can be taken until the answer is resumed. */
  chunk(bytes: Buffer, readAt: number): boolean
  end(readAt: number): void
  broken(error: Error, readAt: number): void
}

export interface UpstreamOptions {
  /** Label in events and metrics, as `127.0.0.1:1234`. */
  label: string
  /** What a person calls it. */
  name: string
  url: URL
  demo: boolean
  meter: Meter
  /** How long a probe waits for its answer, ms. */
  probeMs?: number
}

/** One model server: a pool of connections to it, and whether it is there. */
export class Upstream {
  readonly label: string
  readonly name: string
  readonly url: URL
  readonly demo: boolean
  readonly #meter: Meter
  readonly #pool: Pool
  readonly #basePath: string
  readonly #probeMs: number
  #up = false
  #models: string[] = []
  #lastModel: string | null = null
  #trouble: string | null = null
  #unanswered = 0
  #answering = 0
  #watching = false
  #timer: NodeJS.Timeout | null = null
  #probing: Promise<void> | null = null
  #onChange: () => void = () => {}

  constructor(options: UpstreamOptions) {
    this.label = options.label
    this.name = options.name
    this.url = options.url
    this.demo = options.demo
    this.#meter = options.meter
    this.#probeMs = options.probeMs ?? PROBE_MS
    // People give the base URL of their SDK as well as the server's: /v1 comes with each request's path.
    this.#basePath = options.url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')
    // undici's own limits of 300 s would cut long prompts; a client that gives up is what ends a request.
    this.#pool = new Pool(options.url.origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_MS },
    })
  }

  /** Whether it answered the last time it was asked. */
  get up(): boolean {
    return this.#up
  }

  /** Ids of the models it lists. */
  get models(): readonly string[] {
    return this.#models
  }

  /** Why it is not up, in words; null while it is. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** The model for a request that names none: the last one used, else the first listed. */
  get defaultModel(): string | null {
    return this.#lastModel ?? this.#models[0] ?? null
  }

  /** Notes that `model` answers here. */
  used(model: string | null): void {
    if (model !== null && this.#models.includes(model)) this.#lastModel = model
  }

  /** Starts watching; `onChange` is called whenever `up` or `models` changed. The first look is awaited. */
  async start(onChange: () => void): Promise<void> {
    this.#onChange = onChange
    this.#watching = true
    this.#meter.set('tokenscope_upstream_up', { upstream: this.label }, 0)
    const first = this.probe().then(() => this.#watch())
    await Promise.race([first, new Promise(resolve => setTimeout(resolve, START_MS).unref())])
  }

  /** Stops watching and closes every connection. */
  async stop(): Promise<void> {
    this.#watching = false
    if (this.#timer) clearTimeout(this.#timer)
    await this.#pool.destroy()
  }

  /** Asks it for its models now; several callers share one question. */
  probe(): Promise<void> {
    this.#probing ??= this.#ask().finally(() => {
      this.#probing = null
    })
    return this.#probing
  }

  /**
   * Sends a request. The answer's bytes come to `listener` as they came from the socket.
   *
   * @returns how to let the answer go on after `chunk` returned false
   */
  send(request: UpstreamRequest, listener: AnswerListener): () => void {
    let resume = () => {}
    this.#pool.request(
      {
        method: request.method,
        path: this.#basePath + request.path,
        headers: request.headers,
        body: request.body,
        signal: request.signal,
        responseHeaders: 'raw',
      },
      (error, answer) => {
        const readAt = performance.now()
        if (error !== null) {
          if (!request.signal.aborted && isConnectError(error)) this.#isDown(reasonOf(error))
          listener.broken(error, readAt)
          return
        }
        this.#answered()
        const { body } = answer
        resume = () => body.resume()
        let over = false
        const end = (tell: () => void) => {
          if (over) return
          over = true
          this.#answering--
          tell()
        }
        this.#answering++
        body.on('end', () => end(() => listener.end(performance.now())))
        body.on('error', broken => end(() => listener.broken(broken, performance.now())))
        body.on('close', () => end(() => listener.broken(new Error('it was closed'), performance.now())))
        // What a listener cannot bear ends its own answer, not the program.
        const tell = <T>(what: () => T): T | undefined => {
          try {
            return what()
          } catch (fault) {
            body.destroy(fault instanceof Error ? fault : new Error(String(fault)))
            return undefined
          }
        }
        const { statusCode: status, statusText } = answer
        tell(() =>
          listener.head({ status, statusText, headers: answer.headers as unknown as string[] }, readAt),
        )
        body.on('data', (chunk: Buffer) => {
          if (tell(() => listener.chunk(chunk, performance.now())) === false) body.pause()
        })
      },
    )
    return () => resume()
  }

  async #ask(): Promise<void> {
    try {
      const answer = await this.#pool.request({
        method: 'GET',
        path: `${this.#basePath}/v1/models`,
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(this.#probeMs),
        responseHeaders: 'raw',
      })
      const chunks: Buffer[] = []
      let bytes = 0
      for await (const chunk of answer.body) {
        bytes += chunk.length
        if (bytes > PROBE_BODY_BYTES) throw new Error('the list of models is over 4 MiB')
        chunks.push(chunk)
      }
      // Any answer is one: what it says to an app's request is for the app to read.
      this.#set(true, null, answer.statusCode === 200 ? modelIds(Buffer.concat(chunks)) : this.#models)
      this.#unanswered = 0
    } catch (error) {
      if (isConnectError(error)) this.#isDown(reasonOf(error))
      // Busy with a long prompt or loading a model it may not get to it.
      else if (this.#answering === 0 && ++this.#unanswered >= PROBES_TO_DOWN) this.#isDown(reasonOf(error))
    }
  }

  #watch(): void {
    if (!this.#watching) return
    this.#timer = setTimeout(
      () => this.probe().then(() => this.#watch()),
      this.#up ? WATCH_UP_MS : WATCH_DOWN_MS,
    )
    this.#timer.unref()
  }

  #answered(): void {
    this.#unanswered = 0
    if (this.#up) return
    this.#set(true, null, this.#models)
    void this.probe()
  }

  #isDown(trouble: string): void {
    this.#set(false, trouble, [])
  }

  #set(up: boolean, trouble: string | null, models: string[]): void {
    const changed = up !== this.#up || models.join('\n') !== this.#models.join('\n')
    this.#up = up
    this.#trouble = trouble
    this.#models = models
    this.#meter.set('tokenscope_upstream_up', { upstream: this.label }, up ? 1 : 0)
    if (changed) this.#onChange()
  }
}

/** Whether the error means that no connection came about. */
export function isConnectError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectError)
  const code = (error as NodeJS.ErrnoException | null)?.code ?? ''
  return [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ETIMEDOUT',
    'UND_ERR_CONNECT_TIMEOUT',
  ].includes(code)
}

/** A generation's error for what broke its connection, in a sentence. */
export function connectionError(error: Error): GenerationError {
  const kind = isConnectError(error) || 'code' in error ? 'connection' : 'unknown'
  const what = isConnectError(error) ? 'The upstream cannot be reached' : 'The upstream broke off'
  return { kind, message: `${what}: ${reasonOf(error)}`, retryable: true }
}

function modelIds(body: Buffer): string[] {
  try {
    const { data } = JSON.parse(body.toString('utf8')) as { data?: unknown }
    if (!Array.isArray(data)) return []
    return data.flatMap(model => (typeof model?.id === 'string' ? [model.id] : []))
  } catch {
    return []
  }
}
