/**
 * A model server of the bench, in a process of its own: streams chat completions whose every token carries
 * the time at which it was written.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer } from './children.ts'
import { pace, stampedText } from './stamp.ts'

/** What a request of the bench asks for, beside what every chat completion has. */
export interface StreamRequest {
  tokens: number
  perSecond: number
  /** Wait before the first token, so that concurrent streams do not write as one. */
  phaseMs: number
}

const server = createServer(async (request, response) => {
  if (request.url === '/v1/models') {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'bench-model', object: 'model' }] }))
    return
  }
  await stream(await readRequest(request), response)
})

answer({
  async listen() {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
})

async function readRequest(request: IncomingMessage): Promise<StreamRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return (JSON.parse(Buffer.concat(chunks).toString('utf8')) as { bench: StreamRequest }).bench
}

async function stream(request: StreamRequest, response: ServerResponse): Promise<void> {
  const { tokens, perSecond, phaseMs } = request
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.flushHeaders()
  await new Promise(resolve => setTimeout(resolve, phaseMs))
  await pace(tokens, perSecond, index => {
    response.write(chunk({ role: 'assistant', content: stampedText(index) }, null))
  })
  response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`)
}

function chunk(delta: object, finish_reason: string | null): string {
  return `data: ${JSON.stringify({
    id: 'chatcmpl-6m1fvx3w2z0k8j5n4r7t9q',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'bench-model',
    system_fingerprint: 'bench-model',
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  })}\n\n`
}
