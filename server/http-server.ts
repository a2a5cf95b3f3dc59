/**
 * The HTTP server: the doors first, then either one of our own paths (Fastify) or the pass-through, which
 * sees the request untouched.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import cors from 'cors'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { PassThroughContext } from '../bridge/bridge.ts'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import { PASSED_BODY_BYTES, SOCKET_BUFFER_BYTES } from '../events/limits.ts'
import { failure, openaiError, refuseOnSocket } from './answers.ts'
import { type Correlation, correlationIdOf } from './correlation.ts'
import { Doors, type DoorsOptions } from './doors.ts'
import { createApp, type OwnRooms, route, STREAM_PATH } from './scope-app.ts'
import type { StatusOptions } from './status-routes.ts'

const CORRELATION_HEADER = 'X-Correlation-ID'
const CORS_HEADERS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]

/** What lies behind the doors. */
export interface Rooms extends OwnRooms {
  passThrough(request: IncomingMessage, response: ServerResponse, context: PassThroughContext): Promise<void>
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    refuse: (error: TokenscopeError) => void,
  ): void
}

export interface HttpServerOptions {
  doors: DoorsOptions
  /** Folder with the built page. */
  page: string
  status: StatusOptions
  rooms: Rooms
  logger: Logger
  /** The same that the logger looks at. */
  correlation: Correlation
}

export class HttpServer {
  readonly server: Server
  readonly #app: FastifyInstance
  readonly #doors: Doors
  readonly #rooms: Rooms
  readonly #logger: Logger
  readonly #correlation: Correlation
  readonly #cors: ReturnType<typeof cors>

