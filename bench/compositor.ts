/**
 * The `map` layout, by the CPU twin and by the GPU if there is one, and the compositor's process around it:
 * how long a batch takes there and back, and how long a process that was killed is missed.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { CellAllocator } from '../broadcast/cells.ts'
import { TokenLog } from '../broadcast/token-log.ts'
import { type Backend, backendFor } from '../compositor/adapter.ts'
import { Compositor } from '../compositor/compositor.ts'
import type { TokenPage } from '../compositor/engine.ts'
import { WebgpuEngine } from '../compositor/engine-webgpu.ts'
import { openDevice } from '../compositor/gpu.ts'
import { layoutMap, mapPosition } from '../compositor/map.ts'
import { findBackend } from '../compositor/probe.ts'
import { TokenscopeError } from '../events/errors.ts'
import { stateEvent, tokenEvent } from '../test/support/hub-events.ts'
import { RecordingMeter } from '../test/support/hub-meter.ts'
import { type Bench, type Figure, figureOf } from './figure.ts'
import { microRounds } from './micro-rounds.ts'

const ALL = 1_000_000
const STEP = 1000
/** Tokens of a page, as the compositor has it. */
const PAGE = 65_536
/** Generations that run at the same time, which is how their blocks come to lie mixed. */
const GENERATIONS = 25
const ROUNDS = 15
/** Tokens that are laid out again after a kill: as many as the log keeps. */
const KEPT = 65_536
const KILLS = 7

export const compositor: Bench = { name: 'compositor', title: 'map layout, and its process', run }

async function run(): Promise<Figure[]> {
  const cells = cellsInLogOrder(ALL)
  const places = new Uint32Array(ALL)
  const times = await microRounds({
    all: { run: () => layoutMap(cells, places, 0, ALL) },
    append: { run: () => layoutMap(cells, places, ALL - STEP, ALL) },
  })
  const figures = [
    figureOf('layoutMap, 1,000,000 tokens', times.all, { unit: 'ms', better: 'lower' }),
    throughput(times.all),
    figureOf(
      'layoutMap, 1,000 tokens appended',
      times.append.map(ms => ms * 1000),
      { unit: 'µs', better: 'lower' },
    ),
  ]
  const cpu = backendFor('cpu', { adapter: null, failure: null })
  const gpu = await findGpu()
  if (gpu !== null) figures.push(...(await engineFigures(cells)))
  for (const backend of gpu === null ? [cpu] : [cpu, gpu]) figures.push(...(await processFigures(backend)))
  return figures
}

function cellsInLogOrder(count: number): Uint32Array {
  const allocator = new CellAllocator()
  return Uint32Array.from({ length: count }, (_, i) => allocator.allocate(`g_${i % GENERATIONS}`))
}

/** Null without an adapter. */
async function findGpu(): Promise<Backend | null> {
  try {
    return await findBackend({ gpu: 'webgpu', say() {} })
  } catch (error) {
    if (error instanceof TokenscopeError && error.code === 'GPU_UNAVAILABLE') return null
    throw error
  }
}

function throughput(times: readonly number[]): Figure {
  const rates = times.map(ms => ALL / ms / 1000)
  return figureOf('  throughput', rates, { unit: 'Mtok/s', better: 'higher' })
}

/** The engine on the GPU, from cells in memory to places in memory, in pages as the compositor's. */
async function engineFigures(cells: Uint32Array): Promise<Figure[]> {
  const opened = await openDevice()
  const engine = await WebgpuEngine.create({
    ...opened,
    pageTokens: PAGE,
    dump: null,
    onFault(reason) {
      throw new Error(reason)
    },
  })
  const pages = Array.from({ length: Math.ceil(ALL / PAGE) }, (_, i): TokenPage => {
    const part = cells.slice(i * PAGE, (i + 1) * PAGE)
    const { length } = part
    return {
      seqs: new Float64Array(length),
      cells: part,
      places: new Uint32Array(length),
      used: length,
      laidOut: 0,
    }
  })
  const all = () => Promise.all(pages.map(page => engine.layOut(page, 0, page.used)))
  const [last] = pages.slice(-1) as [TokenPage]
  const append = () => engine.layOut(last, last.used - STEP, last.used)
  const times = { all: await roundsOf(all), append: await roundsOf(append) }
  await engine.stop()
  const note = `on ${opened.adapter.name}${opened.adapter.software ? ', a software adapter: no measure of a GPU' : ''}`
  return [
    figureOf('GPU engine, 1,000,000 tokens', times.all, { unit: 'ms', better: 'lower', note }),
    throughput(times.all),
    figureOf(
      'GPU engine, 1,000 tokens appended',
      times.append.map(ms => ms * 1000),
      { unit: 'µs', better: 'lower', note },
    ),
  ]
}

/** The compositor with its process. */
async function processFigures(backend: Backend): Promise<Figure[]> {
  const log = new TokenLog({ place: mapPosition })
  const meter = new RecordingMeter()
  const compositor = new Compositor({
    log,
    meter,
    backend,
    dump: null,
    say() {},
    maxEnds: Number.POSITIVE_INFINITY,
  })
  compositor.start()
  compositor.watch(true)
  const ids = Array.from({ length: GENERATIONS }, (_, i) => `g_${i}`)
  for (const id of ids) log.append(stateEvent(id), 0)
  let index = 0
  const append = (count: number) => {
    for (let i = 0; i < count; i++, index++) {
      log.append(tokenEvent(ids[index % GENERATIONS] as string, Math.floor(index / GENERATIONS)), 0)
    }
  }
  const caughtUp = () => meter.until(() => compositor.laidOutTo === log.head)
  append(STEP)
  await caughtUp()
  const trips = await roundsOf(caughtUp, async () => append(STEP))
  append(KEPT)
  await caughtUp()
  const restarts: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    const begun = performance.now()
    process.kill(compositor.report().facts?.pid as number, 'SIGKILL')
    while (compositor.laidOutTo === log.head) await turn()
    await caughtUp()
    restarts.push(performance.now() - begun)
  }
  await compositor.stop()
  const name = backend.name === 'cpu' ? 'CPU' : 'GPU'
  const note = `what is laid out again is what the log keeps, ${KEPT} entries`
  return [
    figureOf(`batch of 1,000 there and back, ${name}`, trips, { unit: 'ms', better: 'lower' }),
    figureOf(`kill -9 to laid out again, ${name}`, restarts, {
      unit: 'ms',
      better: 'lower',
      target: 1000,
      note,
    }),
  ]
}

/** Milliseconds that `task` takes, by round: the mean of some runs, after as many that do not count. */
async function roundsOf(
  task: () => Promise<unknown>,
  before: () => Promise<void> = async () => {},
  runs = 20,
): Promise<number[]> {
  const times: number[] = []
  for (let round = -1; round < ROUNDS; round++) {
    let spent = 0
    for (let i = 0; i < runs; i++) {
      await before()
      const begun = performance.now()
      await task()
      spent += performance.now() - begun
    }
    if (round >= 0) times.push(spent / runs)
  }
  return times
}
