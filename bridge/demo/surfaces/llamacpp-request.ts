/** llama.cpp's own completion: the body of a request, read and checked. */
import type { Tokenizer } from '../model/tokenizer.ts'
import type { Asked } from '../surface.ts'
import { bad, type Fields, flag, isRecord, number, stopsOf } from './fields.ts'
import { tokenIdsOf } from './token-ids.ts'

const MAX_CHOICES = 8
const MAX_STOPS = 64
const MAX_PROBABILITIES = 1000

export interface LlamaRequest {
  readonly asked: Asked
  readonly returnTokens: boolean
  readonly returnProgress: boolean
  readonly timingsPerToken: boolean
}

/**
 * Reads a parsed body. Settings of samplers that the model does not have, slots and caches are ignored.
 * Throws a TokenscopeError BAD_REQUEST that names the field.
 */
export function parseLlamaRequest(body: unknown, tokenizer: Tokenizer): LlamaRequest {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  for (const name of ['grammar', 'json_schema']) {
    const value = body[name] ?? ''
    if (value !== '') throw bad(`${name} is not supported by the demo`, name)
  }
  if (flag(body, 'post_sampling_probs')) {
    throw bad('post_sampling_probs is not supported; the demo tells the model’s own', 'post_sampling_probs')
  }
  const limit =
    ['n_predict', 'max_completion_tokens', 'max_tokens']
      .map(name => number(body, name, { from: -2, to: 1_000_000, whole: true }))
      .find(value => value !== undefined) ?? -1
  const seed = number(body, 'seed', { from: -1, to: Number.MAX_SAFE_INTEGER, whole: true }) ?? -1
  const counts = { from: 1, to: MAX_CHOICES, whole: true }
  return {
    asked: {
      prompt: promptOf(body, tokenizer),
      stream: flag(body, 'stream'),
      choices: number(body, 'n_cmpl', counts) ?? number(body, 'n', counts) ?? 1,
      maxTokens: limit > 0 ? limit : undefined,
      temperature: number(body, 'temperature', { from: 0, to: Number.MAX_VALUE }),
      topP: number(body, 'top_p', { from: 0, to: 1 }),
      seed: seed === -1 ? undefined : seed,
      stop: stopsOf(body.stop, MAX_STOPS),
      topCount: number(body, 'n_probs', { from: 0, to: MAX_PROBABILITIES, whole: true }) ?? 0,
      reasoning: false,
      toolCall: null,
    },
    returnTokens: flag(body, 'return_tokens'),
    returnProgress: flag(body, 'return_progress'),
    timingsPerToken: flag(body, 'timings_per_token'),
  }
}

/** Text, token ids, or pieces of both one after the other. */
function promptOf({ prompt }: Fields, tokenizer: Tokenizer): string {
  if (typeof prompt === 'string') return prompt
  if (!Array.isArray(prompt))
    throw bad('prompt must be a string or an array of strings and token ids', 'prompt')
  if (prompt.length === 0 || prompt.some(Array.isArray)) {
    throw bad('prompt must be one prompt; the demo does not take several at once', 'prompt')
  }
  const ids = prompt.flatMap((piece: unknown) =>
    typeof piece === 'string' ? tokenizer.encode(piece) : tokenIdsOf([piece], 'prompt', tokenizer),
  )
  return tokenizer.decode(ids)
}
