import { type Figure, figureOf } from '../figure.ts'
import { FanOut, type Round } from './fan-out.ts'

const FIRST = 100
const MORE = 4900
const PER_SECOND = 50
const WARM_UP_SECONDS = 3
const ROUND_SECONDS = 5
const ROUNDS = 3
const P99_TARGET = 100
const KIB_TARGET = 16

/** 5,000 viewers at a model's pace: how late the last ones are, and what each costs in memory. */
export async function fiveThousandViewers(): Promise<Figure[]> {
  await using fanOut = await FanOut.start('the hub with 5,000', 'hub-process.ts', 'bin')
  // What only the first viewers and tokens cost is not theirs.
  await fanOut.connect(FIRST)
  await fanOut.round({ perSecond: 1000, seconds: WARM_UP_SECONDS })
  const before = await fanOut.memory()
  await fanOut.connect(MORE)
  const connected = await fanOut.memory()
  await fanOut.round({ perSecond: PER_SECOND, seconds: WARM_UP_SECONDS })
  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) {
    rounds.push(await fanOut.round({ perSecond: PER_SECOND, seconds: ROUND_SECONDS }))
  }
  const after = await fanOut.memory()

  const of = (value: (round: Round) => number) => rounds.map(value)
  const kib = (bytes: number) => [bytes / MORE / 1024]
  const memory = { unit: 'KiB', better: 'lower', target: KIB_TARGET } as const
  return [
    figureOf(
      '5,000 viewers, bin: token in → received p99',
      of(({ viewers }) => viewers.received.p99),
      { unit: 'ms', better: 'lower', target: P99_TARGET, note: `${PER_SECOND} tokens a second` },
    ),
    figureOf(
      '  token in → received p50',
      of(({ viewers }) => viewers.received.p50),
      { unit: 'ms', better: 'lower' },
    ),
    figureOf(
      '  entries in a frame',
      of(({ viewers }) => viewers.deliveries / viewers.frames),
      { unit: '', better: 'higher' },
    ),
    figureOf(
      '  CPU of the hub',
      of(({ server, viewers }) => server.cpuMs / viewers.seconds / 10),
      { unit: '% core', better: 'lower' },
    ),
    figureOf(
      '  CPU of the readers',
      of(({ viewers }) => viewers.cpuMs / viewers.seconds / 10),
      { unit: '% core', better: 'lower' },
    ),
    figureOf('  RSS for each, connected', kib(connected.rss - before.rss), memory),
    figureOf('  RSS for each, after the tokens', kib(after.rss - before.rss), memory),
    figureOf('  … of it objects', kib(after.heapUsed - before.heapUsed), { unit: 'KiB', better: 'lower' }),
  ]
}
