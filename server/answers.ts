/** The one form of JSON answers under `/scope/v1`, and OpenAI's for errors on pass-through paths. */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TokenscopeError } from '../events/errors.ts'

export interface Success<T> {
  success: true
  data: T
  metadata: Record<string, unknown>
}

export interface Failure {
  success: false
  /** A sentence. */
  error: string
  error_code: string
  correlation_id: string
}

export function success<T>(data: T, metadata: Record<string, unknown> = {}): Success<T> {
  return { success: true, data, metadata }
}

/**
 * A page of a list.
 *
 * @param next where the next one begins; null where there is none
 */
export function page<T>(data: T[], limit: number, next: string | null): Success<T[]> {
  return success(data, { pagination: { limit, next_cursor: next, has_more: next !== null } })
}

export function failure(error: TokenscopeError, correlationId: string): Failure {
  const { message, code, details } = error
  return { success: false, error: message, error_code: code, correlation_id: correlationId, ...details }
}

/** The form that OpenAI's clients understand. */
export function openaiError(error: TokenscopeError): {
  error: { message: string; type: string; param: string | null; code: string }
} {
  const type = error.status < 500 ? 'invalid_request_error' : 'api_error'
  return { error: { message: error.message, type, param: error.param, code: error.code.toLowerCase() } }
}

/** Refuses where there is no response object: on a socket that asked for an upgrade or could not be read. */
export function refuseOnSocket(socket: Duplex, error: TokenscopeError, correlationId: string): void {
  const body = JSON.stringify(failure(error, correlationId))
  // Not left half open for a client that keeps its side: nobody else would ever close it.
  socket.once('finish', () => socket.destroy())
  socket.end(
    [
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Correlation-ID: ${correlationId}`,
      ...(error.retryAfterSeconds === null ? [] : [`Retry-After: ${Math.ceil(error.retryAfterSeconds)}`]),
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
