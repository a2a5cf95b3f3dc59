import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import { LAYOUTS } from '../../broadcast/protocol/view.ts'
import { writeGenerations } from '../../broadcast/protocol.ts'
import type { TokenLog } from '../../broadcast/token-log.ts'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import { OLDEST_SECONDS, PastEntries } from '../../compositor/past-entries.ts'
import { LANE_GAP } from '../../compositor/tokens/lanes.ts'
import { Composition } from '../../compositor/view/composition.ts'
import type { GenerationEvent, TokenEntry } from '../../events/generation.ts'
import { TokenList } from '../support/composition.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { keptEntries } from '../support/log-events.ts'
import { rounds } from '../support/rounds.ts'
import { RecordedLog, recordedOf } from '../support/stand-in-past.ts'

/** Unix seconds. */
const NOW = 1_700_000_000

afterEach(() => {
  vi.useRealTimers()
})

/** An event, told so many ms after `NOW`. */
interface Told {
  at: number
  event: GenerationEvent
}

/** A log that was told these events in the order of their times. */
function logOf(events: readonly Told[], nextBlock = 0): TokenLog {
  vi.useFakeTimers({ toFake: ['Date'] })
  const run = new RecordedLog(nextBlock)
  for (const { at, event } of events.toSorted((a, b) => a.at - b.at)) {
    vi.setSystemTime(NOW * 1000 + at)
    run.append(event)
  }
  vi.useRealTimers()
  return run.log
}

function tokensOf(log: TokenLog): TokenEntry[] {
  return keptEntries(log).filter(entry => entry.type === 'token_activation')
}

const token = (generation: string, index: number, at: number): Told => ({
  at,
  event: { ...tokenEvent(generation, index), timestamp: NOW + at / 1000 },
})
const state = (generation: string, at: number, name: 'queued' | 'done' = 'queued'): Told => ({
  at,
  event: stateEvent(generation, name),
})

describe('entries that were recorded', () => {
  it('are those of the log, whatever handles stood for before', () => {
    const first = logOf([state('g_a', 0), token('g_a', 0, 10)])
    const second = logOf([state('g_b', 20), token('g_b', 0, 30), state('g_b', 40, 'done')], first.nextBlock)
    const reader = new PastEntries(NOW + 100)
    const read = [...recordedOf(first), ...recordedOf(second)].flatMap(bytes => reader.read(bytes))
    expect(read).toEqual([...keptEntries(first), ...keptEntries(second)])
  })

  it('count from somewhat before the generation that began first', () => {
    const log = logOf([state('g_a', 5000), token('g_a', 0, 9000), token('g_b', 0, 6000)])
    const told = new ByteWriter()
    writeGenerations(told, [{ handle: 1, id: 'g_a', began: (NOW + 5) * 10_000 }])
    const [message] = recordedOf(log) as [Uint8Array]
    for (const bytes of [message, Buffer.concat([told.written, message])]) {
      const reader = new PastEntries(NOW + 100)
      expect(reader.origin).toBeNull()
      reader.read(new Uint8Array(0))
      expect(reader.origin).toBeNull()
      reader.read(bytes)
      expect(reader.origin).toBe(NOW + 5 - 60)
    }
  })

  it('are left out where their times cannot be told: older than 30 days, or of a clock that went ahead', () => {
    const events: Told[] = [state('g_a', 0)]
    const days = 86_400_000
    for (const [index, at] of [0, 9 * days, 11 * days, 41 * days + 1].entries())
      events.push(token('g_a', index, at))
    const log = logOf(events)
    const now = NOW + OLDEST_SECONDS + (10 * days) / 1000
    const reader = new PastEntries(now)
    const read = recordedOf(log).flatMap(bytes => reader.read(bytes))
    expect(read.map(entry => (entry.type === 'token_activation' ? entry.index : entry.state))).toEqual([
      'queued',
      2,
    ])
    expect(reader.origin).toBe(now - OLDEST_SECONDS)
    const ahead = new PastEntries(NOW - 5 * 86_400)
    expect(recordedOf(log).flatMap(bytes => ahead.read(bytes)).length).toBe(1)
    expect(ahead.origin).toBe(NOW - 5 * 86_400)
  })

  it('without alternatives have the entropy of before', () => {
    const top = [
      { text: ' ä', logprob: -0.5 },
      { text: ' b', logprob: -1.25 },
    ]
    const event = { ...tokenEvent('g_a', 0), logprob: -0.5, top, timestamp: NOW }
    const log = logOf([{ at: 0, event }])
    const [entry] = recordedOf(log).flatMap(bytes => new PastEntries(NOW).read(bytes))
    expect(entry).toEqual({ ...(log.entry(1) as TokenEntry), top: [] })
    expect(entry).toMatchObject({ entropy: expect.any(Number), confidence: Math.exp(-0.5) })
  })
})

describe('generation by generation', () => {
  const plan = fc.array(
    fc.record({
      began: fc.nat(20_000),
      waits: fc.nat(3000),
      steps: fc.array(fc.nat(900), { maxLength: 30 }),
      ends: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )

  function eventsOf(plans: typeof plan extends fc.Arbitrary<infer T> ? T : never) {
    return plans.flatMap(({ began, waits, steps, ends }, g) => {
      const id = `g_${g}`
      let at = began + waits
      const events: Told[] = [state(id, began)]
      for (const [index, step] of steps.entries()) {
        at += step
        events.push(token(id, index, at))
      }
      if (ends) events.push(state(id, at, 'done'))
      return events
    })
  }

  it('they lie at their times and cells, and in lanes of their own, however they overlapped', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async plans => {
        const log = logOf(eventsOf(plans))
        const reader = new PastEntries(NOW + 100)
        const list = new TokenList({ maxPages: 16, flows: false })
        const composition = new Composition({ engine: new CpuEngine(), maxPages: 16 })
        for (const bytes of recordedOf(log)) {
          const entries = reader.read(bytes)
          list.store.beginAt(reader.origin as number)
          composition.beginAt(reader.origin as number)
          await list.append(entries)
          await composition.append(entries, 0)
        }
        await list.beginFlow()
        const { store } = list
        expect([store.size, store.dropped]).toEqual([tokensOf(log).length, 0])
        const seen = list.tokens('map').map(({ id, x, y, ms }) => [id, x, y, ms])
        const told = tokensOf(log).map(({ generation, index, position, timestamp }) => {
          const ms = Math.floor(Math.round((timestamp - (store.origin as number)) * 10_000) / 10)
          return [`${generation}:${index}`, ...position, ms]
        })
        expect(seen.toSorted()).toEqual(told.toSorted())
        const rows = store.generations.filter(({ tokens }) => tokens > 0)
        for (const a of rows) {
          for (const b of rows) {
            if (a === b || a.lane !== b.lane || a.firstMs > b.firstMs) continue
            expect(a.final).toBe(true)
            expect(b.firstMs - a.lastMs).toBeGreaterThanOrEqual(LANE_GAP)
          }
        }
        for (const layout of LAYOUTS) {
          for (const zoom of [1 / 64, 4]) {
            const question = { layout, x: 0, y: 0, w: 2048, h: 2048, zoom, zoom_y: 1, have: [] }
            list.expectView(await composition.view(question), question)
          }
        }
      }),
      { numRuns: rounds(400), endOnFailure: true },
    )
  })
})
