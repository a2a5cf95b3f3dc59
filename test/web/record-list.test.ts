import { expect, test } from 'vitest'
import type { GenerationRecord } from '../../store/recording.ts'
import { RecordList } from '../../web/rail/record-list.ts'
import type { RecordsQuestion } from '../../web/records-api.ts'
import { record } from '../support/records-answers.ts'

const ALL: RecordsQuestion = { q: null, state: null, model: null }

/** Records, the newest first, behind a list; `fail` makes the next answer an error, `hold` makes all wait. */
function make(count: number) {
  const shelf: GenerationRecord[] = []
  const add = () => shelf.unshift(record(`g_${shelf.length}`))
  for (let i = 0; i < count; i++) add()
  const state = { fail: false, hold: Promise.resolve() as Promise<unknown>, asked: 0 }
  const told: string[] = []
  const list = new RecordList({
    onRecord: ({ generation }) => told.push(generation),
    list: async ({ state: wanted }, limit, cursor) => {
      state.asked++
      const failing = state.fail
      await state.hold
      if (failing) throw new Error('The records cannot be read right now.')
      const found = shelf.filter(one => wanted === null || one.state === wanted)
      const from = cursor === null ? 0 : found.findIndex(({ generation }) => generation === cursor) + 1
      const records = found.slice(from, from + limit)
      return { records, next: from + limit < found.length ? (records.at(-1)?.generation ?? null) : null }
    },
  })
  const ids = () => list.records.value.map(({ generation }) => generation)
  return { list, shelf, add, state, ids, told }
}

test('page by page to the end, one at a time', async () => {
  const { list, ids, state, told } = make(250)
  await list.ask(ALL)
  expect(ids()).toHaveLength(100)
  expect(list.complete.value).toBe(false)
  await Promise.all([list.more(), list.more(), list.more()])
  expect(ids()).toHaveLength(200)
  await list.more()
  await list.more()
  expect(ids()).toEqual(Array.from({ length: 250 }, (_, i) => `g_${249 - i}`))
  expect(list.complete.value).toBe(true)
  expect(state.asked).toBe(3)
  expect(new Set(told).size).toBe(250)
})

test('what is new comes in above, what changed is as it is now, and paging goes on where it was', async () => {
  const { list, ids, add, shelf } = make(250)
  await list.ask(ALL)
  await list.more()
  for (let i = 0; i < 5; i++) add()
  shelf.splice(3, 1, { ...(shelf[3] as GenerationRecord), name: 'named', version: 2 })
  shelf.splice(7, 1)
  await list.refresh()
  expect(ids().slice(0, 200)).toEqual(shelf.slice(0, 200).map(({ generation }) => generation))
  expect(list.records.value[3]?.name).toBe('named')
  await list.more()
  expect(ids()).toEqual(shelf.map(({ generation }) => generation))
})

test('so much is new that nothing joins: the list begins anew', async () => {
  const { list, ids, add, shelf } = make(120)
  await list.ask(ALL)
  for (let i = 0; i < 150; i++) add()
  await list.refresh()
  expect(ids()).toEqual(shelf.slice(0, 100).map(({ generation }) => generation))
  await list.more()
  await list.more()
  expect(ids()).toHaveLength(270)
  expect(list.complete.value).toBe(true)
})

test('an answer to an older question is thrown away; what was there stays until the new one', async () => {
  const { list, ids, shelf, state } = make(3)
  await list.ask(ALL)
  shelf.splice(1, 1, record('g_1', { state: 'failed' }))
  let open = () => {}
  state.hold = new Promise<void>(resolve => {
    open = resolve
  })
  const late = list.ask({ ...ALL, state: 'done' })
  const now = list.ask({ ...ALL, state: 'failed' })
  expect(ids()).toHaveLength(3)
  expect(list.reading.value).toBe(true)
  open()
  await Promise.all([late, now])
  expect(ids()).toEqual(['g_1'])
  expect(list.reading.value).toBe(false)
})

test('what cannot be read is said, and tried again when asked to', async () => {
  const { list, ids, state } = make(150)
  await list.ask(ALL)
  state.fail = true
  await list.more()
  expect(list.trouble.value).toBe('The records cannot be read right now.')
  expect(ids()).toHaveLength(100)
  await list.ask({ ...ALL, q: 'tea' })
  expect(ids()).toEqual([])
  state.fail = false
  await list.refresh()
  expect(list.trouble.value).toBeNull()
  expect(ids()).toHaveLength(100)
})

test('what was named or removed while an answer was under way stays so', async () => {
  const { list, shelf, state, ids } = make(3)
  await list.ask(ALL)
  let open = () => {}
  state.hold = new Promise<void>(resolve => {
    open = resolve
  })
  const late = list.refresh()
  list.replace({ ...(shelf[1] as GenerationRecord), name: 'tea', version: 2 })
  list.remove('g_2')
  open()
  await late
  expect(ids()).toEqual(['g_1', 'g_0'])
  expect(list.records.value[0]).toMatchObject({ generation: 'g_1', name: 'tea', version: 2 })
})

test('one that was named or removed is so at once', async () => {
  const { list, ids } = make(3)
  await list.ask(ALL)
  list.replace(record('g_1', { name: 'tea', version: 2 }))
  list.remove('g_2')
  expect(ids()).toEqual(['g_1', 'g_0'])
  expect(list.records.value[0]?.name).toBe('tea')
})
