import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { Static, TObject, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { ERROR_CODES } from '../../events/errors.ts'
import type { GateVerdict } from '../../health/shm/baseline.ts'
import type { PasReport } from '../../health/shm/report.ts'
import type { TreeStanding } from '../../health/shm/tree-standing.ts'
import type { OpenApi, Operation, Schema } from '../../server/openapi.ts'
import type {
  EditSchema,
  GenerationDetailSchema,
  GenerationRecordSchema,
  RecordedTokenSchema,
} from '../../server/record-schema.ts'
import { createApp, route } from '../../server/scope-app.ts'
import type { PasReportSchema, treeStanding } from '../../server/structure-schema.ts'
import type { Edit, GenerationDetail, GenerationRecord, RecordedToken } from '../../store/recording.ts'
import { ApiStage } from '../support/api-stage.ts'
import { soon } from '../support/soon.ts'
import { useStage } from '../support/stage.ts'

/** Paths that are no part of the API. */
const UNDESCRIBED = ['GET /', 'GET /assets/*']
const NONE = '—'

const api = new ApiStage()
const stage = useStage({}, { cache: true, shm: join(import.meta.dirname, '../../events') })
let document: OpenApi
/** `METHOD /path` of all routes, HEAD and refused methods aside. */
const routes: string[] = []

beforeAll(async () => {
  await api.raise()
  const app = createApp(
    handler => createServer(handler),
    () => {},
  )
  app.addHook('onRoute', ({ method, url }) => {
    // Methods that a path does not have are routes as well; nothing of ours traces.
    const methods = [method].flat()
    if (!methods.includes('TRACE'))
      routes.push(...methods.filter(one => one !== 'HEAD').map(one => `${one} ${url}`))
  })
  await route(app, api.options)
  await app.close()
  document = await (await fetch(`${api.url}/scope/v1/openapi.json`)).json()
})
afterAll(() => api.strike())

/** All operations, as `METHOD /path/:id`. */
function operations(): Map<string, Operation> {
  return new Map(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
        operation,
      ]),
    ),
  )
}

/** A schema with all that it refers to in it, which admits no field that it does not name. */
function closed(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  if (name !== undefined) return closed(document.components.schemas[name] as Schema)
  const { properties, items, anyOf } = schema
  return {
    ...schema,
    ...(properties === undefined || schema.additionalProperties !== undefined
      ? {}
      : {
          additionalProperties: false,
          properties: Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, closed(one)])),
        }),
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(closed) }),
  }
}

describe('the OpenAPI document', () => {
  test('is one', async () => {
    expect(document.openapi).toBe('3.1.0')
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
    expect([valid, errors]).toEqual([true, undefined])
  })

  test('has every route, and no other', () => {
    expect([...operations().keys(), ...UNDESCRIBED].sort()).toEqual(routes.sort())
  })

  test('says of each what it is, by a name of its own, under a tag that is explained', () => {
    const all = [...operations().values()]
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length)
    const tags = document.tags.map(({ name }) => name)
    for (const { summary, operationId, tags: own, parameters = [] } of all) {
      expect([operationId, summary]).toEqual([operationId, expect.stringMatching(/^[A-Z].+[^.]$/)])
      expect([operationId, own.length, own.every(tag => tags.includes(tag))]).toEqual([operationId, 1, true])
      for (const { name, schema } of parameters)
        expect([operationId, name, schema]).not.toEqual([operationId, name, {}])
    }
    expect(new Set(all.flatMap(({ tags: own }) => own))).toEqual(new Set(tags))
  })

  test('refers to nothing that it does not have', () => {
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, name]) => name)
    expect(new Set(names)).toEqual(
      new Set(Object.keys(document.components.schemas).map(name => `#/components/schemas/${name}`)),
    )
  })

  test('gives failures the codes of the table, under their statuses', () => {
    for (const [name, { responses }] of operations()) {
      for (const [status, { content }] of Object.entries(responses)) {
        const codes = content?.['application/json']?.schema.properties?.error_code?.enum ?? []
        if (Number(status) >= 400 && !(name === 'GET /readyz' && status === '503'))
          expect(codes).not.toEqual([])
        for (const code of codes as (keyof typeof ERROR_CODES)[]) {
          expect([name, code, ERROR_CODES[code].status]).toEqual([name, code, Number(status)])
        }
      }
    }
  })

  test('is the same of a whole server', async () => {
    const whole = await (await fetch(`${stage.url}/scope/v1/openapi.json`)).json()
    expect({ ...whole, info: { ...whole.info, version: '0.0.0' } }).toEqual(document)
  })
})

