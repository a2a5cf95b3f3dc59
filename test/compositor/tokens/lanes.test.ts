import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LANE_GAP, Lanes } from '../../../compositor/tokens/lanes.ts'
import { rounds } from '../../support/rounds.ts'

/** The lowest lane that is free, looked for one by one. */
class ReferenceLanes {
  readonly #freeFrom: number[] = []

  take(ms: number): number {
    let lane = this.#freeFrom.findIndex(freeFrom => freeFrom <= ms)
    if (lane < 0) lane = this.#freeFrom.length
    this.#freeFrom[lane] = Number.POSITIVE_INFINITY
    return lane
  }

  leave(lane: number, lastMs: number): void {
    this.#freeFrom[lane] = lastMs + LANE_GAP
  }
}

describe('lanes', () => {
  it('are the lowest that are free, whatever the clocks do', () => {
    const step = fc.record({ forward: fc.integer({ min: -600, max: 900 }), leaves: fc.option(fc.nat(30)) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), steps => {
        const lanes = new Lanes()
        const reference = new ReferenceLanes()
        const going: number[] = []
        let ms = 10_000
        for (const { forward, leaves } of steps) {
          ms += forward
          if (leaves === null) {
            const lane = lanes.take(ms, going.length)
            expect(lane).toBe(reference.take(ms))
            going.push(lane)
          } else if (going.length > 0) {
            const [lane] = going.splice(leaves % going.length, 1) as [number]
            lanes.leave(lane, ms)
            reference.leave(lane, ms)
          }
        }
      }),
      { numRuns: rounds(2000) },
    )
  })

  it("are a generation's own until another takes them", () => {
    const lanes = new Lanes()
    expect([lanes.take(0, 10), lanes.take(0, 11)]).toEqual([0, 1])
    lanes.leave(0, 100)
    expect(lanes.isOf(0, 10)).toBe(true)
    lanes.retake(0)
    expect(lanes.take(1000, 12)).toBe(2)
    lanes.leave(1, 100)
    expect(lanes.take(100 + LANE_GAP - 1, 13)).toBe(3)
    expect(lanes.take(100 + LANE_GAP, 14)).toBe(1)
    expect(lanes.isOf(1, 11)).toBe(false)
    // Not even when that one has left it again.
    lanes.leave(1, 500)
    expect([lanes.isOf(1, 11), lanes.isOf(1, 14)]).toEqual([false, true])
    expect(lanes.count).toBe(4)
  })
})
