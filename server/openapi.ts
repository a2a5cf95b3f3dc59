import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { failures, media } from './api-schema.ts'
import { docsPage } from './docs-page.ts'

/** The OpenAPI document, as far as it is looked at here. */
export interface OpenApi {
  openapi: string
  info: { title: string; version: string; description: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Content }
  responses: Record<string, { description: string; content?: Content }>
}

export interface Parameter {
  name: string
  in: string
  required?: boolean
  description?: string
  schema: Schema
}

export type Content = Record<string, { schema: Schema }>

/** A JSON Schema. */
export interface Schema {
  $ref?: string
  type?: string
  description?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  required?: string[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
  format?: string
}

const DESCRIPTION = `An oscilloscope for language models. Every path that is not described here, \`/\` and \`/assets/*\` aside, is passed through to an upstream.

Answers are \`{"success":true,"data":…,"metadata":{…}}\` or \`{"success":false,"error":"a sentence","error_code":"UPPER_SNAKE","correlation_id":"…"}\`; every one has the header \`X-Correlation-ID\`: the caller's, if it sent a sane one. Lists carry \`metadata.pagination\`. Times are Unix seconds unless they end in \`_ms\`. JSON bodies may have 10 MiB. What is not known is \`null\`. Query parameters and fields of answers that you do not know are to be ignored, and so does Tokenscope with parameters. A method that a path does not have is answered with 405 and \`Allow\`; 503 and 429 may have \`Retry-After\`.`

const TAGS = [
  { name: 'generations', description: 'What is generated now' },
  { name: 'records', description: 'What was generated: found, named, played again, taken out and in' },
  { name: 'pictures', description: 'The map as a picture' },
  { name: 'upstreams', description: 'The model servers, and the cache before them' },
  { name: 'viewers', description: 'Who watches' },
  { name: 'structure', description: 'The structural health of a source tree' },
  { name: 'status', description: 'How Tokenscope itself is, and what it can be asked' },
]

const tags = ['status']

const DOCUMENT = {
  ...{ tags, operationId: 'getOpenApi', summary: 'This description, as OpenAPI 3.1' },
  response: {
    200: media('application/json', 'The document', Type.Object({}, { additionalProperties: true })),
    ...failures([]),
  },
}
const DOCS = {
  ...{ tags, operationId: 'getDocs', summary: 'This description, as a page' },
  response: { 200: media('text/html', 'The page', Type.String()), ...failures([]) },
}

/** Begins to note the routes that are made from here on; what is noted is what `openApiRoutes` tell. */
export async function noteRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tokenscope', version, description: DESCRIPTION, license: { name: 'MIT' } },
      servers: [{ url: '/', description: 'The server that gave you this' }],
      tags: TAGS,
    },
    stripBasePath: false,
    convertConstToEnum: false,
    refResolver: { buildLocalReference: json => String(json.$id) },
    transformObject: given => {
      const document = 'openapiObject' in given ? given.openapiObject : given.swaggerObject
      for (const path of Object.values(document.paths ?? {})) readyOperations(path as Record<string, never>)
      return document
    },
  })
}

/** `/scope/v1/openapi.json` and `/scope/v1/docs`: the description of all of it, for programs and for people. */
export function openApiRoutes(app: FastifyInstance): void {
  app.get('/scope/v1/openapi.json', { schema: DOCUMENT }, async () => app.swagger())

  let page: { html: string; policy: string } | null = null
  app.get('/scope/v1/docs', { schema: DOCS }, async (_request, reply) => {
    page ??= docsPage(app.swagger() as unknown as OpenApi)
    void reply.header('content-security-policy', page.policy).header('cache-control', 'no-cache')
    return reply.type('text/html; charset=utf-8').send(page.html)
  })
}

/** Says of what need not be there that it need not: the library takes bodies and what has a default for required. */
function readyOperations(path: Record<string, Operation & { 'x-optional-body'?: true }>): void {
  for (const operation of Object.values(path)) {
    for (const parameter of operation.parameters ?? []) {
      if (parameter.schema.default !== undefined) parameter.required = false
    }
    if (operation['x-optional-body'] !== true || operation.requestBody === undefined) continue
    delete operation['x-optional-body']
    operation.requestBody.required = false
  }
}
