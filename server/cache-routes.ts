import type { FastifyInstance } from 'fastify'
import type { CacheStatistics } from '../bridge/cache/response-cache.ts'
import { success } from './answers.ts'

/** What may be asked of the response cache. */
export interface Cache {
  statistics(): CacheStatistics
  /** Returns how many answers there were. */
  empty(): number
}

/** `/scope/v1/cache`: what the cache holds and how often that helped; `DELETE` empties it. */
export function cacheRoutes(app: FastifyInstance, cache: Cache): void {
  app.get('/scope/v1/cache', async (_request, reply) => {
    void reply.header('cache-control', 'no-store')
    return success(cache.statistics())
  })

  app.delete('/scope/v1/cache', async () => success({ removed: cache.empty() }))
}
