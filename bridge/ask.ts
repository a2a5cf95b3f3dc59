import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { TokenscopeError } from '../events/errors.ts'
import { callerOf } from './caller.ts'
import type { RequestFacts } from './dialects/dialect.ts'
import { type Endpoint, endpointOf } from './dialects/index.ts'
import { requestHeaders } from './headers.ts'
import type { RequestBody } from './pass-through.ts'
import { modelInBody, modelInPath } from './pool/named-model.ts'
import type { Upstream } from './upstream.ts'

/** A whole number from -100 to 100, 0 if not given; ours, it goes no further. */
export const PRIORITY_HEADER = 'x-tokenscope-priority'
const GREATEST_PRIORITY = 100

/** A request as it goes to an upstream, and what is known of it. */
export interface Ask {
  method: string
  /** Path and query as the client wrote them. */
  target: string
  /** The path alone. */
  path: string
  /** Flat list, ready for the upstream but for its own key. */
  headers: string[]
  /** Held bytes can be sent again, a stream only once. */
  body: Buffer | Readable | null
  /** What is spoken; null where nothing is generated. */
  endpoint: Endpoint | null
  facts: RequestFacts | null
  /** The model that it names, in its body or its path; null if none. */
  model: string | null
  /** The one instance that it was made for; null if any may have it. */
  only: Upstream | null
  /** The generation that it goes on with; null for a new one. */
  parent: string | null
  /** Who asks: a key's digest or an address. */
  caller: string
  /** Lower ones are served first while all places are taken. */
  priority: number
}

/**
 * An app's request, read as far as whoever handles it needs to know; a body that is no JSON asks for nothing.
 *
 * @throws TokenscopeError BAD_REQUEST for a priority that is none
 */
export function askOf(request: IncomingMessage, body: RequestBody): Ask {
  const method = request.method as string
  const target = request.url as string
  const path = target.split('?', 1)[0] as string
  const endpoint = endpointOf(method, path)
  const content = parsed(body.held)
  const facts = endpoint?.request.request(content) ?? null
  return {
    method,
    target,
    path,
    headers: requestHeaders(request.rawHeaders, body.held?.length ?? null),
    body: body.send,
    endpoint,
    facts,
    model: facts === null ? (modelInPath(method, path) ?? modelInBody(path, content)) : facts.model,
    only: null,
    parent: null,
    caller: callerOf(request),
    priority: priorityOf(request),
  }
}

function priorityOf({ headers }: IncomingMessage): number {
  const given = headers[PRIORITY_HEADER]
  if (given === undefined) return 0
  const priority = typeof given === 'string' && /^-?\d{1,3}$/.test(given.trim()) ? Number(given) : Number.NaN
  if (Math.abs(priority) <= GREATEST_PRIORITY) return priority
  const range = `-${GREATEST_PRIORITY} to ${GREATEST_PRIORITY}`
  const message = `${PRIORITY_HEADER} is "${given}"; it must be a whole number from ${range}.`
  throw new TokenscopeError('BAD_REQUEST', message, { param: PRIORITY_HEADER })
}

function parsed(body: Buffer | null): unknown {
  if (body === null || body.length === 0) return null
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
}