/** The row of an operation in docs/reference.md. */
function rowOf(name: string, { summary, parameters = [], requestBody }: Operation): string {
  const query = parameters.filter(one => one.in === 'query').map(one => `\`${one.name}\``)
  const body = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) =>
    schema.properties === undefined ? `body: \`${type}\`` : `body: ${fieldsOf(schema)}`,
  )
  return `| \`${name}\` | ${summary} | ${[query.join(', '), ...body].filter(Boolean).join('; ') || NONE} |`
}

function fieldsOf({ properties = {} }: Schema): string {
  return Object.keys(properties)
    .map(name => `\`${name}\``)
    .join(', ')
}

test('docs/reference.md has a row for each path, and no other', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/reference.md'), 'utf8')
  const section = text.split(/^## /m).find(part => part.startsWith('HTTP\n')) ?? ''
  const rows = section.split('\n').filter(line => line.startsWith('| `'))
  expect(rows.sort()).toEqual([...operations()].map(([name, one]) => rowOf(name, one)).sort())
})

/** Asks of whole servers, one for each operation and for what can go wrong with it. */
const ASKS: [operation: string, path: string, status: number, body?: object | string][] = [
  ['GET /healthz', '/healthz', 200],
  ['GET /readyz', '/readyz', 200],
  ['GET /metrics', '/metrics', 200],
  ['GET /scope/v1/openapi.json', '/scope/v1/openapi.json', 200],
  ['GET /scope/v1/docs', '/scope/v1/docs', 200],
  ['GET /scope/v1/stream', '/scope/v1/stream', 400],
  ['POST /scope/v1/generations', '/scope/v1/generations', 201, { prompt: 'Hello', temperature: 0 }],
  ['POST /scope/v1/generations', '/scope/v1/generations', 400, { prompt: ' ' }],
  ['POST /scope/v1/generations', '/scope/v1/generations', 404, { parent: 'g_none' }],
  ['POST /scope/v1/generations', '/scope/v1/generations', 413, { prompt: 'x'.repeat(10 * 1024 * 1024) }],
  ['POST /scope/v1/generations', '/scope/v1/generations', 415, 'x'],
  ['DELETE /scope/v1/generations/:id', '/scope/v1/generations/g_none', 404],
  ['GET /scope/v1/workflows/active', '/scope/v1/workflows/active', 200],
  ['GET /scope/v1/upstreams', '/scope/v1/upstreams', 200],
  ['GET /scope/v1/cache', '/scope/v1/cache', 200],
  ['DELETE /scope/v1/cache', '/scope/v1/cache', 200],
  ['GET /scope/v1/clients', '/scope/v1/clients?limit=1', 200],
  ['GET /scope/v1/clients', '/scope/v1/clients?cursor=x', 400],
  ['GET /scope/v1/shm', '/scope/v1/shm', 200],
  ['POST /scope/v1/shm/scan', '/scope/v1/shm/scan', 202],
  ['GET /scope/v1/frame.png', '/scope/v1/frame.png?w=64&h=64&kind=message&x=1.5', 200],
  ['GET /scope/v1/frame.png', '/scope/v1/frame.png?w=8192&h=8192', 400],
]
const RECORD_ASKS: typeof ASKS = [
  ['GET /scope/v1/shm', '/scope/v1/shm', 200],
  ['POST /scope/v1/shm/scan', '/scope/v1/shm/scan', 409],
  ['GET /scope/v1/generations', '/scope/v1/generations?limit=1', 200],
  ['GET /scope/v1/generations', '/scope/v1/generations?state=x', 400],
  ['GET /scope/v1/generations/:id', '/scope/v1/generations/g_1', 200],
  ['GET /scope/v1/generations/:id', '/scope/v1/generations/g_2', 200],
  ['GET /scope/v1/generations/:id', '/scope/v1/generations/g_none', 404],
  ['GET /scope/v1/generations/:id/tokens', '/scope/v1/generations/g_1/tokens', 200],
  ['GET /scope/v1/generations/:id/tokens', '/scope/v1/generations/g_1/tokens?cursor=x', 400],
  ...(['jsonl', 'csv', 'txt'] as const).map((format): (typeof ASKS)[number] => [
    'GET /scope/v1/generations/:id/export',
    `/scope/v1/generations/g_1/export?format=${format}`,
    200,
  ]),
  ['GET /scope/v1/generations/:id/export', '/scope/v1/generations/g_1/export?format=png', 404],
  ['PATCH /scope/v1/generations/:id', '/scope/v1/generations/g_1', 200, { version: 1, name: 'a' }],
  ['PATCH /scope/v1/generations/:id', '/scope/v1/generations/g_1', 409, { version: 1, name: 'b' }],
  ['PATCH /scope/v1/generations/:id', '/scope/v1/generations/g_1', 400, {}],
  ['POST /scope/v1/generations/:id/replay', '/scope/v1/generations/g_1/replay', 201],
  ['POST /scope/v1/generations/:id/replay', '/scope/v1/generations/g_none/replay', 404, { speed: 2 }],
  ['POST /scope/v1/replays', '/scope/v1/replays?speed=2', 200, ''],
  ['POST /scope/v1/replays', '/scope/v1/replays', 400, 'x\n'],
  ['POST /scope/v1/generations/import', '/scope/v1/generations/import', 201, ''],
  ['POST /scope/v1/generations/import', '/scope/v1/generations/import', 400, 'x\n'],
  ['POST /scope/v1/generations/import', '/scope/v1/generations/import', 415, {}],
  ['DELETE /scope/v1/generations/:id/record', '/scope/v1/generations/g_2/record', 409],
  ['DELETE /scope/v1/generations/:id/record', '/scope/v1/generations/g_1/record', 200],
]

