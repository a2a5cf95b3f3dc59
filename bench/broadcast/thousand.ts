import { type Figure, figureOf } from '../figure.ts'
import { installPeers } from '../peers.ts'
import type { Speech } from './decoder.ts'
import { FanOut, type Round } from './fan-out.ts'

const VIEWERS = 1000
const ROUNDS = 3
const WARM_UP_SECONDS = 3

/** What serves a thousand, and how much of it is asked for. */
interface Contender {
  name: string
  module: string
  speech: Speech
  perSecond: number
  seconds: number
}

/** A fiftieth more than is asked for, so that the way of the last token is not what misses the million. */
const OURS: Contender = { name: 'hub', module: 'hub-process.ts', speech: 'bin', perSecond: 1020, seconds: 5 }
/** As many tokens a second as each can hold on one core: its CPU for a delivery is lowest there. */
const LOOP: Contender = {
  name: 'a plain ws loop',
  module: 'ws-loop-process.ts',
  speech: 'plain',
  perSecond: 200,
  seconds: 4,
}
const SOCKET_IO: Contender = {
  name: 'Socket.IO',
  module: 'socket-io-process.ts',
  speech: 'socket.io',
  perSecond: 150,
  seconds: 4,
}
const DELIVERIES_TARGET = 1_000_000
const TIMES_LOOP = 8
const TIMES_SOCKET_IO = 10

/** 1,000 viewers and a million deliveries a second; what others can do beside it, round for round. */
export async function thousandViewers(): Promise<Figure[]> {
  const missing = await installPeers()
  const [ours = [], loop = [], socketIo] = await turns(
    missing === null ? [OURS, LOOP, SOCKET_IO] : [OURS, LOOP],
  )
  const figures = [...ourFigures(ours), ...againstFigures(LOOP, loop, ours, TIMES_LOOP)]
  if (socketIo !== undefined) figures.push(...againstFigures(SOCKET_IO, socketIo, ours, TIMES_SOCKET_IO))
  else (figures[0] as Figure).note += `; Socket.IO could not be had: ${missing}`
  return figures
}

/** The rounds of each contender: they take turns, so that what else the machine does meets them alike. */
async function turns(contenders: readonly Contender[]): Promise<Round[][]> {
  await using cleanup = new AsyncDisposableStack()
  const fanOuts: FanOut[] = []
  for (const { name, module, speech, perSecond } of contenders) {
    const fanOut = cleanup.use(await FanOut.start(name, module, speech))
    fanOuts.push(fanOut)
    await fanOut.connect(VIEWERS)
    await fanOut.round({ perSecond, seconds: WARM_UP_SECONDS })
  }
  const rounds: Round[][] = contenders.map(() => [])
  for (let i = 0; i < ROUNDS; i++) {
    for (const [at, contender] of contenders.entries()) {
      rounds[at]?.push(await (fanOuts[at] as FanOut).round(contender))
    }
  }
  return rounds
}

function ourFigures(ours: readonly Round[]): Figure[] {
  const of = (value: (round: Round) => number) => ours.map(value)
  return [
    figureOf('1,000 viewers, bin: deliveries', of(deliveriesPerSecond), {
      unit: '/s',
      better: 'higher',
      target: DELIVERIES_TARGET,
      note: `${OURS.perSecond.toLocaleString('en-GB')} tokens a second were fed; every text was checked at every viewer`,
    }),
    figureOf(
      '  missed or out of order',
      of(({ viewers }) => viewers.missed),
      { unit: 'entries', better: 'lower', target: 0 },
    ),
    ...latencyFigures(ours),
    figureOf(
      '  entries in a frame',
      of(({ viewers }) => viewers.deliveries / viewers.frames),
      { unit: '', better: 'higher' },
    ),
    figureOf(
      '  bytes a token, text aside',
      of(({ viewers }) => viewers.bytes / viewers.deliveries - viewers.textBytes / viewers.tokens),
      { unit: 'bytes', better: 'lower' },
    ),
    figureOf(
      '  CPU of the hub for a delivery',
      of(({ server, viewers }) => (server.cpuMs * 1000) / viewers.deliveries),
      { unit: 'µs', better: 'lower' },
    ),
    ...shareFigures(ours),
    figureOf('  deliveries in a CPU second', of(deliveriesPerCpuSecond), { unit: '', better: 'higher' }),
  ]
}

function againstFigures(
  { name, perSecond }: Contender,
  theirs: readonly Round[],
  ours: readonly Round[],
  target: number,
): Figure[] {
  const pace = `${(perSecond * VIEWERS).toLocaleString('en-GB')} deliveries a second were asked for`
  return [
    figureOf(
      `1,000 viewers: times ${name}`,
      ours.map((round, at) => deliveriesPerCpuSecond(round) / deliveriesPerCpuSecond(theirs[at] as Round)),
      {
        unit: '×',
        better: 'higher',
        target,
        note: `deliveries in a CPU second of the server; of ${name} ${pace}`,
      },
    ),
    figureOf(`  ${name}: deliveries in a CPU second`, theirs.map(deliveriesPerCpuSecond), {
      unit: '',
      better: 'higher',
    }),
    figureOf(`  ${name}: deliveries`, theirs.map(deliveriesPerSecond), { unit: '/s', better: 'higher' }),
    ...latencyFigures(theirs, `${name}: `),
    ...shareFigures(theirs, `${name}: `),
  ]
}

function latencyFigures(rounds: readonly Round[], prefix = ''): Figure[] {
  const ms = { unit: 'ms', better: 'lower' } as const
  return [
    figureOf(
      `  ${prefix}token in → received p50`,
      rounds.map(({ viewers }) => viewers.received.p50),
      ms,
    ),
    figureOf(
      `  ${prefix}token in → received p99`,
      rounds.map(({ viewers }) => viewers.received.p99),
      ms,
    ),
  ]
}

/** Shares of a core, of the server and of those who read: they are not to be what is slow. */
function shareFigures(rounds: readonly Round[], prefix = ''): Figure[] {
  const share = { unit: '% core', better: 'lower' } as const
  return [
    figureOf(
      `  ${prefix}CPU of the server`,
      rounds.map(({ server, viewers }) => server.cpuMs / viewers.seconds / 10),
      share,
    ),
    figureOf(
      `  ${prefix}CPU of the readers`,
      rounds.map(({ viewers }) => viewers.cpuMs / viewers.seconds / 10),
      share,
    ),
  ]
}

function deliveriesPerSecond({ viewers }: Round): number {
  return viewers.deliveries / viewers.seconds
}

function deliveriesPerCpuSecond({ viewers, server }: Round): number {
  return (viewers.deliveries * 1000) / server.cpuMs
}
