import { expect, test } from 'vitest'
import { decodeTile } from '../../../broadcast/protocol/tile-codec.ts'
import { LAYOUTS, TOKEN_TILES, type ViewAnswer, type ViewQuestion } from '../../../broadcast/protocol/view.ts'
import { CpuEngine } from '../../../compositor/engine-cpu.ts'
import { Composition } from '../../../compositor/view/composition.ts'
import type { LogEntry } from '../../../events/generation.ts'
import { stateEvent } from '../../support/hub-events.ts'
import { entriesOf, tokenEntry } from '../../support/token-text.ts'

const WHOLE = { x: 0, y: 0, w: 800, h: 600 }
const ZOOMS = { map: 0.05, flow: 0.05, timeline: 0.001 } as const

function words(count: number): string[] {
  return Array.from({ length: count }, (_, i) => ` word${i}`)
}

async function composed(entries: readonly LogEntry[]): Promise<Composition> {
  const composition = new Composition({ engine: new CpuEngine(), maxPages: 4 })
  await composition.watch(new Set(LAYOUTS))
  await composition.append(entries, entries.at(-1)?.seq ?? 0)
  return composition
}

function versionsOf({ tiles }: ViewAnswer): [number, number, number, number][] {
  return tiles.map(({ z, x, y, version }) => [z, x, y, version])
}

test('a tile that is held comes without content until something in it changes', async () => {
  const entries = entriesOf([words(600), words(600)], { final: false })
  const composition = await composed(entries)
  for (const layout of LAYOUTS) {
    for (const zoom of [ZOOMS[layout], 8]) {
      const question: ViewQuestion = { layout, ...WHOLE, zoom, have: [] }
      const first = await composition.view(question)
      expect(first.tiles.length).toBeGreaterThan(0)
      expect(first.tiles.every(({ content }) => content !== null)).toBe(true)
      const again = await composition.view({ ...question, have: versionsOf(first) })
      expect(again.tiles.map(({ content }) => content)).toEqual(first.tiles.map(() => null))
      expect(again.tiles.map(({ count }) => count)).toEqual(first.tiles.map(({ count }) => count))
    }
  }
  // One more token, far from most tiles of the map.
  const question: ViewQuestion = { layout: 'map', x: 0, y: 0, w: 4096, h: 4096, zoom: 8, have: [] }
  const before = await composition.view(question)
  const seq = (entries.at(-1)?.seq ?? 0) + 1
  const added = tokenEntry('g9', 0, 'new', { seq, cell: 4096 * 3, time: 1_750_000_100, random: () => 0.5 })
  await composition.append([added], seq)
  const after = await composition.view({ ...question, have: versionsOf(before) })
  expect(after.upto).toBe(seq)
  const changed = after.tiles.filter(({ content }) => content !== null)
  expect(changed).toHaveLength(1)
  expect(decodeTile(changed[0]?.content as Uint8Array).tokens).toMatchObject([{ id: 'g9:0', text: 'new' }])
})

test('more tokens than are told one by one are told as cells, near as it may be', async () => {
  const composition = await composed(entriesOf([Array.from({ length: 20_000 }, () => '')]))
  const question: ViewQuestion = { layout: 'map', x: 0, y: 0, w: 2048, h: 2048, zoom: 8 }
  const many = await composition.view(question)
  expect(many).toMatchObject({ z: 0, count: 20_000, tokens: [] })
  const narrowed = await composition.view({ ...question, filter: { kinds: ['tool_call'] } })
  expect(narrowed.z).toBe(TOKEN_TILES)
  expect(narrowed.tokens.length).toBe(narrowed.count)
  expect(narrowed.tokens.every(({ kind }) => kind === 'tool_call')).toBe(true)
  // Tokens without a column lie upon each other: as many in one cell of `flow` as there are.
  const flow = await composition.view({ ...question, layout: 'flow' })
  expect(flow).toMatchObject({ z: 2, count: 20_000 })
  expect(decodeTile(flow.tiles[0]?.content as Uint8Array).cells?.[0]?.slice(0, 2)).toEqual([0, 20_000])
})

