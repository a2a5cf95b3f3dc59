import type { ComponentReport } from '../events/components.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import type { DemoServer } from './demo/server.ts'
import { DEMO_MODEL_NAME } from './demo/surfaces/model-name.ts'
import { Upstream } from './upstream.ts'

export interface UpstreamSetOptions {
  /** URLs, or "demo". */
  upstreams: readonly string[]
  /** Whether somebody named them; if not, the demo model stands in while none answers. */
  named: boolean
  /** Makes the demo server; called at most once, when it is first needed. */
  createDemo: () => DemoServer
  meter: Meter
}

/**
 * The upstreams, in the order in which they were named: the first that answers gets a request.
 *
 * While no upstream was named and none answers on the default, the demo model stands in for the page's own
 * prompts and for requests that ask for it by name, and for nothing else.
 */
export class UpstreamSet {
  readonly #options: UpstreamSetOptions
  readonly #observers = new Set<() => void>()
  #upstreams: Upstream[] = []
  #demo: Promise<{ server: DemoServer; upstream: Upstream }> | null = null
  #standIn: Upstream | null = null

  constructor(options: UpstreamSetOptions) {
    this.#options = options
  }

  /** Connects to each; returns when each has answered once or not. */
  async start(): Promise<void> {
    this.#upstreams = await Promise.all(
      this.#options.upstreams.map(async name => {
        if (name === 'demo') return (await this.#startDemo()).upstream
        const url = new URL(name)
        const { meter } = this.#options
        return new Upstream({ label: url.host, name: nameOf(url), url, demo: false, meter })
      }),
    )
    await Promise.all(this.#upstreams.map(upstream => upstream.start(() => this.#changed())))
    await this.#considerStandIn()
  }

  async stop(): Promise<void> {
    const demo = await this.#demo
    await Promise.all([...this.#upstreams, ...(this.#standIn ? [this.#standIn] : [])].map(one => one.stop()))
    await demo?.server.stop()
  }

  /** Calls `observer` whenever an upstream came, went or has other models. */
  onChange(observer: () => void): void {
    this.#observers.add(observer)
  }

  /** The ports that the named upstreams have, on whatever machine. */
  get ports(): number[] {
    return this.#upstreams.map(({ url }) => Number(portOf(url)))
  }

  /** Whether the demo model answers the page's prompts now. */
  get demo(): boolean {
    const first = this.#upstreams.find(({ up }) => up)
    return first?.demo ?? this.#standIn !== null
  }

  /** Whether it does so only because nothing answers on the default. */
  get standingIn(): boolean {
    return this.#standIn !== null && !this.#upstreams.some(({ up }) => up)
  }

  /**
   * Who gets an app's request.
   *
   * @param model the model it names, or null
   * @throws TokenscopeError NO_UPSTREAM while only the demo model is there and was not asked for
   */
  forApp(model: string | null): Upstream {
    const up = this.#upstreams.find(upstream => upstream.up)
    if (up !== undefined) return up
    if (this.#options.named) return this.#upstreams[0] as Upstream
    if (model === DEMO_MODEL_NAME && this.#standIn !== null) return this.#standIn
    throw new TokenscopeError(
      'NO_UPSTREAM',
      `${this.#absence()} The demo model is here meanwhile: ask for model "${DEMO_MODEL_NAME}".`,
    )
  }

  /** Who gets a prompt of the page. */
  forPage(): Upstream {
    const up = this.#upstreams.find(upstream => upstream.up)
    return up ?? this.#standIn ?? (this.#upstreams[0] as Upstream)
  }

  /** For `/readyz`: the upstream that serves now. */
  report(): ComponentReport {
    const serving = this.forPage()
    const watched = this.#upstreams.find(({ up }) => up) ?? (this.#upstreams[0] as Upstream)
    const models = serving.models.length === 1 ? '1 model' : `${serving.models.length} models`
    return {
      name: 'upstream',
      status: watched.up ? 'ok' : 'degraded',
      detail: watched.up
        ? `${watched.name} answers at ${watched.url.origin}, ${models}`
        : `${this.#absence()}${this.standingIn ? ' Showing the demo model meanwhile.' : ''}`,
      facts: {
        name: watched.name,
        url: watched.url.origin,
        up: watched.up,
        demo: this.demo,
        standing_in: this.standingIn,
        models: serving.models,
      },
    }
  }

  #absence(): string {
    const [first] = this.#upstreams
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
    for (const observer of this.#observers) observer()
  }

  async #considerStandIn(): Promise<void> {
    if (this.#options.named || this.#upstreams.some(({ up }) => up) || this.#standIn !== null) return
    const { upstream } = await this.#startDemo()
    if (this.#standIn !== null) return
    await upstream.start(() => this.#changed())
    this.#standIn = upstream
    for (const observer of this.#observers) observer()
  }

  #startDemo(): Promise<{ server: DemoServer; upstream: Upstream }> {
    this.#demo ??= (async () => {
      const server = this.#options.createDemo()
      const url = new URL((await server.start()).url)
      const upstream = new Upstream({
        label: 'demo',
        name: 'Demo model',
        url,
        demo: true,
        meter: this.#options.meter,
      })
      return { server, upstream }
    })()
    return this.#demo
  }
}

/** LM Studio is known by its port until it can be asked for its kind. */
function nameOf(url: URL): string {
  return url.port === '1234' ? 'LM Studio' : url.host
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80')
}
