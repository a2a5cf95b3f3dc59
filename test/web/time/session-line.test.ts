import { ulid } from 'ulid'
import { describe, expect, it } from 'vitest'
import type { GenerationRecord } from '../../../store/recording.ts'
import { ScopeStore } from '../../../web/store.ts'
import { SessionLine } from '../../../web/time/session-line.ts'
import { entry } from '../../support/lanes.ts'

const DAY_S = 86_400

function recordOf(began: number, more: Partial<GenerationRecord> = {}): GenerationRecord {
  return {
    generation: `g_${ulid(began * 1000)}`,
    origin: 'live',
    state: 'done',
    model: 'm',
    upstream: 'u',
    ending: 'stop',
    error: null,
    parent: null,
    cached: false,
    replay: null,
    started_at: began,
    ended_at: began + 10,
    elapsed_ms: 10_000,
    ttft_ms: 1000,
    tokens: 90,
    tokens_processed: 90,
    total_tokens: null,
    estimated: false,
    timings: null,
    mean_logprob: null,
    preview: '',
    prompt: null,
    name: null,
    tags: [],
    note: null,
    version: 1,
    complete: true,
    bytes: 0,
    ...more,
  }
}

/** Records of a generation a minute, the newest first. */
function make(count: number, fails = false) {
  const now = Math.floor(Date.now() / 1000)
  const records = Array.from({ length: count }, (_, i) => recordOf(now - 60 - i * 60))
  const asked: (string | null)[] = []
  const waiting: (() => void)[] = []
  const store = new ScopeStore({ schedule: callback => waiting.push(callback) })
  const state = { fails, ms: 0 }
  const line = new SessionLine({
    store,
    clock: () => state.ms,
    list: async (limit, cursor) => {
      asked.push(cursor)
      if (state.fails) throw new Error('Tokenscope is not answering. Is it still running?')
      const from = Number(cursor ?? 0)
      const next = from + limit < records.length ? String(from + limit) : null
      return { records: records.slice(from, from + limit), next }
    },
  })
  const publish = () => {
    for (const callback of waiting.splice(0)) callback()
  }
  return { now, records, asked, store, line, publish, state }
}

describe('the line of the session', () => {
  it('reads records page by page, as far back as it is looked at and no further', async () => {
    const { now, line, asked } = make(450)
    await line.reach(now - 30)
    expect(asked).toEqual([null])
    expect(line.lanes().length).toBe(100)
    await line.reach(now - 90 * 60)
    expect(asked).toEqual([null])
    await line.reach(now - 250 * 60)
    expect(asked).toEqual([null, '100', '200'])
    await line.reach(now - DAY_S)
    expect(line.lanes().length).toBe(450)
    await line.reach(now - 2 * DAY_S)
    expect(asked.length).toBe(5)
    const begins = line.lanes().map(({ began }) => began)
    expect(begins).toEqual(begins.toSorted((a, b) => a - b))
  })

  it('reads a thousand at most', async () => {
    const { now, line, asked } = make(1500)
    await line.reach(now - 2 * DAY_S)
    await line.reach(now - 3 * DAY_S)
    expect(asked.length).toBe(10)
    expect(line.lanes().length).toBe(1000)
  })

  it('asks again where it could not be asked, but not at once', async () => {
    const { now, line, state, asked } = make(10, true)
    await line.reach(now - 3600)
    expect(line.lanes()).toEqual([])
    state.fails = false
    await line.reach(now - 3600)
    expect(asked.length).toBe(1)
    state.ms += 5000
    await line.reach(now - 3600)
    expect(line.lanes().length).toBe(10)
  })

  it('knows better what the page holds, and steps from token to token', async () => {
    const { now, records, line, store, publish } = make(2)
    await line.reach(now - 3600)
    const { generation, started_at } = records[0] as GenerationRecord
    for (let i = 0; i < 3; i++) {
      store.apply({ ...entry(i, started_at + 1 + i), generation }, { replay: true })
    }
    publish()
    const lanes = line.lanes()
    expect(lanes.map(({ times }) => times?.length ?? null)).toEqual([null, 3])
    expect(line.moment(started_at, 1)).toBe(started_at + 1)
    expect(line.moment(started_at + 1, 1)).toBe(started_at + 2)
    // Then comes the one of which the records alone know: as it ended.
    expect(line.moment(started_at + 1, -1)).toBe((records[1]?.ended_at ?? 0) as number)
    expect(line.rateAt(started_at + 3)).toBeCloseTo(1)
  })

  it('forgets what is recorded no more', async () => {
    const { now, records, line } = make(3)
    await line.reach(now - 3600)
    const before = line.revision.value
    line.forget((records[1] as GenerationRecord).generation)
    expect(line.lanes().length).toBe(2)
    expect(line.revision.value).toBe(before + 1)
  })
})
