import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockNumber, mapCell } from '../../../compositor/draw/block-number.ts'
import { blockKey, slotOf } from '../../../compositor/draw/cell.ts'
import { cellEntry, EMPTY_CELL, UNKNOWN_CELL } from '../../../compositor/draw/cell-entry.ts'
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

describe('the number of a block', () => {
  it('is that of its cells without their lowest eight bits', () => {
    fc.assert(
      fc.property(u32, cell => {
        expect(blockNumber(blockKey(...mapPosition(cell)))).toBe(cell >>> 8)
      }),
      { numRuns: 2000 },
    )
  })

  it('and a slot together say where a cell is', () => {
    const cell = 123_456_789
    const [x, y] = mapPosition(cell)
    expect(slotOf(x, y)).toBe((y & 15) * 16 + (x & 15))
  })
})

describe('the entry of a cell', () => {
  it('keeps unknown apart from empty and from every value', () => {
    expect(cellEntry(Number.NaN)).toBe(UNKNOWN_CELL)
    expect(new Set([EMPTY_CELL, UNKNOWN_CELL, cellEntry(0), cellEntry(1), cellEntry(0.5)]).size).toBe(5)
    expect([cellEntry(0), cellEntry(1), cellEntry(7)]).toEqual([2, 257, 257])
  })
})
