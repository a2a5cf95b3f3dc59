import { type Figure, figureOf, type Quantiles } from '../figure.ts'
import type { Speech } from './decoder.ts'
import { FanOut, type Round } from './fan-out.ts'
import type { ServerRound } from './server-process.ts'

const VIEWERS = 100
const PER_SECOND = 1000
const WARM_UP = { perSecond: PER_SECOND, seconds: 2 }
const ROUND = { perSecond: PER_SECOND, seconds: 5 }
const ROUNDS = 3
const TARGETS = { p50: 2, p99: 10 }
/** Bytes on the wire for a token besides its text. */
const BYTES_TARGET = 24

/** 100 viewers and 1,000 tokens a second, in the protocol of the page and in JSON. */
export async function hundredViewers(): Promise<Figure[]> {
  return [...figuresOf('bin', await rounds('bin')), ...figuresOf('json', await rounds('json'))]
}

async function rounds(speech: Speech): Promise<Round[]> {
  await using fanOut = await FanOut.start(`the hub, ${speech}`, 'hub-process.ts', speech)
  await fanOut.connect(VIEWERS)
  await fanOut.round(WARM_UP)
  const rounds: Round[] = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await fanOut.round(ROUND))
  return rounds
}

function figuresOf(speech: 'bin' | 'json', rounds: readonly Round[]): Figure[] {
  const of = (value: (round: Round) => number) => rounds.map(value)
  const ms = { unit: 'ms', better: 'lower' } as const
  const target = (p: keyof typeof TARGETS) => (speech === 'bin' ? { target: TARGETS[p] } : {})
  return [
    figureOf(
      `100 viewers, ${speech}: token in → received p50`,
      of(({ viewers }) => viewers.received.p50),
      { ...ms, ...target('p50') },
    ),
    figureOf(
      '  token in → received p99',
      of(({ viewers }) => viewers.received.p99),
      { ...ms, ...target('p99') },
    ),
    figureOf(
      '  token in → socket out p50',
      of(({ server }) => written(server).p50),
      { ...ms, ...target('p50') },
    ),
    figureOf(
      '  token in → socket out p99',
      of(({ server }) => written(server).p99),
      { ...ms, ...target('p99') },
    ),
    figureOf(
      '  missed or out of order',
      of(({ viewers }) => viewers.missed),
      { unit: 'entries', better: 'lower', target: 0 },
    ),
    figureOf(
      '  entries in a frame',
      of(({ viewers }) => viewers.deliveries / viewers.frames),
      { unit: '', better: 'higher' },
    ),
    figureOf(
      '  bytes a token, text aside',
      of(({ viewers }) => viewers.bytes / viewers.deliveries - viewers.textBytes / viewers.tokens),
      { unit: 'bytes', better: 'lower', ...(speech === 'bin' ? { target: BYTES_TARGET } : {}) },
    ),
    figureOf(
      '  CPU of the hub',
      of(({ server, viewers }) => server.cpuMs / viewers.seconds / 10),
      { unit: '% core', better: 'lower' },
    ),
  ]
}

function written({ written }: ServerRound): Quantiles {
  if (written === null) throw new Error('the hub did not tell when it wrote')
  return written
}
