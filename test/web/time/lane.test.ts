import fc from 'fast-check'
import { ulid } from 'ulid'
import { describe, expect, it } from 'vitest'
import { Generation } from '../../../web/generation.ts'
import { laneOf, rowsOf, SESSION_PAUSE_S, sessionStart, timeOfId } from '../../../web/time/lane.ts'
import { TokenTimes } from '../../../web/time/token-times.ts'
import { entry, laneOfTimes } from '../../support/lanes.ts'
import { rounds } from '../../support/rounds.ts'

const NOW = 5000

function lane(generation: Generation) {
  const times = new TokenTimes()
  times.follow(generation.tokens)
  return laneOf(generation, times, NOW)
}

describe('a lane', () => {
  it('begins as long before its first token as that took', () => {
    const generation = new Generation(`g_${ulid(1_000_000)}`)
    generation.become({ state: 'generating', ttft_ms: 400 })
    generation.append(entry(0, 1000.5))
    generation.append(entry(1, 1000.75))
    expect(lane(generation)).toMatchObject({
      began: 1000.1,
      firstToken: 1000.5,
      ended: null,
      uncounted: null,
    })
    generation.become({ state: 'done', elapsed_ms: 900 })
    expect(lane(generation).ended).toBeCloseTo(1001)
  })

  it('of which only the text is held begins when its id was given, and is spread over its time', () => {
    const generation = new Generation(`g_${ulid(1_000_000)}`)
    generation.become({ state: 'done', ttft_ms: 500, elapsed_ms: 3000, tokens_processed: 50 })
    expect(lane(generation)).toMatchObject({
      began: 1000,
      firstToken: 1000.5,
      ended: 1003,
      uncounted: { tokens: 50, from: 1000.5, to: 1003 },
    })
  })

  it('of which the end is held counts what came before it', () => {
    const generation = new Generation(`g_${ulid(1_000_000)}`)
    generation.become({ state: 'generating', ttft_ms: 500 })
    generation.append(entry(30, 1002))
    expect(lane(generation).uncounted).toEqual({ tokens: 30, from: 1000.5, to: 1002 })
  })

  it('without a token has none, and no first', () => {
    const generation = new Generation(`g_${ulid(1_000_000)}`)
    generation.become({ state: 'failed', elapsed_ms: 20 })
    expect(lane(generation)).toMatchObject({ began: 1000, firstToken: null, ended: 1000.02, uncounted: null })
  })
})

describe('lanes', () => {
  it('lie in rows in which none covers another, as few as can be', () => {
    const spans = fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 30 })), { maxLength: 60 })
    fc.assert(
      fc.property(spans, all => {
        const lanes = all
          .map(([began, length]) => laneOfTimes([], { began, ended: began + length + 1 }))
          .sort((a, b) => a.began - b.began)
        const rows = rowsOf(lanes, NOW, 0)
        lanes.forEach((a, i) => {
          lanes.forEach((b, j) => {
            if (i >= j || rows[i] !== rows[j]) return
            expect((a.ended as number) <= b.began || (b.ended as number) <= a.began).toBe(true)
          })
        })
        const together = (at: number) =>
          lanes.filter(one => one.began <= at && at < (one.ended as number)).length
        const most = Math.max(0, ...lanes.map(({ began }) => together(began)))
        expect(Math.max(-1, ...rows) + 1).toBe(most)
      }),
      { numRuns: rounds(1000) },
    )
  })

  it('make a session from the last long pause on', () => {
    const at = (began: number, ended: number | null = began + 10) => laneOfTimes([], { began, ended })
    expect(sessionStart([], NOW)).toBe(null)
    expect(sessionStart([at(0), at(100), at(1000)], NOW)).toBe(0)
    expect(sessionStart([at(0), at(11 + SESSION_PAUSE_S), at(2000)], NOW)).toBe(11 + SESSION_PAUSE_S)
    // Who still runs makes no pause.
    expect(sessionStart([at(0, null), at(4000)], NOW)).toBe(0)
  })

  it('know when an id was given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000_000_000_000 }), ms => {
        expect(timeOfId(`g_${ulid(ms)}`)).toBe(ms / 1000)
      }),
      { numRuns: rounds(1000) },
    )
    for (const none of ['', 'g_', 'g_1', 'x_01HP2Q3R4S5T6V7W8X9YZABCDE', 'g_01hp2q3r4s5t']) {
      expect(timeOfId(none)).toBe(null)
    }
  })
})
