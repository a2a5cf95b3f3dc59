/**
 * The one table of error codes, and the error that carries one.
 *
 * A message says what happened, to what, and what to do. `status` is the HTTP status that a code is
 * answered with; `retryable` says whether the same call can work later without being changed.
 */
export const ERROR_CODES = {
  BAD_REQUEST: { status: 400, retryable: false, meaning: 'the request is not what its path expects' },
  INVALID_JSON: { status: 400, retryable: false, meaning: 'the body is not JSON' },
  INVALID_MESSAGE: { status: 400, retryable: false, meaning: 'a WebSocket message is malformed' },
  EMPTY_PROMPT: { status: 400, retryable: false, meaning: 'there is no prompt to send' },
  BAD_RECORDING: { status: 400, retryable: false, meaning: 'it is no recording, or a damaged one' },
  UNAUTHORIZED: { status: 401, retryable: false, meaning: 'who asked gave no token, or a wrong one' },
  FORBIDDEN_ORIGIN: { status: 403, retryable: false, meaning: 'a page of another origin asked' },
  NOT_FOUND: { status: 404, retryable: false, meaning: 'no such path or thing' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, meaning: 'the path has other methods' },
  VERSION_CONFLICT: { status: 409, retryable: false, meaning: 'it was changed since it was read' },
  STILL_RUNNING: { status: 409, retryable: true, meaning: 'it cannot be done before the generation ends' },
  ALREADY_RECORDED: {
    status: 409,
    retryable: false,
    meaning: 'another recording has this id, and is not the same',
  },
  NO_SOURCE_TREE: { status: 409, retryable: false, meaning: 'no source tree is scored' },
  NOT_CONTINUABLE: { status: 409, retryable: false, meaning: 'the answer cannot be gone on with' },
  BODY_TOO_LARGE: { status: 413, retryable: false, meaning: 'the body is over its limit' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, meaning: 'the body is not of a known type' },
  WRONG_HOST: { status: 421, retryable: false, meaning: 'the Host header names another server' },
  HEADERS_TOO_LARGE: { status: 431, retryable: false, meaning: 'the headers are over their limit' },
  INTERNAL: { status: 500, retryable: false, meaning: 'a fault of Tokenscope itself' },
  UPSTREAM_UNREACHABLE: { status: 502, retryable: true, meaning: 'the upstream could not be reached' },
  UPSTREAM_BROKEN: { status: 502, retryable: true, meaning: 'the upstream broke off before it answered' },
  UPSTREAM_TIMEOUT: { status: 504, retryable: true, meaning: 'the upstream was silent for too long' },
  RATE_LIMITED: { status: 429, retryable: true, meaning: 'the caller asks for more than its share' },
  POOL_FULL: { status: 503, retryable: true, meaning: 'every place is taken, and the queue is full' },
  NO_UPSTREAM: { status: 503, retryable: true, meaning: 'no upstream is there for this request' },
  COMPOSITOR_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'what lays tokens out is not there right now',
  },
  RECORDS_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'the records cannot be read or written right now',
  },
  DRAINING: { status: 503, retryable: true, meaning: 'the server is stopping' },
  CONFIG: { status: 500, retryable: false, meaning: 'an option is unknown or has a bad value' },
  PORT_TAKEN: { status: 500, retryable: true, meaning: 'another program listens on the port' },
  DATA_FOLDER: { status: 500, retryable: false, meaning: 'the data folder cannot be used' },
  RECORDS: { status: 500, retryable: false, meaning: 'the records in the data folder cannot be used' },
  BACKUP: { status: 500, retryable: false, meaning: 'a backup cannot be made or used' },
  GPU_UNAVAILABLE: { status: 500, retryable: false, meaning: 'there is no GPU to be had' },
  PAGE_BUILD: { status: 500, retryable: false, meaning: 'the page could not be built' },
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** Every error that Tokenscope makes itself: a code of the table and a sentence for a person. */
export class TokenscopeError extends Error {
  readonly code: ErrorCode
  /** The field, option or parameter that is at fault, if one is. */
  readonly param: string | null
  /** After how many seconds it may work, where that is known. */
  readonly retryAfterSeconds: number | null
  /** What an answer tells beside the message, as the current state of what was in conflict; null if nothing. */
  readonly details: Readonly<Record<string, unknown>> | null

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown
      param?: string
      retryAfterSeconds?: number
      details?: Readonly<Record<string, unknown>>
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TokenscopeError'
    this.code = code
    this.param = options.param ?? null
    this.retryAfterSeconds = options.retryAfterSeconds ?? null
    this.details = options.details ?? null
  }

  /** The HTTP status of the code. */
  get status(): number {
    return ERROR_CODES[this.code].status
  }

  /** Whether the same call can work later. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable
  }
}

/** The text of anything thrown, with the system's error code where the text lacks it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Happy-eyeballs connects fail with an AggregateError whose own message is empty.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ')
  if (error instanceof TokenscopeError) return error.message
  const code = (error as NodeJS.ErrnoException).code
  return code && !error.message.includes(code) ? `${error.message} (${code})` : error.message
}
