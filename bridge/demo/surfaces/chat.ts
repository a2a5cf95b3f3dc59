/**
 * OpenAI's chat completions on the wire: a request's body read and checked, an answer's JSON made. Knows
 * neither the model nor HTTP.
 */
import { TokenscopeError } from '../../../events/errors.ts'
import type { GeneratedToken, TokenChance } from '../model/generation.ts'
import { bad, contentOf, flag, isRecord, number, stopsOf } from './fields.ts'

/** The one model there is. */
export const DEMO_MODEL_NAME = 'tokenscope-demo'

const MAX_CHOICES = 8
const MAX_TOP_LOGPROBS = 20
const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function']

/** A request as the server understands it; what the client left open is undefined. */
export interface ChatRequest {
  /** The text of the last user message, or of the last message if no user has spoken. */
  prompt: string
  stream: boolean
  includeUsage: boolean
  choices: number
  logprobs: boolean
  topLogprobs: number
  maxTokens: number | undefined
  temperature: number | undefined
  topP: number | undefined
  seed: number | undefined
  stop: string[]
}

/** Token counts of a request and all its choices. */
export interface Usage {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
}

/** A choice that has ended. */
export interface FinishedChoice {
  tokens: readonly GeneratedToken[]
  finish: 'stop' | 'length'
}

/**
 * Reads a parsed body. Fields it does not know are ignored, null counts as not given, and `max_tokens` -1
 * means no limit of the client's, as LM Studio has it. Throws a TokenscopeError that names the field:
 * BAD_REQUEST, or NOT_FOUND for a model that is not there.
 */
export function parseChatRequest(body: unknown): ChatRequest {
  if (!isRecord(body)) throw bad('the body must be a JSON object')
  const model = body.model ?? DEMO_MODEL_NAME
  if (typeof model !== 'string') throw bad('model must be a string', 'model')
  checkModelName(model)

  const logprobs = flag(body, 'logprobs')
  const topLogprobs = number(body, 'top_logprobs', { from: 0, to: MAX_TOP_LOGPROBS, whole: true })
  if (topLogprobs !== undefined && !logprobs) {
    throw bad('top_logprobs needs logprobs to be true', 'top_logprobs')
  }
  const options = body.stream_options ?? {}
  if (!isRecord(options)) throw bad('stream_options must be an object', 'stream_options')
  const limitName = (body.max_completion_tokens ?? null) === null ? 'max_tokens' : 'max_completion_tokens'
  const unlimited = body[limitName] === -1

  return {
    prompt: promptOf(body.messages),
    stream: flag(body, 'stream'),
    includeUsage: flag(options, 'include_usage', 'stream_options.include_usage'),
    choices: number(body, 'n', { from: 1, to: MAX_CHOICES, whole: true }) ?? 1,
    logprobs,
    topLogprobs: topLogprobs ?? 0,
    maxTokens: unlimited ? undefined : number(body, limitName, { from: 1, to: 1_000_000, whole: true }),
    temperature: number(body, 'temperature', { from: 0, to: 2 }),
    topP: number(body, 'top_p', { from: 0, to: 1 }),
    seed: number(body, 'seed', { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER, whole: true }),
    stop: stopsOf(body.stop),
  }
}

/** Throws a TokenscopeError NOT_FOUND unless `name` is the demo's model. */
export function checkModelName(name: string): void {
  if (name === DEMO_MODEL_NAME) return
  throw new TokenscopeError(
    'NOT_FOUND',
    `the model "${name}" does not exist; the demo has "${DEMO_MODEL_NAME}"`,
    {
      param: 'model',
    },
  )
}

/** OpenAI's form of an error. */
export function errorBody(error: TokenscopeError): object {
  const type = error.status >= 500 ? 'server_error' : 'invalid_request_error'
  const missingModel = error.code === 'NOT_FOUND' && error.param === 'model'
  const code = missingModel ? 'model_not_found' : error.code.toLowerCase()
  return { error: { message: error.message, type, param: error.param, code } }
}

/** The entry of `GET /v1/models`; `created` in Unix seconds. */
export function modelEntry(created: number): object {
  return { id: DEMO_MODEL_NAME, object: 'model', created, owned_by: 'tokenscope' }
}

/** The JSON of one answer, chunk by chunk or whole. Strings are complete JSON texts. */
export class ChatAnswer {
  readonly #request: ChatRequest
  readonly #head: { id: string; created: number; model: string; system_fingerprint: string }

  /** `id` is unique to the answer; `created` in Unix seconds. */
  constructor(request: ChatRequest, id: string, created: number) {
    this.#request = request
    this.#head = { id, created, model: DEMO_MODEL_NAME, system_fingerprint: DEMO_MODEL_NAME }
  }

  /** The first chunk of a choice. */
  opening(index: number): string {
    return this.#chunk({
      index,
      delta: { role: 'assistant', content: '' },
      logprobs: null,
      finish_reason: null,
    })
  }

  /** The chunk of a token. With a stop string inside the token, `content` is what comes before it. */
  token(index: number, token: GeneratedToken): string {
    return this.#chunk({
      index,
      delta: { content: token.delivered },
      logprobs: this.#logprobs([token]),
      finish_reason: null,
    })
  }

  /** The last chunk of a choice. */
  closing(index: number, finish: 'stop' | 'length'): string {
    return this.#chunk({ index, delta: {}, logprobs: null, finish_reason: finish })
  }

  /** The chunk that follows all choices if the client asked for usage. */
  usage(usage: Usage): string {
    return JSON.stringify({ ...this.#head, object: 'chat.completion.chunk', choices: [], usage })
  }

  /** The whole answer. */
  whole(choices: readonly FinishedChoice[], usage: Usage): string {
    return JSON.stringify({
      ...this.#head,
      object: 'chat.completion',
      choices: choices.map(({ tokens, finish }, index) => ({
        index,
        message: {
          role: 'assistant',
          content: tokens.map(({ delivered }) => delivered).join(''),
          refusal: null,
        },
        logprobs: this.#logprobs(tokens),
        finish_reason: finish,
      })),
      usage,
    })
  }

  #chunk(choice: object): string {
    const chunk = { ...this.#head, object: 'chat.completion.chunk', choices: [choice] }
    return JSON.stringify(this.#request.includeUsage ? { ...chunk, usage: null } : chunk)
  }

  #logprobs(tokens: readonly GeneratedToken[]): object | null {
    if (!this.#request.logprobs) return null
    return {
      content: tokens.map(token => ({ ...entryOf(token), top_logprobs: token.top.map(entryOf) })),
      refusal: null,
    }
  }
}

function entryOf({ text, logprob, bytes }: TokenChance): object {
  return { token: text, logprob, bytes }
}

function promptOf(messages: unknown): string {
  if (!Array.isArray(messages)) throw bad('messages must be an array of messages', 'messages')
  if (messages.length === 0) throw bad('messages must hold at least one message', 'messages')
  const texts = messages.map((message: unknown, i) => {
    const at = `messages[${i}]`
    if (!isRecord(message)) throw bad(`${at} must be an object`, at)
    if (typeof message.role !== 'string' || !ROLES.includes(message.role)) {
      throw bad(`${at}.role must be one of ${ROLES.join(', ')}`, `${at}.role`)
    }
    return { user: message.role === 'user', text: contentOf(message.content, message.role, `${at}.content`) }
  })
  return (texts.findLast(({ user }) => user) ?? texts.at(-1))?.text ?? ''
}
