import { randomBytes } from 'node:crypto'
import { ulid } from 'ulid'
import {
  type Ending,
  type GenerationError,
  type GenerationEvent,
  type GenerationState,
  isFinal,
  type NeuralStateEvent,
  type TokenKind,
  type UpstreamTimings,
} from '../events/generation.ts'
import type { Meter, MeterHandle } from '../events/metrics.ts'
import { confidenceOf, entropyOf } from './confidence.ts'
import type { Delta, ListedToken, Usage } from './dialects/dialect.ts'
import { divide } from './token-division.ts'

/** Receives events in order; `readAt` is `performance.now()` when the bytes behind it were read. */
export type Emit = (event: GenerationEvent, readAt: number) => void

export interface GenerationOptions {
  upstream: string
  model: string | null
  /** `performance.now()` when the request came, or when it was first heard of. */
  startedAt: number
  /** False where that is not when it was asked for: the time to its first token is then what it is told. */
  isStartKnown?: boolean
  emit: Emit
  meter: Meter
  /** The name that metrics may use for a model: itself if an upstream lists it, else "other". */
  modelLabel: (model: string | null) => string
  /** The generation that this one continues. */
  parent?: string | null
  /** Whether it is an answer of before, told again. */
  cached?: boolean
}

/** Progress is told anew when it has gone on by so much. */
const PROGRESS_STEP = 0.01

/** So many texts are joined at a time. */
const SAID_PIECES = 64

/**
 * One choice of one request, from its first state to its last: counts, times and tells what happens to it.
 * After a final state every call is ignored.
 */
export class Generation {
  readonly id = newId()
  readonly #options: GenerationOptions
  #state: GenerationState = 'queued'
  #upstream: string
  #model: string | null
  #tokens = 0
  /** Tokens beyond the activations told: of deltas of which only their number is known. */
  #unlisted = 0
  #allCounted = true
  #usage: Usage | null = null
  #timings: UpstreamTimings | null = null
  #progress: number | null = null
  #said = ''
  /** What was said after that, until there is enough to be joined. */
  #saidSince: string[] = []
  #saidOther = false
  #hasLogprobs = false
  #firstAt: number | null = null
  /** Milliseconds, as told where the start is not known. */
  #toldFirst: number | null = null
  #lastAt = 0
  /** Unix milliseconds at which `performance.now()` was 0. */
  readonly #origin = performance.timeOrigin
  readonly #interToken: MeterHandle
  /** Counts tokens of a kind, of this upstream and model. */
  #tokenCounts: Partial<Record<TokenKind, MeterHandle>> = {}

  constructor(options: GenerationOptions) {
    this.#options = options
    this.#interToken = options.meter.handle('tokenscope_inter_token_seconds', {})
    this.#model = options.model
    this.#upstream = options.upstream
    this.#tell(options.startedAt, null, null)
  }

  get state(): GenerationState {
    return this.#state
  }

  get model(): string | null {
    return this.#model
  }

  get tokens(): number {
    return this.#tokens
  }

