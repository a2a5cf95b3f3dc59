import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { GenerationError } from '../events/generation.ts'

/** That no connection came about, and so nothing was asked. */
export class ConnectError extends Error {
  /** The system's code, or that of TLS; null if it has none. */
  readonly code: string | null

  constructor(cause: Error) {
    super(reasonOf(cause), { cause })
    this.name = 'ConnectError'
    this.code = (cause as NodeJS.ErrnoException).code ?? null
  }
}

/** Whether the error means that no connection came about. */
export function isConnectError(error: unknown): error is ConnectError {
  return error instanceof ConnectError
}

/** A generation's error for what broke its connection, in a sentence. */
export function connectionError(error: Error): GenerationError {
  if (error instanceof TokenscopeError) {
    const { code, message, retryable } = error
    return { kind: code === 'UPSTREAM_TIMEOUT' ? 'timeout' : 'connection', code, message, retryable }
  }
  const { code: given } = error as { code?: unknown }
  const code = typeof given === 'string' ? given : null
  // What Node's parser cannot read as HTTP has a code of its own.
  if (code?.startsWith('HPE_') === true) {
    const message = `The upstream does not answer in HTTP: ${reasonOf(error)}`
    return { kind: 'parse', code, message, retryable: false }
  }
  const kind = isConnectError(error) || code !== null ? 'connection' : 'unknown'
  const what = isConnectError(error) ? 'The upstream cannot be reached' : 'The upstream broke off'
  return { kind, code, message: `${what}: ${reasonOf(error)}`, retryable: true }
}
