import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Share, type ShareOptions } from '../../../bridge/limits/share.ts'
import { TokenscopeError } from '../../../events/errors.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const NEVER = new AbortController().signal

/** A share, and when whom it let in or why not, in ms since it was made. */
class Log {
  readonly share: Share
  readonly lines: string[] = []
  readonly #start = performance.now()

  constructor(options: Partial<ShareOptions>) {
    this.share = new Share({ requestsPerMinute: null, tokensPerMinute: null, waitMs: 5000, ...options })
  }

  enter(name: string, tokens = 0, signal = NEVER): ReturnType<Share['enter']> | null {
    try {
      const place = this.share.enter(tokens)
      place.ready(signal).then(
        () => this.#say(`${name} in`),
        error => this.#say(`${name} ${error instanceof TokenscopeError ? error.code : error.message}`),
      )
      return place
    } catch (error) {
      this.#say(`${name} ${(error as TokenscopeError).code} ${(error as TokenscopeError).retryAfterSeconds}`)
      return null
    }
  }

  /** Lets so much time go by. */
  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms)
  }

  #say(what: string): void {
    this.lines.push(`${Math.round(performance.now() - this.#start)} ${what}`)
  }
}

test('who comes over the limit waits in order, and who would wait too long is told when to come back', async () => {
  const log = new Log({ requestsPerMinute: 30 })
  for (let i = 0; i < 30; i++) log.enter(`${i}`)
  await log.pass(0)
  expect(log.lines).toEqual(Array.from({ length: 30 }, (_, i) => `0 ${i} in`))
  log.lines.length = 0
  for (const name of ['a', 'b', 'c']) log.enter(name)
  expect(log.lines).toEqual(['0 c RATE_LIMITED 6'])
  await log.pass(2000)
  log.enter('d')
  await log.pass(10_000)
  expect(log.lines).toEqual(['0 c RATE_LIMITED 6', '2000 a in', '4000 b in', '6000 d in'])
})

test('a client that leaves gives up its place and nothing else, and who is behind moves up', async () => {
  const log = new Log({ requestsPerMinute: 30 })
  for (let i = 0; i < 30; i++) log.enter(`${i}`)
  await log.pass(0)
  log.lines.length = 0
  const leaver = new AbortController()
  log.enter('a', 0, leaver.signal)
  log.enter('b')
  await log.pass(500)
  leaver.abort(new Error('gone'))
  await log.pass(10_000)
  expect(log.lines).toEqual(['500 a gone', '2000 b in'])
  const gone = new AbortController()
  gone.abort(new Error('before'))
  for (let i = 0; i < 5; i++) log.enter('later')
  log.enter('c', 0, gone.signal)
  await log.pass(0)
  expect(log.lines.at(-1)).toBe('10500 c before')
})

test('who waits for little moves up at once when who waits for much leaves', async () => {
  const log = new Log({ tokensPerMinute: 6000 })
  log.enter('first', 5900)
  const leaver = new AbortController()
  log.enter('much', 500, leaver.signal)
  log.enter('little', 50)
  await log.pass(10)
  leaver.abort(new Error('gone'))
  await log.pass(0)
  expect(log.lines).toEqual(['0 first in', '10 much gone', '10 little in'])
})

test('what a request did not need lets in who waits for it', async () => {
  const log = new Log({ tokensPerMinute: 6000 })
  const first = log.enter('first', 6000)
  log.enter('second', 400)
  await log.pass(100)
  expect(log.lines).toEqual(['0 first in'])
  first?.settle(300)
  await log.pass(0)
  expect(log.lines).toEqual(['0 first in', '100 second in'])
  expect(log.share.remaining.tokens).toMatchObject({ limit: 6000, remaining: 6000 - 300 + 10 - 400 })
  // A second settlement is none.
  first?.settle(0)
  expect(log.share.remaining.tokens?.remaining).toBe(5310)
})

test('what a request needed beyond its estimate is charged, and who waits may then have waited in vain', async () => {
  const log = new Log({ tokensPerMinute: 6000 })
  const first = log.enter('first', 5900)
  log.enter('second', 400)
  await log.pass(1000)
  first?.settle(6900)
  await log.pass(0)
  expect(log.lines).toEqual(['0 first in', '1000 second RATE_LIMITED'])
  // 6,000 − 6,900 + 100 by now: the first token is there 8 s later.
  expect(log.share.remaining.tokens?.remaining).toBe(0)
  log.enter('third', 1)
  expect(log.lines.at(-1)).toBe('1000 third RATE_LIMITED 9')
  await log.pass(8000)
  log.enter('fourth', 1)
  await log.pass(1000)
  expect(log.lines.at(-1)).toBe('9010 fourth in')
})

