import { randomUUID } from 'node:crypto'
import { ulid } from 'ulid'
import { confidenceOf, entropyOf } from '../events/confidence.ts'
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
  /** Whether its being there is told later, by `announce`. */
  isQuiet?: boolean
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
  #id: string | null = null
  readonly #options: GenerationOptions
  #state: GenerationState = 'queued'
  #isAnnounced = false
  #upstream: string
  #model: string | null
  #tokens = 0
  /** Tokens beyond the activations told: of deltas of which only their number is known. */
  #unlisted = 0
  #allCounted = true
  #usage: Usage | null = null
  /** Tokens that were seen when the upstream's count came: it says nothing of later ones. */
  #seenAtUsage = 0
  #timings: UpstreamTimings | null = null
  #progress: number | null = null
  #said = ''
  /** What was said after that, until there is enough to be joined. */
  #saidSince: string[] = []
  /** Kinds of which any text came. */
  readonly #kinds = new Set<TokenKind>()
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
    if (options.isQuiet !== true) this.announce()
  }

  /** Tells that it is there, if that was not told; whatever else there is to tell of it comes after that. */
  announce(): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#tell(this.#options.startedAt, null, null)
  }

  /** Made when it is first asked for, which is not while somebody waits for the request to be sent. */
  get id(): string {
    this.#id ??= newId()
    return this.#id
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

  /** The model's tokens so far, as far as known, those of the prompt with them, and whether that is an estimate. */
  get count(): { tokens: number; total: number | null; estimated: boolean } {
    const seen = this.#tokens + this.#unlisted
    if (this.#usage === null) return { tokens: seen, total: null, estimated: !this.#allCounted }
    const { completionTokens, totalTokens } = this.#usage
    const since = seen - this.#seenAtUsage
    return {
      tokens: completionTokens + since,
      total: totalTokens === null ? null : totalTokens + since,
      estimated: since > 0 && !this.#allCounted,
    }
  }

  /** `performance.now()` of the first token, or null before it. */
  get firstTokenAt(): number | null {
    return this.#firstAt
  }

  /** What it said, without reasoning and tool calls; and whether it had any of those. */
  get said(): { text: string; other: boolean } {
    return {
      text: this.#said + this.#saidSince.join(''),
      other: this.#kinds.has('reasoning') || this.#kinds.has('tool_call'),
    }
  }

  /** Whether any text of a kind came. */
  has(kind: TokenKind): boolean {
    return this.#kinds.has(kind)
  }

  /** Whether any text came. There may have been tokens without any, as an end of text. */
  get hasText(): boolean {
    return this.#kinds.size > 0
  }

  /** Whether nothing was said when it came to this normal end. A limit can cut within the first character. */
  isEmptyAt(ending: Ending | null): boolean {
    return this.#tokens === 0 || (!this.hasText && ending !== 'length')
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
    this.announce()
    this.#state = state
    this.#progress = null
    this.#tell(readAt, null, null)
  }

  /** Takes how much is done of what comes before the first token: 0..1, or null if that is not known. */
  advance(state: 'loading_model' | 'processing_prompt', done: number | null, readAt: number): void {
    if (this.#firstAt !== null || isFinal(this.#state) || this.#state === 'cancelling') return
    if (done === null) {
      this.enter(state, readAt)
      return
    }
    const now = Math.min(1, Math.max(0, done))
    const before = this.#state === state ? this.#progress : null
    if (before === now || (before !== null && now !== 1 && Math.abs(now - before) < PROGRESS_STEP)) return
    this.announce()
    this.#state = state
    this.#progress = now
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

  /** Takes the upstream's own count; null takes back one that turned out to be of more than this choice. */
  learnUsage(usage: Usage | null): void {
    this.#usage = usage
    this.#seenAtUsage = this.#tokens + this.#unlisted
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
    if (delta.text !== '') this.#kinds.add(delta.kind)
    if (delta.kind === 'message') this.#say(delta.text)
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
    this.announce()
    this.#state = state
    this.#progress = null
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
    const { tokens, total, estimated } = this.count
    const event: NeuralStateEvent = {
      type: 'neural_state',
      generation: this.id,
      state: this.#state,
      model: this.#model,
      upstream: this.#upstream,
      tokens_processed: tokens,
      total_tokens: total,
      estimated,
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

/**
 * A ULID whose randomness is that of a UUID, which the system draws for many at once; the ULID package by itself
 * asks it for each character.
 */
function newId(): string {
  const digits = randomUUID().replaceAll('-', '')
  // Version and variant stand between these.
  const chance = digits.slice(0, 12) + digits.slice(20)
  let at = 0
  let left = 0
  let bits = 0
  const draw = () => {
    if (left === 0) {
      bits = Number.parseInt(chance.slice(at, at + 5), 16)
      at += 5
      left = 4
    }
    left--
    return ((bits >> (5 * left)) & 31) / 32
  }
  return `g_${ulid(Date.now(), draw)}`
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
