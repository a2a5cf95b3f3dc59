import { type Figure, figureOf } from '../figure.ts'
import { FanOut, type Round } from './fan-out.ts'

const VIEWERS = 1000
const STALLED = VIEWERS / 2
/** So long that 256 KiB are full after some three seconds, of fifteen and more in which nobody reads them. */
const TOKEN = { perSecond: 1000, textBytes: 80 }
/** Generations end and begin, so that what is kept of them stays the same. */
const GENERATION_TOKENS = 400
/** More than the log keeps: what it holds does not grow any more either. */
const FILL = 120_000
const ROUNDS = 3
const ROUND_SECONDS = 5
const SETTLE_SECONDS = 4
const TIMES_TARGET = 1.2
const MIB_TARGET = 1

/** What half of 1,000 viewers do to the others and to the hub when they stop reading. */
export async function stalledViewers(): Promise<Figure[]> {
  await using fanOut = await FanOut.start('the hub with stalled viewers', 'hub-process.ts', 'bin', {
    generationTokens: GENERATION_TOKENS,
  })
  await fanOut.fill(FILL)
  await fanOut.connect(VIEWERS)
  await fanOut.round({ ...TOKEN, seconds: SETTLE_SECONDS })
  const begin = await fanOut.memory()
  await fanOut.round({ ...TOKEN, seconds: SETTLE_SECONDS })
  const reading: Round[] = []
  for (let i = 0; i < ROUNDS; i++) reading.push(await fanOut.round({ ...TOKEN, seconds: ROUND_SECONDS }))
  const before = await fanOut.memory()
  await fanOut.stall(STALLED)
  await fanOut.round({ ...TOKEN, seconds: SETTLE_SECONDS })
  const stalled: Round[] = []
  for (let i = 0; i < ROUNDS; i++) stalled.push(await fanOut.round({ ...TOKEN, seconds: ROUND_SECONDS }))
  const after = await fanOut.memory()

  const p99 = ({ viewers }: Round) => viewers.received.p99
  const mib = (bytes: number) => bytes / 1024 / 1024
  return [
    figureOf(
      '500 of 1,000 stalled: p99 of the others',
      stalled.map((round, at) => p99(round) / p99(reading[at] as Round)),
      {
        unit: '×',
        better: 'lower',
        target: TIMES_TARGET,
        note: `of the p99 while all read; tokens of ${TOKEN.textBytes} bytes, ${SETTLE_SECONDS} s and then ${ROUNDS} rounds of ${ROUND_SECONDS} s in which half of them never read`,
      },
    ),
    figureOf('  p99 while all read', reading.map(p99), { unit: 'ms', better: 'lower' }),
    figureOf('  p99 while half are stalled', stalled.map(p99), { unit: 'ms', better: 'lower' }),
    figureOf("  growth of the hub's heap", [mib(after.heapUsed - before.heapUsed)], {
      unit: 'MiB',
      better: 'lower',
      target: MIB_TARGET,
    }),
    figureOf('  … in the same time while all read', [mib(before.heapUsed - begin.heapUsed)], {
      unit: 'MiB',
      better: 'lower',
    }),
    figureOf("  growth of the hub's RSS", [mib(after.rss - before.rss)], { unit: 'MiB', better: 'lower' }),
  ]
}
