import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { SeenRequest } from '../../bridge/demo/index.ts'
import { isProbe } from './demo.ts'

export type Script = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => void | Promise<void>

/**
 * An HTTP server whose every byte the test decides, for what no model server would send: odd statuses and
 * headers, bodies of megabytes, events that are none, bytes that are no HTTP (written to `request.socket`).
 * What a model server does, fails at or breaks is the demo server's (demo.ts).
 */
export class RawUpstream {
  /** What it was asked, but for the list of models and what is asked to know its kind. */
  readonly seen: SeenRequest[] = []
  /** Answers each request but `GET /v1/models`, which lists `models` or, where they are null, does not come. */
  script: Script
  models: string[] | null = ['test-model']
  /** Answers `GET /v1/models` in place of the list; null for the list. */
  list: ((request: IncomingMessage, response: ServerResponse) => void) | null = null
  /** Whether the script gets what is asked to know its kind; 404 if not. */
  answersProbes = false
  /** Whether it waits for the body of a request before it answers. */
  readsBodies = true
  readonly #server = createServer((request, response) => this.#take(request, response))
  readonly #sockets = new Set<Socket>()

  constructor(script: Script = (_request, response) => void response.writeHead(404).end()) {
    this.script = script
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', rawHeaders } = request
    if (`${method} ${url}` === 'GET /v1/models') {
      if (this.list !== null) {
        this.list(request, response)
        return
      }
      if (this.models === null) return
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ data: this.models.map(id => ({ id, object: 'model' })) }))
      return
    }
    if (isProbe(request)) {
      if (this.answersProbes) await this.script(request, response, Buffer.alloc(0))
      else response.writeHead(404).end()
      return
    }
    const chunks: Buffer[] = []
    try {
      if (this.readsBodies) for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const body = Buffer.concat(chunks)
    this.seen.push({ method, url, rawHeaders, body })
    await this.script(request, response, body)
  }
}
