import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export const EVENT_STREAM = { 'content-type': 'text/event-stream' }

export interface FeedRequest {
  method: string
  url: string
  headers: IncomingMessage['headers']
  response: ServerResponse
}

/** A server of event streams whose every answer the test writes, and that can be killed and come back. */
export class FeedServer {
  readonly seen: FeedRequest[] = []
  /** Answers each request; the nth, from 0. */
  answer: (response: ServerResponse, nth: number, request: FeedRequest) => void
  #server: Server | null = null
  #port = 0
  readonly #sockets = new Set<Socket>()
  #wake: (() => void)[] = []

  constructor(
    answer: FeedServer['answer'] = response => void response.writeHead(200, EVENT_STREAM).flushHeaders(),
  ) {
    this.answer = answer
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Connections that are there. */
  get sockets(): number {
    return this.#sockets.size
  }

  /** The newest request. */
  get last(): FeedRequest {
    return this.seen.at(-1) as FeedRequest
  }

  /** Listens, after a stop on the same port as before. */
  async start(): Promise<this> {
    const server = createServer((request, response) => {
      const { method = '', url = '', headers } = request
      const seen = { method, url, headers, response }
      this.seen.push(seen)
      this.answer(response, this.seen.length - 1, seen)
      this.#tell()
    })
    server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        this.#tell()
      })
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
    return this
  }

  /** Resets every connection and no longer listens. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  /** Waits until what is seen of clients satisfies `condition`. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.#wake.push(resolve))
  }

  /** Waits for the nth request, from 0. */
  async request(nth: number): Promise<FeedRequest> {
    await this.until(() => this.seen.length > nth)
    return this.seen[nth] as FeedRequest
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}
