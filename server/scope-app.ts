/** Our own paths: the Fastify app with all its routes, and its failures in our form. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import { type FastifyError, type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { Logger } from 'pino'
import { TokenscopeError } from '../events/errors.ts'
import type { Records } from '../store/recording.ts'
import type { Replays } from '../store/replay/replays.ts'
import { failure } from './answers.ts'
import { failures } from './api-schema.ts'
import { useSchemas } from './api-validation.ts'
import { type Cache, cacheRoutes } from './cache-routes.ts'
import { type Clients, clientRoutes } from './client-routes.ts'
import type { Correlation } from './correlation.ts'
import { exportRoutes } from './export-routes.ts'
import { type Frames, frameRoutes, Pictures } from './frame-routes.ts'
import { noteRoutes, openApiRoutes } from './openapi.ts'
import { PathMethods } from './other-methods.ts'
import { recordRoutes } from './record-routes.ts'
import { replayRoutes } from './replay-routes.ts'
import { type Generations, scopeRoutes } from './scope-routes.ts'
import { type StatusOptions, statusRoutes } from './status-routes.ts'
import { type Structure, structureRoutes } from './structure-routes.ts'
import { type Upstreams, upstreamRoutes, type Workflows } from './upstream-routes.ts'

export const STREAM_PATH = '/scope/v1/stream'
const MAX_BODY_BYTES = 10 * 1024 * 1024

const STREAM = {
  ...{ tags: ['generations'], operationId: 'openStream', summary: 'The WebSocket: every token, live' },
  description:
    'Subprotocols `tokenscope.json.v1` and `tokenscope.bin.v1`; docs/protocol.md tells their messages.',
  response: { 101: { description: 'The WebSocket is open', type: 'null' }, ...failures(['BAD_REQUEST']) },
}

/** What our own paths lead to. */
export interface OwnRooms {
  generations: Generations
  upstreams: Upstreams
  workflows: Workflows
  cache: Cache
  clients: Clients
  frames: Frames
  records: Records
  replays: Pick<Replays, 'start' | 'play'>
  /** Null: no source tree is scored. */
  structure: Structure | null
}

export interface AppOptions {
  /** Folder with the built page. */
  page: string
  status: StatusOptions
  rooms: OwnRooms
  logger: Logger
  correlation: Correlation
}

/** The app without its routes, which has its server made. */
export function createApp(
  serverFactory: (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server,
  clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => void,
): FastifyInstance {
  const app = fastify({
    serverFactory,
    bodyLimit: MAX_BODY_BYTES,
    genReqId: request => request.headers['x-correlation-id'] as string,
    clientErrorHandler,
    frameworkErrors: (error, request, reply) => {
      const known = new TokenscopeError('BAD_REQUEST', `The request cannot be read: ${error.message}.`)
      void reply.code(400 as never).send(failure(known, request.id) as never)
    },
    logger: false,
  })
  useSchemas(app)
  app.removeContentTypeParser(['text/plain', 'application/json'])
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Many clients name the type of a body that they do not send.
    if (body === '') done(null, undefined)
    else parseJson(request, body as string, done)
  })
  return app
}

/** Gives the app all its routes. */
export async function route(app: FastifyInstance, options: AppOptions): Promise<void> {
  const { page, status, rooms, logger, correlation } = options
  // Events of the body came from the socket, which knows nothing of the request.
  app.addHook('preValidation', (request, reply, done) => correlation.run(request.id, reply.raw, done))
  app.setErrorHandler((error: FastifyError | TokenscopeError, request, reply) => {
    const known = error instanceof TokenscopeError ? error : knownError(error, request)
    // Nobody is there any more to be told, and what they did is no fault of ours.
    if (known.code === 'INTERNAL' && !reply.raw.destroyed) {
      logger.error({ err: error }, 'a request failed in here')
    }
    const after = known.retryAfterSeconds
    if (after !== null) void reply.header('retry-after', Math.ceil(after))
    return reply.code(known.status).send(failure(known, request.id))
  })
  app.setNotFoundHandler(request => {
    throw new TokenscopeError('NOT_FOUND', `There is no ${request.method} ${request.url.split('?', 1)[0]}.`)
  })
  const methods = new PathMethods()
  methods.note(app)
  await protect(app)
  await noteRoutes(app, status.version)
  await app.register(fastifyStatic, {
    root: join(page, 'assets'),
    prefix: '/assets/',
    immutable: true,
    maxAge: '365d',
  })
  app.get('/', { schema: { hide: true } }, (_request, reply) =>
    reply.sendFile('index.html', page, { maxAge: 0, immutable: false }),
  )
  statusRoutes(app, status)
  openApiRoutes(app)
  scopeRoutes(app, rooms.generations, rooms.records)
  recordRoutes(app, rooms.records)
  await replayRoutes(app, rooms.records, rooms.replays)
  const pictures = new Pictures(rooms.frames)
  exportRoutes(app, rooms.records, pictures)
  frameRoutes(app, pictures)
  upstreamRoutes(app, rooms.upstreams, rooms.workflows)
  cacheRoutes(app, rooms.cache)
  clientRoutes(app, rooms.clients)
  structureRoutes(app, rooms.structure)
  app.get(STREAM_PATH, { schema: STREAM }, () => {
    throw new TokenscopeError('BAD_REQUEST', `${STREAM_PATH} is a WebSocket; connect with ws://.`)
  })
  // With any other method it is an upstream's.
  methods.refuseOthers(app, path => path === '/')
  await app.ready()
}

async function protect(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'connect-src': ["'self'"],
        'img-src': ["'self'", 'data:', 'blob:'],
        'font-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // Loopback has no TLS to insist on.
    strictTransportSecurity: false,
  })
}

/** Fastify's own refusals in our codes. */
function knownError(error: FastifyError, request: FastifyRequest): TokenscopeError {
  switch (error.statusCode) {
    case 413:
      return new TokenscopeError('BODY_TOO_LARGE', 'The body is over 10 MiB.')
    case 415:
      return new TokenscopeError('UNSUPPORTED_MEDIA_TYPE', `The body must be ${bodyType(request)}.`)
    case 403:
    case 404:
      return new TokenscopeError('NOT_FOUND', 'There is no such file.')
    case 400:
      return new TokenscopeError('INVALID_JSON', 'The body is not JSON.')
    default:
      return new TokenscopeError('INTERNAL', 'Something went wrong inside Tokenscope; its log says what.')
  }
}

/** The media type that a route takes. */
function bodyType(request: FastifyRequest): string {
  const body = request.routeOptions.schema?.body as { content?: object } | undefined
  return Object.keys(body?.content ?? { 'application/json': {} }).join(' or ')
}
