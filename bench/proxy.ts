/**
 * What a proxy adds to the way from an upstream to an app: Tokenscope with a viewer, a bare node:http pipe
 * and @fastify/http-proxy, each in a process of its own, beside the direct way, in turns within each round.
 */
import { wholeAnswer } from './canned.ts'
import type { WriteOrder, Written } from './canned-process.ts'
import { Helper, startTokenscope } from './children.ts'
import { type Bench, type Figure, figureOf, type Quantiles, quantilesOf } from './figure.ts'
import { installPeers } from './peers.ts'
import { HeldStreams, readFlood, WholeRequests } from './proxy-reader.ts'

/** What is asked for: at most so many times what the pipe adds. */
const OF_THE_PIPE = 1.5
const ROUNDS = 5
/** Turns that each way has in a round. */
const TURNS = 8
const FLOOD = { streams: 50, chunks: 2000 }

interface StreamLoad {
  name: string
  streams: number
  perSecond: number
  /** One chunk to all streams at once, as a server writes that computes them in one batch. */
  together: boolean
  /** Chunks of each stream in a turn. */
  count: number
}

const STREAM_LOADS: StreamLoad[] = [
  { name: 'chunk, 1 stream', streams: 1, perSecond: 500, together: false, count: 250 },
  { name: 'chunk, 50 streams', streams: 50, perSecond: 40, together: false, count: 8 },
  { name: 'chunk, 50 streams in step', streams: 50, perSecond: 40, together: true, count: 8 },
]
const REQUESTS = 250

export const proxy: Bench = { name: 'proxy', title: 'what a proxy adds, beside a bare pipe', run }

/** One way from the app to the upstream. */
interface Way {
  name: string
  url: string
}

const [DIRECT, OURS, PIPE, PEER] = ['direct', 'Tokenscope', 'pipe', 'http-proxy'] as const

/** Quantiles of each way, by its name, of one round. */
type Round = Map<string, Quantiles>

async function run(): Promise<Figure[]> {
  await using cleanup = new AsyncDisposableStack()
  const start = (module: string): Helper => {
    const helper = new Helper(module)
    cleanup.defer(() => helper.end())
    return helper
  }
  const upstream = start('canned-process.ts')
  const direct = await upstream.ask<string>('listen')
  const ways: Way[] = [{ name: DIRECT, url: direct }]
  ways.push({ name: PIPE, url: await start('pipe-process.ts').ask<string>('listen', direct) })
  const missing = await installPeers()
  if (missing === null) {
    ways.push({ name: PEER, url: await start('http-proxy-process.ts').ask<string>('listen', direct) })
  }
  const tokenscope = await startTokenscope(`${direct},max=${2 * FLOOD.streams}`)
  cleanup.defer(() => tokenscope.end())
  ways.push({ name: OURS, url: tokenscope.url })
  const viewer = start('viewer-process.ts')
  await viewer.ask('watch', tokenscope.url)

  const figures: Figure[] = []
  for (const load of STREAM_LOADS) figures.push(...(await chunks(load, ways, upstream)))
  if ((await viewer.ask<number>('tokens')) === 0) throw new Error('the viewer saw nothing')
  figures.push(...(await wholeRequests(ways)))
  for (const way of ways) figures.push(...(await flood(way, upstream)))
  if (missing !== null) {
    const [first] = figures as [Figure]
    first.note = `${first.note}; @fastify/http-proxy could not be had: ${missing}`
  }
  return figures
}

async function chunks(load: StreamLoad, ways: readonly Way[], upstream: Helper): Promise<Figure[]> {
  const open = async ({ name, url }: Way) => {
    const streams = await HeldStreams.open(url, name, load.streams)
    return [name, streams] as const
  }
  const streams = new Map(await Promise.all(ways.map(open)))
  const turn = async ({ name }: Way): Promise<number[]> => {
    const { count, perSecond, together } = load
    const order: WriteOrder = { name, count, perSecond, together }
    const bytes = await upstream.ask<number>('write', order)
    return (streams.get(name) as HeldStreams).latencies(bytes)
  }
  // The first chunk, with which each stream opened, is read here and not measured.
  for (const way of ways) await turn(way)
  const rounds = await inTurns(ways, turn)
  for (const { name } of ways) {
    await (streams.get(name) as HeldStreams).end(await upstream.ask<Written[]>('endHeld', name))
  }
  const rate = `${load.streams} × ${load.perSecond} chunks a second`
  return figuresOf(load.name, ways, rounds, `${rate}${load.together ? ', all streams at once' : ''}`)
}

