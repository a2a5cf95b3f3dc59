import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketFor, momentBy, rateAt, ratesOf, resumeBy, stallsOf } from '../../../web/time/lane-sums.ts'
import { laneOfCount, laneOfTimes } from '../../support/lanes.ts'
import { rounds } from '../../support/rounds.ts'

const NOW = 2000
const TENTHS = fc.integer({ min: 0, max: 600 }).map(tenths => 1000 + tenths / 10)
const LANES = fc.array(
  fc.array(TENTHS, { minLength: 1, maxLength: 60 }).map(times => times.toSorted((a, b) => a - b)),
  { maxLength: 6 },
)

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((all, one) => all + one, 0)

describe('the speed of all together', () => {
  it('counts each token once, whatever the buckets', () => {
    fc.assert(
      fc.property(LANES, fc.constantFrom(0.25, 1, 2, 15, 60), (all, bucketS) => {
        const rates = ratesOf(
          all.map(times => laneOfTimes(times)),
          1000,
          1061,
          bucketS,
          NOW,
        )
        expect(sum(rates.known) * bucketS).toBeCloseTo(all.flat().length, 6)
        // Where tokens came, one ran.
        for (const [i, rate] of rates.known.entries()) if (rate > 0) expect(rates.running[i]).toBe(1)
        expect(rates.from % bucketS).toBeCloseTo(0, 9)
      }),
      { numRuns: rounds(1000) },
    )
  })

  it('spreads what is known by its number alone, and keeps that number', () => {
    const rates = ratesOf([laneOfCount(120, 1003, 1015)], 1000, 1020, 2, NOW)
    expect(sum(rates.mean) * 2).toBeCloseTo(120)
    expect(Array.from(rates.mean)).toEqual(
      [0, 5, 10, 10, 10, 10, 10, 5, 0, 0].map(rate => expect.closeTo(rate)),
    )
    expect(sum(rates.known)).toBe(0)
  })

  it('of the bucket that is not over is that of its length before now', () => {
    const times = Array.from({ length: 101 }, (_, i) => 1000 + i / 10)
    const lane = laneOfTimes(times, { ended: null })
    const { known } = ratesOf([lane], 1000, 1010.5, 2, 1010.5)
    expect(known.at(-1)).toBeCloseTo(7.5)
    expect(known.at(-2)).toBeCloseTo(10)
  })

  it('at a moment is that of the two seconds before it, and nothing is told where nothing ran', () => {
    const lanes = [
      laneOfTimes(Array.from({ length: 101 }, (_, i) => 1000 + i / 10)),
      laneOfCount(50, 1004, 1014),
    ]
    expect(rateAt(lanes, 1003, NOW)).toBeCloseTo(10)
    expect(rateAt(lanes, 1008, NOW)).toBeCloseTo(15)
    expect(rateAt(lanes, 1013, NOW)).toBeCloseTo(5)
    expect(rateAt(lanes, 999, NOW)).toBe(null)
    expect(rateAt(lanes, 1030, NOW)).toBe(null)
  })

  it('is told in lengths that a clock has', () => {
    expect([1, 60, 600, 86_400].map(span => bucketFor(span, 300))).toEqual([0.25, 0.25, 2, 300])
    expect(bucketFor(400 * 86_400, 300) % 86_400).toBe(0)
  })
})

describe('stalls', () => {
  it('are where one was giving tokens and none came from any for over two seconds', () => {
    fc.assert(
      fc.property(LANES, all => {
        const stalls = stallsOf(
          all.map(times => laneOfTimes(times)),
          1000,
          1061,
          NOW,
        )
        const ticks = Array.from({ length: 601 }, (_, i) => 1000 + i / 10 + 0.05)
        const flat = all.flat().toSorted((a, b) => a - b)
        for (const tick of ticks) {
          const running = all.some(times => (times[0] as number) < tick && tick < (times.at(-1) as number))
          const within = stalls.some(([from, to]) => from < tick && tick < to)
          const before = flat.findLast(time => time < tick) ?? Number.NaN
          const after = flat.find(time => time > tick) ?? Number.NaN
          // Two seconds sharp may come out as either, since tenths are not exact.
          if (Math.abs(after - before - 2) > 1e-6) expect(within).toBe(running && after - before > 2)
        }
        for (const [from, to] of stalls) {
          expect(to - from).toBeGreaterThan(2)
          expect(flat.some(time => time > from && time < to)).toBe(false)
        }
      }),
      { numRuns: rounds(500) },
    )
  })

  it('go on to now while one runs, and end with it', () => {
    const times = [1000, 1001, 1005, 1005.5]
    expect(stallsOf([laneOfTimes(times)], 1000, 1020, 1020)).toEqual([[1001, 1005]])
    expect(stallsOf([laneOfTimes(times, { ended: null })], 1000, 1020, 1020)).toEqual([
      [1001, 1005],
      [1005.5, 1020],
    ])
    expect(stallsOf([laneOfTimes(times, { ended: 1010 })], 1000, 1020, 1020)).toEqual([
      [1001, 1005],
      [1005.5, 1010],
    ])
  })

  it('are none while another gives tokens, nor where nothing is known', () => {
    const other = laneOfTimes([1001, 1002.5, 1004, 1005.5])
    expect(stallsOf([laneOfTimes([1000, 1001, 1005]), other], 990, 1020, NOW)).toEqual([])
    expect(stallsOf([laneOfTimes([1000, 1001, 1005]), laneOfCount(2, 990, 1010)], 990, 1020, NOW)).toEqual([])
  })
})

describe('the next moment', () => {
  it('is that of the next token of any lane, and back again', () => {
    fc.assert(
      fc.property(LANES, all => {
        const lanes = all.map(times => laneOfTimes(times))
        const moments = [...new Set(all.flat())].sort((a, b) => a - b)
        const forth: number[] = []
        for (let at: number | null = 0; at !== null; ) {
          at = momentBy(lanes, at, 1)
          if (at !== null) forth.push(at)
        }
        expect(forth).toEqual(moments)
        const back: number[] = []
        for (let at: number | null = NOW; at !== null; ) {
          at = momentBy(lanes, at, -1)
          if (at !== null) back.unshift(at)
        }
        expect(back).toEqual(moments)
      }),
      { numRuns: rounds(500) },
    )
  })

  it('of what is not known in detail is its begin and its end', () => {
    const lanes = [laneOfCount(7, 1003, 1009), laneOfTimes([1005])]
    expect([1000, 1003, 1005, 1009].map(at => momentBy(lanes, at, 1))).toEqual([1003, 1005, 1009, null])
  })
})

describe('where it goes on', () => {
  const lanes = [laneOfCount(10, 1003, 1015), laneOfCount(10, 1010, 1020), laneOfCount(5, 1060, 1070)]

  it('is where the next one begins, of a moment at which none runs', () => {
    expect(resumeBy(lanes, 1012)).toBe(null)
    expect(resumeBy(lanes, 1017)).toBe(null)
    expect(resumeBy(lanes, 1030)).toBe(lanes[2]?.began)
    expect(resumeBy(lanes, 1080)).toBe(Number.POSITIVE_INFINITY)
  })
})
