/**
 * The demo model behind HTTP on loopback, as any OpenAI-compatible server: an upstream that is always there.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { reasonOf, TokenscopeError } from '../../events/errors.ts'
import { createDemoModel, type DemoModel } from './model/demo-model.ts'
import { type GeneratedToken, Generation } from './model/generation.ts'
import { Pace } from './pace.ts'
import {
  ChatAnswer,
  type ChatRequest,
  checkModelName,
  errorBody,
  modelEntry,
  parseChatRequest,
  type Usage,
} from './surfaces/chat.ts'

export interface DemoServerOptions {
  /** Tokens per second of each choice; 30 if not given, Infinity for no limit. */
  tokensPerSecond?: number
  /** 0, any free one, if not given. */
  port?: number
  /** `127.0.0.1` if not given. */
  host?: string
  /** A trained model to share; if not given one is trained when the server is created. */
  model?: DemoModel
}

/** A server that can be started once and stopped once. */
export interface DemoServer {
  /** Listens. Gives the base URL, without a slash at the end. Rejects with PORT_TAKEN if it cannot. */
  start(): Promise<{ url: string }>
  /** Stops listening, closes all connections and waits until every generation has let go. */
  stop(): Promise<void>
  /** Chat requests that are being answered now. */
  readonly active: number
}

const MAX_BODY = 4 * 1024 * 1024
/** A body over the limit is read on so that the client sees the answer, but not for ever. */
const MAX_DISCARDED = 64 * 1024 * 1024

