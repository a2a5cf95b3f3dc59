/** Streams of an upstream that stamps its tokens with when it wrote them, and who reads them. */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { createParser } from 'eventsource-parser'
import { WebSocket } from 'ws'
import { DEMO_MODEL_NAME } from '../bridge/demo/index.ts'
import { JSON_SUBPROTOCOL, type ServerMessage } from '../broadcast/protocol.ts'
import { now, readStamp } from './stamp.ts'

/** Streams at once, and the tokens per second of each. */
export interface StreamLoad {
  streams: number
  perSecond: number
  seconds: number
}

/** Reads the streams of a load at once; milliseconds from write to read of each token in its order. */
export async function readStreams(
  url: string,
  { streams, perSecond, seconds }: StreamLoad,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: false })
  const latencies: number[] = []
  await Promise.all(
    Array.from({ length: streams }, (_, i) => {
      // A wait before the first token, so that concurrent streams do not write as one.
      const phaseMs = (20 + (i * 1000) / perSecond / streams).toFixed(3)
      const directives = `tokens=${perSecond * seconds},rate=${perSecond},silence=${phaseMs}ms`
      return readStream(url, agent, directives, latencies)
    }),
  )
  return latencies
}

async function readStream(url: string, agent: Agent, directives: string, latencies: number[]): Promise<void> {
  const sent = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'x-demo': directives },
  })
  const messages = [{ role: 'user', content: 'x' }]
  sent.end(JSON.stringify({ model: DEMO_MODEL_NAME, messages, stream: true }))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`${url} answered with ${response.statusCode}`)
  let next = 0
  let readAt = 0
  const parser = createParser({
    onEvent({ data }) {
      if (data === '[DONE]') return
      const text = (JSON.parse(data) as Chunk).choices[0]?.delta.content
      if (text === undefined) return
      const { index, at } = readStamp(text)
      if (index === next++) latencies.push((readAt - at) / 1000)
    },
  })
  response.setEncoding('latin1')
  response.on('data', (text: string) => {
    readAt = now()
    parser.feed(text)
  })
  await once(response, 'end')
}

interface Chunk {
  choices: { delta: { content?: string } }[]
}

/** A viewer that only takes the time of each token that comes in its order. */
export class StreamViewer {
  latencies: number[] = []
  readonly #socket: WebSocket
  readonly #next = new Map<string, number>()

  private constructor(url: string) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/scope/v1/stream`, JSON_SUBPROTOCOL)
    this.#socket.on('message', data => this.#read(data as Buffer))
  }

  static async watch(url: string): Promise<StreamViewer> {
    const viewer = new StreamViewer(url)
    await once(viewer.#socket, 'open')
    viewer.#socket.send(JSON.stringify({ type: 'subscribe', generations: '*', layout: 'map' }))
    return viewer
  }

  /** Forgets what was seen so far. */
  begin(): void {
    this.latencies = []
  }

  /** Waits for the `count`th token since `begin`, at most 3 seconds. */
  async until(count: number): Promise<void> {
    const patience = performance.now() + 3000
    while (this.latencies.length < count && performance.now() < patience) {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  close(): void {
    this.#socket.terminate()
  }

  #read(data: Buffer): void {
    const readAt = now()
    const parsed = JSON.parse(data.toString('utf8')) as ServerMessage | ServerMessage[]
    for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
      if (message.type !== 'token_activation') continue
      const { index, at } = readStamp(message.token_text)
      const next = this.#next.get(message.generation) ?? 0
      this.#next.set(message.generation, next + 1)
      if (index === next) this.latencies.push((readAt - at) / 1000)
    }
  }
}