test('a time after all tokens shows what there is now, one before them nothing', async () => {
  const composition = await composed(entriesOf([words(300), words(300)]))
  for (const layout of LAYOUTS) {
    for (const zoom of [ZOOMS[layout], 8]) {
      const now = await composition.view({ layout, ...WHOLE, zoom, have: [] })
      for (const t of [1e12, Number.MAX_VALUE]) {
        const then = await composition.view({ layout, ...WHOLE, zoom, have: [], t })
        expect(then).toEqual(now)
      }
      const before = await composition.view({ layout, ...WHOLE, zoom, have: [], t: 1_749_999_999 })
      expect(before).toMatchObject({ count: 0, bounds: now.bounds })
    }
  }
})

test('names that nothing has match nothing', async () => {
  const composition = await composed(entriesOf([words(300), words(300)]))
  for (const layout of LAYOUTS) {
    for (const filter of [
      { generations: ['nobody'] },
      { models: ['nothing'] },
      { generations: [] },
      { kinds: [] },
    ]) {
      for (const zoom of [ZOOMS[layout], 8]) {
        expect((await composition.view({ layout, ...WHOLE, zoom, filter })).count).toBe(0)
      }
    }
  }
})

test('a model that becomes known later changes every tile that tells it', async () => {
  const entries = entriesOf([words(300)], { final: false }).filter(({ type }) => type === 'token_activation')
  const composition = await composed(entries)
  const question: ViewQuestion = { layout: 'map', ...WHOLE, zoom: 0.05, color: 'model', have: [] }
  const before = await composition.view(question)
  expect(decodeTile(before.tiles[0]?.content as Uint8Array).cells?.[0]?.[2]).toBeNull()
  const seq = (entries.at(-1)?.seq ?? 0) + 1
  await composition.append([{ seq, ...stateEvent('g0', 'generating', { model: 'late' }) }], seq)
  const after = await composition.view({ ...question, have: versionsOf(before) })
  expect(after.models).toEqual(['late'])
  expect(decodeTile(after.tiles[0]?.content as Uint8Array).cells?.[0]?.[2]).toBe(0)
})

test('where new tokens lie, and those that moved, is told of the layouts that are watched', async () => {
  const composition = new Composition({ engine: new CpuEngine(), maxPages: 4, flowWidth: 10 })
  await composition.watch(new Set(['flow', 'map']))
  const [state, ...tokens] = entriesOf([['123456', ' ab', 'cdef', '\n', 'x']], { final: false })
  expect(await composition.append([state, ...tokens.slice(0, 2)] as LogEntry[], 3)).toEqual([
    {
      layout: 'flow',
      after: 0,
      upto: 3,
      tokens: [
        { generation: 'g0', id: 'g0:0', text: '123456', x: 0, y: 0 },
        { generation: 'g0', id: 'g0:1', text: ' ab', x: 7, y: 0 },
      ],
    },
  ])
  const [flow] = await composition.append(tokens.slice(2), 6)
  expect(flow).toMatchObject({ layout: 'flow', after: 3, upto: 6 })
  expect(flow?.tokens.map(({ id, x, y }) => [id, x, y])).toEqual([
    ['g0:1', 0, 2],
    ['g0:2', 2, 2],
    ['g0:3', 6, 2],
    ['g0:4', 0, 4],
  ])
  await composition.watch(new Set())
  expect(await composition.append([], 7)).toEqual([])
})

test('calls that are made together are answered in their order', async () => {
  const composition = new Composition({ engine: new CpuEngine(), maxPages: 4 })
  const entries = entriesOf([words(400)])
  const question: ViewQuestion = { layout: 'timeline', ...WHOLE, zoom: 0.01 }
  const [none, , some, picked] = await Promise.all([
    composition.view(question),
    composition.append(entries, entries.length),
    composition.view(question),
    composition.pick({ layout: 'flow', x: 1, y: 0 }),
    composition.stop(),
  ])
  expect(none).toMatchObject({ count: 0, bounds: null, origin: null, upto: 0 })
  expect(some).toMatchObject({ count: 400, upto: entries.length })
  expect(picked.tokens).toMatchObject([{ id: 'g0:0' }])
  expect(composition.tokens).toBe(400)
})

