/** The forms in which servers list the tokens of a text, with their probabilities. */
import type { Alternative } from '../../events/generation.ts'
import type { ListedToken } from './dialect.ts'
import { asArray, asObject, type Json, textOf } from './reading.ts'

/**
 * What stands for the logarithm of zero, which JSON cannot hold: the lowest 32-bit float, as llama.cpp
 * writes it.
 */
const LOG_OF_ZERO = -3.4028234663852886e38

const AS_ID = /^token_id:(\d+)$/
const AS_BYTES = /^bytes:(?:\\x[0-9a-f]{2})+$/i

/**
 * Reads a list of `{token, logprob, bytes?, id?, top_logprobs?}`, as chat completions have it; llama.cpp's
 * `prob` and `top_probs`, told after sampling, become logarithms. An entry without a probability is a token all the
 * same.
 */
export function listedTokens(list: unknown): ListedToken[] {
  const entries: ListedToken[] = []
  if (!Array.isArray(list)) return entries
  for (const item of list) {
    const entry = asObject(item)
    if (entry === null) continue
    const { token } = entry
    const id = idOf(entry.id)
    if (typeof token !== 'string' && id === null) continue
    const top = readAlternatives(entry.top_logprobs ?? entry.top_probs)
    entries.push(listed(textOf(token), id, bytesOf(entry.bytes), logprobOf(entry), top))
  }
  return entries
}

/** Reads `{tokens, token_logprobs, top_logprobs}`, three lists side by side, as OpenAI's completions have them. */
export function legacyTokens(logprobs: Json): ListedToken[] {
  const probabilities = asArray(logprobs.token_logprobs)
  const alternatives = asArray(logprobs.top_logprobs)
  return asArray(logprobs.tokens).flatMap((token, i) => {
    if (typeof token !== 'string') return []
    const top = Object.entries(asObject(alternatives[i]) ?? {}).flatMap(([text, value]) => {
      const logprob = finite(value)
      return logprob === null ? [] : [{ text, logprob }]
    })
    return [listed(token, null, null, finite(probabilities[i]), top)]
  })
}

/**
 * Completes entries by the ids listed beside them (vLLM's `token_ids`).
 *
 * @param ids anything; what is no list of ids, or of another length, says nothing
 * @param texts how many texts the ids belong to: only of a single one is it known which
 * @returns the tokens, and how many the text has where only that is known
 */
export function withIds(
  entries: ListedToken[],
  ids: unknown,
  text: string,
  texts: number,
): { tokens: ListedToken[]; count: number | null } {
  if (!Array.isArray(ids) || ids.length === 0) return { tokens: entries, count: null }
  if (entries.length > 0) {
    if (entries.length === ids.length) {
      for (const [i, entry] of entries.entries()) entry.id ??= idOf(ids[i])
    }
    return { tokens: entries, count: null }
  }
  if (texts > 1) return { tokens: entries, count: null }
  const id = idOf(ids[0])
  if (ids.length > 1 || id === null) return { tokens: entries, count: ids.length }
  return { tokens: [listed(text, id, null, null, [])], count: null }
}

function listed(
  text: string,
  id: number | null,
  bytes: number[] | null,
  logprob: number | null,
  top: Alternative[],
): ListedToken {
  // vLLM can write ids in place of texts; the bytes are then those of what it writes.
  if (text.startsWith('token_id:')) {
    const written = AS_ID.exec(text)
    if (written !== null) return { id: id ?? Number(written[1]), text, bytes: null, logprob, top }
  }
  // OpenAI's completions write a token that is no whole character as its bytes.
  if (bytes === null && text.startsWith('bytes:') && AS_BYTES.test(text)) {
    const pairs = text.slice('bytes:\\x'.length).split(/\\x/i)
    return { id, text, bytes: pairs.map(pair => Number.parseInt(pair, 16)), logprob, top }
  }
  return { id, text, bytes, logprob, top }
}

function readAlternatives(list: unknown): Alternative[] {
  const top: Alternative[] = []
  if (!Array.isArray(list)) return top
  for (const item of list) {
    const candidate = asObject(item)
    if (candidate === null) continue
    const logprob = logprobOf(candidate)
    if (logprob !== null) top.push({ text: textOf(candidate.token), logprob })
  }
  return top
}

function logprobOf({ logprob, prob }: Json): number | null {
  return typeof logprob === 'number' ? finite(logprob) : logOf(prob)
}

/** The natural logarithm of a probability, or null for what is no number. */
export function logOf(prob: unknown): number | null {
  if (typeof prob !== 'number') return null
  return prob > 0 ? Math.log(prob) : LOG_OF_ZERO
}

/** The number; beyond what a double holds there is none that could be told on. */
function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** The id of a token, or null. */
export function idOf(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null
}

function bytesOf(value: unknown): number[] | null {
  return Array.isArray(value) ? value : null
}
