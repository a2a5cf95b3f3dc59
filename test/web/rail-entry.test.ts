import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GenerationRecord } from '../../store/recording.ts'
import { Generation } from '../../web/generation.ts'
import { isListed, isWanted, joinEntries, queryOf, type RailEntry } from '../../web/rail/rail-entry.ts'
import { ITEM_HEIGHT, itemAt, spanOf, topsOf } from '../../web/rail/rail-window.ts'
import { record } from '../support/records-answers.ts'

function held(id: string, live = false): Generation {
  const generation = new Generation(id)
  generation.become({ state: live ? 'generating' : 'done' })
  return generation
}

const idOf = (number: number) => `g_${String(number).padStart(4, '0')}`

/** A session: some are held, some recorded, some both; of those recorded the newest pages were read. */
const session = fc
  .record({
    numbers: fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { maxLength: 60 }),
    heldBits: fc.array(fc.constantFrom('held', 'recorded', 'both', 'live'), { minLength: 60, maxLength: 60 }),
    read: fc.integer({ min: 0, max: 60 }),
  })
  .map(({ numbers, heldBits, read }) => {
    const newest = [...numbers].sort((a, b) => b - a).map(idOf)
    const kind = new Map(newest.map((id, i) => [id, heldBits[i] as string]))
    const generations = newest
      .filter(id => kind.get(id) !== 'recorded')
      .map(id => held(id, kind.get(id) === 'live'))
      .sort((a, b) => Number(b.live) - Number(a.live))
    const records = newest.filter(id => kind.get(id) !== 'held').slice(0, read)
    return { newest, kind, generations, records: records.map(id => record(id)) }
  })

function joined(generations: Generation[], records: GenerationRecord[]): RailEntry[] {
  const byId = new Map(generations.map(generation => [generation.id, generation]))
  return joinEntries(generations, records, id => byId.get(id))
}

test('the list has each once: what runs first, then the newest, as far as the records were read', () => {
  fc.assert(
    fc.property(session, ({ newest, kind, generations, records }) => {
      const entries = joined(generations, records)
      const read = new Set(records.map(({ generation }) => generation))
      const expected = newest.filter(id => kind.get(id) !== 'recorded' || read.has(id))
      const live = expected.filter(id => kind.get(id) === 'live')
      const over = expected.filter(id => kind.get(id) !== 'live')
      expect(entries.map(({ id }) => id)).toEqual([...live, ...over])
      for (const { id, generation, record } of entries) {
        expect(generation !== null).toBe(kind.get(id) !== 'recorded')
        expect(record !== null).toBe(read.has(id))
      }
    }),
  )
})

test('what was taken in from a file stands where it came in, however old it is', () => {
  const records = [record('g_9'), record('g_1', { origin: 'import' }), record('g_5')]
  const entries = joined([held('g_8'), held('g_4')], records)
  expect(entries.map(({ id }) => id)).toEqual(['g_9', 'g_1', 'g_8', 'g_5', 'g_4'])
})

test('of what is typed the last word may be unfinished, unless it is quoted', () => {
  expect(queryOf('  ')).toBeNull()
  expect(queryOf('tea rea ')).toBe('tea rea*')
  expect(queryOf('tea rea*')).toBe('tea rea*')
  expect(queryOf('"tea is')).toBe('"tea is')
  expect(queryOf('"tea is" rea')).toBe('"tea is" rea*')
  expect(queryOf('ready?')).toBe('ready?')
})

test('what runs is found by its text, model, state and name', () => {
  const generation = held('g_1', true)
  generation.become({ state: 'generating', model: 'qwen' })
  generation.text = 'The tea is READY'
  generation.record = record('g_1', { name: 'Morning', tags: ['bench'] })
  const wanted = (words: string, more = {}) =>
    isWanted(generation, { words, state: null, model: null, ...more }, true)
  expect(wanted('ready tea')).toBe(true)
  expect(wanted('"tea is" morn ben*')).toBe(true)
  expect(wanted('"is tea"')).toBe(false)
  expect(wanted('tea', { state: 'live', model: 'qwen' })).toBe(true)
  expect(wanted('tea', { state: 'done' })).toBe(false)
  expect(wanted('tea', { model: 'llama' })).toBe(false)
})

test('of an older answer only what the filter asks for is shown', () => {
  const all = { words: '', state: null, model: null }
  expect(isListed(record('g_1'), all)).toBe(true)
  expect(isListed(record('g_1'), { ...all, state: 'failed' })).toBe(false)
  expect(isListed(record('g_1', { state: 'generating' }), { ...all, state: 'live' })).toBe(true)
  expect(isListed(record('g_1'), { ...all, state: 'live' })).toBe(false)
  expect(isListed(record('g_1', { model: 'oak' }), { ...all, model: 'elm' })).toBe(false)
})

test('the items in view are all that overlap it, and no other', () => {
  const entries = fc.array(
    fc.constantFrom(
      record('g_1'),
      record('g_2', { state: 'generating' }),
      record('g_3', {
        state: 'failed',
        error: { kind: 'unknown', code: null, message: 'x', retryable: false },
      }),
    ),
    { maxLength: 50 },
  )
  const place = fc.integer({ min: -500, max: 9000 })
  fc.assert(
    fc.property(entries, place, fc.integer({ min: 1, max: 2000 }), (records, top, height) => {
      const tops = topsOf(records.map(one => ({ id: one.generation, generation: null, record: one })))
      const { from, to } = spanOf(tops, top, top + height)
      for (let i = 0; i < records.length; i++) {
        const overlaps = (tops[i + 1] as number) > top && (tops[i] as number) < top + height
        expect(overlaps).toBe(i >= from && i < to)
      }
      const first = itemAt(tops, top)
      if (top >= 0 && top < (tops[records.length] as number)) {
        expect(tops[first]).toBeLessThanOrEqual(top)
        expect(tops[first + 1]).toBeGreaterThan(top)
      }
    }),
  )
})

test('what failed before its first word is lower than what failed after it', () => {
  const error = { kind: 'unknown' as const, code: null, message: 'x', retryable: false }
  const failed = { state: 'failed' as const, error }
  const records = [record('g_2', { ...failed, preview: '' }), record('g_1', { ...failed, preview: 'a word' })]
  const [, first, second] = topsOf(
    records.map(one => ({ id: one.generation, generation: null, record: one })),
  )
  expect(first).toBe(ITEM_HEIGHT.over + ITEM_HEIGHT.error - ITEM_HEIGHT.text)
  expect((second as number) - (first as number)).toBe(ITEM_HEIGHT.over + ITEM_HEIGHT.error)
})
