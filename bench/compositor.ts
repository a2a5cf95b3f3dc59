/** The `map` layout on one CPU thread: a million tokens at once, and what a live stream adds. */
import { CellAllocator } from '../broadcast/cells.ts'
import { TokenLog } from '../broadcast/token-log.ts'
import { Compositor } from '../compositor/compositor.ts'
import { layoutMap, mapPosition } from '../compositor/map.ts'
import type { Meter } from '../events/metrics.ts'
import { stateEvent, tokenEvent } from '../test/support/hub-events.ts'
import { type Bench, type Figure, figureOf } from './figure.ts'
import { type MicroTask, microRounds } from './micro-rounds.ts'

const ALL = 1_000_000
const STEP = 1000
/** Generations that run at the same time, which is how their blocks come to lie mixed. */
const GENERATIONS = 25

export const compositor: Bench = { name: 'compositor', title: 'map layout, CPU, one thread', run }

async function run(): Promise<Figure[]> {
  const cells = cellsInLogOrder(ALL)
  const places = new Uint32Array(ALL)
  const times = await microRounds({
    all: { run: () => layoutMap(cells, places, 0, ALL) },
    append: { run: () => layoutMap(cells, places, ALL - STEP, ALL) },
  })
  // Filling the log is not timed but takes fifty times as long.
  const { step } = await microRounds({ step: stepTask() }, { roundMs: 3, warmUpMs: 15 })
  return [
    figureOf('layoutMap, 1,000,000 tokens', times.all, { unit: 'ms', better: 'lower' }),
    figureOf(
      '  throughput',
      times.all.map(ms => ALL / ms / 1000),
      { unit: 'Mtok/s', better: 'higher' },
    ),
    figureOf(
      'layoutMap, 1,000 tokens appended',
      times.append.map(ms => ms * 1000),
      { unit: 'µs', better: 'lower' },
    ),
    figureOf(
      'compositor step of 1,000 tokens',
      step.map(ms => ms * 1000),
      { unit: 'µs', better: 'lower', note: 'reading them from the log included' },
    ),
  ]
}

function cellsInLogOrder(count: number): Uint32Array {
  const allocator = new CellAllocator()
  return Uint32Array.from({ length: count }, (_, i) => allocator.allocate(`g_${i % GENERATIONS}`))
}

/** A step of the compositor after 1,000 tokens came to the log. */
function stepTask(): MicroTask {
  const meter: Meter = { count() {}, set() {}, observe() {} }
  const log = new TokenLog({ place: mapPosition })
  const compositor = new Compositor({ log, meter })
  const ids = Array.from({ length: GENERATIONS }, (_, i) => `g_${i}`)
  for (const id of ids) log.append(stateEvent(id), 0)
  let index = 0
  return {
    before() {
      for (let i = 0; i < STEP; i++) {
        log.append(tokenEvent(ids[index % GENERATIONS] as string, Math.floor(index / GENERATIONS)), 0)
        index++
      }
    },
    run: () => compositor.step(),
  }
}
