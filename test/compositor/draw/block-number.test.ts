import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mapCell } from '../../../compositor/draw/block-number.ts'
import { mapPosition } from '../../../compositor/layout/map.ts'

const BORDERS = [0, 1, 2, 3, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]
const u32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(...BORDERS))

describe('the number of a cell', () => {
  it('is the one that lies there', () => {
    fc.assert(
      fc.property(u32, cell => {
        expect(mapCell(...mapPosition(cell))).toBe(cell)
      }),
      { numRuns: 5000 },
    )
  })

  it('is known in all four corners of the map', () => {
    const last = 65_535
    expect(mapCell(0, 0)).toBe(0)
    expect(mapCell(last, 0)).toBe(2 ** 32 - 1)
    expect(mapPosition(mapCell(0, last))).toEqual([0, last])
    expect(mapPosition(mapCell(last, last))).toEqual([last, last])
  })
})
