import { reasonOf } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import type { UpstreamKind, UpstreamSpec } from '../events/upstream-spec.ts'
import { isConnectError } from './connect-error.ts'
import { keyedHeaders } from './headers.ts'
import { type GetJson, loadedModels, probeKind } from './pool/kind-probe.ts'
import { KIND_NAMES } from './pool/kinds.ts'
import { type Json, listedIds, names } from './pool/model-list.ts'
import { type AnswerListener, type Sending, Transport, type UpstreamRequest } from './transport.ts'

const PROBE_MS = 10_000
/** A start does not wait longer than this for the first answer. */
const START_MS = 3000
/** So many probes without an answer in a row say that it is gone; a refused connection says so at once. */
const PROBES_TO_DOWN = 3
const PROBE_BODY_BYTES = 4 * 1024 * 1024
/** What is asked beside the models is not waited for longer. */
const DETAILS_MS = 2000
/** A server's log shows who asks it for its models every few seconds. */
const PROBE_HEADERS = ['user-agent', 'tokenscope']
/** Between probes while the upstream answers, and while it does not. */
const WATCH_UP_MS = 5000
const WATCH_DOWN_MS = 1000

export interface UpstreamOptions {
  /** Label in events and metrics, as `127.0.0.1:1234`. */
  label: string
  url: URL
  spec: UpstreamSpec
  /** Whether it is the embedded model. */
  demo: boolean
  meter: Meter
  /** How long a probe waits for its answer, ms. */
  probeMs?: number
}

/** One model server: a pool of connections to it, whether it is there, and what it says of itself. */
export class Upstream {
  readonly label: string
  readonly url: URL
  readonly demo: boolean
  /** Whether its streams are resumed after a broken connection. */
  readonly resume: boolean
  readonly #meter: Meter
  readonly #transport: Transport
  readonly #basePath: string
  readonly #probeMs: number
  readonly #key: string | null
  readonly #namedKind: UpstreamKind | null
  #kind: UpstreamKind | null
  #isKindFresh = false
  #up = false
  /** Null where it never gave a list. */
  #models: string[] | null = null
  #loaded: string[] | null = null
  #lastModel: string | null = null
  #trouble: string | null = null
  #unanswered = 0
  #answering = 0
  #watching = false
  #timer: NodeJS.Timeout | null = null
  #probing: Promise<boolean> | null = null
  #onChange: () => void = () => {}

  constructor({ label, url, spec, demo, meter, probeMs }: UpstreamOptions) {
    this.label = label
    this.url = url
    this.demo = demo
    this.resume = spec.resume
    this.#meter = meter
    this.#probeMs = probeMs ?? PROBE_MS
    this.#key = spec.key
    this.#namedKind = spec.kind
    this.#kind = spec.kind
    // People give the base URL of their SDK as well as the server's: /v1 comes with each request's path.
    this.#basePath = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')
    this.#transport = new Transport(url)
  }

