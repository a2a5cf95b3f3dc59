import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockWords, spanWords, ticksOf } from '../../../web/time/clock-words.ts'
import { rounds } from '../../support/rounds.ts'

/** Unix seconds of a time of the wall's clock here. */
const wall = (...parts: [number, number, number, number, number, number]) =>
  new Date(...parts).getTime() / 1000

describe('times in words', () => {
  it('are those of the clock on the wall, with the day where it is another', () => {
    const now = wall(2026, 10, 21, 20, 0, 0)
    expect(clockWords(wall(2026, 10, 21, 14, 3, 21), now)).toBe('14:03:21')
    expect(clockWords(wall(2026, 10, 21, 0, 3, 21) + 0.25, now, true)).toBe('00:03:21.2')
    expect(clockWords(wall(2026, 10, 20, 14, 3, 21), now)).toBe('Nov 20, 14:03:21')
  })

  it('of a length have its two largest units', () => {
    expect([0, 59.4, 60, 725, 3600, 12_000, 86_400, 200_000].map(spanWords)).toEqual([
      '0 s',
      '59 s',
      '1 min 00 s',
      '12 min 05 s',
      '1 h 00 min',
      '3 h 20 min',
      '1 day 0 h',
      '2 days 7 h',
    ])
  })
})

describe('the marks of a time axis', () => {
  it('are evenly apart, within it, and no more than there is room for', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1_600_000_000, max: 1_900_000_000, noNaN: true }),
        fc.double({ min: 2, max: 30_000_000, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        (from, length, most) => {
          const ticks = ticksOf(from, from + length, most)
          expect(ticks.length).toBeLessThanOrEqual(most + 1)
          for (const { at } of ticks) expect(from <= at && at <= from + length).toBe(true)
          const steps = ticks.slice(1).map(({ at }, i) => at - (ticks[i] as { at: number }).at)
          for (const step of steps) expect(step).toBeCloseTo(steps[0] as number, 6)
        },
      ),
      { numRuns: rounds(2000) },
    )
  })

  it('lie at round times and say no more than they have to', () => {
    const from = wall(2026, 10, 21, 13, 58, 7)
    expect(ticksOf(from, from + 50, 5).map(({ label }) => label)).toEqual([
      '13:58:10',
      '13:58:20',
      '13:58:30',
      '13:58:40',
      '13:58:50',
    ])
    expect(ticksOf(from, from + 3600, 4).map(({ label }) => label)).toEqual([
      '14:00',
      '14:15',
      '14:30',
      '14:45',
    ])
    expect(ticksOf(from, from + 86_400, 4).map(({ label }) => label)).toEqual([
      '18:00',
      'Nov 22',
      '06:00',
      '12:00',
    ])
  })
})
