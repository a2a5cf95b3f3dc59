import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Watchdog } from '../../bridge/watchdog.ts'
import { received } from '../support/app.ts'
import { type Stage, useStage } from '../support/stage.ts'

describe('a watchdog', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** When it found the silence too long, ms from the start, and by which limit; null if it did not within `ms`. */
  function watch(
    { first = null, silence = null }: { first?: number | null; silence?: number | null },
    ms: number,
    script: Readonly<Record<number, (dog: Watchdog) => void>>,
    begunAt = Number.POSITIVE_INFINITY,
  ): [at: number, limit: number, begun: boolean] | null {
    const start = performance.now()
    let expired: [number, number, boolean] | null = null
    const dog = new Watchdog({
      firstTokenMs: first,
      silenceMs: silence,
      begun: () => performance.now() - start >= begunAt,
      onExpired: (limit, begun) => {
        expect(expired).toBeNull()
        expired = [performance.now() - start, limit, begun]
      },
    })
    for (let at = 0; at < ms; at++) {
      script[at]?.(dog)
      vi.advanceTimersByTime(1)
    }
    dog.stop()
    return expired
  }
  const hear = (dog: Watchdog) => dog.heard(performance.now())

  test.each<[string, Parameters<typeof watch>, ReturnType<typeof watch>]>([
    ['has no limit where none is set', [{}, 100_000, {}], null],
    ['waits for the first token so long', [{ first: 1000 }, 5000, {}], [1000, 1000, false]],
    ['counts every sign of life', [{ first: 1000 }, 5000, { 900: hear, 1800: hear }], [2800, 1000, false]],
    ['has no other limit before the first token', [{ silence: 100 }, 5000, {}], null],
    ['has the limit of silence after it', [{ silence: 100 }, 5000, { 700: hear }, 701], [800, 100, true]],
    ['has that one alone after it', [{ first: 10 }, 5000, { 5: hear }, 6], null],
    [
      'may be more patient after it than before',
      [{ first: 100, silence: 1000 }, 5000, { 50: hear }, 51],
      [1050, 1000, true],
    ],
    [
      'stands still while the answer is paused',
      [{ silence: 100 }, 5000, { 10: dog => dog.pause(), 3000: dog => dog.resume() }, 0],
      [3100, 100, true],
    ],
    ['is at its end when it is stopped', [{ first: 100 }, 5000, { 50: dog => dog.stop() }], null],
  ])('%s', (_name, args, expected) => {
    const found = watch(...args)
    if (expected === null || found === null) return void expect(found).toBe(expected)
    const [at, ...why] = expected
    expect(found.slice(1)).toEqual(why)
    // It looks once more a turn later, which is a millisecond to this clock.
    expect(found[0] - at).toBeOneOf([0, 1])
  })

  test('looks only when something may be due', () => {
    const begun = vi.fn(() => false)
    const dog = new Watchdog({ firstTokenMs: 10_000, silenceMs: 1000, begun, onExpired: () => {} })
    vi.advanceTimersByTime(9999)
    expect(begun.mock.calls.length).toBeLessThanOrEqual(10)
    dog.stop()
  })
})

/** A stage with limits, whose answers are looked for at the server as well. */
function useImpatientStage(firstTokenMs: number | null, silenceMs: number | null): Stage {
  return useStage({}, { delivery: { retries: 0, firstTokenMs, silenceMs } })
}
const ended = { ending: 'timeout', error: { kind: 'timeout', code: 'UPSTREAM_TIMEOUT', retryable: true } }
const letGo = async ({ demo }: Stage) => {
  while (demo.server.active > 0) await new Promise(resolve => setImmediate(resolve))
}

describe('an upstream that does not begin in time', () => {
  // Long enough for a head to come in any case.
  const stage = useImpatientStage(1000, null)

  test.each([{ stream: true }, { stream: false }])('gives 504 where there is no head yet %j', async body => {
    const { status, body: text, last } = await stage.take('slow-headers=forever', body)
    expect(status).toBe(504)
    expect(JSON.parse(text.toString())).toMatchObject({ error: { code: 'upstream_timeout' } })
    expect(last).toMatchObject({ state: 'failed', ...ended })
    await letGo(stage)
  })

  test('breaks the app off where there is one', async () => {
    const { status, complete, last } = await stage.take('silence=forever@0')
    expect([status, complete]).toEqual([200, false])
    expect(last).toMatchObject({ state: 'interrupted', ...ended })
    await letGo(stage)
  })

  test('has not been too slow for an app that goes first', async () => {
    const answer = await stage.ask('silence=forever@0')
    const over = received(answer)
    answer.destroy()
    await over
    expect(await stage.viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
  })
})

describe('an upstream that goes silent', () => {
  const stage = useImpatientStage(null, 50)

  test('breaks the app off, and what it had said stays', async () => {
    const { status, complete, last } = await stage.take('silence=forever@5')
    expect([status, complete]).toEqual([200, false])
    expect(last).toMatchObject({ state: 'interrupted', ...ended })
    await letGo(stage)
  })

  test('has all the time there is before its first token', async () => {
    const answering = stage.take('silence=forever@0,tokens=1')
    while (stage.demo.server.active === 0) await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setTimeout(resolve, 120))
    stage.demo.server.goOn()
    expect((await answering).last).toMatchObject({ state: 'done' })
  })
})
