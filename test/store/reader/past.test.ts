import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BinaryReader } from '../../../broadcast/protocol.ts'
import type { PastReading } from '../../../compositor/past.ts'
import { isFinal } from '../../../events/generation.ts'
import { RecordedPast } from '../../../store/reader/past.ts'
import { ThreadHandle } from '../../../store/thread-handle.ts'
import { FilledRecords, type PutRecording } from '../../support/filled-records.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'

const ENTRY = new URL('../../../store/reader/reader-thread.ts', import.meta.url)

let file: FilledRecords
let thread: ThreadHandle
let past: RecordedPast
let flushes: number

beforeEach(() => {
  file = new FilledRecords()
  thread = new ThreadHandle({ entry: ENTRY, data: { path: file.path }, onEnd: () => {} })
  flushes = 0
  past = new RecordedPast({
    reader: () => thread,
    flush: async () => {
      flushes++
    },
  })
})
afterEach(async () => {
  await thread.stop()
  file[Symbol.dispose]()
})

/** Puts in a generation with so many tokens, a second younger than the one before. */
function put(tokens: number, more: Partial<PutRecording> & { running?: boolean } = {}): string {
  const n = file.count('generations')
  const id = `g_${n}`
  file.put({
    startedAt: 1_700_000_000 + n,
    events: [
      stateEvent(id, 'generating'),
      ...Array.from({ length: tokens }, (_, i) => tokenEvent(id, i, `${n} `)),
      ...(more.running ? [] : [stateEvent(id, 'done')]),
    ],
    position: index => [n, index],
    ...more,
  })
  return id
}

/** Reads all of it as a reader of the protocol does. */
async function read(reading: PastReading) {
  const reader = new BinaryReader()
  const entries = []
  for (let bytes = await reading.next(); bytes !== null; bytes = await reading.next()) {
    expect(bytes.length).toBeLessThan(512 * 1024)
    entries.push(...reader.read(bytes))
  }
  return entries
}

async function told(maxTokens: number): Promise<string[]> {
  const reading = await past.open(maxTokens)
  const entries = await read(reading)
  reading.close()
  const tokens = entries.filter(entry => entry.type === 'token_activation')
  expect(tokens.length).toBe(reading.tokens)
  return [...new Set(entries.map(({ generation }) => generation))]
}

describe('the past', () => {
  test('is told whole, in the order in which it began, each token at its place', async () => {
    const ids = [put(3), put(0, { running: true }), put(2), put(1, { running: true })]
    const reading = await past.open(1000)
    expect(flushes).toBe(1)
    expect(reading.tokens).toBe(6)
    const entries = await read(reading)
    expect(entries.map(({ type, generation }) => `${generation} ${type === 'neural_state'}`)).toEqual([
      ...['true', 'false', 'false', 'false', 'true'].map(state => `${ids[0]} ${state}`),
      `${ids[1]} true`,
      ...['true', 'false', 'false', 'true'].map(state => `${ids[2]} ${state}`),
      ...['true', 'false'].map(state => `${ids[3]} ${state}`),
    ])
    const places = entries.flatMap(entry => (entry.type === 'token_activation' ? [entry.position] : []))
    expect(places).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [2, 0],
      [2, 1],
      [3, 0],
    ])
    reading.close()
  })

  test('is the newest generations that have at most so many tokens, and one at least', async () => {
    for (const tokens of [5, 5, 0, 4, 6]) put(tokens)
    expect(await told(100)).toEqual(['g_0', 'g_1', 'g_3', 'g_4'])
    expect(await told(10)).toEqual(['g_3', 'g_4'])
    expect(await told(14)).toEqual(['g_3', 'g_4'])
    expect(await told(15)).toEqual(['g_1', 'g_3', 'g_4'])
    expect(await told(1)).toEqual(['g_4'])
  })

  test('leaves out what was read from files', async () => {
    put(2)
    put(2, { origin: 'import' })
    put(2, { origin: 'replay' })
    expect(await told(100)).toEqual(['g_0', 'g_2'])
  })

  test('leaves out this run where the log has to be read from its beginning', async () => {
    const [before, now] = [put(3), put(2)]
    file.database.exec(`INSERT INTO facts (name, value) VALUES ('run', 4), ('seq', 0);
      UPDATE generations SET run = 3 WHERE generation = '${before}'; UPDATE generations SET run = 4 WHERE generation = '${now}'`)
    expect(await told(1000)).toEqual([before])
    file.database.exec("UPDATE facts SET value = 4 WHERE name = 'seq'")
    expect(await told(1000)).toEqual([before, now])
  })

  test('is empty where nothing is recorded', async () => {
    const reading = await past.open(100)
    expect(reading).toMatchObject({ seq: 0, tokens: 0 })
    expect(await reading.next()).toBeNull()
    reading.close()
  })

  test('is of one moment, with the seq up to which it goes, whatever comes while it is read', async () => {
    const seq = "INSERT OR REPLACE INTO facts VALUES ('seq', ?)"
    put(2)
    file.database.prepare(seq).run(41)
    const reading = await past.open(100)
    put(2)
    file.database.prepare(seq).run(57)
    file.database.exec(
      "DELETE FROM generations WHERE generation = 'g_0'; DELETE FROM entry_blocks WHERE ord = 0",
    )
    expect(reading.seq).toBe(41)
    const entries = await read(reading)
    expect(entries.map(({ generation }) => generation)).toEqual(Array(4).fill('g_0'))
    const now = await past.open(100)
    expect(now).toMatchObject({ seq: 57 })
    reading.close()
    now.close()
  })

  test('comes in messages of some 256 KiB, and knows a generation again that goes on after its end', async () => {
    const text = 'x'.repeat(1000)
    const tokens = (from: number) => Array.from({ length: 1000 }, (_, i) => tokenEvent('g_0', from + i, text))
    file.put({
      events: [...tokens(0), stateEvent('g_0', 'done'), ...tokens(1000), stateEvent('g_0', 'failed')],
      cuts: [1001],
    })
    const reading = await past.open(1)
    const entries = await read(reading)
    expect(entries.filter(entry => entry.type === 'token_activation').map(({ index }) => index)).toEqual(
      Array.from({ length: 2000 }, (_, i) => i),
    )
    expect(entries.filter(entry => entry.type === 'neural_state' && isFinal(entry.state))).toHaveLength(2)
    reading.close()
  })

  test('closed twice, or with its thread gone, is closed', async () => {
    const reading = await past.open(1)
    reading.close()
    reading.close()
    await expect(reading.next()).rejects.toMatchObject({ code: 'INTERNAL' })
    await thread.stop()
    reading.close()
    await expect(reading.next()).rejects.toMatchObject({ code: 'RECORDS_UNAVAILABLE' })
  })
})
