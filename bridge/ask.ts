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
  /** The model that it names, in its body or its path; null if none. An app's is read when it is first asked for. */
  readonly model: string | null
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
  const facts = endpoint?.request.request(parsed(body.held)) ?? null
  let model: string | null | undefined = facts?.model
  return {
    method,
    target,
    path,
    headers: requestHeaders(request.rawHeaders, body.held?.length ?? null),
    body: body.send,
    endpoint,
    facts,
    // A body of megabytes that nobody here reads, as that of embeddings, is not parsed for one upstream's sake.
    get model() {
      if (model === undefined) model = modelInPath(method, path) ?? modelInBody(path, parsed(body.held))
      return model
    },
    only: null,
    parent: null,
    caller: callerOf(request),
    priority: priorityOf(request),
  }
}

/** What can be done twice although it is a POST: it computes, and changes nothing on a server. */
const COMPUTING_PATH = /\/(embed(dings?)?|rerank|(de)?tokenize|apply-template|count_tokens)\/?$/

/** RFC 9110 §9.2.2. */
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * Whether it does no harm if a server gets a request twice, of which the first may have been done: generations, what
 * only computes, and idempotent methods. Nobody knows that of any other POST, as one that downloads a model.
 */
export function mayBeDoneTwice({
  method,
  path,
  endpoint,
}: Pick<Ask, 'method' | 'path' | 'endpoint'>): boolean {
  return (
    endpoint !== null || IDEMPOTENT_METHODS.has(method) || (method === 'POST' && COMPUTING_PATH.test(path))
  )
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
