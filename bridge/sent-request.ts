import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { ConnectError } from './connect-error.ts'
import type { AnswerListener, Sending, UpstreamRequest } from './transport.ts'

/** To connect, TLS included. */
const CONNECT_MS = 2000
/** How long a server may take to let go of a request that was given up. */
const LET_GO_MS = 10_000
/** A connection that was closed while the request was on its way is seen to be so within a round trip. */
const RACE_MS = 1000
const FRAMED_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

export interface SentRequestOptions {
  request: UpstreamRequest
  listener: AnswerListener
  isTls: boolean
  /** What Node's client needs, for a kept connection or for a new one. */
  open: (connection: 'kept' | 'fresh') => RequestOptions
}

/**
 * One request and its answer on a connection of Node's client.
 *
 * The server may close a kept connection just when it is used again. Then it has most likely not seen the request,
 * which is sent once more at once, on a new connection; nobody else hears of it. What cannot be sent twice, or must
 * not be (RFC 9110 §9.2.2), has a new connection from the beginning.
 */
export class SentRequest implements Sending {
  readonly #options: SentRequestOptions
  /** Resolves once `end` or `broken` was told. */
  readonly over: Promise<void>
  readonly #resolveOver: () => void
  #isOver = false
  #request: ClientRequest | null = null
  #answer: IncomingMessage | null = null
  #connected = false
  #connectTimer: NodeJS.Timeout | null = null
  /** When the request was given to the connection, and what had been read from that before. */
  #sentAt = 0
  #readBefore = 0
  /** What closed the kept connection, once it is sent anew. */
  #race: Error | null = null
  /** Why it was given up. */
  #reason: Error | null = null
  #letGoTimer: NodeJS.Timeout | null = null

  constructor(options: SentRequestOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.#resolveOver = resolve
  }

  /** Sends it; called once. */
  start(): void {
    const { body, repeatable = true } = this.#options.request
    this.#open(repeatable && !(body instanceof Readable) ? 'kept' : 'fresh')
  }

  resume(): void {
    this.#answer?.resume()
  }

