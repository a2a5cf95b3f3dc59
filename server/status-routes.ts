import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Metrics } from '../health/metrics.ts'
import type { Readiness } from '../health/readiness.ts'
import { success } from './answers.ts'
import { type AnswerSchema, failures, media, oneOf, successOf } from './api-schema.ts'

export interface StatusOptions {
  version: string
  metrics: Metrics
  readiness: () => Readiness
}

const Status = successOf(
  Type.Object({
    status: oneOf(['ready', 'degraded', 'not_ready']),
    version: Type.String(),
    components: Type.Array(
      Type.Object({
        name: Type.String(),
        status: oneOf(['ok', 'degraded', 'failed']),
        detail: Type.String({ description: 'A sentence' }),
        facts: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      }),
    ),
  }),
)

const tags = ['status']

const HEALTH = {
  ...{ tags, operationId: 'getLiveness', summary: 'Whether it runs' },
  response: { 200: media('text/plain', 'It does', Type.String()), ...failures([]) },
}
const READY = {
  ...{ tags, operationId: 'getReadiness', summary: 'Whether it can serve, with a line for each component' },
  description: 'JSON for who accepts `application/json`. Degraded is still 200.',
  response: { 200: readyAnswer('It can'), 503: readyAnswer('A component has failed'), ...failures([]) },
}
const METRICS = {
  ...{ tags, operationId: 'getMetrics', summary: 'Metrics for Prometheus' },
  response: { 200: media('text/plain', 'Prometheus text', Type.String()), ...failures([]) },
}

function readyAnswer(description: string): AnswerSchema {
  const content = { 'text/plain': { schema: Type.String() }, 'application/json': { schema: Status } }
  return { description, content }
}

/** `/healthz`, `/readyz` and `/metrics`. */
export function statusRoutes(app: FastifyInstance, { version, metrics, readiness }: StatusOptions): void {
  app.get('/healthz', { schema: HEALTH }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send('ok\n'),
  )

  app.get('/readyz', { schema: READY }, async (request, reply) => {
    const { status, components } = readiness()
    void reply.code(status === 'not_ready' ? 503 : 200).header('cache-control', 'no-store')
    if (request.headers.accept?.includes('application/json')) return success({ status, version, components })
    const lines = components.map(one => `${one.status.padEnd(9)} ${one.name.padEnd(11)} ${one.detail}`)
    return reply.type('text/plain; charset=utf-8').send(`${[status, ...lines].join('\n')}\n`)
  })

  app.get('/metrics', { schema: METRICS }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
}
