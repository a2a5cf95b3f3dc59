import { ulid } from 'ulid'
import {
  type Ending,
  type GenerationError,
  type GenerationEvent,
  type GenerationState,
  isFinal,
  type NeuralStateEvent,
  type TokenKind,
} from '../events/generation.ts'
import type { Meter } from '../events/metrics.ts'
import { confidenceOf, entropyOf } from './confidence.ts'
import type { Delta, TokenLogprob } from './dialect.ts'

/** Receives events in order; `readAt` is `performance.now()` when the bytes behind it were read. */
export type Emit = (event: GenerationEvent, readAt: number) => void

export interface GenerationOptions {
  upstream: string
  model: string | null
  /** `performance.now()` when the request came. */
  startedAt: number
  emit: Emit
  meter: Meter
  /** The name that metrics may use for a model: itself if an upstream lists it, else "other". */
  modelLabel: (model: string | null) => string
}

/**
 * One choice of one request, from its first state to its last: counts, times and tells what happens to it.
 * After a final state every call is ignored.
 */
export class Generation {
  readonly id = `g_${ulid()}`
  readonly #options: GenerationOptions
  #state: GenerationState = 'queued'
  #model: string | null
  #tokens = 0
  #allListed = true
  #usage: { completionTokens: number; totalTokens: number | null } | null = null
  #firstAt: number | null = null
  #lastAt: number | null = null

  constructor(options: GenerationOptions) {
    this.#options = options
    this.#model = options.model
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

  /** Moves to a state that is not final; nothing happens if it is there already. */
  enter(state: GenerationState, readAt: number): void {
    if (isFinal(this.#state) || this.#state === state) return
    this.#state = state
    this.#tell(readAt, null, null)
  }

  /** Takes the name that the answer gives for the model. */
  learnModel(model: string): void {
    this.#model = model
  }

  /** Takes the upstream's own count. */
  learnUsage(usage: { completionTokens: number; totalTokens: number | null }): void {
    this.#usage = usage
  }

  /** Tells the tokens of a delta: one for each that the upstream listed, else one for the whole text. */
  take(delta: Delta, readAt: number): void {
    if (isFinal(this.#state) || this.#state === 'cancelling') return
    if (this.#firstAt === null) {
      this.#firstAt = readAt
      const { meter, startedAt } = this.#options
      meter.observe('tokenscope_time_to_first_token_seconds', {}, (readAt - startedAt) / 1000)
      this.enter('generating', readAt)
    } else if (this.#lastAt !== null) {
      this.#options.meter.observe('tokenscope_inter_token_seconds', {}, (readAt - this.#lastAt) / 1000)
    }
    this.#lastAt = readAt
    if (delta.logprobs.length === 0) this.#token(delta.kind, delta.text, null, readAt)
    else {
      for (const [text, entry] of divide(delta.text, delta.logprobs)) {
        this.#token(delta.kind, text, entry, readAt)
      }
    }
  }

  /** Ends; the first call decides. */
  end(state: GenerationState, ending: Ending | null, error: GenerationError | null, readAt: number): void {
    if (isFinal(this.#state)) return
    this.#state = state
    this.#options.meter.count('tokenscope_generations_total', { state })
    this.#tell(readAt, ending, error)
  }

  #token(kind: TokenKind, text: string, entry: TokenLogprob | null, readAt: number): void {
    if (entry === null) this.#allListed = false
    const { upstream, meter, modelLabel, emit } = this.#options
    meter.count('tokenscope_tokens_total', { upstream, model: modelLabel(this.#model), kind })
    const logprob = entry?.logprob ?? null
    const top = entry?.top ?? []
    emit(
      {
        type: 'token_activation',
        generation: this.id,
        index: this.#tokens++,
        token_id: entry?.id ?? null,
        token_text: text,
        kind,
        timestamp: (performance.timeOrigin + readAt) / 1000,
        logprob,
        confidence: confidenceOf(logprob),
        entropy: entropyOf(top),
        top,
      },
      readAt,
    )
  }

  #tell(readAt: number, ending: Ending | null, error: GenerationError | null): void {
    const { upstream, startedAt, emit } = this.#options
    const event: NeuralStateEvent = {
      type: 'neural_state',
      generation: this.id,
      state: this.#state,
      model: this.#model,
      upstream,
      tokens_processed: this.#usage?.completionTokens ?? this.#tokens,
      total_tokens: this.#usage?.totalTokens ?? null,
      estimated: this.#usage === null && !this.#allListed,
      elapsed_ms: rounded(readAt - startedAt),
      ttft_ms: this.#firstAt === null ? null : rounded(this.#firstAt - startedAt),
      progress: null,
      ending,
      error,
      parent: null,
      cached: false,
    }
    emit(event, readAt)
  }
}

/**
 * Divides a delta's text among the tokens listed for it, so that the pieces always give exactly the text.
 *
 * A listed token may be written otherwise than it appears (half a character is an empty or a replacement
 * string, an id may stand for it) and entries can be missing: a token takes its own text as long as the
 * text goes on with it, a character that several made is the last of theirs, and the last of all takes what is
 * left.
 */
function divide(text: string, entries: TokenLogprob[]): [text: string, entry: TokenLogprob][] {
  const divided: [text: string, entry: TokenLogprob][] = []
  let rest = text
  /** Tokens before this one that have no text yet: each can be part of a character, of two code units at most. */
  let parts = 0
  for (const entry of entries) {
    const at = parts === 0 || entry.text === '' ? 0 : rest.indexOf(entry.text)
    if (at > 0 && at <= 2 * parts) {
      ;(divided.at(-1) as [string, TokenLogprob])[0] = rest.slice(0, at)
      rest = rest.slice(at)
    }
    const piece = rest.startsWith(entry.text) ? entry.text : ''
    rest = rest.slice(piece.length)
    parts = piece === '' ? parts + 1 : 0
    divided.push([piece, entry])
  }
  const last = divided.at(-1)
  if (last !== undefined) last[0] += rest
  return divided
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
