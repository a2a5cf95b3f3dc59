/**
 * Holds many tokens, in a process of its own, and tells what that takes: memory, the speed of the layouts' twins
 * on one thread, and how long viewports and appends take.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  COLORS,
  type ColorName,
  type LayoutName,
  type ViewAnswer,
  type ViewQuestion,
} from '../../broadcast/protocol/view.ts'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import { flowAppend, flowFragments, flowNumber, flowShift } from '../../compositor/layout/flow.ts'
import { FLOW_WIDTH, FRAGMENT_TOKENS, fragmentsOf } from '../../compositor/layout/flow-layout.ts'
import { CARRY_WORDS } from '../../compositor/layout/flow-words.ts'
import { layoutMap } from '../../compositor/layout/map.ts'
import {
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  PAGE_CHUNKS,
  PAGE_TOKENS,
} from '../../compositor/tokens/record.ts'
import type { TokenPage } from '../../compositor/tokens/token-page.ts'
import { TokenStore } from '../../compositor/tokens/token-store.ts'
import { Composition } from '../../compositor/view/composition.ts'
import { answer } from '../children.ts'
import { readMemory } from '../memory-reading.ts'
import { Corpus } from './corpus.ts'

const BATCH = 65_536
const ROUNDS = 15
/** Layouts of all tokens take long enough to be measured once a round. */
const LAYOUT_ROUNDS = 7
const LAYOUTS: readonly LayoutName[] = ['map', 'flow', 'timeline']
/** A window on the page, in pixels. */
const WINDOW = { w: 1600, h: 900 }
/** Pixels a unit at which tokens can be read. */
const NEAR = { map: 16, flow: 8, timeline: 0.5 } as const

/** What holding a number of tokens takes. */
export interface Holding {
  /** Bytes of each token besides its text and where that stands. */
  each: number
  /** Bytes of text and where it stands, of each. */
  text: number
  /** Seconds until a layout that nobody had watched is there. */
  begins: Record<LayoutName, number>
}

const corpus = new Corpus()
let composition: Composition

/** Takes in so many tokens and lays them out in every way. */
async function hold({ tokens }: { tokens: number }): Promise<Holding> {
  const before = await readMemory()
  composition = new Composition({
    engine: new CpuEngine(),
    maxPages: Math.ceil((tokens * 1.5) / PAGE_TOKENS),
  })
  await fill(tokens)
  const begins = {} as Holding['begins']
  for (const layout of LAYOUTS) {
    const begun = performance.now()
    await composition.watch(new Set(LAYOUTS.slice(0, LAYOUTS.indexOf(layout) + 1)))
    begins[layout] = (performance.now() - begun) / 1000
  }
  const { held } = await readMemory()
  const { textBytes } = composition
  return { each: (held - before.held - textBytes) / tokens, text: textBytes / tokens, begins }
}

/** A function of its own, so that nothing holds on to the last entries. */
async function fill(tokens: number): Promise<void> {
  while (composition.tokens < tokens) {
    const entries = corpus.entries(Math.min(BATCH, tokens - composition.tokens))
    await composition.append(entries, corpus.seq)
  }
}

/** What a viewport takes that nobody has asked for before: where tokens are near, and where all are seen. */
async function views(): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {}
  for (const layout of LAYOUTS) {
    for (const distance of ['near', 'far'] as const) {
      const name = `${layout} ${distance}`
      times[name] = []
      for (let round = -3; round < ROUNDS; round++) {
        const question = await viewport(layout, distance, (round + 4) / (ROUNDS + 5))
        const begun = performance.now()
        const { count } = await composition.view(question)
        if (round >= 0) times[name].push(performance.now() - begun)
        if (count === 0) throw new Error(`nothing is to be seen of ${name}, round ${round}`)
        await wait(1)
      }
    }
  }
  return times
}

/** A window on a part of a layout that is `share` (0 … 1) of the way from its first token to its last. */
async function viewport(layout: LayoutName, distance: 'near' | 'far', share: number): Promise<ViewQuestion> {
  const { bounds } = await composition.view({ layout, x: 0, y: 0, w: 1, h: 1, zoom: 1 })
  const [left, top, right, bottom] = bounds as NonNullable<ViewAnswer['bounds']>
  if (distance === 'far') {
    // A colour and a distance that no other round has: no tile is asked for twice.
    const round = Math.floor(share * (ROUNDS + 5))
    const color = COLORS[round % COLORS.length] as ColorName
    const zoom = fitted(layout, [left, top, right, bottom]) / 2 ** Math.floor(round / COLORS.length)
    return { layout, ...WINDOW, x: left, y: top, zoom, color, have: [] }
  }
  const x = left + (right - left) * share
  const zoom = NEAR[layout]
  if (layout === 'timeline') return { layout, ...WINDOW, x, y: top, zoom, have: [] }
  // Both curves fill a square whose side is a power of two; not all of it is full yet.
  for (let y = top + (bottom - top) * share; ; y /= 2) {
    const question = { layout, ...WINDOW, x, y, zoom, color: 'age' } as const
    if ((await composition.view(question)).count > 0) {
      return { ...question, x, y, color: 'confidence', have: [] }
    }
  }
}

