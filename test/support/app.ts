import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http'

/** A request of an app, with head and body as the test writes them. */
export interface AppRequest {
  /** POST if not given. */
  method?: string
  /** Chat completions if not given. */
  path?: string
  /** By name, or names and values in turn. */
  headers?: Readonly<Record<string, string>> | readonly string[]
  /** An object goes as JSON. */
  body?: string | Buffer | object
  agent?: Agent
  /** Only the head is sent. */
  unfinished?: boolean
}

/** Sends it; resolves when the head of the answer is there, rejects if none comes. */
export function send(url: string, request: AppRequest = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    open(url, request).on('response', resolve).on('error', reject)
  })
}

/** Sends it and gives up the connection when it is told to. */
export function sendAndGo(url: string, request: AppRequest = {}): { go: () => void } {
  const sent = open(url, request)
  sent.on('error', () => {})
  return { go: () => sent.destroy() }
}

function open(url: string, request: AppRequest) {
  const { hostname, port, host } = new URL(url)
  const { method = 'POST', path = '/v1/chat/completions', agent, unfinished = false } = request
  const { body: given = '', headers: named = { 'Content-Type': 'application/json' } } = request
  const body = typeof given === 'string' || Buffer.isBuffer(given) ? given : JSON.stringify(given)
  const headers = Array.isArray(named) ? [...named] : Object.entries(named).flat()
  const has = (name: string) => headers.some((one, i) => i % 2 === 0 && one.toLowerCase() === name)
  if (!has('host')) headers.unshift('Host', host)
  if (body.length > 0 && !has('content-length') && !has('transfer-encoding'))
    headers.push('Content-Length', String(Buffer.byteLength(body)))
  const sent = httpRequest({ hostname, port, method, path, headers, ...(agent ? { agent } : {}) })
  if (unfinished) sent.flushHeaders()
  else sent.end(body)
  return sent
}

/** The body of an answer; rejects if it breaks. */
export async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const part of answer) chunks.push(part)
  return Buffer.concat(chunks)
}

/** The same as text. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  return (await bytesOf(answer)).toString('utf8')
}

/** What came of the body of an answer, and whether it ended as HTTP says that a body ends. */
export async function received(answer: IncomingMessage): Promise<{ body: Buffer; complete: boolean }> {
  const parts: Buffer[] = []
  answer.on('data', part => parts.push(part))
  answer.on('error', () => {})
  await new Promise(resolve => answer.on('close', resolve))
  return { body: Buffer.concat(parts), complete: answer.complete }
}
