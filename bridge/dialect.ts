import type { GenerationError, TokenKind } from '../events/generation.ts'

/** One token with its probability, as the upstream listed it. Logprobs are in nats. */
export interface TokenLogprob {
  id: number | null
  text: string
  logprob: number
  top: { text: string; logprob: number }[]
}

/** What came for one choice: text, and the tokens it consists of where the upstream lists them. */
export interface Delta {
  choice: number
  kind: TokenKind
  text: string
  logprobs: TokenLogprob[]
}

/** All that one message of an answer says. */
export interface Reading {
  model: string | null
  deltas: Delta[]
  /** Choices that ended, with the upstream's word for why. */
  finished: { choice: number; ending: string }[]
  usage: { completionTokens: number; totalTokens: number | null } | null
  error: GenerationError | null
}

/** What a request asks for, as far as its answer's reader needs to know. */
export interface RequestFacts {
  model: string | null
  stream: boolean
}

/**
 * How one API speaks: pure functions from messages to readings. A dialect keeps no state, never throws on
 * what an upstream wrote (what it cannot read is a reading with an error, or an empty one) and does not
 * decide how an answer ended: that is for who reads the whole of it.
 */
export interface Dialect {
  readonly name: string
  /** Reads the body of a request, already parsed; `null` stands for one that is not JSON. */
  request(body: unknown): RequestFacts
  /** Reads one event of a streamed answer. */
  event(type: string | undefined, data: string): Reading
  /** Reads a whole answer; null if it is not one of this dialect. */
  whole(body: unknown): Reading | null
}

/** A reading that says nothing. */
export function nothing(): Reading {
  return { model: null, deltas: [], finished: [], usage: null, error: null }
}

/** A reading of an error in the upstream's words. */
export function upstreamError(message: string, retryable = false): Reading {
  return { ...nothing(), error: { kind: 'upstream', message, retryable } }
}

/** Finds the words in the error forms that servers use: `{error: {message}}`, `{error: "…"}`, `{message}`. */
export function errorMessage(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null
  const { error, message } = body as { error?: unknown; message?: unknown }
  if (typeof error === 'string') return error
  if (typeof error === 'object' && error !== null) {
    const inner = (error as { message?: unknown }).message
    return typeof inner === 'string' ? inner : JSON.stringify(error)
  }
  return typeof message === 'string' && !('choices' in body) ? message : null
}
