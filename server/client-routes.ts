import type { FastifyInstance } from 'fastify'
import Type, { type TSchema } from 'typebox'
import type { ClientReport } from '../broadcast/client-report.ts'
import { TokenscopeError } from '../events/errors.ts'
import { success } from './answers.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/** What is asked of the hub. */
export interface Clients {
  /** The viewers that are connected, in any order. */
  clients(): ClientReport[]
}

/** Where a list is cut. */
interface Page {
  limit: number
  /** The client after which to go on; null: from the first. */
  after: string | null
}

const orNull = (schema: TSchema) => Type.Union([schema, Type.Null()])
const Count = Type.Integer({ minimum: 0 })

const ClientEntry = Type.Object({
  client: Type.String(),
  address: orNull(Type.String()),
  protocol: Type.String(),
  generations: Type.Union([Type.Literal('*'), Type.Array(Type.String())]),
  state: Type.Enum(['connecting', 'live', 'behind', 'held']),
  connected_at: Type.Number(),
  cursor: orNull(Count),
  acknowledged: orNull(Count),
  applied: orNull(Count),
  lag: Count,
  unacknowledged_bytes: Count,
  delivered: Count,
  frames: Count,
  skipped: Count,
  gaps: Count,
  snapshots: Count,
  rtt_ms: orNull(Type.Number()),
})

/** The answer of `GET /scope/v1/clients`. */
export const ClientsAnswer = Type.Object({
  success: Type.Literal(true),
  data: Type.Array(ClientEntry),
  metadata: Type.Object({
    pagination: Type.Object({
      limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT }),
      next_cursor: orNull(Type.String()),
      has_more: Type.Boolean(),
    }),
  }),
})

/** `/scope/v1/clients`: the viewers that are connected and how each stands, a page at a time. */
export function clientRoutes(app: FastifyInstance, clients: Clients): void {
  app.get('/scope/v1/clients', { schema: { response: { 200: ClientsAnswer } } }, async (request, reply) => {
    const { limit, after } = readPage(request.query as Record<string, unknown>)
    void reply.header('cache-control', 'no-store')
    // A page that comes later goes on at the right place, whoever came and went meanwhile.
    const rest = clients
      .clients()
      .filter(({ client }) => after === null || orderOf(client, after) > 0)
      .sort((a, b) => orderOf(a.client, b.client))
    const data = rest.slice(0, limit)
    const more = rest.length > limit
    const last = data.at(-1)
    const nextCursor = more && last !== undefined ? Buffer.from(last.client).toString('base64url') : null
    return success(data, { pagination: { limit, next_cursor: nextCursor, has_more: more } })
  })
}

/** Names count up (`c_9`, `c_10`): of two the longer one came later. */
function orderOf(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}

/** @throws TokenscopeError BAD_REQUEST naming the parameter */
function readPage({ limit, cursor }: Record<string, unknown>): Page {
  return {
    limit: limit === undefined ? DEFAULT_LIMIT : limitOf(limit),
    after: cursor === undefined ? null : clientOf(cursor),
  }
}

function limitOf(value: unknown): number {
  const limit = typeof value === 'string' && /^[0-9]{1,9}$/.test(value) ? Number(value) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw bad('limit', value, `a whole number from 1 to ${MAX_LIMIT}`)
}

function clientOf(value: unknown): string {
  const client = typeof value === 'string' ? Buffer.from(value, 'base64url').toString() : ''
  if (client !== '' && Buffer.from(client).toString('base64url') === value) return client
  throw bad('cursor', value, 'the next_cursor of the page before')
}

function bad(param: string, value: unknown, words: string): TokenscopeError {
  const given = JSON.stringify(value).slice(0, 100)
  return new TokenscopeError('BAD_REQUEST', `"${param}" is ${given}; it must be ${words}.`, { param })
}
