/**
 * How the servers that the demo plays behave on all of their paths: the form of their errors, what they say
 * to a path that they do not have, their content types, and what they write for a probability of zero.
 */
import type { TokenscopeError } from '../../events/errors.ts'
import { StatusError } from './status-error.ts'
import type { ServerKind } from './surface.ts'

/** An error as it is told. */
export interface ToldError {
  readonly status: number
  readonly message: string
  readonly param: string | null
  /** As `bad_request`; null where it has no name. */
  readonly code: string | null
}

/** A body that is a string is sent as text/plain, any other as JSON. */
export interface PlainAnswer {
  readonly status: number
  readonly body: unknown
}

export interface Habits {
  readonly jsonType: string
  readonly sseType: string
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** The log-probability that stands for a probability of zero. */
  readonly zeroLogprob: number
  /** Whether a stream whose first output is an error is no stream, but a status and JSON. */
  readonly failsPlainlyFirst: boolean
  /** Whether a model that loads keeps every path from answering. */
  readonly loadsAlone: boolean
  /** Whether a request that names its conversation goes on without its connection (stream-sessions.ts). */
  readonly keepsStreams: boolean
  readonly busyMessage: Readonly<Record<429 | 500 | 503, string>>
  errorBody(error: ToldError, path: string): unknown
  unknownPath(method: string, path: string): PlainAnswer
  wrongMethod(method: string, path: string, allowed: string): PlainAnswer
}

const JSON_UTF8 = 'application/json; charset=utf-8'

/** llama.cpp writes the lowest 32-bit float for the logarithm of zero. */
const LOWEST_FLOAT = -3.4028234663852886e38
/** vLLM's stand-in, since JSON has no infinity. */
const NEAR_INFINITY = -9999

const BUSY = {
  429: 'rate limit reached; try again later',
  500: 'the server had an error while it processed the request',
  503: 'the server is overloaded; try again later',
}

/** OpenAI's form of an error. */
function openAiError({ status, message, param, code }: ToldError): object {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error'
  return { error: { message, type, param, code } }
}

function llamaError({ status, message }: ToldError): object {
  const types: Record<number, string> = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    501: 'not_supported_error',
    503: 'unavailable_error',
  }
  return { error: { code: status, message, type: types[status] ?? 'server_error' } }
}

/** A string on Ollama's own paths; OpenAI's form, without its code, on `/v1`. */
function ollamaError({ status, message }: ToldError, path: string): object {
  if (!path.startsWith('/v1/')) return { error: message }
  const types: Record<number, string> = { 400: 'invalid_request_error', 404: 'not_found_error' }
  return { error: { message, type: types[status] ?? 'api_error', param: null, code: null } }
}

function vllmError({ status, message, param }: ToldError): object {
  const types: Record<number, string> = {
    400: 'BadRequestError',
    404: 'NotFoundError',
    429: 'TooManyRequestsError',
    503: 'ServiceUnavailableError',
  }
  return { error: { message, type: types[status] ?? 'InternalServerError', param, code: status } }
}

/** LM Studio answers whatever it does not know with 200. */
function unexpected(method: string, path: string): PlainAnswer {
  return { status: 200, body: { error: `Unexpected endpoint or method. (${method} ${path})` } }
}

function llamaNotFound(): PlainAnswer {
  const error = { status: 404, message: 'File Not Found', param: null, code: null }
  return { status: 404, body: llamaError(error) }
}

export const HABITS: Readonly<Record<ServerKind, Habits>> = {
  demo: {
    jsonType: JSON_UTF8,
    sseType: 'text/event-stream; charset=utf-8',
    headers: { 'cache-control': 'no-cache' },
    zeroLogprob: NEAR_INFINITY,
    failsPlainlyFirst: false,
    loadsAlone: false,
    keepsStreams: true,
    busyMessage: BUSY,
    errorBody: openAiError,
    unknownPath: (method, path) => ({
      status: 404,
      body: openAiError({
        status: 404,
        message: `${method} ${path} is not a path of the demo model`,
        param: null,
        code: 'not_found',
      }),
    }),
    wrongMethod: (method, path, allowed) => ({
      status: 405,
      body: openAiError({
        status: 405,
        message: `${path} takes ${allowed}, not ${method}`,
        param: null,
        code: 'method_not_allowed',
      }),
    }),
  },
  lmstudio: {
    jsonType: JSON_UTF8,
    sseType: 'text/event-stream',
    headers: { 'cache-control': 'no-cache' },
    zeroLogprob: NEAR_INFINITY,
    failsPlainlyFirst: false,
    loadsAlone: false,
    keepsStreams: false,
    busyMessage: BUSY,
    errorBody: openAiError,
    unknownPath: unexpected,
    wrongMethod: unexpected,
  },
  llamacpp: {
    jsonType: JSON_UTF8,
    sseType: 'text/event-stream',
    headers: { server: 'llama.cpp' },
    zeroLogprob: LOWEST_FLOAT,
    failsPlainlyFirst: true,
    loadsAlone: true,
    keepsStreams: true,
    busyMessage: { ...BUSY, 503: 'Loading model' },
    errorBody: llamaError,
    unknownPath: llamaNotFound,
    wrongMethod: llamaNotFound,
  },
  ollama: {
    jsonType: JSON_UTF8,
    sseType: 'text/event-stream',
    headers: {},
    zeroLogprob: NEAR_INFINITY,
    failsPlainlyFirst: true,
    loadsAlone: false,
    keepsStreams: false,
    busyMessage: { ...BUSY, 503: 'server busy, please try again.  maximum pending requests exceeded' },
    errorBody: ollamaError,
    unknownPath: () => ({ status: 404, body: '404 page not found' }),
    wrongMethod: () => ({ status: 405, body: '405 method not allowed' }),
  },
  vllm: {
    jsonType: 'application/json',
    sseType: 'text/event-stream; charset=utf-8',
    headers: { server: 'uvicorn' },
    zeroLogprob: NEAR_INFINITY,
    failsPlainlyFirst: false,
    loadsAlone: false,
    keepsStreams: false,
    busyMessage: BUSY,
    errorBody: vllmError,
    unknownPath: () => ({ status: 404, body: { detail: 'Not Found' } }),
    wrongMethod: () => ({ status: 405, body: { detail: 'Method Not Allowed' } }),
  },
}

/** An error of ours as it is told. */
export function told(error: TokenscopeError): ToldError {
  const { status, message, param, code } = error
  const missingModel = code === 'NOT_FOUND' && param === 'model'
  if (error instanceof StatusError) return { status, message, param, code: null }
  return { status, message, param, code: missingModel ? 'model_not_found' : code.toLowerCase() }
}