  /** The model's tokens so far, as far as known, and whether that is an estimate. */
  get count(): { tokens: number; estimated: boolean } {
    return this.#usage === null
      ? { tokens: this.#tokens + this.#unlisted, estimated: !this.#allCounted }
      : { tokens: this.#usage.completionTokens, estimated: false }
  }

  /** `performance.now()` of the first token, or null before it. */
  get firstTokenAt(): number | null {
    return this.#firstAt
  }

  /** What it said, without reasoning and tool calls; and whether it had any of those. */
  get said(): { text: string; other: boolean } {
    return { text: this.#said + this.#saidSince.join(''), other: this.#saidOther }
  }

  /** Whether the upstream listed a token with its probability. */
  get hasLogprobs(): boolean {
    return this.#hasLogprobs
  }

  /** 0..1 of what is done before the first token, where the upstream tells. */
  get progress(): number | null {
    return this.#progress
  }

  /** Moves to a state that is not final; nothing happens if it is there already. */
  enter(state: GenerationState, readAt: number): void {
    if (isFinal(this.#state) || this.#state === state) return
    if (this.#state === 'cancelling') return
    this.#state = state
    this.#progress = null
    this.#tell(readAt, null, null)
  }

  /** Takes how much is done of what comes before the first token: 0..1, or null if that is not known. */
  advance(state: 'loading_model' | 'processing_prompt', done: number | null, readAt: number): void {
    if (this.#firstAt !== null) return
    this.enter(state, readAt)
    if (done === null || this.#state !== state) return
    const before = this.#progress
    if (before !== null && done !== 1 && Math.abs(done - before) < PROGRESS_STEP) return
    if (before === done) return
    this.#progress = Math.min(1, Math.max(0, done))
    this.#tell(readAt, null, null)
  }

  /** Takes the label of the upstream that answers. */
  learnUpstream(label: string): void {
    this.#upstream = label
    this.#tokenCounts = {}
  }

  /** Takes the name that the answer gives for the model. */
  learnModel(model: string): void {
    if (model === this.#model) return
    this.#model = model
    this.#tokenCounts = {}
  }

  /** Takes the time to the first token, ms, of an answer of which it cannot be measured here. */
  learnTimeToFirstToken(ms: number): void {
    this.#toldFirst = ms
  }

  /** Takes the upstream's own count. */
  learnUsage(usage: Usage): void {
    this.#usage = usage
  }

  /** Takes what the upstream measured; what it says later completes what it said before. */
  learnTimings(timings: UpstreamTimings): void {
    const known = Object.entries(timings).filter(([, value]) => value !== null)
    this.#timings = { ...(this.#timings ?? timings), ...Object.fromEntries(known) }
  }

  /** Tells the tokens of a delta: one for each that the upstream listed, else one for the whole text. */
  take(delta: Delta, readAt: number): void {
    if (this.#state !== 'generating' && (isFinal(this.#state) || this.#state === 'cancelling')) return
    if (this.#firstAt === null) {
      this.#firstAt = readAt
      const { meter, startedAt, isStartKnown } = this.#options
      if (isStartKnown !== false) {
        meter.observe('tokenscope_time_to_first_token_seconds', {}, (readAt - startedAt) / 1000)
      }
      this.enter('generating', readAt)
    } else this.#interToken((readAt - this.#lastAt) / 1000)
    this.#lastAt = readAt
    if (delta.kind === 'message') this.#say(delta.text)
    else this.#saidOther = true
    if (delta.tokens.length === 0) {
      this.#token(delta.kind, delta.text, null, readAt)
      if (delta.count === null) this.#allCounted = false
      else this.#unlisted += delta.count - 1
    } else {
      const pieces = divide(delta.text, delta.tokens)
      for (const [i, entry] of delta.tokens.entries()) {
        this.#token(delta.kind, pieces[i] as string, entry, readAt)
      }
    }
  }

  /** Adding each text to the one before would leave a node of a string behind for every token. */
  #say(text: string): void {
    if (this.#saidSince.push(text) < SAID_PIECES) return
    this.#said += this.#saidSince.join('')
    this.#saidSince = []
  }

  /** Ends; the first call decides. */
  end(state: GenerationState, ending: Ending | null, error: GenerationError | null, readAt: number): void {
    if (isFinal(this.#state)) return
    this.#state = state
    this.#options.meter.count('tokenscope_generations_total', { state })
    this.#tell(readAt, ending, error)
  }

  #token(kind: TokenKind, text: string, entry: ListedToken | null, readAt: number): void {
    this.#tokenCounts[kind] ??= this.#countOf(kind)
    this.#tokenCounts[kind](1)
    const logprob = entry?.logprob ?? null
    if (logprob !== null) this.#hasLogprobs = true
    const top = entry?.top ?? []
    this.#options.emit(
      {
        type: 'token_activation',
        generation: this.id,
        index: this.#tokens++,
        token_id: entry?.id ?? null,
        token_text: text,
        kind,
        timestamp: (this.#origin + readAt) / 1000,
        logprob,
        confidence: confidenceOf(logprob),
        entropy: entropyOf(top),
        top,
      },
      readAt,
    )
  }

  #countOf(kind: TokenKind): MeterHandle {
    const { meter, modelLabel } = this.#options
    const labels = { upstream: this.#upstream, model: modelLabel(this.#model), kind }
    return meter.handle('tokenscope_tokens_total', labels)
  }

  #timeToFirst(): number | null {
    if (this.#options.isStartKnown === false) return this.#toldFirst
    return this.#firstAt === null ? null : rounded(this.#firstAt - this.#options.startedAt)
  }

  #tell(readAt: number, ending: Ending | null, error: GenerationError | null): void {
    const { startedAt, emit } = this.#options
    const event: NeuralStateEvent = {
      type: 'neural_state',
      generation: this.id,
      state: this.#state,
      model: this.#model,
      upstream: this.#upstream,
      tokens_processed: this.count.tokens,
      total_tokens: this.#usage?.totalTokens ?? null,
      estimated: this.count.estimated,
      elapsed_ms: rounded(readAt - startedAt),
      ttft_ms: this.#timeToFirst(),
      progress: this.#progress,
      ending,
      error,
      timings: this.#timings,
      parent: this.#options.parent ?? null,
      cached: this.#options.cached ?? false,
    }
    emit(event, readAt)
  }
}

/** A ULID with its randomness drawn at once: by itself it asks the system for each character. */
function newId(): string {
  const bytes = randomBytes(16)
  let drawn = 0
  return `g_${ulid(Date.now(), () => (bytes[drawn++] as number) / 256)}`
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
