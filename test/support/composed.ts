import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, vi } from 'vitest'
import type { LayoutName, ViewAnswer, ViewToken } from '../../broadcast/protocol/view.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import type { Backend, BackendName } from '../../compositor/adapter.ts'
import { Compositor, type CompositorOptions } from '../../compositor/compositor.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'
import { RecordingMeter } from './hub-meter.ts'

const STAND_IN = join(import.meta.dirname, 'stand-in-process.ts')
/** Units along the sides of what is looked at at once: so many tokens of the map always come one by one. */
const SQUARE = 64
/** A wait that looks without a pause takes the processor from the process that it waits for. */
const LOOK_MS = 2

export const BACKENDS: Record<BackendName, Backend> = {
  cpu: { name: 'cpu', adapter: null, reason: 'as the test asks', detail: 'CPU, as the test asks' },
  webgpu: { name: 'webgpu', adapter: 'SwiftShader', reason: 'as the test asks', detail: 'SwiftShader' },
}

export interface ComposeOptions extends Partial<Omit<CompositorOptions, 'backend'>> {
  backend?: BackendName
  maxEntries?: number
  /** Runs this of the stand-ins in the place of the process. */
  standIn?: string
}

/** A compositor with a log and a meter of its own. */
export interface Composed {
  log: TokenLog
  meter: RecordingMeter
  /** What it said, debugging aside. */
  said: string[]
  compositor: Compositor
  /** Appends a generation of so many tokens. */
  say: (generation: string, count: number, text?: (index: number) => string) => void
  watch: (...layouts: LayoutName[]) => void
}

/** Gives the tests of this file compositors; each is stopped after its test. */
export function useCompositor(): (options?: ComposeOptions) => Composed {
  const started: Compositor[] = []
  const folders: string[] = []
  afterEach(async () => {
    vi.unstubAllEnvs()
    for (const compositor of started.splice(0)) await compositor.stop()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })
  return ({ backend = 'cpu', maxEntries, standIn, ...options } = {}) => {
    const bounds = maxEntries === undefined ? {} : { maxEntries }
    const log = options.log ?? new TokenLog({ place: mapPosition, ...bounds })
    const meter = new RecordingMeter()
    const said: string[] = []
    vi.stubEnv('STAND_IN', standIn)
    if (standIn !== undefined) {
      const folder = mkdtempSync(join(tmpdir(), 'tokenscope-stand-in-'))
      folders.push(folder)
      vi.stubEnv('STAND_IN_ONCE', join(folder, 'once'))
    }
    const compositor = new Compositor({
      log,
      past: null,
      meter,
      backend: BACKENDS[backend],
      dump: null,
      say: (level, text) => level !== 'debug' && said.push(`${level}: ${text}`),
      ...options,
      ...(standIn === undefined ? {} : { process: { entry: STAND_IN, ...options.process } }),
    })
    compositor.start()
    started.push(compositor)
    return {
      log,
      meter,
      said,
      compositor,
      say(generation, count, text = index => ` ${index}`) {
        log.append(stateEvent(generation), 0)
        for (let index = 0; index < count; index++) log.append(tokenEvent(generation, index, text(index)), 0)
      },
      watch: (...layouts) => compositor.watch(new Set(layouts)),
    }
  }
}

/** Waits until the process has laid out all; a layout must be watched. */
export async function caughtUp({ compositor, log }: Composed): Promise<void> {
  while (compositor.laidOutTo !== log.head) await sleep(LOOK_MS)
}

/** Ids and places of the tokens that the log keeps. */
export function tokensKept({ log }: Composed): Map<string, [number, number]> {
  const kept = new Map<string, [number, number]>()
  for (let seq = log.tail; seq <= log.head; seq++) {
    const entry = log.entry(seq)
    if (entry?.type === 'token_activation')
      kept.set(`${entry.generation}:${entry.index}`, entry.position as [number, number])
  }
  return kept
}

/** How many tokens the map has; each that the log keeps must be there, where the log put it. */
export async function mapped(composed: Composed): Promise<number> {
  const kept = tokensKept(composed)
  const squares = new Set([...kept.values()].map(place => place.map(at => Math.floor(at / SQUARE)).join()))
  const seen = new Map<string, [number, number]>()
  for (const square of squares) {
    const [x = 0, y = 0] = square.split(',').map(at => Number(at) * SQUARE)
    // No token is wider than its cell: those at the edges come as well.
    const { tokens } = await composed.compositor.view({ layout: 'map', x, y, w: 512, h: 512, zoom: 8 })
    for (const token of tokens) seen.set(token.id, [token.x, token.y])
  }
  const missing = [...kept].filter(([id, [x, y]]) => seen.get(id)?.[0] !== x || seen.get(id)?.[1] !== y)
  expect(missing).toEqual([])
  const all = { layout: 'map' as const, x: 0, y: 0, w: 1, h: 1, zoom: 1e-6 }
  return (await composed.compositor.view(all)).count
}

/** All tokens of a layout whose picture is not too large to read, in the order of their ids. */
export async function readAll({ compositor }: Composed, layout: LayoutName): Promise<ViewToken[]> {
  const zooms = { map: 8, flow: 2, timeline: 1 }
  const at = { layout, x: 0, y: 0, w: 4096, h: 4096, zoom: zooms[layout] }
  const answer: ViewAnswer = await compositor.view(at)
  return answer.tokens.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

export function pidOf({ compositor }: Composed): number | null {
  return compositor.report().facts?.pid as number | null
}
