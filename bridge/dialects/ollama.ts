/**
 * The dialects of Ollama's own `POST /api/chat` and `/api/generate`, in lines of JSON and whole, as its API
 * documentation and source have them (`docs/api`, `api/types.go`).
 */
import type { TokenKind, UpstreamTimings } from '../../events/generation.ts'
import { allot } from '../token-division.ts'
import {
  type Delta,
  type Dialect,
  type ListedToken,
  nothing,
  type Reading,
  type RequestFacts,
  type Usage,
} from './dialect.ts'
import { listedTokens } from './listed-tokens.ts'
import {
  asArray,
  asObject,
  countOf,
  errorReading,
  isSaid,
  type Json,
  jsonOf,
  nameOf,
  parsedMessage,
  textOf,
} from './reading.ts'

/** Where a line has its text: `text` names the field of `part` that the answer stands in. */
interface Form {
  part(line: Json): Json | null
  text: 'content' | 'response'
}

export const ollamaChat: Dialect = dialect('ollama-chat', {
  part: line => asObject(line.message),
  text: 'content',
})

export const ollamaGenerate: Dialect = dialect('ollama-generate', {
  part: line => (typeof line.response === 'string' ? line : null),
  text: 'response',
})

function dialect(name: string, form: Form): Dialect {
  return {
    name,
    request: readRequest,
    event(_type, data) {
      const parsed = parsedMessage(data)
      if ('reading' in parsed) return parsed.reading
      return readLine(parsed.message, form) ?? nothing()
    },
    whole(body) {
      const answer = asObject(body)
      return answer === null ? null : readLine(answer, form)
    },
  }
}

function readRequest(body: unknown): RequestFacts {
  const request = asObject(body)
  return {
    model: nameOf(request?.model),
    // Not asked, Ollama streams.
    stream: request !== null && request.stream !== false,
    choices: 1,
    maxTokens: countOf(asObject(request?.options)?.num_predict),
    previous: null,
  }
}

/** A line, or a whole answer, which has the same form; null for another. */
function readLine(line: Json, form: Form): Reading | null {
  const part = form.part(line)
  const done = line.done === true
  if (isSaid(line.error)) return errorReading(line)
  if (part === null && !done) return null
  const reading = nothing()
  reading.model = nameOf(line.model)
  if (part !== null) reading.deltas = readPart(part, form, listedTokens(line.logprobs))
  if (done) {
    reading.finished.push({ choice: 0, ending: nameOf(line.done_reason) })
    reading.usage = readUsage(line)
    reading.timings = readTimings(line)
  }
  return reading
}

function readPart(part: Json, { text }: Form, entries: ListedToken[]): Delta[] {
  const calls = asArray(part.tool_calls).flatMap(readCall)
  const said: [kind: TokenKind, text: string][] = [
    ['reasoning', textOf(part.thinking)],
    ['message', textOf(part[text])],
    ...calls.map((call): [TokenKind, string] => ['tool_call', call]),
  ]
  const deltas = said.flatMap(([kind, words]): Delta[] =>
    words === '' ? [] : [{ choice: 0, kind, text: words, tokens: [], count: null }],
  )
  if (entries.length === 0) return deltas
  const [first] = deltas
  // Entries without any text are parts of a character: still tokens.
  if (first === undefined) return [{ choice: 0, kind: 'message', text: '', tokens: entries, count: null }]
  if (deltas.length === 1) first.tokens = entries
  else shareOut(deltas, entries)
  return deltas
}

/** One list holds the entries of all texts of a line, with the marks between them. */
function shareOut(deltas: readonly Delta[], entries: readonly ListedToken[]): void {
  const content = deltas.findIndex(({ kind }) => kind === 'message')
  const texts = deltas.map(({ text }) => text)
  const shares = allot(texts, entries, content === -1 ? deltas.length - 1 : content)
  for (const [i, share] of shares.entries()) (deltas[i] as Delta).tokens = share
}

/** The name and the arguments of a call, which come parsed. */
function readCall(item: unknown): string[] {
  const call = asObject(asObject(item)?.function)
  return call === null ? [] : [textOf(call.name), jsonOf(call.arguments)].filter(text => text !== '')
}

function readUsage(line: Json): Usage | null {
  const completionTokens = countOf(line.eval_count) || null
  if (completionTokens === null) return null
  // Older versions leave it out where the prompt was in the cache.
  const promptTokens = countOf(line.prompt_eval_count)
  return {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens === null ? null : promptTokens + completionTokens,
  }
}

/** Durations are in nanoseconds; the rate is the one that Ollama's documentation works out of them. */
function readTimings(line: Json): UpstreamTimings | null {
  const milliseconds = (value: unknown) => {
    const nanoseconds = countOf(value)
    return nanoseconds === null ? null : nanoseconds / 1e6
  }
  const timings = {
    load_ms: milliseconds(line.load_duration),
    prompt_ms: milliseconds(line.prompt_eval_duration),
    generation_ms: milliseconds(line.eval_duration),
  }
  if (Object.values(timings).every(value => value === null)) return null
  const count = countOf(line.eval_count)
  const { generation_ms: ms } = timings
  return { ...timings, tokens_per_second: count !== null && ms ? (count / ms) * 1000 : null }
}
