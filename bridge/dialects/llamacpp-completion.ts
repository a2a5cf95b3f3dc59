/**
 * The dialect of llama.cpp's own `POST /completion` and `/infill`, streamed and whole, as its server's README
 * and source have it (`tools/server`), with the forms of the builds before December 2024.
 */
import type { UpstreamTimings } from '../../events/generation.ts'
import { type Delta, type Dialect, type ListedToken, nothing, type Reading, type Usage } from './dialect.ts'
import { listedTokens, logOf, withIds } from './listed-tokens.ts'
import {
  asArray,
  asObject,
  countOf,
  errorMessage,
  errorReading,
  isSaid,
  type Json,
  nameOf,
  parsedMessage,
  textOf,
} from './reading.ts'

export const llamacppCompletion: Dialect = {
  name: 'llamacpp-completion',

  request(body) {
    const request = asObject(body)
    const repeats = countOf(request?.n_cmpl) || countOf(request?.n) || 1
    return {
      model: nameOf(request?.model),
      stream: request?.stream === true,
      choices: repeats * promptsOf(request?.prompt),
      maxTokens:
        countOf(request?.n_predict) ??
        countOf(request?.max_completion_tokens) ??
        countOf(request?.max_tokens),
      previous: null,
    }
  },

  event(type, data) {
    // Not llama.cpp's own way to end, but what other servers on its paths may send.
    if (data === '[DONE]') return nothing()
    const parsed = parsedMessage(data)
    if ('reading' in parsed) return parsed.reading
    const { message } = parsed
    if (type === 'error' || isSaid(message.error)) return errorReading(message)
    return isResult(message) ? readResults([message], isLast(message)) : nothing()
  },

  whole(body) {
    const items: readonly unknown[] = Array.isArray(body) ? body : [body]
    const results = items.map(asObject).filter(item => item !== null)
    // With `response_fields` nothing but the fields asked for is left of a result.
    if (results.length > 0 && results.every(isResult)) return readResults(results, true)
    const [only] = results
    return only === undefined || errorMessage(only) === null ? null : errorReading(only)
  },
}

/** Several strings or lists of tokens are prompts each; with a number in it the list itself is one. */
function promptsOf(prompt: unknown): number {
  const parts = asArray(prompt)
  return parts.some(part => typeof part === 'number') ? 1 : parts.length || 1
}

function isResult(message: Json): boolean {
  return typeof message.content === 'string' || typeof message.stop === 'boolean'
}

/** Whether a result of a stream is the last of its choice. */
function isLast(result: Json): boolean {
  return result.stop === true || typeof result.stop_type === 'string'
}

/** Results of an answer: one of a stream, all of a whole one. Each counts for itself. */
function readResults(results: readonly Json[], areLast: boolean): Reading {
  const reading = nothing()
  for (const result of results) {
    const choice = countOf(result.index) ?? 0
    reading.model ??= nameOf(result.model)
    reading.progress ??= readProgress(asObject(result.prompt_progress))
    reading.deltas.push(...readDelta(choice, result))
    const figures = { choice, usage: readUsage(result), timings: readTimings(asObject(result.timings)) }
    if (figures.usage !== null || figures.timings !== null) {
      reading.own ??= []
      reading.own.push(figures)
    }
    if (areLast) reading.finished.push({ choice, ending: endingOf(result) })
  }
  return reading
}

function readDelta(choice: number, result: Json): Delta[] {
  const text = textOf(result.content)
  const entries = readEntries(result.completion_probabilities)
  const { tokens, count } = withIds(entries, result.tokens, text, 1)
  return text === '' && tokens.length === 0 ? [] : [{ choice, kind: 'message', text, tokens, count }]
}

function readEntries(list: unknown): ListedToken[] {
  return asArray(list).flatMap(item => {
    const entry = asObject(item)
    return Array.isArray(entry?.probs) ? [readOldEntry(entry, entry.probs)] : listedTokens([item])
  })
}

/** `{content, probs: [{tok_str, prob}]}`, where a token's own probability stands only among the candidates. */
function readOldEntry(entry: Json, probs: readonly unknown[]): ListedToken {
  const text = textOf(entry.content)
  const top = probs.flatMap(item => {
    const candidate = asObject(item)
    const logprob = logOf(candidate?.prob)
    return logprob === null ? [] : [{ text: textOf(candidate?.tok_str), logprob }]
  })
  // Two tokens can be written alike; then nobody says which it was.
  const own = top.filter(candidate => candidate.text === text)
  return { id: null, text, bytes: null, logprob: own.length === 1 ? (own[0]?.logprob ?? null) : null, top }
}

function readProgress(progress: Json | null): Reading['progress'] {
  if (progress === null) return null
  const total = countOf(progress.total)
  const processed = countOf(progress.processed)
  const done = total === null || total === 0 || processed === null ? null : processed / total
  return { state: 'processing_prompt', done }
}

/** Why it stopped, in the words that llama.cpp has for it on its OpenAI paths. */
function endingOf(result: Json): string | null {
  if (result.stop_type === 'limit' || result.stopped_limit === true) return 'length'
  if (result.stop_type === 'eos' || result.stop_type === 'word') return 'stop'
  return result.stopped_eos === true || result.stopped_word === true ? 'stop' : null
}

function readUsage(result: Json): Usage | null {
  const completionTokens = countOf(result.tokens_predicted) || null
  if (completionTokens === null) return null
  const promptTokens = countOf(result.tokens_evaluated)
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens === null ? null : promptTokens + completionTokens,
  }
}

function readTimings(timings: Json | null): UpstreamTimings | null {
  if (timings === null) return null
  return {
    load_ms: null,
    prompt_ms: countOf(timings.prompt_ms),
    generation_ms: countOf(timings.predicted_ms),
    tokens_per_second: countOf(timings.predicted_per_second),
  }
}
