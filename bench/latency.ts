/**
 * How long a token is on its way: from an upstream process to an app, directly and through Tokenscope, and
 * to a viewer. Upstream, Tokenscope and the readers (this process) are three processes on loopback.
 */
import { Helper, startTokenscope } from './children.ts'
import { type Bench, type Figure, figureOf, type Quantiles, quantilesOf } from './figure.ts'
import { readStreams, type StreamLoad, StreamViewer } from './stamped-streams.ts'

const ROUNDS = 3

interface Load extends StreamLoad {
  name: string
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
  const viewer = await StreamViewer.watch(tokenscope.url)
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
