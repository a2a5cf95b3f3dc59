/** What OpenAI's chat completions and completions have in common, as the servers write it. */
import type { UpstreamTimings } from '../../events/generation.ts'
import { nothing, type Reading, type Usage } from './dialect.ts'
import { asArray, asObject, countOf, isSaid, type Json, parsedMessage, toldError } from './reading.ts'

/** Reads one event of a stream with what reads its choices. */
export function readChunk(
  type: string | undefined,
  data: string,
  readChoices: (chunk: Json, reading: Reading) => void,
): Reading {
  // Comes after the end, and after some errors as well: it decides nothing.
  if (data === '[DONE]') return nothing()
  const parsed = parsedMessage(data)
  if ('reading' in parsed) return parsed.reading
  const { message: chunk } = parsed
  const reading = readBeside(chunk)
  readChoices(chunk, reading)
  if (type === 'error') reading.error = toldError(chunk)
  return reading
}

/** Reads a whole answer with what reads its choices; null if it is neither an answer nor an error. */
export function readWhole(
  body: unknown,
  readChoices: (answer: Json, reading: Reading) => void,
): Reading | null {
  const answer = asObject(body)
  if (answer === null) return null
  const reading = readBeside(answer)
  if (Array.isArray(answer.choices)) {
    readChoices(answer, reading)
    endUnfinished(answer.choices, reading)
  } else if (reading.error === null) return null
  return reading
}

/** A whole answer is over, also where a server has no word for why. */
function endUnfinished(choices: readonly unknown[], { finished }: Reading): void {
  const indexes = choices.map(choice => countOf(asObject(choice)?.index) ?? 0)
  for (const choice of indexes.length === 0 ? [0] : indexes) {
    if (!finished.some(one => one.choice === choice)) finished.push({ choice, ending: null })
  }
}

/** All that is told beside the choices. */
function readBeside(body: Json): Reading {
  const reading = nothing()
  const { model, usage, error } = body
  if (typeof model === 'string' && model !== '') reading.model = model
  if (isSaid(usage)) reading.usage = readUsage(usage)
  if (isSaid(body.prompt_progress)) reading.progress = readProgress(body.prompt_progress)
  if (isSaid(body.timings)) readTimings(body, reading)
  if (isSaid(body.metrics)) reading.timings = readMetrics(body.metrics)
  if (isSaid(body.stats)) reading.timings = readStats(body.stats)
  // Older vLLMs write the error itself in place of a chunk.
  if (isSaid(error) || body.object === 'error') reading.error = toldError(body)
  return reading
}

/** Usage as OpenAI counts it; servers that write zeros on every chunk have not counted yet. */
function readUsage(value: unknown): Usage | null {
  const usage = asObject(value)
  const completionTokens = countOf(usage?.completion_tokens) || null
  if (completionTokens === null) return null
  return {
    promptTokens: countOf(usage?.prompt_tokens),
    completionTokens,
    totalTokens: countOf(usage?.total_tokens),
  }
}

/** llama.cpp's `prompt_progress`: of all the prompt, what it had in its cache included. */
function readProgress(value: unknown): Reading['progress'] {
  const progress = asObject(value)
  const total = countOf(progress?.total)
  const processed = countOf(progress?.processed)
  const done = total === null || processed === null || total === 0 ? null : processed / total
  return { state: 'processing_prompt', done }
}

/**
 * llama.cpp's `timings`. They are of the choice that they come with, as is usage beside them; where none is asked for
 * they are the only count.
 */
function readTimings(body: Json, reading: Reading): void {
  const told = asObject(body.timings)
  const timings = timingsOf({
    prompt_ms: countOf(told?.prompt_ms),
    generation_ms: countOf(told?.predicted_ms),
    tokens_per_second: countOf(told?.predicted_per_second),
  })
  const choices = asArray(body.choices)
  if (choices.length === 1) {
    const choice = countOf(asObject(choices[0])?.index) ?? 0
    reading.own = [{ choice, usage: reading.usage ?? readTimingsCount(told), timings }]
    reading.usage = null
  } else reading.timings = timings
}

function readTimingsCount(timings: Json | null): Usage | null {
  const completionTokens = countOf(timings?.predicted_n) || null
  if (completionTokens === null) return null
  const cached = countOf(timings?.cache_n)
  const read = countOf(timings?.prompt_n)
  // Without what the cache had it is only a part of the prompt.
  const promptTokens = cached === null || read === null ? null : cached + read
  const totalTokens = promptTokens === null ? null : promptTokens + completionTokens
  return { promptTokens, completionTokens, totalTokens }
}

/** vLLM's `metrics`. */
function readMetrics(value: unknown): UpstreamTimings | null {
  const metrics = asObject(value)
  return timingsOf({
    generation_ms: countOf(metrics?.generation_time_ms),
    tokens_per_second: countOf(metrics?.tokens_per_second),
  })
}

/** LM Studio's `stats`, in seconds. */
function readStats(value: unknown): UpstreamTimings | null {
  const stats = asObject(value)
  const seconds = countOf(stats?.generation_time)
  return timingsOf({
    generation_ms: seconds === null ? null : seconds * 1000,
    tokens_per_second: countOf(stats?.tokens_per_second),
  })
}

/** Timings of which something is known, or null. */
function timingsOf(known: Partial<UpstreamTimings>): UpstreamTimings | null {
  if (Object.values(known).every(value => value === null)) return null
  return { load_ms: null, prompt_ms: null, generation_ms: null, tokens_per_second: null, ...known }
}
