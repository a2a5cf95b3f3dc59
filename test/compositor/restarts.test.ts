import { describe, expect, it } from 'vitest'
import { Restarts } from '../../compositor/restarts.ts'

describe('a process that ends', () => {
  it('is started at once if it did something before', () => {
    const restarts = new Restarts(Number.POSITIVE_INFINITY)
    for (let i = 0; i < 10; i++) {
      restarts.worked()
      expect(restarts.judge(i)).toEqual({ waitMs: 0, hopeless: false })
    }
  })

  it('is waited for longer and longer if it does nothing, half a minute at most', () => {
    const restarts = new Restarts(Number.POSITIVE_INFINITY)
    const waits = Array.from({ length: 12 }, (_, i) => restarts.judge(i).waitMs)
    expect(waits).toEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
    restarts.worked()
    expect(restarts.judge(12).waitMs).toBe(0)
  })

  it('is given up with the third end within a minute, whatever it did', () => {
    const restarts = new Restarts()
    const hopeless = [0, 30_000, 59_999].map(at => {
      restarts.worked()
      return restarts.judge(at).hopeless
    })
    expect(hopeless).toEqual([false, false, true])
  })

  it('is given up with the third end in which it did nothing, whenever', () => {
    const restarts = new Restarts()
    expect([0, 1e6, 2e6].map(at => restarts.judge(at).hopeless)).toEqual([false, false, true])
  })

  it('is not given up for want of room for another process', () => {
    const restarts = new Restarts()
    const verdicts = Array.from({ length: 5 }, (_, at) => restarts.judge(at, false))
    expect(verdicts.map(({ hopeless }) => hopeless)).toEqual(verdicts.map(() => false))
    expect(verdicts.map(({ waitMs }) => waitMs)).toEqual([0, 100, 200, 400, 800])
    expect([0, 1, 2].map(at => restarts.judge(at).hopeless)).toEqual([false, false, true])
  })

  it('is not given up if it works and seldom ends', () => {
    const restarts = new Restarts()
    for (let at = 0; at < 1e6; at += 30_001) {
      restarts.worked()
      expect(restarts.judge(at).hopeless).toBe(false)
    }
  })

  it('begins anew as a process of another kind', () => {
    const restarts = new Restarts()
    restarts.judge(0)
    restarts.judge(1)
    restarts.clear()
    expect(restarts.judge(2)).toEqual({ waitMs: 0, hopeless: false })
  })
})
