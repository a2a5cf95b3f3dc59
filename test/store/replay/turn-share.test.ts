import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TurnShare } from '../../../store/replay/turn-share.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Works as long as it may, `ms` at a time, until it has done so many steps; writes down who did each. */
async function worker(
  share: TurnShare,
  name: string,
  steps: number,
  ms: number,
  log: string[],
): Promise<void> {
  for (let step = 0; step < steps; step++) {
    if (share.isSpent) await share.next()
    log.push(name)
    vi.advanceTimersByTime(ms)
  }
}

describe('a turn’s share', () => {
  test('is spent after 2 ms of a turn, and there is another one in the next', async () => {
    const share = new TurnShare()
    expect(share.isSpent).toBe(false)
    vi.advanceTimersByTime(1.9)
    expect(share.isSpent).toBe(false)
    vi.advanceTimersByTime(0.1)
    expect(share.isSpent).toBe(true)
    await setImmediate()
    await setImmediate()
    expect(share.isSpent).toBe(false)
  })

  test('goes to those who asked for it in turn, a whole one to each', async () => {
    const share = new TurnShare()
    const log: string[] = []
    await Promise.all(['a', 'b', 'c'].map(name => worker(share, name, 6, 1, log)))
    // The first had one before anybody else was there, and asked for another before the others did.
    expect(log.join('')).toBe('aaaabbccaabbccbbcc')
  })

  test('is had once in a turn of the event loop', async () => {
    const share = new TurnShare()
    const log: string[] = []
    let isOver = false
    const work = Promise.all(['a', 'b'].map(name => worker(share, name, 40, 0.5, log))).then(() => {
      isOver = true
    })
    const most: number[] = []
    for (let before = log.length; !isOver; before = log.length) {
      await setImmediate()
      most.push(log.length - before)
    }
    await work
    expect(log).toHaveLength(80)
    expect(Math.max(...most)).toBeLessThanOrEqual(4)
  })
})