/** Creates a server; it does not listen yet. Throws a RangeError if the rate is not above 0. */
export function createDemoServer(options: DemoServerOptions = {}): DemoServer {
  const { tokensPerSecond = 30, port = 0, host = '127.0.0.1', model = createDemoModel() } = options
  if (!(tokensPerSecond > 0))
    throw new RangeError(`tokensPerSecond is ${tokensPerSecond}; it must be above 0`)
  const created = Math.floor(Date.now() / 1000)
  const running = new Set<Promise<void>>()
  let active = 0

  const server = createServer((request, response) => {
    const work = route(request, response).catch(error => refuse(response, error))
    running.add(work)
    work.finally(() => running.delete(work))
  })

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] as string
    const isModel = path.startsWith('/v1/models/')
    if (path !== '/v1/models' && !isModel && path !== '/v1/chat/completions') {
      throw new TokenscopeError('NOT_FOUND', `${request.method} ${path} is not a path of the demo model`)
    }
    const method = path === '/v1/chat/completions' ? 'POST' : 'GET'
    if (request.method !== method) {
      response.setHeader('allow', method)
      throw new TokenscopeError('METHOD_NOT_ALLOWED', `${path} takes ${method}, not ${request.method}`)
    }
    if (method === 'POST') return await chat(request, response)
    if (isModel) checkModelName(path.slice('/v1/models/'.length))
    const entry = modelEntry(created)
    sendJson(response, 200, JSON.stringify(isModel ? entry : { object: 'list', data: [entry] }))
  }

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const asked = parseChatRequest(parseJson(await readBody(request)))
    if (gone.signal.aborted) return
    active++
    try {
      await answer(asked, response, gone.signal)
    } catch (error) {
      // The client has gone: nobody is left to tell, and nothing more to do.
      if (!gone.signal.aborted) throw error
    } finally {
      active--
    }
  }

  async function answer(asked: ChatRequest, response: ServerResponse, gone: AbortSignal): Promise<void> {
    const { seed = Math.floor(Math.random() * 2 ** 32) } = asked
    const predictor = model.predictorFor(asked.prompt)
    const choices = Array.from({ length: asked.choices }, (_, choice) => {
      const { temperature, topP, maxTokens, stop, topLogprobs: topCount } = asked
      const limits = { ...(maxTokens === undefined ? {} : { maxTokens }) }
      const drawing = {
        ...(temperature === undefined ? {} : { temperature }),
        ...(topP === undefined ? {} : { topP }),
      }
      return new Generation(model, predictor, { seed, choice, stop, topCount, ...limits, ...drawing })
    })
    const wire = new ChatAnswer(asked, `chatcmpl-${randomUUID()}`, Math.floor(Date.now() / 1000))
    const pace = new Pace(tokensPerSecond)
    const usage = () => usageOf(predictor.prompt.length, choices)
    if (asked.stream) await stream(choices, wire, pace, response, gone, asked.includeUsage ? usage : null)
    else await gather(choices, wire, pace, response, gone, usage)
  }

  return {
    get active() {
      return active
    },
    async start() {
      server.listen(port, host)
      try {
        await once(server, 'listening')
      } catch (cause) {
        throw new TokenscopeError(
          'PORT_TAKEN',
          `the demo model cannot listen on ${host}:${port}: ${reasonOf(cause)}; choose another port`,
          { cause },
        )
      }
      const address = server.address() as AddressInfo
      return { url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}` }
    },
    async stop() {
      const closed = server.listening ? once(server, 'close') : null
      server.close()
      server.closeAllConnections()
      await closed
      await Promise.all(running)
    },
  }
}

async function stream(
  choices: readonly Generation[],
  wire: ChatAnswer,
  pace: Pace,
  response: ServerResponse,
  gone: AbortSignal,
  usage: (() => Usage) | null,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  })
  async function send(data: string): Promise<void> {
    if (response.write(`data: ${data}\n\n`)) return
    const since = performance.now()
    await once(response, 'drain', { signal: gone })
    pace.skip(performance.now() - since)
  }
  for (const index of choices.keys()) await send(wire.opening(index))
  await step(choices, pace, gone, async (index, tokens, finish) => {
    for (const token of tokens) await send(wire.token(index, token))
    if (finish !== null) await send(wire.closing(index, finish))
  })
  if (usage) await send(wire.usage(usage()))
  await send('[DONE]')
  response.end()
}

async function gather(
  choices: readonly Generation[],
  wire: ChatAnswer,
  pace: Pace,
  response: ServerResponse,
  gone: AbortSignal,
  usage: () => Usage,
): Promise<void> {
  const gathered = choices.map(() => ({
    tokens: [] as GeneratedToken[],
    finish: 'stop' as 'stop' | 'length',
  }))
  await step(choices, pace, gone, async (index, tokens, finish) => {
    const choice = gathered[index] as (typeof gathered)[number]
    choice.tokens.push(...tokens)
    if (finish !== null) choice.finish = finish
  })
  sendJson(response, 200, wire.whole(gathered, usage()))
}

/** Runs all choices side by side to their ends, each at the pace. Rejects when `gone` aborts. */
async function step(
  choices: readonly Generation[],
  pace: Pace,
  gone: AbortSignal,
  take: (index: number, tokens: GeneratedToken[], finish: 'stop' | 'length' | null) => Promise<void>,
): Promise<void> {
  const open = new Map(choices.entries())
  while (open.size > 0) {
    const wait = pace.next(gone)
    if (wait) await wait
    for (const [index, generation] of open) {
      gone.throwIfAborted()
      const tokens = generation.next()
      if (generation.finish !== null) open.delete(index)
      await take(index, tokens, generation.finish)
    }
  }
}

function usageOf(prompt: number, choices: readonly Generation[]): Usage {
  const completion = choices.reduce((sum, { count }) => sum + count, 0)
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_BODY) chunks.push(chunk)
    else chunks.length = 0
    if (size > MAX_DISCARDED) break
  }
  if (size > MAX_BODY) {
    throw new TokenscopeError('BODY_TOO_LARGE', `the body is over ${MAX_BODY} bytes; send a shorter one`)
  }
  return Buffer.concat(chunks)
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new TokenscopeError('INVALID_JSON', `the body is not JSON: ${reasonOf(cause)}`, { cause })
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  // Half an answer cannot be taken back; breaking it off is the only honest end.
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const told =
    error instanceof TokenscopeError
      ? error
      : new TokenscopeError('INTERNAL', `the demo model failed: ${reasonOf(error)}`, { cause: error })
  sendJson(response, told.status, JSON.stringify(errorBody(told)))
}

function sendJson(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(json),
  })
  response.end(json)
}
