/**
 * The compositor: how fast the CPU twins lay out, what ten and a hundred million tokens take and how soon a
 * viewport of them is answered, the same on the GPU if there is one, and the process around it: how long a batch
 * takes there and back, and how long a process that was killed is missed.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { TokenLog } from '../broadcast/token-log.ts'
import { type Backend, backendFor } from '../compositor/adapter.ts'
import { Compositor } from '../compositor/compositor.ts'
import { mapPosition } from '../compositor/layout/map.ts'
import { findBackend } from '../compositor/probe.ts'
import { TokenscopeError } from '../events/errors.ts'
import { stateEvent, tokenEvent } from '../test/support/hub-events.ts'
import { RecordingMeter } from '../test/support/hub-meter.ts'
import { Helper } from './children.ts'
import { gpuFigures } from './compositor/gpu.ts'
import type { Holding } from './compositor/held-process.ts'
import { type Bench, type BenchOptions, type Figure, figureOf } from './figure.ts'

const MILLION = 1_000_000
const STEP = 1000
/** Generations that run at the same time. */
const GENERATIONS = 25
const ROUNDS = 15
/** Tokens that are laid out again after a kill: as many as the log keeps. */
const KEPT = 65_536
const KILLS = 7

/** Tokens a µs that each layout is to reach on one thread. */
const RATES: Readonly<Record<string, number>> = { map: 150, 'flow, appended': 120, 'flow, all anew': 120 }

export const compositor: Bench = { name: 'compositor', title: 'layouts, views, and their process', run }

async function run({ gpu: choice }: BenchOptions): Promise<Figure[]> {
  const cpu = backendFor('cpu', { adapter: null, failure: null })
  const gpu = choice === 'cpu' ? null : await findGpu(choice === 'webgpu')
  const figures: Figure[] = []
  let rates: Record<string, number[]> = {}
  if (choice !== 'webgpu') {
    rates = await layoutRates()
    for (const [name, values] of Object.entries(rates)) {
      const target = RATES[name]
      const details = {
        unit: 'Mtok/s',
        better: 'higher',
        ...(target === undefined ? {} : { target }),
      } as const
      figures.push(figureOf(`${name}, 10M tokens, one thread`, values, details))
    }
    figures.push(...(await heldFigures(10)), ...(await heldFigures(100)))
  }
  if (gpu !== null) figures.push(...(await gpuFigures(rates)))
  const backends = choice === 'webgpu' ? [] : [cpu]
  if (gpu !== null) backends.push(gpu)
  for (const backend of backends) figures.push(...(await processFigures(backend)))
  return figures
}

/** Null without an adapter, unless one is asked for. */
async function findGpu(needed: boolean): Promise<Backend | null> {
  try {
    return await findBackend({ gpu: 'webgpu', say() {} })
  } catch (error) {
    if (!needed && error instanceof TokenscopeError && error.code === 'GPU_UNAVAILABLE') return null
    throw error
  }
}

async function layoutRates(): Promise<Record<string, number[]>> {
  const helper = new Helper('compositor/held-process.ts')
  try {
    return await helper.ask('layouts', { tokens: 10 * MILLION })
  } finally {
    await helper.end()
  }
}

/** What so many million tokens take, and how soon views of them are there. */
async function heldFigures(millions: number): Promise<Figure[]> {
  const name = `${millions}M tokens`
  const large = millions > 10
  const helper = new Helper('compositor/held-process.ts')
  try {
    const held = await helper.ask<Holding>('hold', { tokens: millions * MILLION })
    const views = await helper.ask<Record<string, number[]>>('views')
    const figures = [
      figureOf(`${name}, all three layouts: memory of each`, [held.each], {
        unit: 'B',
        better: 'lower',
        target: 24,
        note: `and ${held.text.toFixed(1)} B of text and where it stands`,
      }),
      ...Object.entries(held.begins).map(([layout, seconds]) =>
        figureOf(`${name}: ${layout} from nothing`, [seconds * 1000], { unit: 'ms', better: 'lower' }),
      ),
      ...Object.entries(views).map(([view, times]) =>
        figureOf(`${name}: viewport, ${view}`, times, {
          unit: 'ms',
          better: 'lower',
          target: large ? 100 : 10,
        }),
      ),
    ]
    if (large) return figures
    const appends = await helper.ask<Record<string, number[]>>('appends')
    const more = Object.entries(appends).map(([layout, times]) =>
      figureOf(`${name}: 1,000 more to visible tiles, ${layout}`, times, {
        unit: 'ms',
        better: 'lower',
        target: 1,
      }),
    )
    return [...figures, ...more]
  } finally {
    await helper.end()
  }
}

/** The compositor with its process. */
async function processFigures(backend: Backend): Promise<Figure[]> {
  const log = new TokenLog({ place: mapPosition })
  const meter = new RecordingMeter()
  const compositor = new Compositor({
    log,
    past: null,
    meter,
    backend,
    dump: null,
    say() {},
    maxEnds: Number.POSITIVE_INFINITY,
  })
  compositor.start()
  compositor.attend(true)
  compositor.watch(new Set(['map', 'flow', 'timeline']))
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
    const { count } = await compositor.view({ layout: 'map', x: 0, y: 0, w: 1600, h: 900, zoom: 1, have: [] })
    restarts.push(performance.now() - begun)
    if (count < KEPT - STEP) throw new Error(`${count} tokens are there after a kill`)
  }
  await compositor.stop()
  const name = backend.name === 'cpu' ? 'CPU' : 'GPU'
  const note = `all three layouts of what the log keeps, ${KEPT} entries`
  return [
    figureOf(`batch of 1,000 there and back, ${name}`, trips, { unit: 'ms', better: 'lower' }),
    figureOf(`kill -9 to a view of all, ${name}`, restarts, {
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