  abort(reason: Error): void {
    if (this.#isOver) return
    const isFirst = this.#reason === null
    this.#reason ??= reason
    if (isFirst && this.#isWithServer()) this.#letGo()
    else this.#destroy()
  }

  #open(connection: 'kept' | 'fresh'): void {
    const { request: asked, isTls, open } = this.#options
    this.#connected = false
    let request: ClientRequest
    try {
      const options = open(connection)
      const headers = [...(options.headers as string[]), ...framingOf(asked)]
      request = (isTls ? requestHttps : requestHttp)({ ...options, headers })
    } catch (error) {
      process.nextTick(() => this.#broken(error as Error))
      return
    }
    this.#request = request
    // Their size is limited anyway.
    request.maxHeadersCount = 0
    const ifCurrent =
      <A extends unknown[]>(what: (...args: A) => void) =>
      (...args: A) => {
        if (request === this.#request) what(...args)
      }
    request.once(
      'socket',
      ifCurrent(socket => this.#onSocket(request, socket)),
    )
    request.once(
      'response',
      ifCurrent(answer => this.#onAnswer(answer)),
    )
    request.once(
      'upgrade',
      ifCurrent((_answer: IncomingMessage, socket: Socket) => {
        socket.destroy()
        this.#failed(new Error('it switches to a protocol that nobody asked for'))
      }),
    )
    request.on(
      'error',
      ifCurrent(error => this.#failed(error)),
    )
    request.once(
      'close',
      ifCurrent(() => this.#closed()),
    )
    const { body } = asked
    if (body instanceof Readable) this.#pipe(body, request)
    else request.end(body ?? undefined)
  }

  #pipe(body: Readable, request: ClientRequest): void {
    body.on('error', error => this.abort(error))
    body.on('close', () => {
      if (!body.readableEnded) this.abort(new Error('the request broke off'))
    })
    body.pipe(request)
    void this.over.then(() => {
      body.unpipe(request)
      body.destroy()
    })
  }

  #onSocket(request: ClientRequest, socket: Socket): void {
    this.#sentAt = performance.now()
    this.#readBefore = socket.bytesRead
    if (request.reusedSocket) {
      this.#connected = true
      return
    }
    const { isTls } = this.#options
    this.#connectTimer = setTimeout(() => {
      const error = new Error(`no connection within ${CONNECT_MS / 1000} s`)
      request.destroy(Object.assign(error, { code: 'ETIMEDOUT' }))
    }, CONNECT_MS)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      this.#connected = true
      this.#stopTimers()
      this.#sentAt = performance.now()
    })
  }

  #onAnswer(answer: IncomingMessage): void {
    const readAt = performance.now()
    const { listener } = this.#options
    if (this.#reason !== null) return
    this.#answer = answer
    answer.on('end', () => this.#ended())
    answer.on('error', error => this.#failed(error))
    answer.on('close', () => {
      if (!this.#isOver) this.#failed(closedError())
    })
    const { statusCode = 0, statusMessage = '', rawHeaders } = answer
    this.#tell(() =>
      listener.head(
        {
          status: statusCode,
          statusText: statusMessage,
          headers: rawHeaders,
          trailers: () => answer.rawTrailers,
        },
        readAt,
      ),
    )
    answer.on('data', (chunk: Buffer) => {
      if (this.#reason !== null) return
      if (this.#tell(() => listener.chunk(chunk, performance.now())) === false) answer.pause()
    })
  }

  #ended(): void {
    if (this.#isOver || this.#reason !== null) return
    this.#finish()
    this.#options.listener.end(performance.now())
    // It was answered before it was sent whole: that connection waits for the rest in vain.
    if (!this.#request?.writableFinished) this.#request?.destroy()
  }

  #failed(error: Error): void {
    if (this.#isOver || this.#reason !== null) return
    if (this.#isRace(error)) {
      this.#race = error
      this.#stopTimers()
      this.#open('fresh')
      return
    }
    this.#drainPaused()
    if (this.#reason !== null) return
    if (this.#connected) this.#broken(error)
    // What cannot be reached now was there when it closed the connection.
    else this.#broken(this.#race ?? new ConnectError(error))
  }

  /** Node has let go of the connection. */
  #closed(): void {
    if (this.#reason === null) this.#failed(closedError())
    else this.#broken(this.#reason)
  }

  #isRace(error: Error): boolean {
    const { code } = error as NodeJS.ErrnoException
    const request = this.#request as ClientRequest
    return (
      (code === 'ECONNRESET' || code === 'EPIPE') &&
      request.reusedSocket &&
      this.#race === null &&
      request.socket?.bytesRead === this.#readBefore &&
      performance.now() - this.#sentAt < RACE_MS
    )
  }

  /** What came before the break and waits for a slow listener is told all the same. */
  #drainPaused(): void {
    const answer = this.#answer
    if (answer === null) return
    // To read tells listeners too, unless it was destroyed: they are told here, in either case.
    answer.removeAllListeners('data')
    for (let rest = answer.read(); rest !== null; rest = answer.read()) {
      const chunk = rest as Buffer
      this.#tell(() => this.#options.listener.chunk(chunk, performance.now()))
    }
  }

  /** Whether the server has the whole request, and is not done with it. */
  #isWithServer(): boolean {
    return this.#connected && this.#request?.writableFinished === true && this.#answer?.complete !== true
  }

  /**
   * Half-closes the connection: a server that reads learns at once that nobody waits, and its own close says
   * that it has let go. One that goes on writing may not read; it learns by a reset.
   */
  #letGo(): void {
    const { socket } = this.#request as ClientRequest & { socket: Socket }
    socket.once('data', () => this.#destroy())
    socket.once('close', () => this.#closed())
    socket.end()
    this.#answer?.resume()
    socket.resume()
    this.#letGoTimer = setTimeout(() => this.#destroy(), LET_GO_MS)
    this.#letGoTimer.unref()
  }

  /** Ends it without its server: the reason is known. */
  #destroy(): void {
    // Not when Node says that it is closed: whoever waits for this is not to wait for anything else.
    process.nextTick(() => this.#closed())
    const socket = this.#request?.socket ?? null
    // A TLS socket cannot be reset, and libuv does not reset one whose half is being closed (and then leaves it
    // open). To such a one the system says so itself, as soon as something comes that nobody reads.
    const canReset = this.#connected && !this.#options.isTls && socket?.writableEnded === false
    if (canReset) socket.resetAndDestroy()
    else this.#request?.destroy()
  }

  /** What a listener cannot bear ends its own answer, not the program. */
  #tell<T>(what: () => T): T | undefined {
    try {
      return what()
    } catch (fault) {
      this.#reason ??= fault instanceof Error ? fault : new Error(String(fault))
      this.#destroy()
      return undefined
    }
  }

  #broken(error: Error): void {
    if (this.#isOver) return
    this.#finish()
    this.#options.listener.broken(error, performance.now())
  }

  #finish(): void {
    this.#isOver = true
    this.#stopTimers()
    this.#resolveOver()
  }

  #stopTimers(): void {
    for (const timer of [this.#connectTimer, this.#letGoTimer]) if (timer !== null) clearTimeout(timer)
    this.#connectTimer = null
    this.#letGoTimer = null
  }
}

function closedError(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })
}

/** What says where the body ends, unless the request's own headers say so. */
function framingOf({ method, headers, body }: UpstreamRequest): string[] {
  const isFramed = headers.some(
    (name, i) => i % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(name),
  )
  if (isFramed) return []
  if (body instanceof Readable) return ['Transfer-Encoding', 'chunked']
  if (body !== null && body.length > 0) return ['Content-Length', String(body.length)]
  // RFC 9110 §8.6: methods that may have a body say so if there is none.
  return FRAMED_METHODS.has(method) ? ['Content-Length', '0'] : []
}
