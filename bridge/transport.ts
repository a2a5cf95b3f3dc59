import { Agent, type RequestOptions } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import type { Readable } from 'node:stream'
import { SOCKET_BUFFER_BYTES } from '../events/limits.ts'
import { SentRequest } from './sent-request.ts'

/**
 * How long a connection is kept without a request. Servers close theirs after 5 s (uvicorn, cpp-httplib, Node)
 * or later, and one that they close just when it is used is trouble.
 */
const IDLE_MS = 4000

export interface UpstreamRequest {
  method: string
  /** Path and query as the client wrote them. */
  path: string
  /** Flat list without Host and what is about the connection. */
  headers: string[]
  body: Buffer | Readable | null
  /**
   * Whether it does no harm if the server gets it twice; true if not given. What must not has a new connection, since
   * of one that breaks just when it is used again nobody knows whether the request was read.
   */
  repeatable?: boolean
}

/** The beginning of an answer. */
export interface AnswerHead {
  status: number
  /** A character a byte, as header values are. */
  statusText: string
  /** Flat list, as they came. */
  headers: string[]
  /** Flat list of the fields after the body, once that has ended; not given where there can be none. */
  trailers?: () => readonly string[]
}

/**
 * What happens to a request, in this order: `head` at most once, `chunk`s, and then `end` or `broken`
 * exactly once. `broken` without a `head` before it means that there was no answer.
 */
export interface AnswerListener {
  head(head: AnswerHead, readAt: number): void
  /** Returns false if no more can be taken until the answer is resumed. */
  chunk(bytes: Buffer, readAt: number): boolean
  end(readAt: number): void
  broken(error: Error, readAt: number): void
}

/** A request that was sent. */
export interface Sending {
  /** Lets the answer go on after `chunk` returned false. */
  resume(): void
  /**
   * Gives it up: the server is told at once, and nothing more of the answer is passed on. `broken` with this
   * reason follows once the server has let go, within 10 s, unless the answer is over. A second call does not
   * wait for the server.
   */
  abort(reason: Error): void
}

/** What a connection reads ahead for an app that does not read: Node's 64 KiB are for files. */
const BUFFERS = { highWaterMark: SOCKET_BUFFER_BYTES, readableHighWaterMark: SOCKET_BUFFER_BYTES }

/** HTTP to one server: its connections, and requests whose answers are told as they come. */
export class Transport {
  readonly #target: RequestOptions
  readonly #authority: string
  readonly #isTls: boolean
  /** Keeps connections for the next request. */
  readonly #kept: Agent
  /** Has a new connection for each request. */
  readonly #fresh: Agent
  readonly #sent = new Set<SentRequest>()
  #closed = false

  /** @param url of which only the origin counts */
  constructor(url: URL) {
    this.#isTls = url.protocol === 'https:'
    this.#authority = url.host
    this.#target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || (this.#isTls ? 443 : 80) }
    const Agents = this.#isTls ? TlsAgent : Agent
    // The limit is for connections without a request; others hear of it and go on.
    this.#kept = new Agents({ keepAlive: true, timeout: IDLE_MS, ...BUFFERS })
    // Without keep-alive a server that answers early would close at once, and its answer be lost with what it
    // had not read.
    this.#fresh = new Agents({ keepAlive: true, ...BUFFERS })
    this.#fresh.maxFreeSockets = 0
  }

  /** Closes every connection, whatever is on its way; what is, is told to be broken before this resolves. */
  async close(): Promise<void> {
    this.#closed = true
    const sent = [...this.#sent]
    // The second word is for those that wait for their server.
    for (const one of [...sent, ...sent]) one.abort(closed())
    this.#kept.destroy()
    this.#fresh.destroy()
    await Promise.all(sent.map(({ over }) => over))
  }

  /** Sends a request. The answer's bytes come to `listener` as they came from the socket. */
  send(request: UpstreamRequest, listener: AnswerListener): Sending {
    const sent = new SentRequest({
      request,
      listener,
      isTls: this.#isTls,
      open: connection => ({
        ...this.#target,
        agent: connection === 'kept' ? this.#kept : this.#fresh,
        method: request.method,
        path: request.path,
        headers: ['Host', this.#authority, ...request.headers],
      }),
    })
    this.#sent.add(sent)
    void sent.over.then(() => this.#sent.delete(sent))
    if (this.#closed) sent.abort(closed())
    else sent.start()
    return sent
  }

  /**
   * Asks for something small.
   *
   * @throws if there is no answer, or one over `maxBytes`; the signal's reason if it aborts
   */
  async get(
    path: string,
    {
      signal,
      maxBytes,
      headers = {},
    }: { signal: AbortSignal; maxBytes: number; headers?: Record<string, string> },
  ): Promise<{ status: number; body: Buffer }> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Buffer }>()
    const chunks: Buffer[] = []
    let bytes = 0
    let status = 0
    const sending = this.send(
      {
        method: 'GET',
        path,
        headers: Object.entries({ accept: 'application/json', ...headers }).flat(),
        body: null,
      },
      {
        head: head => {
          status = head.status
        },
        chunk: chunk => {
          bytes += chunk.length
          if (bytes > maxBytes) sending.abort(new Error(`the answer is over ${maxBytes} bytes`))
          else chunks.push(chunk)
          return true
        },
        end: () => resolve({ status, body: Buffer.concat(chunks) }),
        broken: reject,
      },
    )
    const giveUp = () => {
      reject(signal.reason)
      sending.abort(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    return await promise.finally(() => signal.removeEventListener('abort', giveUp))
  }
}

function closed(): Error {
  return Object.assign(new Error('the connections to it were closed'), { code: 'ECONNABORTED' })
}
