import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { TokenscopeError } from '../events/errors.ts'
import type { Edit, Page, Records } from '../store/recording.ts'
import { page, success } from './answers.ts'
import {
  bodyFailures,
  failures,
  GenerationPath,
  json,
  named,
  pageOf,
  pageQuery,
  successOf,
  text,
} from './api-schema.ts'
import {
  EditSchema,
  GenerationDetailSchema,
  GenerationRecordSchema,
  RecordedTokenSchema,
  StateName,
} from './record-schema.ts'

const MAX_LIMIT = 1000
const MAX_TOKENS = 10_000

const ListQuery = Type.Object({
  ...pageQuery(100, MAX_LIMIT),
  state: Type.Optional(StateName),
  model: Type.Optional(text('a name', { description: 'Only those of this model' })),
  q: Type.Optional(
    text('words to look for', {
      maxLength: 1000,
      description:
        'Words that name, tags, note, prompt or text have to hold, all of them; `"…"` is a phrase, `word*` a beginning of at least three letters',
    }),
  ),
})
const TokensQuery = Type.Object(pageQuery(1000, MAX_TOKENS))

const tags = ['records']
const path = { params: GenerationPath }

const LIST = {
  ...{ tags, operationId: 'listGenerations', summary: 'Recorded generations, the newest first' },
  description: 'Running ones are there as they are by now.',
  querystring: ListQuery,
  response: {
    200: json(pageOf(named('GenerationRecord'), MAX_LIMIT), 'A page of them'),
    ...failures(['BAD_REQUEST', 'RECORDS_UNAVAILABLE']),
  },
}
const GET = {
  ...{ tags, operationId: 'getGeneration', summary: 'All that is recorded of a generation but its tokens' },
  ...path,
  response: {
    200: json(successOf(named('GenerationDetail')), 'The generation'),
    ...failures(['NOT_FOUND', 'RECORDS_UNAVAILABLE']),
  },
}
const TOKENS = {
  ...{ tags, operationId: 'listTokens', summary: 'The tokens of a recorded generation, in their order' },
  ...path,
  querystring: TokensQuery,
  response: {
    200: json(pageOf(named('RecordedToken'), MAX_TOKENS), 'A page of them'),
    ...failures(['BAD_REQUEST', 'NOT_FOUND', 'RECORDS_UNAVAILABLE']),
  },
}
const EDIT = {
  ...{ tags, operationId: 'editGeneration', summary: 'Names, tags or notes a recorded generation' },
  description: 'What is not given stays as it is. If it was changed meanwhile, `current` is how it is now.',
  ...path,
  body: EditSchema,
  response: {
    200: json(successOf(named('GenerationRecord')), 'As it is now'),
    ...bodyFailures(['NOT_FOUND', 'VERSION_CONFLICT', 'RECORDS_UNAVAILABLE']),
  },
}
const REMOVE = {
  ...{ tags, operationId: 'removeRecord', summary: 'Removes what is recorded of a generation' },
  ...path,
  response: {
    200: json(successOf(Type.Object({ generation: Type.String(), removed: Type.Literal(true) })), 'Removed'),
    ...failures(['NOT_FOUND', 'STILL_RUNNING', 'RECORDS_UNAVAILABLE']),
  },
}

type Id = Static<typeof GenerationPath>

/** `/scope/v1/generations`: what is recorded, read, named and removed. */
export function recordRoutes(app: FastifyInstance, records: Records): void {
  for (const schema of [GenerationRecordSchema, GenerationDetailSchema, RecordedTokenSchema]) {
    app.addSchema(schema)
  }

  app.get('/scope/v1/generations', { schema: LIST }, async (request, reply) => {
    const query = request.query as Static<typeof ListQuery>
    const { limit, cursor = null, state = null, model = null, q = null } = query
    void reply.header('cache-control', 'no-store')
    return pageAnswer(await records.list({ limit, cursor, state, model, q }), limit)
  })

  app.get('/scope/v1/generations/:id', { schema: GET }, async (request, reply) => {
    void reply.header('cache-control', 'no-store')
    return success(await records.get((request.params as Id).id))
  })

  app.get('/scope/v1/generations/:id/tokens', { schema: TOKENS }, async (request, reply) => {
    const { limit, cursor = null } = request.query as Static<typeof TokensQuery>
    void reply.header('cache-control', 'no-store')
    return pageAnswer(await records.tokens((request.params as Id).id, limit, cursor), limit)
  })

  app.patch('/scope/v1/generations/:id', { schema: EDIT }, async request => {
    const edit = request.body as Edit
    if (edit.name === undefined && edit.tags === undefined && edit.note === undefined) {
      throw new TokenscopeError('BAD_REQUEST', 'There is nothing to change: give "name", "tags" or "note".')
    }
    return success(await records.edit((request.params as Id).id, edit))
  })

  app.delete('/scope/v1/generations/:id/record', { schema: REMOVE }, async request => {
    const { id } = request.params as Id
    await records.remove(id)
    return success({ generation: id, removed: true })
  })
}

function pageAnswer<T>({ items, next }: Page<T>, limit: number) {
  return page(items, limit, next)
}
