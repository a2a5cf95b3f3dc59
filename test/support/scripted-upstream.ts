import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type Script = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => void | Promise<void>

export interface SeenRequest {
  method: string
  url: string
  rawHeaders: string[]
  body: Buffer
}

/**
 * A model server whose every byte a test decides: `script` answers each request but `GET /v1/models`, which
 * lists `models`.
 */
export class ScriptedUpstream {
  readonly seen: SeenRequest[] = []
  script: Script = (_request, response) => {
    response.writeHead(404).end()
  }
  models = ['test-model']
  #server: Server | null = null
  #port = 0
  readonly #sockets = new Set<Socket>()

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Listens, the second time on the same port as before. */
  async start(): Promise<this> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      try {
        for await (const chunk of request) chunks.push(chunk)
      } catch {
        return
      }
      const body = Buffer.concat(chunks)
      if (request.method === 'GET' && request.url === '/v1/models') {
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({ object: 'list', data: this.models.map(id => ({ id, object: 'model' })) }),
        )
        return
      }
      const { method = '', url = '', rawHeaders } = request
      this.seen.push({ method, url, rawHeaders, body })
      await this.script(request, response, body)
    })
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  /** Ends as a killed process would: every connection is cut. */
  async kill(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }
}

/** A chat-completion chunk as LM Studio writes it. */
export function chunk(delta: object, more: object = {}): string {
  const { finish_reason = null, logprobs = null, index = 0, ...rest } = more as Record<string, unknown>
  return `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'test-model',
    choices: [{ index, delta, logprobs, finish_reason }],
    ...rest,
  })}\n\n`
}

export const DONE = 'data: [DONE]\n\n'
