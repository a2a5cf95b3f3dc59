/** Reads the body of a completion's request, whatever server is played. */
import type { Asked, ServerKind } from '../surface.ts'
import { batchOf, formOf, MAX_CHOICES, readModel, type StreamForm, samplingOf } from './chat-request.ts'
import { bad, type Fields, flag, isRecord, number } from './fields.ts'

const MAX_LOGPROBS = 20

/** A request as the wire needs it. */
export interface CompletionRequest {
  readonly asked: Asked
  /** Entries wanted: null is none, 0 the tokens' own. */
  readonly logprobs: number | null
  readonly form: StreamForm
}

/**
 * Reads a parsed body. Each prompt of several has `n` choices, those of the first before those of the next.
 * Throws a TokenscopeError that names the field: BAD_REQUEST, or NOT_FOUND for a model that is not there.
 */
export function parseCompletionRequest(body: unknown, kind: ServerKind): CompletionRequest {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  readModel(body, kind)
  if (flag(body, 'echo')) throw bad('echo is not supported; the demo tells only what it adds', 'echo')
  if ((body.suffix ?? '') !== '') {
    throw bad('suffix is not supported; the demo cannot write towards a text', 'suffix')
  }
  const prompts = promptsOf(body.prompt)
  const n = number(body, 'n', { from: 1, to: MAX_CHOICES, whole: true }) ?? 1
  if (prompts.length * n > MAX_CHOICES) {
    throw bad(`prompt and n ask for ${prompts.length * n} choices; at most ${MAX_CHOICES}`, 'prompt')
  }
  const bestOf = number(body, 'best_of', { from: 1, to: MAX_CHOICES, whole: true }) ?? n
  if (bestOf !== n) throw bad('best_of must be n; the demo gives every answer that it makes', 'best_of')
  const logprobs = logprobsOf(body)
  return {
    asked: {
      prompt: prompts[0] as string,
      prompts,
      stream: flag(body, 'stream'),
      choices: prompts.length * n,
      topCount: logprobs ?? 0,
      ...samplingOf(body),
      reasoning: false,
      toolCall: null,
      ...batchOf(body, kind),
    },
    logprobs,
    form: formOf(body, kind),
  }
}

/** A number, or `true` as in chat, whose count `top_logprobs` is then. */
function logprobsOf(body: Fields): number | null {
  const bounds = { from: 0, to: MAX_LOGPROBS, whole: true }
  if (body.logprobs === true) return number(body, 'top_logprobs', bounds) ?? 0
  if (body.logprobs === false) return null
  return number(body, 'logprobs', bounds) ?? null
}

function promptsOf(prompt: unknown): string[] {
  const prompts: unknown[] = Array.isArray(prompt) ? prompt : [prompt]
  if (prompts.length === 0) throw bad('prompt must hold at least one text', 'prompt')
  return prompts.map(text => {
    if (typeof text !== 'string') throw bad('prompt must be a string or an array of strings', 'prompt')
    return text
  })
}
