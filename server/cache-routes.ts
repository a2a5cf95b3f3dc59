import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { CacheStatistics } from '../bridge/cache/response-cache.ts'
import { success } from './answers.ts'
import { Count, failures, json, orNull, successOf } from './api-schema.ts'

/** What may be asked of the response cache. */
export interface Cache {
  statistics(): CacheStatistics
  /** Returns how many answers there were. */
  empty(): number
}

const Statistics = Type.Object({
  enabled: Type.Boolean({ description: 'Whether requests use it that do not say' }),
  entries: Count,
  bytes: Count,
  max_entries: Count,
  max_bytes: Count,
  max_entry_bytes: Count,
  ttl_seconds: Type.Number(),
  hits: Count,
  misses: Count,
  hit_rate: orNull(Type.Number({ minimum: 0, maximum: 1, description: 'Null before the first look-up' })),
})

const tags = ['upstreams']

const GET = {
  ...{ tags, operationId: 'getCache', summary: 'What the response cache holds, and how often that helped' },
  response: { 200: json(successOf(Statistics), 'Its statistics'), ...failures([]) },
}
const EMPTY = {
  ...{ tags, operationId: 'emptyCache', summary: 'Empties the response cache' },
  response: {
    200: json(successOf(Type.Object({ removed: Count })), 'How many answers there were'),
    ...failures([]),
  },
}

/** `/scope/v1/cache`: what the cache holds and how often that helped; `DELETE` empties it. */
export function cacheRoutes(app: FastifyInstance, cache: Cache): void {
  app.get('/scope/v1/cache', { schema: GET }, async (_request, reply) => {
    void reply.header('cache-control', 'no-store')
    return success(cache.statistics())
  })

  app.delete('/scope/v1/cache', { schema: EMPTY }, async () => success({ removed: cache.empty() }))
}
