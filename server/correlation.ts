import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const SANE = /^[\w.:-]{1,128}$/

/** The id under which a request is spoken of: the caller's `X-Correlation-ID` if it is sane, else a new one. */
export function correlationIdOf(request: IncomingMessage): string {
  const given = request.headers['x-correlation-id']
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}
