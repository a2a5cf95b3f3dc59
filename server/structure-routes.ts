import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { TokenscopeError } from '../events/errors.ts'
import type { TreeAnswer } from '../health/shm/monitor/structure-monitor.ts'
import type { TreeStanding } from '../health/shm/tree-standing.ts'
import { success } from './answers.ts'
import { failures, json, orNull, successOf } from './api-schema.ts'
import { PasReportSchema, treeStanding } from './structure-schema.ts'

/** What scores a source tree. */
export interface Structure {
  readonly answer: TreeAnswer
  /** Scores it again. */
  scan(): void
}

const tags = ['structure']

const GET = {
  ...{ tags, operationId: 'getStructure', summary: 'The last report on the source tree' },
  description:
    '`data` is null where there is no report yet, or no tree to score. The answer has an `ETag`: asked again with `If-None-Match`, it is 304 as long as nothing changed.',
  response: {
    200: json(successOf(orNull(PasReportSchema), treeStanding), 'The report, and how the tree stands'),
    304: { description: 'It is as it was' },
    ...failures([]),
  },
}
const SCAN = {
  ...{ tags, operationId: 'scanStructure', summary: 'Scores the source tree again' },
  description: 'Answers at once; one that runs goes on.',
  response: {
    202: json(successOf(Type.Object({ state: Type.Literal('scanning') })), 'It is being scanned'),
    ...failures(['NO_SOURCE_TREE']),
  },
}

const OFF: TreeStanding = {
  root: null,
  state: 'off',
  watching: false,
  progress: null,
  scanned_at: null,
  trouble: null,
  history: [],
}

/** `/scope/v1/shm`: the report on the source tree, and a new one. @param structure null: no tree is scored */
export function structureRoutes(app: FastifyInstance, structure: Structure | null): void {
  app.get('/scope/v1/shm', { schema: GET }, async (request, reply) => {
    const { json, standing, revision } = structure?.answer ?? { json: null, standing: OFF, revision: 'off' }
    const tag = `"${revision}"`
    void reply.header('etag', tag).header('cache-control', 'no-cache')
    if (request.headers['if-none-match'] === tag) return reply.code(304).send()
    // A large report is written once, and not by the thread that passes tokens on.
    const before = '{"success":true,"data":'
    const after = `,"metadata":${JSON.stringify(standing)}}`
    const parts = [Buffer.from(before), json ?? Buffer.from('null'), Buffer.from(after)]
    return reply.type('application/json; charset=utf-8').send(Buffer.concat(parts))
  })

  app.post('/scope/v1/shm/scan', { schema: SCAN }, async (_request, reply) => {
    if (structure === null) {
      const message = 'No source tree is scored. Start Tokenscope with --shm DIR.'
      throw new TokenscopeError('NO_SOURCE_TREE', message)
    }
    structure.scan()
    return reply.code(202).send(success({ state: 'scanning' }))
  })
}
