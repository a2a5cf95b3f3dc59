import { type GenerationError, type GenerationState, isFinal } from '../events/generation.ts'
import type { Meter } from '../events/metrics.ts'
import type { Delta, Dialect, OwnFigures, Reading, RequestFacts, Usage } from './dialects/dialect.ts'
import { type Endpoint, isNdjson, mediaTypeOf } from './dialects/index.ts'
import { errorMessage, toldError } from './dialects/reading.ts'
import { Generation, type GenerationOptions } from './generation.ts'
import { createNdjsonFraming } from './ndjson-framing.ts'
import { createSseFraming, type Framing, type SseEvent } from './sse-framing.ts'

/**
 * Bytes of a whole (not streamed) answer that are read, and characters of one event: the last event of a response
 * has all of it once more, with the probabilities of each token. Beyond, only the app gets it.
 */
const MAX_WHOLE_BYTES = 4 * 1024 * 1024

/** Choices of one answer that are followed; OpenAI allows as many. */
const MAX_CHOICES = 128

export type CancelReason = 'client_gone' | 'stopped' | 'shutdown'

export interface ExchangeOptions extends Omit<GenerationOptions, 'model'> {
  endpoint: Endpoint
  facts: RequestFacts
  meter: Meter
}

/** What somebody who watches the requests wants to know of one. */
export interface ExchangeReport {
  generations: {
    id: string
    state: GenerationState
    model: string | null
    tokens: number
    estimated: boolean
    progress: number | null
  }[]
  upstream: string
  startedAt: number
  /** `performance.now()` of the last bytes of the answer, or of the request before there are any. */
  heardAt: number
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
  /** How choices ended: the upstream's word, or null where it has none. */
  readonly #endings = new Map<number, string | null>()
  #mode: 'waiting' | 'stream' | 'whole' | 'opaque' = 'waiting'
  #status = 0
  #upstream: string
  #answerId: string | null = null
  /** The name that the answer gives for its model. */
  #model: string | null = null
  #usage: Usage | null = null
  /** The upstream's own counts of single choices. */
  readonly #ownUsage = new Map<number, Usage>()
  #framing: Framing | null = null
  #whole: Buffer[] = []
  #wholeBytes = 0
  #error: GenerationError | null = null
  #cancel: CancelReason | null = null
  #readAt: number

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#readAt = options.startedAt
    this.#upstream = options.upstream
    this.#generation(0)
  }

  /** Tells that it is there, if it was made to keep quiet. */
  announce(): void {
    for (const generation of this.#generations.values()) generation.announce()
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

  /** The answer's own name, under which a later request may go on from it. */
  get answerId(): string | null {
    return this.#answerId
  }

  /** `performance.now()` of the first token of any choice, or null before it. */
  get firstTokenAt(): number | null {
    const all = [...this.#generations.values()].flatMap(({ firstTokenAt }) => firstTokenAt ?? [])
    return all.length === 0 ? null : Math.min(...all)
  }

  /** Tokens of all choices, as far as known. */
  get tokens(): number {
    return [...this.#generations.values()].reduce((sum, { count }) => sum + count.tokens, 0)
  }

  /** The upstream's count of prompt and answer, or null if it gave none. */
  get usage(): Usage | null {
    return this.#usage !== null && this.#usage.completionTokens > 0 ? this.#usage : sumOf(this.#ownUsage)
  }

  /** Whether all of it could be followed, and every choice came to a normal end with something in it. */
  get complete(): boolean {
    if (this.#mode === 'opaque' || this.#error !== null) return false
    return !this.running && [...this.#generations.values()].every(one => one.state === 'done' && one.hasText)
  }

  /** Whether each choice so far has said how it ended. */
  get finished(): boolean {
    return [...this.#generations.keys()].every(choice => this.#endings.has(choice))
  }

  /** The generations, that of choice 0 first. */
  get generations(): readonly Generation[] {
    return [...this.#generations.values()]
  }

  /** For `/scope/v1/workflows/active`. */
  report(): ExchangeReport {
    return {
      generations: [...this.#generations.values()].map(one => ({
        id: one.id,
        state: one.state,
        model: one.model,
        tokens: one.count.tokens,
        estimated: one.count.estimated,
        progress: one.progress,
      })),
      upstream: this.#upstream,
      startedAt: this.#options.startedAt,
      heardAt: this.#readAt,
    }
  }

  /** Whether somebody cancelled it. */
  get cancelled(): boolean {
    return this.#cancel !== null
  }

  /** Goes to the upstream with this label. */
  assign(upstream: string): void {
    this.#upstream = upstream
    for (const generation of this.#generations.values()) generation.learnUpstream(upstream)
  }

  /** The answer has begun. */
  head(status: number, contentType: string | null, readAt: number): void {
    this.#status = status
    this.#readAt = readAt
    const mediaType = mediaTypeOf(contentType)
    const { sse, ndjson } = this.#options.endpoint
    const oversized = () => this.#loseTrack('oversized')
    if (status < 200 || status > 299) this.#mode = 'whole'
    else if (mediaType === 'text/event-stream' && sse !== null) {
      this.#mode = 'stream'
      const onEvent = ({ type, data }: SseEvent) => this.#take(sse.event(type, data))
      this.#framing = createSseFraming({ onEvent, onOversized: oversized }, '', MAX_WHOLE_BYTES)
    } else if (isNdjson(mediaType) && ndjson !== null) {
      this.#mode = 'stream'
      this.#framing = createNdjsonFraming(line => this.#take(ndjson.event(undefined, line)), oversized)
    } else this.#mode = 'whole'
    if (this.#mode === 'stream' && sse?.reportsProgress !== true) {
      this.#generation(0).enter('processing_prompt', readAt)
    }
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
    else this.#framing?.end()
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
    if (begun) this.#options.meter.count('tokenscope_sse_errors_total', { kind: error.kind })
    for (const [choice, generation] of this.#generations) {
      // What was already complete does not become less so.
      if (this.#endings.has(choice) || this.#error !== null) this.#judge(choice, generation)
      else {
        const ending = error.kind === 'timeout' ? 'timeout' : 'connection'
        generation.end(begun ? 'interrupted' : 'failed', ending, error, readAt)
      }
    }
  }

  /** Follows no more, for want of something in here; the answer itself may be well. Never throws. */
  giveUp(why: string): void {
    const message = `Tokenscope could not follow the answer: ${why}`
    const error = { kind: 'unknown', code: 'INTERNAL', message, retryable: false } as const
    try {
      this.#loseTrack('unknown')
      for (const generation of this.#generations.values()) {
        generation.end('failed', 'error', error, this.#readAt)
      }
    } catch {
      // Whoever could not bear the first thing cannot bear to hear of it either; it was told already.
    }
  }

  #take(reading: Reading): void {
    const { model, id, progress, deltas, again, finished, own, usage, timings, error } = reading
    if (id !== null) this.#answerId = id
    if (model !== null && model !== this.#model) {
      this.#model = model
      for (const generation of this.#generations.values()) generation.learnModel(model)
    }
    if (progress !== null) {
      for (const generation of this.#generations.values()) {
        generation.advance(progress.state, progress.done, this.#readAt)
      }
    }
    for (const delta of deltas) {
      this.#followed(delta.choice)?.take(delta, this.#readAt)
    }
    if (again !== null) this.#takeMissed(again)
    for (const { choice, ending } of finished) {
      if (this.#followed(choice) === null) continue
      this.#endings.set(choice, ending ?? this.#endings.get(choice) ?? null)
    }
    if (own !== null) for (const figures of own) this.#learnOwn(figures)
    if (usage !== null) this.#learnUsage(usage)
    if (timings !== null) {
      for (const generation of this.#generations.values()) generation.learnTimings(timings)
    }
    // What could not be read gives way to what the upstream says is wrong.
    if (error !== null && (this.#error === null || this.#error.kind === 'parse')) {
      this.#error = error
      const kind = error.kind === 'parse' ? 'parse' : 'upstream'
      this.#options.meter.count('tokenscope_sse_errors_total', { kind })
    }
  }

  /** Takes what a server tells at the end alone. */
  #takeMissed(again: readonly Delta[]): void {
    const missed = again.filter(({ choice, kind }) => this.#generations.get(choice)?.has(kind) !== true)
    for (const delta of missed) this.#followed(delta.choice)?.take(delta, this.#readAt)
  }

  #readWhole(): void {
    // Without the byte order mark that some servers begin with.
    const text = new TextDecoder().decode(Buffer.concat(this.#whole))
    this.#whole = []
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      body = undefined
    }
    if (this.#status >= 400) {
      const words = errorMessage(body) ?? text.trim().slice(0, 500)
      const message = words === '' ? `HTTP ${this.#status}` : `${words} (HTTP ${this.#status})`
      this.#error = { ...toldError(body, this.#status), message }
      return
    }
    const { request, sse } = this.#options.endpoint
    const dialects: Dialect[] = sse === null || sse === request ? [request] : [request, sse]
    for (const dialect of dialects) {
      const reading = dialect.whole(body)
      if (reading === null) continue
      this.#take(reading)
      return
    }
    const message = `the answer is no completion: ${text.slice(0, 200) || '(nothing)'}`
    this.#error = { kind: 'parse', code: null, message, retryable: false }
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
      const error = { kind: 'connection', code: null, message, retryable: true } as const
      generation.end('interrupted', 'truncated', error, at)
    } else {
      const isEmpty = generation.isEmptyAt(ending) && !isErrand(ending)
      generation.end('done', isEmpty ? 'empty' : ending, null, at)
    }
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

  /** Completes a count by that of the prompt where it came before and alone, as Anthropic tells it. */
  #learnUsage(usage: Usage): void {
    const { completionTokens } = usage
    const promptTokens = usage.promptTokens ?? this.#usage?.promptTokens ?? null
    const sum = promptTokens === null || completionTokens === 0 ? null : promptTokens + completionTokens
    this.#usage = { promptTokens, completionTokens, totalTokens: usage.totalTokens ?? sum }
    // It counts all choices together: of several, nobody knows whose it is.
    if (completionTokens > 0 && this.#generations.size === 1) this.#generation(0).learnUsage(this.#usage)
  }

  /** Takes what was counted and measured of one choice alone. */
  #learnOwn({ choice, usage, timings }: OwnFigures): void {
    const generation = this.#followed(choice)
    if (generation === null) return
    if (timings !== null) generation.learnTimings(timings)
    if (usage === null) return
    generation.learnUsage(usage)
    this.#ownUsage.set(choice, usage)
  }

  #followed(choice: number): Generation | null {
    const generation = this.#generations.get(choice)
    if (generation !== undefined) return generation
    return this.#generations.size < MAX_CHOICES ? this.#generation(choice) : null
  }

  #generation(choice: number): Generation {
    let generation = this.#generations.get(choice)
    if (generation === undefined) {
      // What was counted while there was one choice may be of all of them, or of that which it came with.
      if (this.#ownUsage.size === 0) this.#generations.get(0)?.learnUsage(null)
      const model = this.#generations.get(0)?.model ?? this.#options.facts.model
      const isQuiet = choice === 0 && this.#options.isQuiet === true
      generation = new Generation({ ...this.#options, upstream: this.#upstream, model, isQuiet })
      this.#generations.set(choice, generation)
    }
    return generation
  }
}

/** All choices together, or null where none was counted. */
function sumOf(counts: ReadonlyMap<number, Usage>): Usage | null {
  if (counts.size === 0) return null
  const sum = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b)
  return [...counts.values()].reduce((all, one) => ({
    promptTokens: sum(all.promptTokens, one.promptTokens),
    completionTokens: all.completionTokens + one.completionTokens,
    totalTokens: sum(all.totalTokens, one.totalTokens),
  }))
}

/** Whether the model was only to be loaded or unloaded, as Ollama does without a prompt. */
function isErrand(ending: string | null): boolean {
  return ending === 'load' || ending === 'unload'
}
