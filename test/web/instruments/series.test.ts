import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstTokenSeries, intervalSeries, quantile, speedSeries } from '../../../web/instruments/series.ts'
import { laneOfTimes } from '../../support/lanes.ts'
import { rounds } from '../../support/rounds.ts'

describe('a quantile', () => {
  it('is a value that so many do not exceed, and the least such', () => {
    const values = fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.99, 1), (all, share) => {
        const sorted = all.toSorted((a, b) => a - b)
        const found = quantile(sorted, share) as number
        expect(sorted.filter(value => value <= found).length).toBeGreaterThanOrEqual(share * sorted.length)
        expect(sorted.filter(value => value < found).length).toBeLessThan(share * sorted.length)
      }),
      { numRuns: rounds(2000) },
    )
    expect(quantile([], 0.5)).toBe(null)
  })
})

describe('what the charts show', () => {
  const steady = laneOfTimes(
    Array.from({ length: 101 }, (_, i) => 1000 + i / 10),
    { began: 999.6 },
  )

  it('of the time between tokens is of one generation each, never from one to another', () => {
    const other = laneOfTimes(Array.from({ length: 51 }, (_, i) => 1000.05 + i / 5))
    const { times, median, p99 } = intervalSeries([steady, other], 1000, 1019)
    expect(times).toEqual([1002.5, 1007.5, 1012.5, 1017.5])
    expect(median[0]).toBeCloseTo(100, 3)
    expect(p99[0]).toBeCloseTo(200, 3)
    expect([median[3], p99[3]]).toEqual([null, null])
  })

  it('of the first tokens is how long each took, in their order', () => {
    const early = laneOfTimes([995], { began: 990, id: 'g_2' })
    const silent = laneOfTimes([], { id: 'g_3' })
    expect(firstTokenSeries([steady, silent, early], 900)).toEqual({
      times: [995, 1000],
      values: [5000, expect.closeTo(400)],
      ids: ['g_2', 'g_1'],
    })
    expect(firstTokenSeries([steady, early], 999).ids).toEqual(['g_1'])
  })

  it('of the speed is nothing where nothing ran', () => {
    const { times, values } = speedSeries([steady], 996, 1016)
    expect(times.slice(0, 3)).toEqual([997, 999, 1001])
    expect(values.slice(0, 4)).toEqual([null, null, expect.closeTo(10), expect.closeTo(10)])
    expect(values.at(-1)).toBe(null)
  })
})
