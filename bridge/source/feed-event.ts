/** Tokenscope's own form of an event, as a feed gives it: read strictly where it matters, generously elsewhere. */
import {
  GENERATION_STATES,
  type GenerationError,
  type GenerationState,
  TOKEN_KINDS,
  type TokenKind,
} from '../../events/generation.ts'
import type { Delta, Usage } from '../dialects/dialect.ts'
import { asArray, asObject, countOf, isSaid, type Json, nameOf, toldError } from '../dialects/reading.ts'

const KINDS: ReadonlySet<unknown> = new Set(TOKEN_KINDS)
const STATES: ReadonlySet<unknown> = new Set(GENERATION_STATES)
const ERROR_KINDS: ReadonlySet<unknown> = new Set<GenerationError['kind']>([
  'connection',
  'parse',
  'send',
  'timeout',
  'unknown',
])

/** A `token_activation` of a feed. */
export interface FeedToken {
  /** The feed's own name for the generation. */
  generation: string
  model: string | null
  delta: Delta
}

/** A `neural_state` of a feed. */
export interface FeedState {
  generation: string
  model: string | null
  state: GenerationState
  progress: number | null
  ttftMs: number | null
  /** Its own count, where it is none of chunks. */
  usage: Usage | null
  ending: string | null
  error: GenerationError | null
  cached: boolean
}

/** Reads a `token_activation`; null if it does not say of which generation, or what. */
export function readToken(event: Json): FeedToken | null {
  const generation = nameOf(event.generation)
  const { token_text: text, token_id, kind } = event
  if (generation === null || typeof text !== 'string') return null
  const id = Number.isSafeInteger(token_id) ? (token_id as number) : null
  const logprob = numberOf(event.logprob)
  const top = asArray(event.top).flatMap(item => {
    const candidate = asObject(item)
    const weight = numberOf(candidate?.logprob)
    return typeof candidate?.text === 'string' && weight !== null
      ? [{ text: candidate.text, logprob: weight }]
      : []
  })
  // Without any of these it may as well be a chunk of several tokens.
  const isListed = id !== null || logprob !== null || top.length > 0
  return {
    generation,
    model: nameOf(event.model),
    delta: {
      choice: 0,
      kind: KINDS.has(kind) ? (kind as TokenKind) : 'message',
      text,
      tokens: isListed ? [{ id, text, logprob, top }] : [],
      count: null,
    },
  }
}

/** Reads a `neural_state`; null if it does not say of which generation, or no state that is known. */
export function readState(event: Json): FeedState | null {
  const generation = nameOf(event.generation)
  const { state } = event
  if (generation === null || !STATES.has(state)) return null
  return {
    generation,
    model: nameOf(event.model),
    state: state as GenerationState,
    progress: countOf(event.progress),
    ttftMs: countOf(event.ttft_ms),
    usage: readUsage(event),
    ending: nameOf(event.ending),
    error: readError(event.error),
    cached: event.cached === true,
  }
}

function readUsage({ tokens_processed, total_tokens, estimated }: Json): Usage | null {
  const completionTokens = countOf(tokens_processed)
  if (completionTokens === null || estimated !== false) return null
  return { promptTokens: null, completionTokens, totalTokens: countOf(total_tokens) }
}

function readError(value: unknown): GenerationError | null {
  if (!isSaid(value)) return null
  const error = asObject(value)
  // Of another form than ours: as any server may tell an error.
  if (!ERROR_KINDS.has(error?.kind)) return toldError(value)
  return {
    kind: error?.kind as GenerationError['kind'],
    code: nameOf(error?.code),
    message: nameOf(error?.message) ?? 'the feed does not say what went wrong',
    retryable: error?.retryable === true,
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
