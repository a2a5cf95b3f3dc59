import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { ClientReport } from '../broadcast/client-report.ts'
import { page } from './answers.ts'
import { Count, failures, json, oneOf, orNull, pageOf, pageQuery } from './api-schema.ts'
import { badParameter } from './api-validation.ts'

const MAX_LIMIT = 1000

/** What is asked of the hub. */
export interface Clients {
  /** The viewers that are connected, in any order. */
  clients(): ClientReport[]
}

const ClientEntry = Type.Object({
  client: Type.String(),
  address: orNull(Type.String()),
  protocol: Type.String(),
  generations: Type.Union([Type.Literal('*'), Type.Array(Type.String())]),
  state: oneOf(['connecting', 'live', 'behind', 'held']),
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
export const ClientsAnswer = pageOf(ClientEntry, MAX_LIMIT)

const ClientsQuery = Type.Object(pageQuery(100, MAX_LIMIT))

const LIST = {
  ...{ tags: ['viewers'], operationId: 'listClients', summary: 'The viewers that are connected' },
  description: 'How each of them stands. The longest connected one comes first.',
  querystring: ClientsQuery,
  response: { 200: json(ClientsAnswer, 'A page of them'), ...failures(['BAD_REQUEST']) },
}

/** `/scope/v1/clients`: the viewers that are connected and how each stands, a page at a time. */
export function clientRoutes(app: FastifyInstance, clients: Clients): void {
  app.get('/scope/v1/clients', { schema: LIST }, async (request, reply) => {
    const { limit, cursor } = request.query as Static<typeof ClientsQuery>
    const after = cursor === undefined ? null : clientOf(cursor)
    void reply.header('cache-control', 'no-store')
    // A page that comes later goes on at the right place, whoever came and went meanwhile.
    const rest = clients
      .clients()
      .filter(({ client }) => after === null || orderOf(client, after) > 0)
      .sort((a, b) => orderOf(a.client, b.client))
    const data = rest.slice(0, limit)
    const last = data.at(-1)
    const more = rest.length > limit && last !== undefined
    return page(data, limit, more ? Buffer.from(last.client).toString('base64url') : null)
  })
}

/** Names count up (`c_9`, `c_10`): of two the longer one came later. */
function orderOf(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}

/** @throws TokenscopeError BAD_REQUEST naming the parameter */
function clientOf(cursor: string): string {
  const client = Buffer.from(cursor, 'base64url').toString()
  if (client !== '' && Buffer.from(client).toString('base64url') === cursor) return client
  throw badParameter('cursor', cursor, 'the next_cursor of the page before')
}
