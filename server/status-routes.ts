import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../health/metrics.ts'
import type { Readiness } from '../health/readiness.ts'
import { success } from './answers.ts'

export interface StatusOptions {
  version: string
  metrics: Metrics
  readiness: () => Readiness
}

/** `/healthz`, `/readyz` and `/metrics`. */
export function statusRoutes(app: FastifyInstance, { version, metrics, readiness }: StatusOptions): void {
  app.get('/healthz', async (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'))

  app.get('/readyz', async (request, reply) => {
    const { status, components } = readiness()
    void reply.code(status === 'not_ready' ? 503 : 200).header('cache-control', 'no-store')
    if (request.headers.accept?.includes('application/json')) return success({ status, version, components })
    const lines = components.map(one => `${one.status.padEnd(9)} ${one.name.padEnd(11)} ${one.detail}`)
    return reply.type('text/plain; charset=utf-8').send(`${[status, ...lines].join('\n')}\n`)
  })

  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
}
