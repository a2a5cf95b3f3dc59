import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../../store/replay/replay-clock.ts'

const HOUR_MS = 60 * 60 * 1000
const never = new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Whether a wait is over, by now. */
async function isOver(wait: Promise<void>): Promise<boolean> {
  let over = false
  void wait.then(() => {
    over = true
  })
  await setImmediate()
  return over
}

test.each([[0.2], [1], [17.5], [HOUR_MS], [1000 * HOUR_MS]])(
  '%s ms are waited for, and no more than a timer’s step beyond',
  async ms => {
    const at = systemClock.now() + ms
    const wait = systemClock.until(at, never)
    // A timer keeps to whole milliseconds.
    for (let left = Math.floor(ms); left > 0; left -= Math.min(left, HOUR_MS)) {
      await vi.advanceTimersByTimeAsync(Math.min(left, HOUR_MS))
      if (systemClock.now() < at) expect(await isOver(wait)).toBe(false)
    }
    await vi.advanceTimersByTimeAsync(1)
    expect(await isOver(wait)).toBe(true)
    expect(systemClock.now()).toBeGreaterThanOrEqual(at)
    expect(vi.getTimerCount()).toBe(0)
  },
)

test('what is past is not waited for', async () => {
  expect(await isOver(systemClock.until(systemClock.now(), never))).toBe(true)
  expect(await isOver(systemClock.until(systemClock.now() - 5, never))).toBe(true)
})

test('a wait that nobody wants any more is over at once', async () => {
  const abort = new AbortController()
  const wait = systemClock.until(Number.POSITIVE_INFINITY, abort.signal)
  expect(await isOver(wait)).toBe(false)
  abort.abort()
  expect(await isOver(wait)).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
  expect(await isOver(systemClock.until(Number.POSITIVE_INFINITY, abort.signal))).toBe(true)
})
