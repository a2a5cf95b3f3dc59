/**
 * The vocabulary of a generation: what the bridge tells about it and what every other room reads.
 *
 * A generation is one choice of one request. It is told as a sequence of two kinds of event, in order:
 * `neural_state` (its state changed) and `token_activation` (a piece of its text came). What the upstream
 * did not say is `null`, never made up.
 */

/** What a generation can be doing. The last four are final. */
export const GENERATION_STATES = [
  'queued',
  'loading_model',
  'processing_prompt',
  'generating',
  'cancelling',
  'done',
  'interrupted',
  'cancelled',
  'failed',
] as const
export type GenerationState = (typeof GENERATION_STATES)[number]

/**
 * What refines a final state. `stop`, `length`, `tool_calls`, `content_filter` are the upstream's own words;
 * `empty` a normal end without any content; `client_gone`, `stopped` and `shutdown` say who cancelled;
 * `truncated` an answer that ended without saying so; `connection` a connection that broke;
 * `error` an error the upstream told.
 */
export type Ending = string

/** What a token can belong to, in the order in which kinds are numbered. */
export const TOKEN_KINDS = ['message', 'reasoning', 'tool_call'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** One candidate for a token, as the upstream gave it. `logprob` is in nats. */
export interface Alternative {
  text: string
  logprob: number
}

/**
 * What kind of trouble ended a generation: a connection that failed or broke, an answer that cannot be read,
 * a request that the upstream refuses, a wait that became too long, and everything else, as a fault inside
 * the upstream.
 */
export type ErrorKind = 'connection' | 'parse' | 'send' | 'timeout' | 'unknown'

/** Why a generation failed or broke off; `message` in the upstream's words where it had some. */
export interface GenerationError {
  kind: ErrorKind
  /** The upstream's own code or type of error, or the system's; null where there is none. */
  code: string | null
  message: string
  /** Whether the same request can work later, or on another instance. */
  retryable: boolean
}

/** What the upstream measured itself, in milliseconds; null where it does not say. */
export interface UpstreamTimings {
  load_ms: number | null
  prompt_ms: number | null
  generation_ms: number | null
  tokens_per_second: number | null
}

/** A generation changed its state. */
export interface NeuralStateEvent {
  type: 'neural_state'
  generation: string
  state: GenerationState
  model: string | null
  upstream: string
  /** Tokens generated so far: the upstream's own count once it gave one, else what was seen. */
  tokens_processed: number
  /** Prompt and answer together, from the upstream's usage; null until it says so. */
  total_tokens: number | null
  /** True while `tokens_processed` counts chunks, which may hold several tokens. */
  estimated: boolean
  elapsed_ms: number
  ttft_ms: number | null
  /** 0..1 of loading or prompt processing, where the upstream tells. */
  progress: number | null
  ending: Ending | null
  error: GenerationError | null
  timings: UpstreamTimings | null
  /** The generation this one continues. */
  parent: string | null
  cached: boolean
  /** The generation that this one plays again, and how fast; absent where it is no replay. */
  replay?: Replay
}

/** What a replay plays: `speed` 1 is as it was, 4 is four times as fast; null is as fast as it can be. */
export interface Replay {
  of: string
  speed: number | null
}

/** A piece of text came; one token where the upstream says so, else one chunk. */
export interface TokenEvent {
  type: 'token_activation'
  generation: string
  /** 0, 1, 2, … within the generation. */
  index: number
  token_id: number | null
  token_text: string
  kind: TokenKind
  /** Unix seconds when its bytes were read. */
  timestamp: number
  /** Natural logarithm of the probability. */
  logprob: number | null
  /** e^logprob, 0..1. */
  confidence: number | null
  /** Nats, over the alternatives given and the rest as one lump; null with fewer than two. */
  entropy: number | null
  top: Alternative[]
}

/** What the bridge emits. */
export type GenerationEvent = NeuralStateEvent | TokenEvent

/** A `neural_state` with its place in the log. */
export interface NeuralStateEntry extends NeuralStateEvent {
  seq: number
}

/** A `token_activation` with its place in the log and its cell `[x, y]` on the map, which never moves. */
export interface TokenEntry extends TokenEvent {
  seq: number
  position: [number, number]
}

/** What the log holds. */
export type LogEntry = NeuralStateEntry | TokenEntry

const FINAL: ReadonlySet<GenerationState> = new Set(['done', 'interrupted', 'cancelled', 'failed'])

/** Whether nothing more can come after `state`. */
export function isFinal(state: GenerationState): boolean {
  return FINAL.has(state)
}