  private constructor(options: HttpServerOptions) {
    this.#doors = new Doors(options.doors)
    this.#rooms = options.rooms
    this.#logger = options.logger
    this.#correlation = options.correlation
    const exposedHeaders = [
      'X-Correlation-ID',
      'X-Tokenscope-Cache',
      'Age',
      'Retry-After',
      'Content-Disposition',
    ]
    this.#cors = cors({ origin: [...options.doors.allowOrigins], exposedHeaders })
    let server: Server | undefined
    const serverFactory = (handler: (request: IncomingMessage, response: ServerResponse) => void) => {
      server = createServer(
        {
          // A missing Host is for the doors to refuse.
          requireHostHeader: false,
          // An app that stops reading is not to hold much of its answer here.
          highWaterMark: SOCKET_BUFFER_BYTES,
          // Others (h2c of Java's and curl's clients) may be ignored, and are: RFC 9110 §7.8.
          shouldUpgradeCallback: request => request.headers.upgrade?.toLowerCase() === 'websocket',
        },
        (request, response) => this.#enter(request, response, handler),
      )
      // Asked before the body comes: who is refused need not send it.
      server.on('checkContinue', (request, response) => {
        // What is sent to us to be read as it comes may have any length.
        const fits =
          isOwnPath(pathOf(request), request.method as string) || announcedBytes(request) <= PASSED_BODY_BYTES
        if (this.#doors.check(request) === null && fits) response.writeContinue()
        this.#enter(request, response, handler)
      })
      server.on('checkExpectation', (request, response) => this.#enter(request, response, handler))
      return server
    }
    this.#app = createApp(serverFactory, refuseUnreadable)
    this.server = server as unknown as Server
    // An app keeps its connection between prompts; Node's 5 s would close it under a request on its way.
    this.server.keepAliveTimeout = 75_000
    // A large upload over a slow line takes the time it takes.
    this.server.requestTimeout = 0
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** Makes the server with all its routes; it does not listen yet. */
  static async create(options: HttpServerOptions): Promise<HttpServer> {
    const http = new HttpServer(options)
    await route(http.#app, options)
    return http
  }

  /** Takes no new connections and closes those that are idle; resolves when the last is gone. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()))
    this.server.closeIdleConnections()
    const patience = setTimeout(() => this.server.closeAllConnections(), 1000)
    await closed
    clearTimeout(patience)
    await this.#app.close()
  }

  #enter(
    request: IncomingMessage,
    response: ServerResponse,
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): void {
    const correlationId = markCorrelation(request)
    this.#correlation.run(correlationId, response, () =>
      this.#admit(request, response, handler, correlationId),
    )
  }

  #admit(
    request: IncomingMessage,
    response: ServerResponse,
    handler: (request: IncomingMessage, response: ServerResponse) => void,
    correlationId: string,
  ): void {
    const target = toOriginForm(request)
    const own = isOwnPath(pathOf(request), request.method as string)
    const refusal = target ?? this.#doors.check(request)
    // Answers the preflight of an allowed origin itself, and marks its other answers.
    const marks = this.#doors.isAllowedOrigin(request.headers.origin)
    // Node writes a head slowly once a header was set; that of a passed answer is written as one list.
    if (own || marks || refusal !== null) response.setHeader(CORRELATION_HEADER, correlationId)
    if (refusal !== null) {
      this.#logger.warn({ code: refusal.code }, refusal.message)
      const body = JSON.stringify(own ? failure(refusal, correlationId) : openaiError(refusal))
      response.writeHead(refusal.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      })
      response.end(body)
      return
    }
    const proceed = () => {
      if (own) handler(request, response)
      else this.#passThrough(request, response, correlationId)
    }
    if (marks) this.#cors(request, response, proceed)
    else proceed()
  }

  #passThrough(request: IncomingMessage, response: ServerResponse, correlationId: string): void {
    const startedAt = performance.now()
    // What is already set goes into the one list.
    const set = response.getHeaderNames().flatMap(name => [name, String(response.getHeader(name))])
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    const added = set.length === 0 ? [CORRELATION_HEADER, correlationId] : set
    const replaced = this.#doors.isAllowedOrigin(request.headers.origin) ? CORS_HEADERS : []
    void this.#rooms.passThrough(request, response, {
      added,
      replaced,
      fail: error => {
        if (response.headersSent || response.destroyed) {
          response.destroy()
          return
        }
        for (let i = 0; i < added.length; i += 2)
          response.setHeader(added[i] as string, added[i + 1] as string)
        const body = JSON.stringify(openaiError(error))
        const after = error.retryAfterSeconds
        response.writeHead(error.status, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(after === null ? {} : { 'retry-after': String(Math.ceil(after)) }),
        })
        response.end(body)
      },
      fault: fault => {
        const line = { err: fault, correlation_id: correlationId }
        this.#logger.error(line, 'an answer could not be followed; it was passed on')
      },
      done: ({ outcome, error, upstream, generations }) => {
        const line = {
          correlation_id: correlationId,
          method: request.method,
          path: request.url?.split('?', 1)[0],
          // As nginx has it for a client that went before there was one.
          status: response.headersSent ? response.statusCode : 499,
          upstream,
          ms: Math.round(performance.now() - startedAt),
          ...(generations.length > 0 ? { generations } : {}),
        }
        if (error === null || outcome === 'cancelled') this.#logger.debug(line, `passed through: ${outcome}`)
        else this.#logger.warn({ ...line, reason: reasonOf(error) }, `passed through: ${outcome}`)
      },
    })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const id = markCorrelation(request)
    const handshake = { closed: false }
    this.#correlation.run(id, handshake, () => this.#admitSocket(request, socket, head, id))
    handshake.closed = true
  }

  #admitSocket(request: IncomingMessage, socket: Duplex, head: Buffer, id: string): void {
    const refusal =
      toOriginForm(request) ??
      this.#doors.check(request) ??
      (request.url?.split('?', 1)[0] === STREAM_PATH
        ? null
        : new TokenscopeError(
            'NOT_FOUND',
            `There is no WebSocket at ${request.url}; it is at ${STREAM_PATH}.`,
          ))
    const refuse = (error: TokenscopeError) => {
      // A room may take its time before it refuses.
      this.#logger.warn({ correlation_id: id, code: error.code }, error.message)
      refuseOnSocket(socket, error, id)
    }
    if (refusal === null) this.#rooms.upgrade(request, socket, head, refuse)
    else refuse(refusal)
  }
}

/** Gives the request its correlation id, under which everybody after this finds it. */
function markCorrelation(request: IncomingMessage): string {
  const id = correlationIdOf(request)
  request.headers['x-correlation-id'] = id
  return id
}

/**
 * Brings a request's target into origin form (RFC 9112 §3.2): of an absolute one the authority stands for
 * the Host, which the doors then judge.
 *
 * @returns why the target cannot be served, or null
 */
function toOriginForm(request: IncomingMessage): TokenscopeError | null {
  const target = request.url as string
  if (target.startsWith('/')) return null
  const url = /^https?:\/\//i.test(target) ? URL.parse(target) : null
  if (url === null)
    return new TokenscopeError('BAD_REQUEST', `There is nothing to be had at ${target.slice(0, 100)}.`)
  request.headers.host = target.replace(/^https?:\/\//i, '').split(/[/?#]/, 1)[0] as string
  request.url = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/^(?!\/)/, '/')
  return null
}

/** What Node's parser cannot read: answered as far as it can be. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'HEADERS_TOO_LARGE' : 'BAD_REQUEST'
  const refusal = new TokenscopeError(code, `The request cannot be read as HTTP: ${error.message}.`)
  refuseOnSocket(socket, refusal, randomUUID())
}

function pathOf(request: IncomingMessage): string {
  return (request.url as string).split('?', 1)[0] as string
}

function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0)
}

function isOwnPath(path: string, method: string): boolean {
  if (path === '/') return method === 'GET' || method === 'HEAD'
  if (path === '/healthz' || path === '/readyz' || path === '/metrics') return true
  return path === '/scope' || path.startsWith('/scope/') || path.startsWith('/assets/')
}
