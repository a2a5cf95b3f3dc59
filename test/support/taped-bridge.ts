import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Bridge } from '../../bridge/bridge.ts'
import { ResponseCache } from '../../bridge/cache/response-cache.ts'
import type { DeliveryPolicy } from '../../bridge/delivery.ts'
import { createDemoServer } from '../../bridge/demo/index.ts'
import { RateLimits } from '../../bridge/limits/rate-limits.ts'
import type { Tape, TapedRequest, TapeOutcome, Tapes } from '../../bridge/tape.ts'
import { UpstreamSet } from '../../bridge/upstream-set.ts'
import { type GenerationEvent, isFinal } from '../../events/generation.ts'
import { parseUpstream } from '../../events/upstream-spec.ts'
import { RecordingMeter } from './hub-meter.ts'

/** What a tape was told. */
export class KeptTape implements Tape {
  readonly request: Omit<TapedRequest, 'generations' | 'body'> & { body: Buffer | null }
  readonly generations: () => readonly string[]
  status: number | null = null
  headers: string[] | null = null
  readonly chunks: Buffer[] = []
  outcome: TapeOutcome | null = null
  /** Ids of its generations, and those of them that had ended, when its end was told. */
  ids: readonly string[] = []
  ended: readonly string[] = []
  /** What was told against the order. */
  readonly faults: string[] = []
  readonly #bridge: TapedBridge

  constructor(request: TapedRequest, bridge: TapedBridge) {
    const { generations, headers, body, ...rest } = request
    this.#bridge = bridge
    this.generations = generations
    // What is given is no longer there later.
    this.request = { ...rest, headers: [...headers], body: body === null ? null : Buffer.from(body) }
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks)
  }

  head(status: number, headers: readonly string[], readAt: number): void {
    if (this.status !== null || this.outcome !== null) this.faults.push('head')
    this.status = status
    this.headers = [...headers]
    this.#bridge.onTold('head', readAt)
  }

  bytes(chunk: Uint8Array, readAt: number): void {
    if (this.status === null || this.outcome !== null) this.faults.push('bytes')
    this.chunks.push(Buffer.from(chunk))
    this.#bridge.onTold('bytes', readAt)
  }

  end(outcome: TapeOutcome): void {
    if (this.outcome !== null) this.faults.push('end')
    this.outcome = outcome
    this.ids = this.generations()
    this.ended = this.ids.filter(id => this.#bridge.ended.has(id))
    this.#bridge.onTold('end', performance.now())
  }
}

export interface TapedBridgeOptions {
  policy?: Partial<DeliveryPolicy>
  limits?: Partial<ConstructorParameters<typeof RateLimits>[0]>
  cache?: boolean
}

/** A bridge to named upstreams behind an HTTP server of its own, and what it told to who records. */
export class TapedBridge implements Tapes {
  bridge!: Bridge
  url = ''
  readonly tapes: KeptTape[] = []
  readonly events: GenerationEvent[] = []
  /** Generations that have ended. */
  readonly ended = new Set<string>()
  readonly faults: unknown[] = []
  readonly meter = new RecordingMeter()
  /** Called with each thing that a tape is told; what it throws is thrown in the tape. */
  onTold: (what: 'open' | 'head' | 'bytes' | 'end', readAt: number) => void = () => {}
  #upstreams!: UpstreamSet
  #server!: Server
  #wake: (() => void)[] = []

  open(request: TapedRequest): Tape | null {
    this.onTold('open', request.startedAt)
    const tape = new KeptTape(request, this)
    this.tapes.push(tape)
    return tape
  }

  async start(upstreams: readonly string[], options: TapedBridgeOptions = {}): Promise<this> {
    const { meter } = this
    this.#upstreams = new UpstreamSet({
      upstreams: upstreams.map(one => parseUpstream(one, {})),
      named: true,
      createDemo: () => createDemoServer({}),
      meter,
    })
    await this.#upstreams.start()
    this.bridge = new Bridge({
      upstreams: this.#upstreams,
      policy: { retries: 0, firstTokenMs: null, silenceMs: null, random: () => 0, ...options.policy },
      cache: new ResponseCache({ byDefault: options.cache ?? false, meter }),
      limits: new RateLimits({
        requestsPerMinute: null,
        tokensPerMinute: null,
        waitMs: 0,
        ...options.limits,
      }),
      tapes: this,
      emit: event => this.#take(event),
      meter,
    })
    this.#server = createServer((request, response) => {
      request.headers['x-correlation-id'] ??= 'made-here'
      void this.bridge.passThrough(request, response, {
        added: [],
        replaced: [],
        fail: error => void response.writeHead(error.status).end(error.code),
        fault: fault => this.faults.push(fault),
        done: () => this.#tell(),
      })
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  /** Begins anew with nothing told. */
  clear(): void {
    this.tapes.length = 0
    this.events.length = 0
    this.ended.clear()
    this.faults.length = 0
    this.onTold = () => {}
  }

  /** Waits until the condition holds; it is looked at after each event and each request's end. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.#wake.push(resolve))
  }

  /** Waits until so many requests were taped to their ends. */
  async over(count = 1): Promise<KeptTape[]> {
    await this.until(() => this.tapes.filter(({ outcome }) => outcome !== null).length >= count)
    return this.tapes
  }

  async stop(): Promise<void> {
    await this.bridge.drain(0)
    this.#server.closeAllConnections()
    this.#server.close()
    await this.#upstreams.stop()
  }

  #take(event: GenerationEvent): void {
    this.events.push(event)
    if (event.type === 'neural_state' && isFinal(event.state)) this.ended.add(event.generation)
    this.#tell()
  }

  #tell(): void {
    // What is told of the same thing in this turn is there by then.
    setImmediate(() => {
      for (const wake of this.#wake.splice(0)) wake()
    })
  }
}