test('a layout that was let go of comes back, and no version comes back with it', async () => {
  const entries = entriesOf([words(500)])
  const composition = await composed(entries)
  for (const layout of LAYOUTS) {
    const question: ViewQuestion = { layout, ...WHOLE, zoom: ZOOMS[layout], have: [] }
    const before = await composition.view(question)
    await composition.watch(new Set())
    const after = await composition.view({ ...question, have: versionsOf(before) })
    expect(after.tiles.map(({ content }) => content)).not.toContain(null)
    expect({ ...after, tiles: after.tiles.map(tile => ({ ...tile, version: 0 })) }).toEqual({
      ...before,
      tiles: before.tiles.map(tile => ({ ...tile, version: 0 })),
    })
  }
})

test('absurd viewports are answered as well', async () => {
  const composition = await composed(entriesOf([words(500), words(500)]))
  for (const layout of LAYOUTS) {
    for (const zoom of [1e-9, 1, 1e9]) {
      for (const at of [-1e300, -5, 0, 1e300]) {
        const answer = await composition.view({ layout, x: at, y: at, w: 16_384, h: 16_384, zoom, have: [] })
        expect(answer.tiles.length).toBeLessThanOrEqual(1024)
        expect(answer.count).toBeLessThanOrEqual(1000)
        if (zoom === 1e-9 && at === -5) expect(answer.count).toBe(1000)
        expect((await composition.pick({ layout, x: at, y: at })).tokens.length).toBeLessThanOrEqual(1)
      }
    }
  }
})

test('a token is found where its text goes on, too', async () => {
  const composition = await composed(entriesOf([['ab\ncd ef', ' x']]))
  const found = async (x: number, y: number) =>
    (await composition.pick({ layout: 'flow', x, y })).tokens.map(({ id }) => id)
  expect(await found(1.5, 1)).toEqual(['g0:0'])
  expect(await found(2, 1)).toEqual([])
  expect(await found(4.5, 2)).toEqual(['g0:0'])
  expect(await found(6.5, 3.9)).toEqual(['g0:1'])
  expect(await found(7, 3)).toEqual([])
  expect(await found(1, 4)).toEqual([])
})

test('a word over many panels is found in each of them, and text after a tab where it lies', async () => {
  const composition = new Composition({ engine: new CpuEngine(), maxPages: 4, flowWidth: 6 })
  await composition.append(entriesOf([['w'.repeat(600), 'x\n\ta']]), 5)
  const found = async (x: number, y: number) =>
    (await composition.pick({ layout: 'flow', x, y })).tokens.map(({ id }) => id)
  // Ten panels of 22 × 22 units, eleven lines each: the curve takes four of them in two rows of two.
  for (const panel of [0, 22]) {
    for (const top of [0, 22]) {
      for (const y of [0, 11, 21.9]) expect(await found(panel + 3, top + y)).toEqual(['g0:0'])
      expect(await found(panel + 6, top)).toEqual([])
    }
  }
  const wide = new Composition({ engine: new CpuEngine(), maxPages: 4 })
  await wide.append(entriesOf([['a\n\tb\tc']]), 3)
  const hits = [8, 9, 16, 17].map(async x => (await wide.pick({ layout: 'flow', x, y: 2 })).count)
  expect(await Promise.all(hits)).toEqual([1, 0, 1, 0])
})

test('tokens that went with their page are taken out of the sums of each layout', async () => {
  const composition = new Composition({ engine: new CpuEngine(), maxPages: 1 })
  await composition.watch(new Set(LAYOUTS))
  const first = entriesOf([words(200), words(200)], { firstBlock: 4094 })
  await composition.append(first, first.length)
  expect(composition.tokens).toBe(400)
  const entry = { seq: first.length + 1, cell: 4096 * 256, time: 1_750_000_100, random: () => 0.5 }
  await composition.append([tokenEntry('later', 0, 'x', entry)], entry.seq)
  expect(composition.tokens).toBe(1)
  for (const layout of LAYOUTS) {
    const answer = await composition.view({ layout, x: 0, y: 0, w: 800, h: 600, zoom: 1e-4 })
    expect(answer.count).toBe(1)
  }
})