/** From 1,000 new tokens to the tiles of a viewport in which they lie. */
async function appends(): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {}
  for (const layout of LAYOUTS) {
    await composition.watch(new Set([layout]))
    const { bounds } = await composition.view({ layout, x: 0, y: 0, w: 1, h: 1, zoom: 1 })
    const all = bounds as NonNullable<ViewAnswer['bounds']>
    const [x, y] = all
    const question: ViewQuestion = { layout, ...WINDOW, zoom: fitted(layout, all), x, y, have: [] }
    times[layout] = []
    for (let round = -5; round < ROUNDS; round++) {
      const seen = await composition.view({ ...question, have: [] })
      question.have = seen.tiles.map(({ z, x, y, version }) => [z, x, y, version])
      const entries = corpus.entries(1000)
      const begun = performance.now()
      await composition.append(entries, corpus.seq)
      const { tiles } = await composition.view(question)
      if (round >= 0) times[layout].push(performance.now() - begun)
      if (tiles.every(({ content }) => content === null))
        throw new Error(`nothing new is to be seen of ${layout}`)
      await wait(1)
    }
  }
  return times
}

/** Pixels of a unit at which all is seen, and room for more. */
function fitted(layout: LayoutName, [left, top, right, bottom]: NonNullable<ViewAnswer['bounds']>): number {
  const across = WINDOW.w / (right - left)
  return 0.9 * (layout === 'timeline' ? across : Math.min(across, WINDOW.h / (bottom - top)))
}

/** Tokens per µs of each layout's twin, on one thread. */
function layouts({ tokens }: { tokens: number }): Record<string, number[]> {
  const store = new TokenStore({ maxPages: Number.POSITIVE_INFINITY })
  const source = new Corpus()
  while (store.size < tokens) store.append(source.entries(BATCH))
  const pages = [...store.pages.values()]
  for (const page of pages) page.flow = new Uint32Array(PAGE_TOKENS)
  const places = new Uint32Array(PAGE_TOKENS)
  const carries = new Uint32Array(store.generations.length * CARRY_WORDS)
  const jobs = pages.map(jobsOf)
  const fragments = pages.map(page => fragmentsOf(page, FRAGMENT_TOKENS.cpu))
  const slots = pages.length * PAGE_TOKENS
  const work: Record<string, { tokens: number; run: () => void }> = {
    map: {
      tokens: slots,
      run: () => {
        for (const page of pages) layoutMap(page, places, 0, PAGE_TOKENS)
      },
    },
    'flow, appended': {
      tokens,
      run: () => {
        for (const [i, page] of pages.entries()) flowAppend(page, jobs[i] as Uint32Array, carries, FLOW_WIDTH)
      },
    },
    'flow, all anew': {
      tokens,
      run: () => {
        for (const [i, page] of pages.entries()) {
          const parts = fragments[i] as Uint32Array
          flowFragments(page, parts, carries, FLOW_WIDTH)
          flowNumber(parts, carries)
          flowShift(page, parts)
        }
      },
    },
  }
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(work).map(name => [name, []]))
  for (let round = -2; round < LAYOUT_ROUNDS; round++) {
    for (const [name, { tokens: done, run }] of Object.entries(work)) {
      carries.fill(0)
      const begun = performance.now()
      run()
      if (round >= 0) rates[name]?.push(done / 1000 / (performance.now() - begun))
    }
  }
  return rates
}

/** A job for each generation of a page, over all of its tokens there. */
function jobsOf(page: TokenPage): Uint32Array {
  const jobs = new Map<number, [slot: number, first: number, count: number, patched: number]>()
  for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) {
    const header = chunk * CHUNK_WORDS
    const [slot, first, end] = [CHUNK_GENERATION, CHUNK_FIRST, CHUNK_END].map(
      word => page.chunks[header + word] as number,
    ) as [number, number, number]
    if (end === 0) continue
    const job = jobs.get(slot)
    if (job === undefined) jobs.set(slot, [slot, chunk * CHUNK_TOKENS + first, end - first, 0])
    else job[2] += end - first
  }
  return Uint32Array.from([...jobs.values()].flat())
}

answer({ hold, views, appends, layouts })
