/**
 * How long a token is on its way: from an upstream process to an app, directly and through Tokenscope, and
 * to a viewer. Upstream, Tokenscope and the readers (this process) are three processes on loopback.
 */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { createParser } from 'eventsource-parser'
import { WebSocket } from 'ws'
import { DEMO_MODEL_NAME } from '../bridge/demo/index.ts'
import { JSON_SUBPROTOCOL, type ServerMessage } from '../broadcast/protocol.ts'
import { Helper, startTokenscope } from './children.ts'
import { type Bench, type Figure, figureOf, type Quantiles, quantilesOf } from './figure.ts'
import { now, readStamp } from './stamp.ts'

const ROUNDS = 3

interface Load {
  name: string
  streams: number
  perSecond: number
  seconds: number
}

const LOADS: Load[] = [
  { name: '1 stream × 200 tok/s', streams: 1, perSecond: 200, seconds: 5 },
  { name: '50 streams × 40 tok/s', streams: 50, perSecond: 40, seconds: 3 },
]
const WARM_UP: Load = { name: 'warm-up', streams: 50, perSecond: 40, seconds: 1.5 }

export const latency: Bench = { name: 'latency', title: 'upstream write to app and viewer', run }

interface Round {
  direct: Quantiles
  app: Quantiles
  viewer: Quantiles
  /** Tokens that did not come, or not in their order. */
  lost: number
  /** Share of a core that Tokenscope used while it passed the streams through. */
  cpu: number
}

async function run(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const upstream = new Helper('upstream-process.ts')
  cleanup.defer(() => upstream.end())
  const direct = await upstream.ask<string>('listen')
  const places = Math.max(...LOADS.map(({ streams }) => streams))
  const tokenscope = await startTokenscope(`${direct},max=${places}`)
  cleanup.defer(() => tokenscope.end())
  const viewer = await Viewer.watch(tokenscope.url)
  cleanup.defer(() => viewer.close())

  const round = async (load: Load): Promise<Round> => {
    const alone = await readStreams(direct, load)
    viewer.begin()
    const cpuBefore = await tokenscope.cpuSeconds()
    const begun = performance.now()
    const proxied = await readStreams(tokenscope.url, load)
    const cpuSeconds = (await tokenscope.cpuSeconds()) - cpuBefore
    const seconds = (performance.now() - begun) / 1000
    const tokens = load.streams * load.perSecond * load.seconds
    await viewer.until(tokens)
    return {
      direct: quantilesOf(alone),
      app: quantilesOf(proxied),
      viewer: quantilesOf(viewer.latencies),
      lost: tokens * 3 - alone.length - proxied.length - viewer.latencies.length,
      cpu: cpuSeconds / seconds,
    }
  }

  await round(WARM_UP)
  const figures: Figure[] = []
  for (const load of LOADS) {
    const rounds: Round[] = []
    for (let i = 0; i < ROUNDS; i++) rounds.push(await round(load))
    figures.push(...figuresOf(load, rounds))
  }
  return figures
}

function figuresOf({ name, streams, perSecond, seconds }: Load, rounds: Round[]): Figure[] {
  const ms = { unit: 'ms', better: 'lower' } as const
  const of = (label: string, value: (round: Round) => number, note?: string) =>
    figureOf(`  ${label}`, rounds.map(value), { ...ms, ...(note === undefined ? {} : { note }) })
  const lost = rounds.map(round => round.lost)
  return [
    figureOf(`${name}: lost`, lost, {
      unit: 'tokens',
      better: 'lower',
      target: 0,
      note: `of ${streams * perSecond * seconds} each way in each of ${rounds.length} rounds`,
    }),
    of('app, direct p50', round => round.direct.p50),
    of('app, direct p99', round => round.direct.p99),
    of('app, through Tokenscope p50', round => round.app.p50),
    of('app, through Tokenscope p99', round => round.app.p99),
    of('added p50', round => round.app.p50 - round.direct.p50),
    of('added p99', round => round.app.p99 - round.direct.p99),
    of('viewer p50', round => round.viewer.p50),
    of('viewer p99', round => round.viewer.p99),
    figureOf(
      '  CPU of Tokenscope',
      rounds.map(({ cpu }) => cpu * 100),
      { unit: '% core', better: 'lower' },
    ),
  ]
}

/** Reads the streams of a load at once; milliseconds from write to read of each token in its order. */
async function readStreams(url: string, { streams, perSecond, seconds }: Load): Promise<number[]> {
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
class Viewer {
  latencies: number[] = []
  readonly #socket: WebSocket
  readonly #next = new Map<string, number>()

  private constructor(url: string) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/scope/v1/stream`, JSON_SUBPROTOCOL)
    this.#socket.on('message', data => this.#read(data as Buffer))
  }

  static async watch(url: string): Promise<Viewer> {
    const viewer = new Viewer(url)
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
