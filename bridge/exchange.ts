import { type GenerationError, isFinal } from '../events/generation.ts'
import type { Meter } from '../events/metrics.ts'
import { type Dialect, errorMessage, type Reading, type RequestFacts } from './dialect.ts'
import { Generation, type GenerationOptions } from './generation.ts'
import { createSseFraming, type SseFraming } from './sse-framing.ts'

/** Bytes of a whole (not streamed) answer that are read; beyond, only the app gets it. */
const MAX_WHOLE_BYTES = 4 * 1024 * 1024

/** Choices of one answer that are followed; OpenAI allows as many. */
const MAX_CHOICES = 128

export type CancelReason = 'client_gone' | 'stopped' | 'shutdown'

export interface ExchangeOptions extends Omit<GenerationOptions, 'model'> {
  dialect: Dialect
  facts: RequestFacts
  meter: Meter
}

/**
 * One request and its answer, listened to: turns the answer's bytes into what its generations do, and
 * judges how they ended.
 *
 * It only listens. Whatever the bytes are, no call throws and nothing is kept beyond 4 MiB; what it cannot
 * follow it stops following, while the bytes go on to the app.
 */
export class Exchange {
  readonly #options: ExchangeOptions
  readonly #generations = new Map<number, Generation>()
  readonly #endings = new Map<number, string>()
  #mode: 'waiting' | 'stream' | 'whole' | 'opaque' = 'waiting'
  #status = 0
  #framing: SseFraming | null = null
  #whole: Buffer[] = []
  #wholeBytes = 0
  #error: GenerationError | null = null
  #cancel: CancelReason | null = null
  #readAt: number

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#readAt = options.startedAt
    this.#generation(0)
  }

  /** Ids of the generations, that of choice 0 first. */
  get ids(): string[] {
    return [...this.#generations.values()].map(generation => generation.id)
  }

  /** Whether anything is still to come. */
  get running(): boolean {
    return [...this.#generations.values()].some(({ state }) => !isFinal(state))
  }

  /** The model that answers, as far as known. */
  get model(): string | null {
    return this.#generation(0).model
  }

  /** Whether somebody cancelled it. */
  get cancelled(): boolean {
    return this.#cancel !== null
  }

  /** The answer has begun. */
  head(status: number, contentType: string | null, readAt: number): void {
    this.#status = status
    this.#readAt = readAt
    const mime = contentType?.split(';')[0]?.trim().toLowerCase()
    if (status >= 200 && status < 300 && mime === 'text/event-stream') {
      this.#mode = 'stream'
      this.#framing = createSseFraming(
        event => this.#take(this.#options.dialect.event(event.event, event.data)),
        () => this.#loseTrack('oversized'),
      )
      this.#generation(0).enter('processing_prompt', readAt)
    } else this.#mode = 'whole'
  }

  /** The next bytes of the answer. */
  bytes(chunk: Buffer, readAt: number): void {
    this.#readAt = readAt
    if (this.#mode === 'stream') this.#framing?.feed(chunk)
    else if (this.#mode === 'whole') {
      this.#wholeBytes += chunk.length
      if (this.#wholeBytes > MAX_WHOLE_BYTES) this.#loseTrack('oversized')
      else this.#whole.push(chunk)
    }
  }

  /** Somebody wants no more of it; it is over once `broken` or `end` follows. */
  cancel(reason: CancelReason, at: number): void {
    if (this.#cancel !== null) return
    this.#cancel = reason
    for (const generation of this.#generations.values()) generation.enter('cancelling', at)
  }

  /** The answer ended as HTTP says an answer ends. */
  end(readAt: number): void {
    this.#readAt = readAt
    if (this.#cancel !== null) {
      this.#endCancelled(this.#cancel)
      return
    }
    if (this.#mode === 'whole') this.#readWhole()
    for (const [choice, generation] of this.#generations) this.#judge(choice, generation)
  }

  /** The connection broke, or none came about. */
  broken(error: GenerationError, readAt: number): void {
    this.#readAt = readAt
    if (this.#cancel !== null) {
      this.#endCancelled(this.#cancel)
      return
    }
    const begun = this.#status !== 0
    if (begun) this.#options.meter.count('tokenscope_sse_errors_total', { kind: 'connection' })
    for (const [choice, generation] of this.#generations) {
      // What was already complete does not become less so.
      if (this.#endings.has(choice) || this.#error !== null) this.#judge(choice, generation)
      else if (begun) generation.end('interrupted', 'connection', error, readAt)
      else generation.end('failed', 'connection', error, readAt)
    }
  }

  #take(reading: Reading): void {
    const { model, deltas, finished, usage, error } = reading
    if (model !== null) for (const generation of this.#generations.values()) generation.learnModel(model)
    for (const delta of deltas) {
      if (this.#follows(delta.choice)) this.#generation(delta.choice).take(delta, this.#readAt)
    }
    for (const { choice, ending } of finished) {
      if (!this.#follows(choice)) continue
      this.#generation(choice)
      this.#endings.set(choice, ending)
    }
    // A usage counts all choices together: of several, nobody knows whose it is.
    if (usage !== null && this.#generations.size === 1) this.#generation(0).learnUsage(usage)
    // What could not be read gives way to what the upstream says is wrong.
    if (error !== null && (this.#error === null || this.#error.kind === 'parse')) {
      this.#error = error
      const kind = error.kind === 'parse' ? 'parse' : 'upstream'
      this.#options.meter.count('tokenscope_sse_errors_total', { kind })
    }
  }

  #readWhole(): void {
    const text = Buffer.concat(this.#whole).toString('utf8')
    this.#whole = []
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      body = undefined
    }
    if (this.#status >= 400) {
      const words = errorMessage(body) ?? text.trim().slice(0, 500)
      this.#error = {
        kind: this.#status < 500 ? 'send' : 'upstream',
        message: words === '' ? `HTTP ${this.#status}` : `${words} (HTTP ${this.#status})`,
        retryable: [408, 429, 503].includes(this.#status),
      }
      return
    }
    const reading = this.#options.dialect.whole(body)
    if (reading !== null) this.#take(reading)
    else {
      const message = `the answer is no completion: ${text.slice(0, 200) || '(nothing)'}`
      this.#error = { kind: 'parse', message, retryable: false }
    }
  }

  #judge(choice: number, generation: Generation): void {
    const ending = this.#endings.get(choice)
    const at = this.#readAt
    // A piece that could not be read does not undo an answer that says it is complete.
    const complete = ending !== undefined && this.#error?.kind === 'parse'
    if (this.#error !== null && !complete) {
      generation.end('failed', 'error', this.#error, at)
    } else if (this.#mode === 'opaque') generation.end('done', 'opaque', null, at)
    else if (ending === undefined) {
      this.#options.meter.count('tokenscope_sse_errors_total', { kind: 'truncated' })
      const message = 'the answer ended without saying that it was complete'
      generation.end('interrupted', 'truncated', { kind: 'connection', message, retryable: true }, at)
    } else generation.end('done', generation.tokens === 0 ? 'empty' : ending, null, at)
  }

  #endCancelled(reason: CancelReason): void {
    for (const generation of this.#generations.values()) {
      generation.end('cancelled', reason, null, this.#readAt)
    }
  }

  #loseTrack(kind: string): void {
    this.#mode = 'opaque'
    this.#framing = null
    this.#whole = []
    this.#options.meter.count('tokenscope_sse_errors_total', { kind })
  }

  #follows(choice: number): boolean {
    return this.#generations.has(choice) || this.#generations.size < MAX_CHOICES
  }

  #generation(choice: number): Generation {
    let generation = this.#generations.get(choice)
    if (generation === undefined) {
      const model = this.#generations.get(0)?.model ?? this.#options.facts.model
      generation = new Generation({ ...this.#options, model })
      this.#generations.set(choice, generation)
    }
    return generation
  }
}
