/** How an answer that broke off is gone on with: the request that asks for the rest of it. */
import { LRUCache } from 'lru-cache'
import { TokenscopeError } from '../events/errors.ts'
import type { UpstreamKind } from '../events/upstream-spec.ts'
import { asArray, asObject, type Json } from './dialects/reading.ts'
import { KIND_NAMES } from './pool/kinds.ts'

/** Answers that are kept to be gone on with, and what their requests may take together. */
const KEPT = 64
const KEPT_BYTES = 16 * 1024 * 1024

/** A request that was answered, as far as it is needed to go on. */
export interface AnsweredRequest {
  /** Label of the upstream that answered. */
  upstream: string
  path: string
  /** As it was sent. */
  body: Buffer
  /** Name of the dialect. */
  dialect: string
  kind: UpstreamKind
  /** What the model said, without its reasoning. */
  text: string
  /** Whether it thought or called a tool. */
  saidOther: boolean
}

/** An answer that was recorded, as far as it is to be kept. */
export interface BegunAnswer {
  generation: string
  /** Label of the upstream that answered. */
  upstream: string
  /** Path and query of its request. */
  target: string
  /** Of its request; null where it is not known. */
  body: string | null
  /** What the model said until there, without its reasoning; words may stand in its place that it did not say. */
  text: string
  /** Whether it thought or called a tool until there. */
  saidOther: boolean
}

/** The last answers that ended before their natural end: at most 64, and 16 MiB of requests. */
export class BrokenAnswers {
  readonly #kept = new LRUCache<string, AnsweredRequest>({
    max: KEPT,
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ body, text }) => body.length + text.length + 1,
  })

  keep(generation: string, answered: AnsweredRequest): void {
    this.#kept.set(generation, answered)
  }

  /**
   * @throws TokenscopeError NOT_FOUND for a generation that is not kept: it runs, ended by itself, or is too
   *   long ago
   */
  take(generation: string): AnsweredRequest {
    const answered = this.#kept.get(generation)
    if (answered !== undefined) return answered
    throw new TokenscopeError(
      'NOT_FOUND',
      `There is nothing of ${generation} to go on from: it still runs, came to its end, or is too long ago.`,
      { param: 'parent' },
    )
  }
}

/**
 * The body of the request for what comes after `text`. The answer to it is another sample: its probabilities are
 * those after the text as the upstream divides it into tokens anew.
 *
 * Chat goes on where the server goes on with a last message of the assistant: llama.cpp and Ollama (ollama/ollama
 * #6778) do so by themselves, vLLM if it is told. A completion of a text goes on everywhere.
 *
 * @throws TokenscopeError NOT_CONTINUABLE with the reason
 */
export function continuationOf(answered: AnsweredRequest): Json {
  const { dialect, kind, path, text, saidOther } = answered
  const body = asObject(parsed(answered.body)) ?? {}
  if (text === '') throw refusal('there is no text yet to go on from; ask again instead')
  if ((asNumber(body.n) ?? 1) > 1) throw refusal('its request asked for several choices')
  switch (dialect) {
    case 'openai-chat':
      if (saidOther) throw thoughtBefore()
      return { ...body, messages: withAnswer(body.messages, text), ...chatFlags(kind), stream: true }
    case 'ollama-chat':
      if (saidOther) throw thoughtBefore()
      return { ...body, messages: withAnswer(body.messages, text), stream: true }
    case 'anthropic-messages':
      if (kind !== 'llamacpp')
        throw refusal(`${nameOf(kind)} does not say that it goes on with an answer on this path`)
      return { ...body, messages: withAnswer(body.messages, text), stream: true }
    case 'openai-completions':
    case 'llamacpp-completion':
      if (typeof body.prompt !== 'string') throw refusal('its prompt is not one text')
      return { ...body, prompt: body.prompt + text, stream: true }
    default:
      throw refusal(`nothing on ${path} goes on with an answer`)
  }
}

function chatFlags(kind: UpstreamKind): Json {
  switch (kind) {
    case 'vllm':
      return { continue_final_message: true, add_generation_prompt: false }
    case 'llamacpp':
    case 'demo':
      return {}
    default:
      throw refusal(`${nameOf(kind)} does not say that it goes on with an answer on this path`)
  }
}

function nameOf(kind: UpstreamKind): string {
  return KIND_NAMES[kind] ?? 'this server'
}

function withAnswer(messages: unknown, text: string): unknown[] {
  const list = asArray(messages)
  const last = asObject(list.at(-1))
  // An answer that was gone on with before is one message.
  if (last?.role === 'assistant' && typeof last.content === 'string') {
    return [...list.slice(0, -1), { ...last, content: last.content + text }]
  }
  return [...list, { role: 'assistant', content: text }]
}

/** @throws TokenscopeError NOT_CONTINUABLE for what is no JSON */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw refusal('its request is no JSON')
  }
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function thoughtBefore(): TokenscopeError {
  return refusal('it thought or called a tool before the text, which cannot be given back')
}

/** @returns a TokenscopeError NOT_CONTINUABLE with the reason */
export function refusal(why: string): TokenscopeError {
  return new TokenscopeError('NOT_CONTINUABLE', `This answer cannot be continued: ${why}.`)
}
