import { afterAll, beforeAll } from 'vitest'
import {
  createDemoModel,
  createDemoServer,
  DEMO_MODEL_NAME,
  type DemoServer,
} from '../../../../bridge/demo/index.ts'

/** An event of a stream as a client parses it. */
export interface SseEvent {
  /** Undefined where the block has no `event:` line. */
  event: string | undefined
  data: Json
}

/** Answers of many shapes; that they have the right one is what the tests are about. */
export type Json = ReturnType<typeof JSON.parse>

/** What the tests ask about. */
export const QUESTION = 'Tell me about rivers'
export const MODEL = DEMO_MODEL_NAME
export const model = createDemoModel()
/** How many tokens the question is, as the model reads it. */
export const QUESTION_TOKENS = model.predictorFor(QUESTION).prompt.length

export interface DemoClient {
  readonly server: DemoServer
  readonly url: string
  get(path: string): Promise<{ status: number; body: Json }>
  /** Posts to the model, by default with a seed, which surfaces without one take from the header. */
  post(path: string, body: unknown, faults?: string): Promise<Response>
  whole(path: string, body: unknown, faults?: string): Promise<{ status: number; body: Json }>
  events(path: string, body: unknown, faults?: string): Promise<SseEvent[]>
  lines(path: string, body: unknown, faults?: string): Promise<Json[]>
}

/** A demo server for the tests of a file, as fast as it can be. */
export function useDemo(): DemoClient {
  const server = createDemoServer({ tokensPerSecond: Number.POSITIVE_INFINITY, model })
  let url = ''
  beforeAll(async () => {
    url = (await server.start()).url
  })
  afterAll(() => server.stop())

  const post = (path: string, body: unknown, faults = 'seed=11') =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'x-demo': faults },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const read = async (response: Response) => {
    const text = await response.text()
    return {
      status: response.status,
      body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
    }
  }
  return {
    server,
    get url() {
      return url
    },
    post,
    get: async path => read(await fetch(url + path)),
    whole: async (path, body, faults) => read(await post(path, body, faults)),
    async events(path, body, faults) {
      const response = await post(path, body, faults)
      const text = await response.text()
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw new Error(`${response.status}: ${text}`)
      }
      return parseSse(text)
    },
    async lines(path, body, faults) {
      const text = await (await post(path, body, faults)).text()
      return text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    },
  }
}

/** The events of a body, which must end with a whole one. Comments are left out. */
export function parseSse(text: string): SseEvent[] {
  const blocks = text.split('\n\n')
  if (blocks.pop() !== '') throw new Error(`the stream ends inside an event: ${text.slice(-100)}`)
  return blocks
    .filter(block => !block.startsWith(':'))
    .map(block => {
      const lines = block.split('\n')
      const event = lines.find(line => line.startsWith('event: '))?.slice('event: '.length)
      const data = lines.find(line => line.startsWith('data: '))?.slice('data: '.length) ?? ''
      return { event, data: data === '[DONE]' ? data : JSON.parse(data) }
    })
}

/** The last event of a stream. */
export function lastOf(events: readonly SseEvent[]): SseEvent {
  const last = events.at(-1)
  if (last === undefined) throw new Error('the stream has no event')
  return last
}

/** Names without repetitions that follow one another: the shape of a stream. */
export function shapeOf(names: readonly (string | undefined)[]): (string | undefined)[] {
  return names.filter((name, i) => name !== names[i - 1])
}