async function wholeRequests(ways: readonly Way[]): Promise<Figure[]> {
  const expected = wholeAnswer()
  const apps = new Map(ways.map(({ name, url }) => [name, new WholeRequests(url, expected)]))
  const turn = ({ name }: Way) => (apps.get(name) as WholeRequests).times(REQUESTS)
  for (const way of ways) await turn(way)
  const rounds = await inTurns(ways, turn)
  for (const app of apps.values()) app.close()
  return figuresOf(
    'whole request',
    ways,
    rounds,
    `one after another, 1 ms between them, an answer of ${expected.length} bytes`,
  )
}

/** Rounds in which the ways take turns, each time from another one on, so that noise hits all alike. */
async function inTurns(ways: readonly Way[], turn: (way: Way) => Promise<number[]>): Promise<Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const times = new Map(ways.map(({ name }) => [name, [] as number[]]))
    for (let i = 0; i < TURNS; i++) {
      for (let k = 0; k < ways.length; k++) {
        const way = ways[(round + i + k) % ways.length] as Way
        times.get(way.name)?.push(...(await turn(way)))
      }
    }
    rounds.push(new Map([...times].map(([name, values]) => [name, quantilesOf(values)])))
  }
  return rounds
}

function figuresOf(name: string, ways: readonly Way[], rounds: readonly Round[], note: string): Figure[] {
  const of = (round: Round, way: string) => round.get(way) as Quantiles
  const added = (way: string, q: keyof Quantiles) =>
    rounds.map(round => of(round, way)[q] - of(round, DIRECT)[q])
  const ms = { unit: 'ms', better: 'lower' } as const
  const ratio = (q: keyof Quantiles): Figure => {
    const pipe = added(PIPE, q)
    const ratios = added(OURS, q).map((ours, round) => ours / (pipe[round] as number))
    // Where noise was greater than what the pipe adds, there is nothing to compare with.
    const usable = ratios.filter((_, round) => (pipe[round] as number) > 0)
    if (usable.length === 0) throw new Error(`${name}: the pipe was not slower than the direct way`)
    const left = ratios.length - usable.length
    return figureOf(`${name}: ${q}, of the pipe`, usable, {
      unit: '×',
      better: 'lower',
      target: OF_THE_PIPE,
      note: left === 0 ? note : `${note}; ${left} of ${ratios.length} rounds were too noisy`,
    })
  }
  return [
    ratio('p50'),
    ratio('p99'),
    ...ways
      .filter(way => way.name !== DIRECT)
      .toReversed()
      .flatMap(way => [
        figureOf(`  added by ${way.name} p50`, added(way.name, 'p50'), ms),
        figureOf(`  added by ${way.name} p99`, added(way.name, 'p99'), ms),
      ]),
    ...(['p50', 'p99'] as const).map(q =>
      figureOf(
        `  direct ${q}`,
        rounds.map(round => of(round, DIRECT)[q]),
        ms,
      ),
    ),
  ]
}

/** 50 streams as fast as they come: what is lost, what is changed. */
async function flood({ name, url }: Way, upstream: Helper): Promise<Figure[]> {
  await upstream.ask('setFlood', FLOOD.chunks)
  const begun = performance.now()
  const read = await readFlood(url, name, FLOOD.streams)
  const seconds = (performance.now() - begun) / 1000
  const written = await upstream.ask<Written[]>('flooded', name)
  const hashes = new Set(written.map(({ sha256 }) => sha256))
  const changed = FLOOD.streams - read.filter(({ sha256 }) => hashes.has(sha256)).length
  // Each stream ends with finish, usage and [DONE].
  const chunks = FLOOD.streams * FLOOD.chunks
  const lost = chunks - read.reduce((sum, { events }) => sum + events - 3, 0)
  const target = name === OURS ? { target: 0 } : {}
  return [
    figureOf(`flood, ${name}: lost`, [lost], {
      unit: 'chunks',
      better: 'lower',
      ...target,
      note: `${FLOOD.streams} streams × ${FLOOD.chunks} chunks as fast as they come`,
    }),
    figureOf('  streams with other bytes', [changed], {
      unit: '',
      better: 'lower',
      ...target,
      note: 'SHA-256 at the upstream and at the app',
    }),
    figureOf('  throughput', [chunks / seconds], { unit: '/s', better: 'higher' }),
  ]
}
