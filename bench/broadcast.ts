/**
 * The hub at the size that is asked for: 100 viewers and 1,000 tokens a second. Feeder (this
 * process), hub and viewers are three processes; a token's time counts from the feeder's write.
 */
import { Helper } from './children.ts'
import { type Bench, type Figure, figureOf } from './figure.ts'
import type { HubRound } from './hub-process.ts'
import { pace, stampedText } from './stamp.ts'
import type { ViewersRound } from './viewers-process.ts'

const VIEWERS = 100
const TOKENS_PER_SECOND = 1000
const ROUNDS = 3
const ROUND_SECONDS = 5
const WARM_UP_SECONDS = 2
/** For memory: idle viewers, and so many more of them. */
const FIRST_IDLE = 100
const MORE_IDLE = 1000

export const broadcast: Bench = { name: 'broadcast', title: 'hub, 100 viewers, 1,000 tokens/s', run }

async function run(): Promise<Figure[]> {
  const rounds = await fanOut()
  const memory = await memoryPerViewer()
  const of = (value: (round: FanOutRound) => number) => rounds.map(value)
  const ms = { unit: 'ms', better: 'lower' } as const
  const [first] = rounds as [FanOutRound]
  const perFrame = of(({ viewers }) => viewers.deliveries / viewers.frames)
  return [
    figureOf(
      'token in → received p50',
      of(({ viewers }) => viewers.received.p50),
      ms,
    ),
    figureOf(
      'token in → received p99',
      of(({ viewers }) => viewers.received.p99),
      { ...ms, target: 10 },
    ),
    figureOf(
      'read → first socket write p50',
      of(({ hub }) => hub.firstWrite.p50),
      ms,
    ),
    figureOf(
      'read → first socket write p99',
      of(({ hub }) => hub.firstWrite.p99),
      ms,
    ),
    figureOf(
      'deliveries',
      of(({ viewers }) => viewers.deliveries / viewers.seconds),
      {
        unit: '/s',
        better: 'higher',
        note: `${(VIEWERS * TOKENS_PER_SECOND).toLocaleString('en-GB')} a second is what the load asks for`,
      },
    ),
    figureOf(
      'missed or out of order',
      of(({ viewers, hub }) => viewers.missed + hub.skipped),
      { unit: 'entries', better: 'lower', target: 0 },
    ),
    figureOf(
      'hub CPU per delivery',
      of(({ hub }) => (hub.cpuMs * 1000) / hub.delivered),
      { unit: 'µs', better: 'lower', note: `${first.hub.bytesPerEntry} bytes an entry` },
    ),
    figureOf(
      'hub CPU',
      of(({ hub, viewers }) => hub.cpuMs / viewers.seconds / 10),
      { unit: '% core', better: 'lower', note: `the readers take ${viewersCpu(rounds)} % of a core at most` },
    ),
    figureOf('entries in a frame', perFrame, { unit: '', better: 'higher' }),
    figureOf('RSS per idle viewer', memory, { unit: 'KiB', better: 'lower' }),
  ]
}

interface FanOutRound {
  hub: HubRound
  viewers: ViewersRound
}

async function fanOut(): Promise<FanOutRound[]> {
  await using cleanup = new AsyncDisposableStack()
  const hub = new Helper('hub-process.ts')
  cleanup.defer(() => hub.end())
  const viewers = new Helper('viewers-process.ts')
  cleanup.defer(() => viewers.end())
  await viewers.ask('connect', { url: await hub.ask<string>('listen'), viewers: VIEWERS })

  const round = async (seconds: number): Promise<FanOutRound> => {
    const tokens = TOKENS_PER_SECOND * seconds
    await Promise.all([hub.ask('begin'), viewers.ask('begin')])
    await pace(tokens, TOKENS_PER_SECOND, index => hub.input.write(`${stampedText(index)}\n`))
    const seen = await viewers.ask<ViewersRound>('end', tokens)
    return { viewers: seen, hub: await hub.ask<HubRound>('end') }
  }

  await round(WARM_UP_SECONDS)
  const rounds: FanOutRound[] = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(ROUND_SECONDS))
  return rounds
}

/** KiB that each of 1,000 more idle viewers adds to a fresh hub, in each of three hubs. */
async function memoryPerViewer(): Promise<number[]> {
  const rounds: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    await using cleanup = new AsyncDisposableStack()
    const hub = new Helper('hub-process.ts')
    cleanup.defer(() => hub.end())
    const viewers = new Helper('viewers-process.ts')
    cleanup.defer(() => viewers.end())
    const url = await hub.ask<string>('listen')
    await viewers.ask('connect', { url, viewers: FIRST_IDLE })
    const before = await hub.ask<number>('rss')
    await viewers.ask('connect', { url, viewers: MORE_IDLE })
    rounds.push(((await hub.ask<number>('rss')) - before) / MORE_IDLE / 1024)
  }
  return rounds
}

function viewersCpu(rounds: FanOutRound[]): number {
  const shares = rounds.map(({ viewers }) => viewers.cpuMs / viewers.seconds / 10)
  return Math.round(Math.max(...shares))
}
