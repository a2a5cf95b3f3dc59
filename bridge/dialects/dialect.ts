import type { Alternative, GenerationError, TokenKind, UpstreamTimings } from '../../events/generation.ts'

/** One token as the upstream listed it. */
export interface ListedToken {
  id: number | null
  /** As listed, which may differ from how it appears: half a character, or an id in place of a text. */
  text: string
  /** Its bytes in UTF-8 where they are listed: the truth where the text is not. */
  bytes?: readonly number[] | null
  /** Nats; null where the upstream lists tokens without probabilities. */
  logprob: number | null
  top: Alternative[]
}

/**
 * What came for one choice: text, and the tokens it consists of where the upstream lists them.
 *
 * The name of a tool call and its arguments are a delta each, also where they come in one message: that is how
 * most streams send them, and how they are best told apart.
 */
export interface Delta {
  choice: number
  kind: TokenKind
  text: string
  /** Empty where the upstream lists none. */
  tokens: ListedToken[]
  /** How many tokens it consists of, where the upstream says so without saying which; else null. */
  count: number | null
}

/** The upstream's own count. */
export interface Usage {
  promptTokens: number | null
  /** 0 where only the prompt's count was given: it is never one of an answer. */
  completionTokens: number
  totalTokens: number | null
}

/** What an upstream that counts each choice by itself says of one: so far, or in all once it ended. */
export interface OwnFigures {
  choice: number
  usage: Usage | null
  timings: UpstreamTimings | null
}

/** All that one message of an answer says. */
export interface Reading {
  model: string | null
  /** The answer's own name, under which a later request may go on from it. */
  id: string | null
  /** What the upstream does before the first token, and how much of it is done, 0..1. */
  progress: { state: 'loading_model' | 'processing_prompt'; done: number | null } | null
  deltas: Delta[]
  /** The answer once more as a whole, at its end: of use where nothing of that choice and kind came before. */
  again: Delta[] | null
  /** Choices that ended, with the upstream's word for why, or null where it has none (or had it before). */
  finished: { choice: number; ending: string | null }[]
  /** Later ones of a choice replace earlier ones. */
  own: OwnFigures[] | null
  /** Later ones replace earlier ones, but for the prompt's count where they have none. */
  usage: Usage | null
  timings: UpstreamTimings | null
  error: GenerationError | null
}

/** What a request asks for, as far as whoever sends it or reads its answer needs to know. */
export interface RequestFacts {
  model: string | null
  stream: boolean
  /** Choices asked for, 1 if it does not say. */
  choices: number
  /** The most tokens a choice may have, or null without a bound. */
  maxTokens: number | null
  /** The answer that it goes on from (`previous_response_id`), or a conversation that lives on one server. */
  previous: string | null
}

/**
 * How one API speaks: pure functions from messages to readings. A dialect keeps no state, never throws on
 * what a client or an upstream wrote (what it cannot read is a reading with an error, or an empty one) and
 * does not decide how an answer ended: that is for who reads the whole of it.
 */
export interface Dialect {
  readonly name: string
  /** Whether a stream tells when the model is loaded and when the prompt is processed. */
  readonly reportsProgress?: boolean
  /** Reads the body of a request, already parsed; anything that is not an object asks for nothing. */
  request(body: unknown): RequestFacts
  /** Reads one message of a streamed answer: the type and data of an event, or a line and no type. */
  event(type: string | undefined, data: string): Reading
  /** Reads a whole answer; null if it is not one of this dialect. */
  whole(body: unknown): Reading | null
}

/** A reading that says nothing. */
export function nothing(): Reading {
  return {
    model: null,
    id: null,
    progress: null,
    deltas: [],
    again: null,
    finished: [],
    own: null,
    usage: null,
    timings: null,
    error: null,
  }
}
