import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STALL_S, TokenTimes } from '../../../web/time/token-times.ts'
import { TokenColumns } from '../../../web/token-columns.ts'
import { columnsOf, entry } from '../../support/lanes.ts'
import { rounds } from '../../support/rounds.ts'

const TIMES = fc.array(
  fc.integer({ min: 0, max: 500 }).map(tenths => 1000 + tenths / 10),
  { maxLength: 200 },
)

describe('the times of tokens', () => {
  it('are those of all tokens in their order, in whatever order and pieces they came', () => {
    fc.assert(
      fc.property(TIMES, fc.array(fc.nat()), fc.array(fc.nat({ max: 50 })), (times, shuffle, cuts) => {
        const indexes = times.map((_, i) => i)
        for (const [i, by] of shuffle.entries()) {
          if (i >= indexes.length) break
          const j = i + (by % (indexes.length - i))
          const held = indexes[i] as number
          indexes[i] = indexes[j] as number
          indexes[j] = held
        }
        const columns = new TokenColumns()
        const followed = new TokenTimes()
        let next = 0
        for (const cut of [...cuts, indexes.length]) {
          for (const index of indexes.slice(next, next + cut))
            columns.put(entry(index, times[index] as number))
          next += cut
          followed.follow(columns)
        }
        followed.follow(columns)
        const sorted = times.toSorted((a, b) => a - b)
        expect(Array.from({ length: followed.length }, (_, i) => followed.at(i))).toEqual(sorted)
        for (const at of [0, 1000, 1010.5, 1025, 2000, ...times.slice(0, 5)]) {
          expect(followed.before(at)).toBe(sorted.filter(one => one < at).length)
          expect(followed.upTo(at)).toBe(sorted.filter(one => one <= at).length)
        }
      }),
      { numRuns: rounds(2000) },
    )
  })

  it('fall into stretches without a stall, which hold all of them', () => {
    fc.assert(
      fc.property(TIMES, fc.nat({ max: 50 }), (times, later) => {
        const sorted = times.toSorted((a, b) => a - b)
        const followed = new TokenTimes()
        followed.follow(columnsOf(sorted))
        const last = sorted.at(-1) ?? 0
        const runs = followed.runs(last + later / 10)
        expect(sorted.every(time => runs.some(([from, to]) => from <= time && time <= to))).toBe(true)
        for (const [i, [from, to]] of runs.entries()) {
          const inside = sorted.filter(time => time >= from && time <= to)
          for (const [k, time] of inside.entries()) {
            if (k > 0) expect(time - (inside[k - 1] as number)).toBeLessThanOrEqual(STALL_S)
          }
          if (i > 0) expect(from - (runs[i - 1] as [number, number])[1]).toBeGreaterThan(STALL_S)
        }
      }),
      { numRuns: rounds(2000) },
    )
  })
})
