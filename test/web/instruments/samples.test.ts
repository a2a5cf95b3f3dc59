import { describe, expect, it } from 'vitest'
import { Samples, windowFor } from '../../../web/instruments/samples.ts'

function make() {
  const clock = { ms: 0 }
  return { clock, samples: new Samples(() => clock.ms) }
}

describe('samples', () => {
  it('lie as long ago as they were taken, whatever the time is called', () => {
    const { clock, samples } = make()
    for (const value of [3, 4, 5]) {
      samples.add(value)
      clock.ms += 5000
    }
    expect(samples.series(1000)).toEqual({ times: [985, 990, 995], values: [3, 4, 5] })
    expect(samples.series(2000).times).toEqual([1985, 1990, 1995])
  })

  it('are kept for ten minutes', () => {
    const { clock, samples } = make()
    for (let i = 0; i < 1000; i++) {
      samples.add(i)
      clock.ms += 5000
    }
    const { times, values } = samples.series(0)
    expect(values.at(-1)).toBe(999)
    expect(values.length).toBe(121)
    expect(times[0]).toBe(-605)
  })

  it('have nothing known between them where they lie far apart', () => {
    const { clock, samples } = make()
    samples.add(1)
    clock.ms += 60_000
    samples.add(2)
    expect(samples.series(100).values).toEqual([1, null, 2])
    const { times } = samples.series(100)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })
})

describe('what the charts show', () => {
  it('is as long as the session that began, from a minute to ten', () => {
    expect([null, 5, 61, 200, 300, 301, 9000].map(windowFor)).toEqual([60, 60, 120, 300, 300, 600, 600])
  })
})
