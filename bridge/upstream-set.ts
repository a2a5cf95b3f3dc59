import type { ComponentReport } from '../events/components.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import { parseUpstream, type UpstreamSpec } from '../events/upstream-spec.ts'
import type { Ask } from './ask.ts'
import type { Lease, Places } from './delivery.ts'
import type { DemoServer } from './demo/server.ts'
import { DEMO_MODEL_NAME } from './demo/surfaces/model-name.ts'
import { Instance, type InstanceReport } from './pool/instance.ts'
import { asksForModels } from './pool/model-union.ts'
import { Pool } from './pool/pool.ts'
import { best, fitting, preferring } from './pool/selection.ts'
import { Upstream } from './upstream.ts'

/** What the page's prompts are asked with, as far as choosing an instance goes. */
const PROMPT_PATH = '/v1/chat/completions'

export interface UpstreamSetOptions {
  /** In the order in which they were named, at least one. */
  upstreams: readonly UpstreamSpec[]
  /** Whether somebody named them; if not, the demo model stands in while none answers. */
  named: boolean
  /** Makes the demo server; called at most once, when it is first needed. */
  createDemo: () => DemoServer
  meter: Meter
}

/**
 * The upstreams, and who of them gets a request.
 *
 * While no upstream was named and none answers on the default, the demo model stands in for the page's own
 * prompts and for requests that ask for it by name, and for nothing else.
 */
export class UpstreamSet implements Places {
  readonly #options: UpstreamSetOptions
  readonly #observers = new Set<() => void>()
  readonly #pool: Pool
  #instances: Instance[] = []
  #demo: Promise<{ server: DemoServer; instance: Instance }> | null = null
  #standIn: Instance | null = null
  #stopped = false

