import type { ComponentReport } from '../../events/components.ts'
import type { Meter } from '../../events/metrics.ts'
import type { Emit } from '../generation.ts'
import { EventSourceClient } from './event-source.ts'
import { SourceFeed } from './source-feed.ts'

export interface SourceOptions {
  /** An http(s) URL, with user and password if the feed needs them. */
  url: string
  emit: Emit
  meter: Meter
  /** Whether an upstream lists the model: only such a name gets into metrics. */
  lists: (model: string) => boolean
  /** Writes a line to the log. */
  say: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void
  /** Where jitter is drawn from, 0..1. */
  random?: () => number
}

type State = 'connecting' | 'open' | 'waiting' | 'ended' | 'refused'

/**
 * A feed of tokens that somebody else generates: a GET event stream that is read as long as the program runs,
 * and whose generations are told as the bridge's own are. Nobody can stop them from here.
 */
export class Source {
  /** Label in events and metrics, as `127.0.0.1:1234`. */
  readonly label: string
  /** On whatever machine. */
  readonly port: number
  readonly #options: SourceOptions
  /** What may be told of the URL: a query often holds a key. */
  readonly #place: string
  readonly #client: EventSourceClient
  readonly #feed: SourceFeed
  #state: State = 'connecting'
  /** What went wrong last; null while all is well. */
  #trouble: string | null = null

  constructor(options: SourceOptions) {
    const url = new URL(options.url)
    const { emit, meter, lists } = options
    this.#options = options
    this.label = url.host
    this.port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    this.#place = url.origin + url.pathname
    this.#feed = new SourceFeed({
      upstream: url.host,
      emit,
      meter,
      modelLabel: model => (model !== null && lists(model) ? model : 'other'),
    })
    this.#client = new EventSourceClient({
      url,
      ...(options.random === undefined ? {} : { random: options.random }),
      listener: {
        onOpen: () => this.#opened(),
        onEvent: (event, readAt) => this.#feed.take(event, readAt),
        onOversized: () => this.#feed.miss('oversized'),
        onLost: (trouble, waitMs, wasOpen) => this.#lost(trouble, waitMs, wasOpen),
        onClosed: trouble => this.#closed(trouble),
      },
    })
  }

  /** Begins to read; connects for as long as it takes. */
  start(): void {
    this.#client.start()
  }

  /** Lets go of the feed: what is open in it is interrupted, and no connection and no timer is left. */
  async stop(): Promise<void> {
    this.#feed.end('shutdown', null, performance.now())
    await this.#client.stop()
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    const isWell = this.#trouble === null
    return {
      name: 'source',
      status: isWell ? 'ok' : 'degraded',
      detail: this.#detail(),
      facts: {
        url: this.#place,
        state: this.#state,
        trouble: this.#trouble,
        generations: this.#feed.open,
        events: { ...this.#feed.counts },
      },
    }
  }

  #detail(): string {
    const place = this.#place
    switch (this.#state) {
      case 'connecting':
        return `connecting to ${place}`
      case 'open':
        return `reading ${place}, ${this.#feed.open} of its generations running`
      case 'waiting':
        return this.#trouble === null
          ? `${place} closed its stream; asking again`
          : `${place} does not answer with a stream (${this.#trouble}); asking again`
      case 'ended':
        return `${place} has nothing more to tell`
      case 'refused':
        return `${place} is given up: ${this.#trouble}. Check --source, then start again.`
    }
  }

  #opened(): void {
    const { say } = this.#options
    say(
      this.#trouble === null && this.#state === 'waiting' ? 'debug' : 'info',
      `source: reading ${this.#place}`,
    )
    this.#state = 'open'
    this.#trouble = null
  }

  #lost(trouble: string | null, waitMs: number, wasOpen: boolean): void {
    const { meter, say } = this.#options
    if (wasOpen && trouble !== null) meter.count('tokenscope_sse_errors_total', { kind: 'connection' })
    this.#feed.settle()
    // That it is not there yet or again is news once, not at each attempt.
    const isNews = trouble !== null && this.#trouble === null
    this.#state = 'waiting'
    this.#trouble = trouble
    const why = trouble === null ? 'its stream ended' : trouble
    say(isNews ? 'warn' : 'debug', `source: ${this.#place}: ${why}; asking again in ${waitMs / 1000} s`)
  }

  #closed(trouble: string | null): void {
    const { say } = this.#options
    this.#state = trouble === null ? 'ended' : 'refused'
    this.#trouble = trouble
    const message = trouble ?? 'the feed is at its end'
    const error = { kind: 'connection', code: null, message, retryable: false } as const
    this.#feed.end('connection', error, performance.now())
    if (trouble === null) say('info', `source: ${this.#detail()}`)
    else say('error', `source: ${this.#detail()}`)
  }
}
