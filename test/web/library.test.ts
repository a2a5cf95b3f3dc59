import { signal } from '@preact/signals'
import { expect, test } from 'vitest'
import { blockKey } from '../../compositor/draw/cell.ts'
import type { GenerationDetail, RecordedToken } from '../../store/recording.ts'
import type { Generation } from '../../web/generation.ts'
import { Library } from '../../web/library.ts'
import { Selection } from '../../web/selection.ts'
import type { TokenPage } from '../../web/server-api.ts'
import { ScopeStore } from '../../web/store.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { detail, record, recordedTokens } from '../support/records-answers.ts'

const NEWS = { replay: false }
const PAGE = 5000

interface Shelf {
  detail: GenerationDetail
  tokens: RecordedToken[]
}

/** A page in front of records that have what `shelf` says; what is asked of them waits for `gate`. */
function make(shelf: Record<string, Shelf>, more: { mostTokens?: number; roomOfStore?: number } = {}) {
  const store = new ScopeStore({
    schedule: callback => callback(),
    ...(more.roomOfStore ? { mostTokens: more.roomOfStore } : {}),
  })
  const selection = new Selection(store)
  const compared = signal<readonly string[]>([])
  const asked: string[] = []
  const gate = { opens: Promise.resolve() as Promise<unknown> }
  const library = new Library({
    store,
    selection,
    compared,
    readRecord: async id => {
      asked.push(id)
      await gate.opens
      return shelf[id]?.detail ?? null
    },
    readTokens: async (id, limit, cursor): Promise<TokenPage | null> => {
      asked.push(`${id} ${limit} ${cursor}`)
      await gate.opens
      const tokens = shelf[id]?.tokens
      if (tokens === undefined) return null
      const from = Number(cursor ?? 0)
      const end = from + limit
      return { tokens: tokens.slice(from, end), next: end < tokens.length ? String(end) : null }
    },
    ...(more.mostTokens ? { mostTokens: more.mostTokens } : {}),
  })
  return { store, selection, compared, library, asked, gate }
}

const recorded = (id: string, count: number, placed = true): Shelf => ({
  detail: detail(id, count),
  tokens: recordedTokens(count, placed),
})

test('one that the page does not hold is read from the records, with its tokens', async () => {
  const { store, library } = make({ g_1: recorded('g_1', 40) })
  const generation = await library.bring('g_1')
  expect(generation).toBe(store.get('g_1'))
  expect(generation).toMatchObject({ state: 'done', recalled: true, text: 'x'.repeat(40), whole: true })
  expect(generation?.tokens.held).toBe(40)
  expect(generation?.record).toMatchObject({ started_at: 1000, version: 1 })
  expect(generation?.startedAt).toBe(1000)
  expect(store.blocks.blocksOf(generation as Generation)).toEqual([blockKey(3, 2)])
  expect(store.list.value).toEqual([generation])
})

test('what lists say of one is taken, unless it is older than what is known', async () => {
  const { store, library } = make({ g_1: recorded('g_1', 3) })
  const generation = await library.bring('g_1')
  store.note(record('g_1', { version: 3, name: 'tea' }))
  store.note(record('g_1', { version: 2, name: 'coffee' }))
  store.note(record('g_2', { version: 2 }))
  expect(generation?.record).toMatchObject({ version: 3, name: 'tea' })
  expect(store.get('g_2')).toBeUndefined()
})

test('what came from a file is held without a cell: off the map, and whole', async () => {
  const { store, library } = make({ g_1: recorded('g_1', 20, false) })
  const generation = await library.bring('g_1')
  expect(generation?.tokens.detail(7)).toMatchObject({
    text: 'x',
    x: -1,
    y: -1,
    sincePrevious: expect.closeTo(0.1),
  })
  expect(generation?.tokens.neighbour(7, 1)).toBe(8)
  expect(store.blocks.bounds).toBeNull()
  expect(store.held.value).toBe(20)
})

test('who asks twice asks the records once; what is whole is not asked for again', async () => {
  const { library, asked } = make({ g_1: recorded('g_1', 3) })
  const [one, other] = await Promise.all([library.bring('g_1'), library.bring('g_1')])
  expect(one).toBe(other)
  expect(await library.bring('g_1')).toBe(one)
  expect(asked).toEqual(['g_1', `g_1 ${PAGE} null`])
})

test('what runs is taken as it is', async () => {
  const { store, library, asked } = make({})
  store.apply({ ...stateEvent('g_1'), seq: 1 }, NEWS)
  store.apply({ ...tokenEvent('g_1', 0), seq: 2, position: [0, 0] }, NEWS)
  expect(await library.bring('g_1')).toBe(store.get('g_1'))
  expect(asked).toEqual([])
})

test('one whose last state alone is known gets its text and tokens; what the log told stays', async () => {
  const { store, library } = make({ g_1: recorded('g_1', 5) })
  store.apply({ ...stateEvent('g_1', 'cancelled', { tokens_processed: 5 }), seq: 1 }, NEWS)
  const generation = await library.bring('g_1')
  expect(generation).toMatchObject({ state: 'cancelled', recalled: false, text: 'xxxxx', told: 5 })
  expect(generation?.tokens.held).toBe(5)
})

