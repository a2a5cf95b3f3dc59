import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DirtyRanges } from '../../compositor/dirty-ranges.ts'

const range = fc
  .record({ first: fc.integer({ min: 0, max: 1_000_000 }), count: fc.oneof(fc.constant(1), fc.nat(5000)) })
  .map(({ first, count }) => [first, first + count] as const)

describe('DirtyRanges', () => {
  it('gives all that was added, in order, apart from each other, and then nothing', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 600, size: 'max' }), added => {
        const ranges = new DirtyRanges()
        for (const [first, end] of added) ranges.add(first, end)
        const taken = ranges.take()
        const told = added.filter(([first, end]) => first < end)
        const inside = ([first, end]: readonly [number, number]) =>
          taken.some(([from, to]) => from <= first && end <= to)
        expect(told.filter(range => !inside(range))).toEqual([])
        for (let i = 1; i < taken.length; i++) {
          expect((taken[i] as [number, number])[0]).toBeGreaterThan(
            (taken[i - 1] as [number, number])[1] + 4096,
          )
        }
        // What is taken begins and ends with something that was added.
        const firsts = new Set(told.map(([first]) => first))
        const ends = new Set(told.map(([, end]) => end))
        expect(taken.filter(([from, to]) => !firsts.has(from) || !ends.has(to))).toEqual([])
        expect(ranges.take()).toEqual([])
      }),
    )
  })
})
