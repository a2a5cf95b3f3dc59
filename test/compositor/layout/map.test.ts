import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layoutMap, mapPlace, mapPosition } from '../../../compositor/layout/map.ts'
import { PAGE_TOKENS } from '../../../compositor/tokens/record.ts'

const SIDE = 65_536
const BORDERS = [0, 1, 2, 3, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]
const u32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(...BORDERS))

/** The textbook's loop, one level of the curve at a time, on plain numbers instead of bits. */
function hilbertByLoop(cell: number): [number, number] {
  let [x, y] = [0, 0]
  let rest = cell
  for (let side = 1; side < SIDE; side *= 2) {
    const right = Math.floor(rest / 2) % 2
    const lower = (rest + right) % 2
    if (lower === 0) {
      if (right === 1) [x, y] = [side - 1 - x, side - 1 - y]
      ;[x, y] = [y, x]
    }
    x += side * right
    y += side * lower
    rest = Math.floor(rest / 4)
  }
  return [x, y]
}

describe('mapPosition', () => {
  it.each(BORDERS)('is where the loop over the levels leads, cell %d', cell => {
    expect(mapPosition(cell)).toEqual(hilbertByLoop(cell))
  })

  it('is where the loop over the levels leads, any cell', () => {
    fc.assert(
      fc.property(u32, cell => {
        expect(mapPosition(cell)).toEqual(hilbertByLoop(cell))
      }),
      { numRuns: 5000 },
    )
  })

  it('begins in the corner and ends in the one beside it', () => {
    expect(mapPosition(0)).toEqual([0, 0])
    expect(mapPosition(2 ** 32 - 1)).toEqual([SIDE - 1, 0])
  })

  it('puts consecutive cells side by side', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 2 }), cell => {
        const [x, y] = mapPosition(cell)
        const [nextX, nextY] = mapPosition(cell + 1)
        expect(Math.abs(x - nextX) + Math.abs(y - nextY)).toBe(1)
      }),
      { numRuns: 5000 },
    )
  })

  it('makes an aligned block of 256 cells a square of 16 × 16, each place once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 24 - 1 }), block => {
        const places = Array.from({ length: 256 }, (_, i) => mapPosition(block * 256 + i))
        const [left, top] = [Math.min(...places.map(([x]) => x)), Math.min(...places.map(([, y]) => y))]
        expect([left % 16, top % 16]).toEqual([0, 0])
        const inside = new Set(places.map(([x, y]) => (y - top) * 16 + (x - left)))
        expect([...inside].sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, i) => i))
      }),
    )
  })

  it('gives no two of the first 65,536 cells one place', () => {
    const places = new Set(Array.from({ length: 65_536 }, (_, cell) => mapPlace(cell)))
    expect(places.size).toBe(65_536)
  })
})

describe('mapPlace', () => {
  it('packs the position into an unsigned number', () => {
    fc.assert(
      fc.property(u32, cell => {
        const [x, y] = mapPosition(cell)
        expect(mapPlace(cell)).toBe(y * 65_536 + x)
      }),
    )
  })
})

describe('layoutMap', () => {
  it('places the part that it is given and touches nothing else', () => {
    const number = fc.oneof(fc.integer({ min: 0, max: 4095 }), fc.constantFrom(0, 4095))
    const place = fc.oneof(
      fc.integer({ min: 0, max: PAGE_TOKENS }),
      fc.constantFrom(0, PAGE_TOKENS - 1, PAGE_TOKENS),
    )
    fc.assert(
      fc.property(number, place, fc.nat(300), (number, first, count) => {
        const end = Math.min(first + count, PAGE_TOKENS)
        const places = new Uint32Array(310).fill(7)
        layoutMap({ number }, places, first, end)
        const expected = Array.from({ length: end - first }, (_, i) =>
          mapPlace(number * PAGE_TOKENS + first + i),
        )
        expect([...places]).toEqual([...expected, ...Array(310 - expected.length).fill(7)])
      }),
    )
  })
})