test('a request that generates nothing is not held up by tokens that others were charged', async () => {
  const log = new Log({ tokensPerMinute: 60 })
  log.enter('first', 60)?.settle(600)
  log.enter('no tokens')
  await log.pass(0)
  expect(log.lines).toEqual(['0 first in', '0 no tokens in'])
})

test('an estimate above a minute’s worth gets in once everything is there', async () => {
  const log = new Log({ tokensPerMinute: 600, waitMs: 80_000 })
  log.enter('huge', 1e6)?.settle(700)
  log.enter('next', 1e6)
  await log.pass(80_000)
  expect(log.lines).toEqual(['0 huge in', '70000 next in'])
})

test('a share is whole again when it has been left alone for long enough, and not before', async () => {
  const log = new Log({ requestsPerMinute: 60, tokensPerMinute: 600 })
  expect(log.share.isWhole).toBe(true)
  const place = log.enter('one', 100)
  await log.pass(60_000)
  expect(log.share.isWhole).toBe(false)
  place?.settle(150)
  expect(log.share.isWhole).toBe(false)
  await log.pass(4999)
  expect(log.share.isWhole).toBe(false)
  await log.pass(2)
  expect(log.share.isWhole).toBe(true)
})

test('over any schedule of coming, going and settling no span of time grants more than its share, in order', async () => {
  const steps = fc.array(
    fc.record({
      after: fc.oneof(fc.constant(0), fc.nat(3000)),
      tokens: fc.nat(40),
      leavesAfter: fc.option(fc.nat(3000)),
      settlesAfter: fc.nat(3000),
      used: fc.nat(40),
    }),
    { minLength: 1, maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 5, max: 60 }),
      fc.integer({ min: 40, max: 400 }),
      steps,
      async (requests, tokens, schedule) => {
        const waitMs = 2500
        const share = new Share({ requestsPerMinute: requests, tokensPerMinute: tokens, waitMs })
        const grants: { at: number; order: number; reserved: number }[] = []
        const refunds: { at: number; amount: number }[] = []
        for (const [order, step] of schedule.entries()) {
          await vi.advanceTimersByTimeAsync(step.after)
          const came = performance.now()
          const leaver = new AbortController()
          if (step.leavesAfter !== null) setTimeout(() => leaver.abort(new Error('gone')), step.leavesAfter)
          try {
            const place = share.enter(step.tokens)
            place.ready(leaver.signal).then(
              () => {
                const at = performance.now()
                expect(at - came).toBeLessThanOrEqual(waitMs + 2)
                grants.push({ at, order, reserved: step.tokens })
                setTimeout(() => {
                  refunds.push({ at: performance.now(), amount: Math.max(0, step.tokens - step.used) })
                  place.settle(step.used)
                }, step.settlesAfter)
              },
              () => {},
            )
          } catch (error) {
            expect((error as TokenscopeError).code).toBe('RATE_LIMITED')
          }
        }
        await vi.advanceTimersByTimeAsync(10_000)
        expect(grants.map(({ order }) => order)).toEqual(
          grants.map(({ order }) => order).sort((a, b) => a - b),
        )
        for (const [i, first] of grants.entries()) {
          let sum = 0
          for (const [j, { at, reserved }] of grants.slice(i).entries()) {
            sum += reserved
            const minutes = (at - first.at) / 60_000
            expect(j + 1).toBeLessThanOrEqual(requests + requests * minutes + 1e-6)
            const back = refunds.filter(refund => refund.at >= first.at && refund.at <= at)
            const returned = back.reduce((total, { amount }) => total + amount, 0)
            expect(sum - returned).toBeLessThanOrEqual(tokens + tokens * minutes + 1e-6)
          }
        }
        // All is settled, at 40 times 40 tokens at most: in the end it is as good as new.
        await vi.advanceTimersByTimeAsync(41 * 60_000)
        expect(share.isWhole).toBe(true)
      },
    ),
    { numRuns: 100 },
  )
})
