import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Gcra } from '../../events/gcra.ts'

/** What a double may be off by after some hundred steps of a bucket of this size. */
const ROUNDING = 1e-6

interface Step {
  /** ms since the step before. */
  after: number
  cost: number
}

const steps = fc.array(
  fc.record({
    after: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5000, noNaN: true })),
    cost: fc.nat(50),
  }),
  { minLength: 1, maxLength: 60 },
)
const rates = fc.integer({ min: 1, max: 6000 })

/** What was granted of a schedule, and when. */
function granted(bucket: Gcra, schedule: readonly Step[]): { at: number; cost: number }[] {
  let now = 0
  return schedule.flatMap(({ after, cost }) => {
    now += after
    return bucket.take(cost, now) ? [{ at: now, cost }] : []
  })
}

test('no span of time, wherever it begins, has more than the burst and what the rate gives in it', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 100 }), steps, (perMinute, burst, schedule) => {
      const grants = granted(new Gcra({ perMinute, burst }), schedule)
      for (const [i, first] of grants.entries()) {
        let sum = 0
        for (const { at, cost } of grants.slice(i)) {
          sum += cost
          expect(sum).toBeLessThanOrEqual(burst + ((at - first.at) * perMinute) / 60_000 + ROUNDING)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('nothing is refused that a token bucket would have: it is as generous as it may be', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 100 }), steps, (perMinute, burst, schedule) => {
      const bucket = new Gcra({ perMinute, burst })
      let there = burst
      let now = 0
      for (const { after, cost } of schedule) {
        now += after
        there = Math.min(burst, there + (after * perMinute) / 60_000)
        expect(bucket.balance(now)).toBeCloseTo(there, 6)
        // At the very border a last bit may decide either way.
        if (Math.abs(there - cost) < ROUNDING) there = bucket.balance(now)
        if (!bucket.take(cost, now)) {
          expect(cost).toBeGreaterThan(there)
          continue
        }
        expect(cost).toBeLessThanOrEqual(there)
        there -= cost
      }
    }),
    { numRuns: 500 },
  )
})

test('what it says to wait is enough, and half of it is not', () => {
  fc.assert(
    fc.property(
      rates,
      fc.integer({ min: 1, max: 100 }),
      steps,
      fc.integer({ min: 1, max: 100 }),
      (perMinute, burst, schedule, wanted) => {
        const bucket = new Gcra({ perMinute, burst })
        const cost = Math.min(wanted, burst)
        granted(bucket, schedule)
        const now = schedule.reduce((sum, { after }) => sum + after, 0)
        const wait = bucket.msUntil(cost, now)
        if (wait > 1e-3) {
          expect(bucket.take(cost, now)).toBe(false)
          expect(bucket.take(cost, now + wait / 2)).toBe(false)
        }
        expect(bucket.take(cost, now + wait + 1e-3)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

test('a settlement never makes more than the burst of it, and is otherwise exact', () => {
  const settlements = fc.array(fc.record({ after: fc.nat(1000), back: fc.boolean(), amount: fc.nat(200) }), {
    minLength: 1,
    maxLength: 60,
  })
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 100 }), settlements, (perMinute, burst, schedule) => {
      const bucket = new Gcra({ perMinute, burst })
      let now = 0
      for (const { after, back, amount } of schedule) {
        now += after
        const before = bucket.balance(now)
        if (back) bucket.giveBack(amount, now)
        else bucket.charge(amount, now)
        expect(bucket.balance(now)).toBeLessThanOrEqual(burst)
        expect(bucket.balance(now)).toBeCloseTo(back ? Math.min(burst, before + amount) : before - amount, 6)
      }
    }),
  )
})

test('a clock that goes back or stands still gives nothing', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.double({ min: -1e9, max: 0, noNaN: true })), (schedule, back) => {
      const bucket = new Gcra({ perMinute: 60, burst: 10 })
      granted(bucket, schedule)
      const now = schedule.reduce((sum, { after }) => sum + after, 0)
      const before = bucket.balance(now)
      for (const step of back) expect(bucket.balance(now + step)).toBe(before)
    }),
  )
})

// A counter of fixed windows of a second lets 19 of 10/s through within 160 ms, when the window's border lies there.
test('ten a second never become twenty within 160 ms', () => {
  const tenPerSecond = { perMinute: 600, burst: 10 }
  for (let border = 0; border < 1000; border += 7) {
    const bucket = new Gcra(tenPerSecond)
    let count = 0
    for (let at = border; at <= border + 160; at++) {
      while (bucket.take(1, 1e6 + at)) count++
    }
    expect(count).toBe(11)
  }
})

test('a minute’s worth at once and then one at a time: the numbers come out even', () => {
  for (const perMinute of [1, 3, 7, 60, 977, 100_000]) {
    const bucket = new Gcra({ perMinute })
    let count = 0
    while (bucket.take(1, 0)) count++
    expect(count).toBe(perMinute)
    expect(bucket.msUntil(1, 0)).toBeCloseTo(60_000 / perMinute, 6)
  }
})