  constructor(options: UpstreamSetOptions) {
    this.#options = options
    this.#pool = new Pool({
      instancesFor: ask => this.#instancesFor(ask),
      absence: () =>
        new TokenscopeError(
          'NO_UPSTREAM',
          `${this.#absence()} The demo model is here meanwhile: ask for model "${DEMO_MODEL_NAME}".`,
        ),
    })
  }

  /** Connects to each; returns when each has answered once or not. */
  async start(): Promise<void> {
    const { upstreams, meter } = this.#options
    const labels = labelsOf(upstreams)
    this.#instances = await Promise.all(
      upstreams.map(async (spec, i) => {
        if (spec.url === 'demo') return (await this.#startDemo(spec)).instance
        const url = new URL(spec.url)
        const upstream = new Upstream({ label: labels[i] as string, url, spec, demo: false, meter })
        return this.#instanceOf(upstream, spec)
      }),
    )
    await Promise.all(this.#instances.map(({ upstream }) => upstream.start(() => this.#changed())))
    await this.#considerStandIn()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const demo = await this.#demo
    // The demo model may be about to stand in.
    const all = new Set([...this.#all, ...(demo === null ? [] : [demo.instance])])
    await Promise.all([...all].map(one => one.stop()))
    await demo?.server.stop()
  }

  /** Calls `observer` whenever an upstream came, went, has other models or turns out to be of another kind. */
  onChange(observer: () => void): void {
    this.#observers.add(observer)
  }

  /** The ports that the named upstreams have, on whatever machine. */
  get ports(): number[] {
    return this.#instances.map(({ upstream: { url } }) => Number(portOf(url)))
  }

  /** Whether the demo model answers the page's prompts now. */
  get demo(): boolean {
    return this.#serving()?.demo ?? this.#standIn !== null
  }

  /** Whether it does so only because nothing answers on the default. */
  get standingIn(): boolean {
    return this.#standIn !== null && this.#serving() === undefined
  }

  /** Requests that wait for a place. */
  get queued(): number {
    return this.#pool.queued
  }

  /**
   * Who would get an app's request now.
   *
   * @throws TokenscopeError NO_UPSTREAM while only the demo model is there and was not asked for
   */
  forApp(ask: Ask): Upstream {
    return this.#pool.expected(ask)
  }

  /**
   * Who gets a prompt of the page.
   *
   * @param model the one that it is for; null leaves it open
   */
  forPage(model: string | null): Upstream {
    if (this.standingIn) return (this.#standIn as Instance).upstream
    const able = fitting(this.#instances, { path: PROMPT_PATH, model })
    // It is made for one instance and waits for that one alone.
    const instances = preferring(able, ({ hasPlace }) => hasPlace)
    return (best(instances, { model }) as Instance).upstream
  }

  /**
   * The upstream with a label, whether it is up or not.
   *
   * @throws TokenscopeError NO_UPSTREAM if there is none
   */
  labelled(label: string): Upstream {
    const found = this.#all.find(({ upstream }) => upstream.label === label)
    if (found !== undefined) return found.upstream
    throw new TokenscopeError('NO_UPSTREAM', `There is no upstream ${label}.`)
  }

  lease(ask: Ask, tried: ReadonlySet<Upstream>, signal: AbortSignal): Promise<Lease> {
    return this.#pool.lease(ask, tried, signal)
  }

  hasOther(ask: Ask, tried: ReadonlySet<Upstream>): boolean {
    return this.#pool.hasOther(ask, tried)
  }

  /** Notes who made the answer with this id, for requests that go on from it. */
  answered(ask: Ask, id: string, upstream: Upstream): void {
    this.#pool.answered(ask, id, upstream)
  }

  /**
   * Whose lists of models make up the answer to a request; null if it is for one upstream alone, as every
   * request is where there is only one.
   */
  listing(ask: Ask): readonly Upstream[] | null {
    if (this.#instances.length < 2 || !asksForModels(ask)) return null
    const all = this.#instances.map(({ upstream }) => upstream)
    const up = all.filter(upstream => upstream.up)
    return up.length === 0 ? all : up
  }

  /** Whether an upstream lists the model. */
  lists(model: string): boolean {
    return this.#all.some(({ upstream: { models } }) => models.includes(model))
  }

  /** Labels of the instances that can answer: all that were named, the demo model only while it stands in. */
  get labels(): string[] {
    return (this.standingIn ? this.#all : this.#instances).map(({ upstream }) => upstream.label)
  }

  /** Each instance as it is now, the demo model last while it stands in. */
  reports(): InstanceReport[] {
    return (this.standingIn ? this.#all : this.#instances).map(one => one.report())
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    const all = this.#instances.map(({ upstream }) => upstream)
    const watched = this.#serving() ?? (all[0] as Upstream)
    const serving = this.standingIn ? [(this.#standIn as Instance).upstream] : all
    const models = [...new Set(serving.flatMap(upstream => upstream.models))]
    return {
      name: 'upstream',
      status: all.every(({ up }) => up) ? 'ok' : 'degraded',
      detail: all.length === 1 ? this.#detailOfOne(watched, models.length) : detailOf(all, models.length),
      facts: {
        name: watched.name,
        url: watched.url.origin,
        up: watched.up,
        demo: this.demo,
        standing_in: this.standingIn,
        models,
        upstreams: all.map(({ label, name, url, up, trouble }) => ({
          ...{ label, name, url: url.origin, up, trouble },
        })),
      },
    }
  }

  get #all(): Instance[] {
    return this.#standIn === null ? this.#instances : [...this.#instances, this.#standIn]
  }

  /** The first that is up, by priority and then as named; undefined if none is. */
  #serving(): Upstream | undefined {
    return this.#instances
      .filter(({ upstream }) => upstream.up)
      .toSorted((a, b) => a.priority - b.priority)[0]?.upstream
  }

  #instancesFor(ask: Ask): readonly Instance[] {
    if (ask.only !== null) {
      const only = this.#all.find(({ upstream }) => upstream === ask.only)
      if (only !== undefined) return [only]
    }
    if (this.#options.named || this.#serving() !== undefined) return this.#instances
    const isForDemo = ask.model === DEMO_MODEL_NAME || ask.caller === 'page'
    return this.#standIn !== null && isForDemo ? [this.#standIn] : []
  }

  #detailOfOne(upstream: Upstream, models: number): string {
    if (upstream.up) return `${upstream.name} answers at ${upstream.url.origin}, ${counted(models, 'model')}`
    return `${this.#absence()}${this.standingIn ? ' Showing the demo model meanwhile.' : ''}`
  }

  #absence(): string {
    const [first] = this.#instances.map(({ upstream }) => upstream)
    if (first === undefined) return 'There is no upstream.'
    // What is expected to be there or not needs no reason; a name that somebody gave may be wrong.
    if (this.#options.named) {
      const why = first.trouble === null ? '' : ` (${first.trouble})`
      return `${first.name} is not answering${why}. Start it, or check --upstream.`
    }
    const where = first.name === first.url.host ? '' : ` on port ${portOf(first.url)}`
    return `${first.name} is not answering${where}. Start its server, or use --upstream.`
  }

  #changed(): void {
    void this.#considerStandIn()
    this.#pool.serve()
    for (const observer of this.#observers) observer()
  }

  async #considerStandIn(): Promise<void> {
    if (this.#options.named || this.#serving() !== undefined || this.#standIn !== null || this.#stopped)
      return
    const { instance } = await this.#startDemo(parseUpstream('demo', {}))
    if (this.#standIn !== null || this.#stopped) return
    await instance.upstream.start(() => this.#changed())
    if (this.#stopped) return
    this.#standIn = instance
    for (const observer of this.#observers) observer()
  }

  #startDemo(spec: UpstreamSpec): Promise<{ server: DemoServer; instance: Instance }> {
    this.#demo ??= (async () => {
      const server = this.#options.createDemo()
      const url = new URL((await server.start()).url)
      const upstream = new Upstream({ label: 'demo', url, spec, demo: true, meter: this.#options.meter })
      return { server, instance: this.#instanceOf(upstream, spec) }
    })()
    return this.#demo
  }

  #instanceOf(upstream: Upstream, spec: UpstreamSpec): Instance {
    return new Instance(upstream, spec, this.#options.meter, () => this.#pool.serve())
  }
}

/** By host; of those that share one, by path as well. */
function labelsOf(specs: readonly UpstreamSpec[]): string[] {
  const urls = specs.map(({ url }) => URL.parse(url))
  return urls.map(url => {
    if (url === null) return 'demo'
    const isShared = urls.filter(other => other?.host === url.host).length > 1
    return isShared ? `${url.host}${url.pathname.replace(/\/+$/, '')}` : url.host
  })
}

/** A line for several. */
function detailOf(all: readonly Upstream[], models: number): string {
  const up = all.filter(upstream => upstream.up)
  const missing = all
    .filter(upstream => !upstream.up)
    .map(({ name, url, trouble }) => {
      const where = name === url.host ? `The upstream at ${url.origin}` : `${name} at ${url.origin}`
      return ` ${where} is not answering${trouble === null ? '' : ` (${trouble})`}.`
    })
    .join('')
  if (up.length === all.length) {
    const list = new Intl.ListFormat('en-GB').format(all.map(({ name }) => name))
    return `${all.length} upstreams answer, ${counted(models, 'model')}: ${list}`
  }
  if (up.length === 0)
    return `None of ${all.length} upstreams answers.${missing} Start them, or check --upstream.`
  return `${up.length} of ${all.length} upstreams answer, ${counted(models, 'model')}.${missing}`
}

function counted(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80')
}
