import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PChart } from '../../../bridge/pool/p-chart.ts'

const chartOf = (results: readonly boolean[]) => {
  const chart = new PChart()
  for (const failed of results) chart.add(failed)
  return chart
}
const many = (count: number, failed: boolean) => Array.from({ length: count }, () => failed)

describe('a p-chart', () => {
  test('has no share and the least limit before anything happened', () => {
    expect(new PChart().read()).toEqual({ samples: 0, failures: 0, rate: null, limit: 0.1 })
  })

  test('is out of control from three failures in twenty on, not from nineteen results or two failures', () => {
    expect(chartOf([...many(16, false), ...many(3, true)]).outOfControl).toBe(false)
    expect(chartOf([...many(17, false), ...many(3, true)]).outOfControl).toBe(true)
    expect(chartOf([...many(18, false), ...many(2, true)]).outOfControl).toBe(false)
  })

  test('takes its limit from the history: what is usual for one instance is not for another', () => {
    const often = chartOf(Array.from({ length: 1000 }, (_, i) => i % 5 === 0))
    // p̄ = 0.2, n = 50: 0.2 + 3·√(0.2·0.8/50)
    expect(often.read().limit).toBeCloseTo(0.3697, 3)
    expect(often.outOfControl).toBe(false)
    const hardly = chartOf([...many(1000, false), ...many(7, true)])
    expect(hardly.read()).toMatchObject({ samples: 50, failures: 7, limit: 0.1 })
    expect(hardly.outOfControl).toBe(true)
    for (let i = 0; i < 7; i++) often.add(true)
    expect(often.outOfControl).toBe(false)
  })

  test('never takes failing more than half of the time for usual', () => {
    const bad = chartOf(many(5000, true))
    expect(bad.read().limit).toBe(0.5)
    expect(bad.outOfControl).toBe(true)
  })

  test('forgets the distant past', () => {
    const chart = chartOf([...many(3000, true), ...many(20_000, false)])
    expect(chart.read().limit).toBe(0.1)
  })

  test('starts a window anew when it is told to, with the history it had', () => {
    const chart = chartOf(Array.from({ length: 1000 }, (_, i) => i % 5 === 0))
    chart.clear()
    const { samples, rate, limit } = chart.read()
    expect([samples, rate]).toEqual([0, null])
    expect(limit).toBeGreaterThan(0.36)
  })

  test('counts what the last fifty results hold, and is never out of control below the minimum', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 400 }), results => {
        const chart = chartOf(results)
        const last = results.slice(-50)
        const { samples, failures, limit } = chart.read()
        expect([samples, failures]).toEqual([last.length, last.filter(Boolean).length])
        expect(limit).toBeGreaterThanOrEqual(0.1)
        expect(limit).toBeLessThanOrEqual(0.5)
        if (samples < 20 || failures < 3) expect(chart.outOfControl).toBe(false)
        else expect(chart.outOfControl).toBe(failures / samples > limit)
      }),
    )
  })
})