test('a very long one is brought in part, says how far it is, and is not read again', async () => {
  const { library, asked } = make({ g_1: recorded('g_1', 30_000) }, { mostTokens: 12_000 })
  const seen: string[] = []
  library.bringing.subscribe(bringing => {
    const how = bringing.get('g_1')
    if (how) seen.push(`${how.tokens}/${how.of}`)
  })
  const generation = await library.bring('g_1')
  expect(generation?.tokens.held).toBe(12_000)
  expect(generation?.text.length).toBe(30_000)
  expect(seen).toEqual(['5000/12000', '10000/12000', '12000/12000'])
  expect(library.bringing.value.size).toBe(0)
  const before = asked.length
  await library.bring('g_1')
  expect(asked).toHaveLength(before)
})

test('nobody knows of it: null, and opening it says so', async () => {
  const { library, selection } = make({})
  expect(await library.bring('g_9')).toBeNull()
  expect(await library.open('g_9')).toBe(false)
  expect(library.trouble.value).toMatchObject({
    id: 'g_9',
    isGone: true,
    message: expect.stringMatching(/nothing is recorded/i),
  })
  expect(selection.current.value).toBeNull()
})

test('records that cannot be asked: the sentence, unless the page holds it', async () => {
  const { store, library, gate, selection } = make({})
  gate.opens = Promise.reject(new Error('Tokenscope is not answering.'))
  await expect(library.bring('g_1')).rejects.toThrow('Tokenscope is not answering.')
  expect(await library.open('g_1')).toBe(false)
  expect(library.trouble.value).toEqual({
    id: 'g_1',
    message: 'It cannot be opened. Tokenscope is not answering.',
    isGone: false,
  })
  store.apply({ ...stateEvent('g_2', 'done', { tokens_processed: 5 }), seq: 1 }, NEWS)
  expect(await library.bring('g_2')).toBe(store.get('g_2'))
  await library.open('g_2')
  expect(selection.current.value?.generation.id).toBe('g_2')
  expect(library.trouble.value?.message).toBe(
    'Not all of its tokens could be read. Tokenscope is not answering.',
  )
})

test('a token is chosen once it is there, its generation before', async () => {
  const { library, selection } = make({ g_1: recorded('g_1', 9000) })
  const chosen: (number | null)[] = []
  selection.current.subscribe(one => {
    if (one) chosen.push(one.index)
  })
  expect(await library.open('g_1', 7000)).toBe(true)
  expect(chosen).toEqual([null, 7000])
})

test('why a token is not here is said, and its generation is chosen', async () => {
  const hole = recorded('g_2', 30)
  hole.tokens.splice(4, 1)
  const { library, selection } = make({ g_1: recorded('g_1', 30), g_2: hole }, { mostTokens: 20 })
  for (const [id, index, why] of [
    ['g_1', 19, null],
    ['g_1', 20, 'Its token 21 cannot be shown: of a long answer the first 20 tokens are read.'],
    ['g_1', 30, 'There is no token 31 in it.'],
    ['g_2', 4, 'Its token 5 is not recorded.'],
  ] as const) {
    selection.clear()
    expect(await library.open(id, index)).toBe(true)
    expect(selection.current.value).toMatchObject({ generation: { id }, index: why === null ? index : null })
    expect(library.trouble.value?.message ?? null).toBe(why)
  }
})

test('what is held is chosen at once', () => {
  const { store, library, selection } = make({})
  store.apply({ ...tokenEvent('g_1', 0), seq: 2, position: [0, 0] }, NEWS)
  void library.open('g_1', 0)
  expect(selection.current.value).toMatchObject({ index: 0 })
})

test('who chooses something else meanwhile keeps that, and so does who opens another', async () => {
  const { store, library, selection, gate } = make({ g_1: recorded('g_1', 3), g_2: recorded('g_2', 3) })
  store.apply({ ...stateEvent('g_3'), seq: 1 }, NEWS)
  let open = () => {}
  gate.opens = new Promise<void>(resolve => {
    open = resolve
  })
  const slow = library.open('g_1')
  const live = store.get('g_3')
  if (live) selection.generation(live)
  open()
  expect(await slow).toBe(true)
  expect(selection.current.value?.generation).toBe(live)
  selection.clear()
  await Promise.all([library.open('g_1'), library.open('g_2')])
  expect(selection.current.value?.generation.id).toBe('g_2')
})

test('what is looked at or compared is not dropped for want of room, what was only brought is', async () => {
  const shelf = { g_1: recorded('g_1', 30), g_2: recorded('g_2', 30), g_3: recorded('g_3', 30) }
  const { store, library, compared } = make(shelf, { roomOfStore: 100 })
  compared.value = ['g_1']
  for (const id of ['g_1', 'g_2', 'g_3']) await library.bring(id)
  await library.open('g_3')
  store.apply({ ...stateEvent('g_4'), seq: 1 }, NEWS)
  for (let i = 0; i < 90; i++) store.apply({ ...tokenEvent('g_4', i), seq: 2 + i, position: [i, 40] }, NEWS)
  expect(['g_1', 'g_2', 'g_3', 'g_4'].filter(id => store.get(id))).toEqual(['g_1', 'g_3', 'g_4'])
  expect(store.held.value).toBe(150)
})
