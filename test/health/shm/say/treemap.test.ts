import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Rectangle, treemapOf } from '../../../../health/shm/say/treemap.ts'

const AREA = { x: 10, y: 20, width: 600, height: 400 }
const SIZES = fc
  .array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 60 })
  .map(sizes => sizes.sort((one, other) => other - one))

const end = ({ x, y, width, height }: Rectangle) => [x + width, y + height] as const

describe('the treemap', () => {
  it('is that of Bruls, Huizing and van Wijk for the sizes of their paper', () => {
    const rectangles = treemapOf([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 })
    const rounded = rectangles.map(({ x, y, width, height }) =>
      [x, y, width, height].map(n => Number(n.toFixed(2))),
    )
    expect(rounded).toEqual([
      [0, 0, 3, 2],
      [0, 2, 3, 2],
      [3, 0, 1.71, 2.33],
      [4.71, 0, 1.29, 2.33],
      [3, 2.33, 1.2, 1.67],
      [4.2, 2.33, 1.2, 1.67],
      [5.4, 2.33, 0.6, 1.67],
    ])
  })

  it('fills the area, each rectangle as large as its size, and none over another', () => {
    fc.assert(
      fc.property(SIZES, sizes => {
        const rectangles = treemapOf(sizes, AREA)
        const total = sizes.reduce((all, size) => all + size, 0)
        expect(rectangles).toHaveLength(sizes.length)
        rectangles.forEach((one, i) => {
          const share = (sizes[i] as number) / total
          expect(one.width * one.height).toBeCloseTo(share * AREA.width * AREA.height, 3)
          const [right, bottom] = end(one)
          expect(one.x).toBeGreaterThanOrEqual(AREA.x - 1e-6)
          expect(one.y).toBeGreaterThanOrEqual(AREA.y - 1e-6)
          expect(right).toBeLessThanOrEqual(AREA.x + AREA.width + 1e-6)
          expect(bottom).toBeLessThanOrEqual(AREA.y + AREA.height + 1e-6)
          for (const other of rectangles.slice(0, i)) {
            const width = Math.min(right, end(other)[0]) - Math.max(one.x, other.x)
            const height = Math.min(bottom, end(other)[1]) - Math.max(one.y, other.y)
            expect(Math.min(width, height)).toBeLessThan(1e-6)
          }
        })
      }),
    )
  })
})