  /** What a person calls it. */
  get name(): string {
    if (this.demo) return 'Demo model'
    // LM Studio is known by its port until it can be asked for its kind.
    if (this.#kind === null) return this.url.port === '1234' ? 'LM Studio' : this.url.host
    return KIND_NAMES[this.#kind] ?? this.url.host
  }

  /** What it is; null while that is not known. Once known it stays while the server is away. */
  get kind(): UpstreamKind | null {
    return this.#kind
  }

  /** Whether it answered the last time it was asked. */
  get up(): boolean {
    return this.#up
  }

  /** Ids of the models it lists. */
  get models(): readonly string[] {
    return this.#models ?? []
  }

  /** What it has in memory; null where it does not say. */
  get loaded(): readonly string[] | null {
    return this.#loaded
  }

  /** Whether it has a model: any, as long as it has not listed which. An instance in memory has a name of its own. */
  has(model: string | null): boolean {
    if (model === null || this.#models === null) return true
    return names(this.#models, model) || (this.#loaded !== null && names(this.#loaded, model))
  }

  /** Whether a model need not be loaded first, as far as it says. */
  hasLoaded(model: string | null): boolean {
    if (this.#loaded === null) return true
    return model === null ? this.#loaded.length > 0 : names(this.#loaded, model)
  }

  /** Why it is not up, in words; null while it is. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** The model for a request that names none: the last one used, else the first listed. */
  get defaultModel(): string | null {
    return this.#lastModel ?? this.models[0] ?? null
  }

  /** Notes that `model` answers here. */
  used(model: string | null): void {
    if (model !== null && this.models.includes(model)) this.#lastModel = model
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
    // A probe that ends by this has news for nobody.
    this.#onChange = () => {}
    if (this.#timer) clearTimeout(this.#timer)
    await this.#transport.close()
  }

  /** Asks it for its models now, and whether it answered; several callers share one question. */
  probe(): Promise<boolean> {
    this.#probing ??= this.#ask().finally(() => {
      this.#probing = null
    })
    return this.#probing
  }

  /**
   * Asks it for something small, on behalf of a client.
   *
   * @param headers flat list, of which `accept` is replaced
   * @throws if no answer came, or one over 4 MiB; the signal's reason
   */
  get(
    path: string,
    headers: readonly string[],
    signal: AbortSignal,
  ): Promise<{ status: number; body: Buffer }> {
    const named: Record<string, string> = {}
    const keyed = this.#keyed(headers, path)
    for (let i = 0; i < keyed.length; i += 2)
      named[(keyed[i] as string).toLowerCase()] = keyed[i + 1] as string
    return this.#transport.get(this.#basePath + path, {
      signal,
      maxBytes: PROBE_BODY_BYTES,
      headers: { ...named, accept: 'application/json' },
    })
  }

  /** Sends a request; what its answer says of the upstream being there is noted. */
  send(request: UpstreamRequest, listener: AnswerListener): Sending {
    const over = () => {
      this.#answering--
    }
    let begun = false
    let aborted = false
    const sending = this.#transport.send(
      {
        ...request,
        path: this.#basePath + request.path,
        headers: this.#keyed(request.headers, request.path.split('?', 1)[0] as string),
      },
      {
        head: (head, readAt) => {
          begun = true
          this.#answering++
          this.#answered()
          listener.head(head, readAt)
        },
        chunk: (bytes, readAt) => listener.chunk(bytes, readAt),
        end: readAt => {
          over()
          listener.end(readAt)
        },
        broken: (error, readAt) => {
          if (begun) over()
          if (!aborted) this.#suspect(error)
          listener.broken(error, readAt)
        },
      },
    )
    return {
      resume: () => sending.resume(),
      abort: reason => {
        aborted = true
        sending.abort(reason)
      },
    }
  }

  async #ask(): Promise<boolean> {
    let listed: { status: number; body: Buffer }
    const signal = AbortSignal.timeout(this.#probeMs)
    const ask = () => this.get('/v1/models', PROBE_HEADERS, signal)
    try {
      // A connection kept from before may be dead, which says nothing; a new one tells.
      listed = await ask().catch(error =>
        signal.aborted || isConnectError(error) ? Promise.reject(error) : ask(),
      )
    } catch (error) {
      if (isConnectError(error)) this.#isDown(reasonOf(error))
      // Busy with a long prompt or loading a model it may not get to it.
      else if (this.#answering === 0 && ++this.#unanswered >= PROBES_TO_DOWN) this.#isDown(reasonOf(error))
      return false
    }
    this.#unanswered = 0
    const body = listed.status === 200 ? jsonOf(listed.body) : undefined
    // Any answer is one: what it says to an app's request is for the app to read.
    this.#set(true, null, listedIds(body) ?? this.#models)
    await this.#askDetails(body)
    return true
  }

  /** What kind it is, each time that it comes up, and what it has in memory, each time. */
  async #askDetails(listed: Json): Promise<void> {
    const signal = AbortSignal.timeout(DETAILS_MS)
    const get: GetJson = async path => {
      const { status, body } = await this.get(path, PROBE_HEADERS, signal)
      return status === 200 ? jsonOf(body) : undefined
    }
    try {
      if (!this.#isKindFresh) {
        const before = this.name
        this.#kind = this.#namedKind ?? (await probeKind(listed, get))
        this.#isKindFresh = true
        if (this.name !== before) this.#onChange()
      }
      this.#loaded = this.#kind === null ? null : await loadedModels(this.#kind, get)
    } catch {
      // It is there but did not answer this in time; the next probe asks again.
    }
  }

  #keyed(headers: readonly string[], path: string): string[] {
    return this.#key === null ? [...headers] : keyedHeaders(headers, this.#key, path)
  }

  #watch(): void {
    if (this.#timer) clearTimeout(this.#timer)
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

  /** A connection broke: it may be gone, and who waits for its next turn to be asked waits too long. */
  #suspect(error: Error): void {
    if (isConnectError(error)) this.#isDown(reasonOf(error))
    else if (this.#watching) void this.probe()
  }

  #isDown(trouble: string): void {
    this.#isKindFresh = false
    this.#loaded = null
    this.#set(false, trouble, null)
    // Not when it would have been looked at next while it was up.
    this.#watch()
  }

  #set(up: boolean, trouble: string | null, models: string[] | null): void {
    const changed = up !== this.#up || models?.join('\n') !== this.#models?.join('\n')
    this.#up = up
    this.#trouble = trouble
    this.#models = models
    this.#meter.set('tokenscope_upstream_up', { upstream: this.label }, up ? 1 : 0)
    if (changed) this.#onChange()
  }
}

/** Undefined for what is no JSON. */
function jsonOf(body: Buffer): Json {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
