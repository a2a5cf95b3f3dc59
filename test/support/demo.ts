import {
  createDemoModel,
  createDemoServer,
  DEMO_MODEL_NAME,
  type DemoModel,
  type DemoServer,
  type DemoServerOptions,
  type SeenRequest,
} from '../../bridge/demo/index.ts'
import type { ServerKind } from '../../bridge/demo/surface.ts'
import { RawExchange, type RawRequest } from './raw-exchange.ts'

export const QUESTION = [{ role: 'user' as const, content: 'Tell me about rivers' }]

/** A streamed chat completion, as an app asks for it. */
export const CHAT = { model: DEMO_MODEL_NAME, messages: QUESTION, stream: true, seed: 5 }

let trained: DemoModel | null = null

/** A demo server without a limit of speed, and the ways in which tests ask it. */
export class Demo {
  server: DemoServer
  url = ''
  /** What it was asked, but for what whoever watches it asks for. */
  readonly seen: SeenRequest[] = []
  readonly #options: DemoServerOptions
  #isStopped = false

  constructor(options: DemoServerOptions = {}) {
    trained ??= createDemoModel()
    this.#options = {
      tokensPerSecond: Number.POSITIVE_INFINITY,
      model: trained,
      onRequest: request => {
        if (!isProbe(request)) this.seen.push(request)
      },
      ...options,
    }
    this.server = createDemoServer(this.#options)
  }

  /** Listens, after a stop on the same port as before. */
  async start(): Promise<this> {
    if (this.#isStopped) {
      this.server = createDemoServer({ ...this.#options, port: Number(new URL(this.url).port) })
      this.#isStopped = false
    }
    this.url = (await this.server.start()).url
    return this
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    await this.server.stop()
  }

  /** How many tokens a dictated text is made of. */
  countOf(text: string): number {
    return (this.#options.model as DemoModel).tokenizer.encode(text).length
  }

  /** The base URL of a kind. */
  of(kind: ServerKind): string {
    return `${this.url}/${kind}`
  }

  /** A request with directives, on a socket of its own. */
  raw(directives: string, body: object = {}, request: RawRequest = {}): RawExchange {
    const { headers, ...rest } = request
    return new RawExchange(this.url, {
      headers: { 'x-demo': directives, ...headers },
      body: { messages: QUESTION, stream: true, seed: 5, ...body },
      ...rest,
    })
  }

  /** POSTs JSON. */
  post(path: string, body: object, directives = ''): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-demo': directives },
      body: JSON.stringify(body),
    })
  }

  /** A chat completion of a kind. */
  chat(kind: ServerKind, body: object = {}, directives = ''): Promise<Response> {
    return this.post(`/${kind}/v1/chat/completions`, { messages: QUESTION, seed: 5, ...body }, directives)
  }

  /** The data of each event of a streamed chat completion of a kind, sentinels as they are. */
  async chunks(kind: ServerKind, body: object = {}, directives = ''): Promise<Chunk[]> {
    const response = await this.chat(kind, { stream: true, ...body }, directives)
    return chunksOf(await response.text())
  }
}

/** Whether it is Tokenscope that asks, to know whether the server is there and what it is. */
export function isProbe({ rawHeaders }: Pick<SeenRequest, 'rawHeaders'>): boolean {
  return rawHeaders.some(
    (name, i) => name.toLowerCase() === 'user-agent' && rawHeaders[i + 1] === 'tokenscope',
  )
}

/** A chunk as JSON gave it, or a sentinel. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into JSON whose form they check
export type Chunk = any

/** The data of the events in a body of SSE, comments left out. */
export function chunksOf(text: string): Chunk[] {
  return text
    .split('\n\n')
    .filter(event => event.includes('data: '))
    .map(event => event.slice(event.indexOf('data: ') + 6))
    .map(data => (data === '[DONE]' ? data : JSON.parse(data)))
}