/** Asks, and holds what comes against what the document says of it; gives its bytes. */
async function hold(
  url: string,
  [name, path, status, body]: (typeof ASKS)[number],
  headers = {},
): Promise<Buffer> {
  const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json'
  const answer = await fetch(url + path, {
    method: name.split(' ', 1)[0] as string,
    headers: body === undefined ? headers : { 'content-type': type, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const given = Buffer.from(await answer.arrayBuffer())
  const complaint = answer.status === status ? '' : given.toString()
  expect([name, path, answer.status, complaint]).toEqual([name, path, status, ''])
  const { content = {} } = operations().get(name)?.responses[status] ?? {}
  const media = answer.headers.get('content-type')?.split(';', 1)[0] as string
  expect([name, Object.keys(content)]).toEqual([name, expect.arrayContaining([media])])
  const value = media === 'application/json' ? JSON.parse(given.toString()) : given.toString('latin1')
  expect([name, path, Compile(closed(content[media]?.schema as Schema) as TSchema).Errors(value)]).toEqual([
    name,
    path,
    [],
  ])
  return given
}

test('the schemas of records are their types', () => {
  expectTypeOf<Static<typeof GenerationRecordSchema>>().toEqualTypeOf<GenerationRecord>()
  expectTypeOf<Static<typeof GenerationDetailSchema>>().toEqualTypeOf<GenerationDetail>()
  expectTypeOf<Static<typeof EditSchema>>().toExtend<Edit>()
  expectTypeOf<RecordedToken>().toExtend<Static<typeof RecordedTokenSchema>>()
})

test('the schemas of the report on a source tree are its types', () => {
  expectTypeOf<PasReport & { gate?: GateVerdict }>().toExtend<Static<typeof PasReportSchema>>()
  expectTypeOf<TreeStanding>().toExtend<Static<TObject<typeof treeStanding>>>()
})

describe('what is answered is what the document says', () => {
  test('for every operation', async () => {
    await stage.take('tokens=3')
    for (const ask of ASKS) await hold(stage.url, ask)
    await hold(stage.url, ['GET /readyz', '/readyz', 200], { accept: 'application/json' })
    api.records.add('g_2', {
      state: 'generating',
      request: null,
      response: null,
      timings: null,
      ended_at: null,
    })
    const error = { kind: 'parse', code: null, message: 'Broken.', retryable: false } as const
    api.records.add('g_1', {
      error,
      replay: { of: 'g_0', speed: null },
      total_tokens: 5,
      tags: ['a'],
      note: 'n',
    })
    for (const ask of RECORD_ASKS) await hold(api.url, ask)
    const asked = new Set([...ASKS, ...RECORD_ASKS].map(([name]) => name))
    expect([...operations().keys()].filter(name => !asked.has(name))).toEqual([])
  })

  test('of what was really recorded', async () => {
    const { last } = await stage.take('tokens=5', { logprobs: true, top_logprobs: 2 })
    const path = `/scope/v1/generations/${last.generation}`
    const one = 'GET /scope/v1/generations/:id'
    const exported = 'GET /scope/v1/generations/:id/export'
    const edited = 'PATCH /scope/v1/generations/:id'
    const take = ['POST /scope/v1/generations/import', '/scope/v1/generations/import'] as const
    await hold(stage.url, ['GET /scope/v1/generations', '/scope/v1/generations?limit=2&state=done', 200])
    await hold(stage.url, [one, path, 200])
    await hold(stage.url, ['GET /scope/v1/generations/:id/tokens', `${path}/tokens`, 200])
    for (const format of ['csv', 'txt', 'png&w=64&h=64']) {
      await hold(stage.url, [exported, `${path}/export?format=${format}`, 200])
    }
    const file = (await hold(stage.url, [exported, `${path}/export?format=jsonl`, 200])).toString()
    await hold(stage.url, [...take, 201, file])
    await hold(stage.url, [...take, 400, file.slice(0, -10)])
    await hold(stage.url, [edited, path, 200, { version: 1, note: 'kept' }])
    await hold(stage.url, [edited, path, 409, { version: 1, note: 'late' }])
    await hold(stage.url, [...take, 409, file])
    const again = { speed: 'unlimited' }
    await hold(stage.url, ['POST /scope/v1/generations/:id/replay', `${path}/replay`, 201, again])
    await hold(stage.url, ['POST /scope/v1/replays', '/scope/v1/replays?speed=unlimited', 200, file])
    await hold(stage.url, ['DELETE /scope/v1/generations/:id/record', `${path}/record`, 200])
    await hold(stage.url, [one, path, 404])
    await hold(stage.url, [...take, 201, file])
    await hold(stage.url, [one, path, 200])
  })

  test('of a source tree that was scored', async () => {
    const answer = await soon(async () => {
      const given = await hold(stage.url, ['GET /scope/v1/shm', '/scope/v1/shm', 200])
      const { data, metadata } = JSON.parse(given.toString())
      expect([data?.counts.files > 0, metadata.state]).toEqual([true, 'ready'])
      return data
    })
    expect(answer.warnings).toEqual(expect.any(Array))
  })

  test('for who is not let in', async () => {
    for (const [name] of operations()) {
      if (/^(GET|DELETE) /.test(name)) {
        const path = (name.split(' ')[1] as string).replace(':id', 'g_1')
        await hold(stage.url, [name, path, 403], { origin: 'https://evil.example' })
      }
    }
  })
})
