import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cellAfter,
  cellAt,
  dsmSums,
  isWide,
  planDsm,
  shadeOf,
  stepOf,
  stepsTo,
} from '../../../web/structure/dsm.ts'

describe('where a matrix lies', () => {
  it('has names and numbers where there is room, then names, then neither', () => {
    expect(planDsm(12, 420)).toMatchObject({ cell: 24, isNamed: true, isNumbered: true, left: 112, top: 16 })
    expect(planDsm(28, 420)).toMatchObject({ cell: 11, isNamed: true, isNumbered: false, top: 0 })
    expect(planDsm(60, 1304)).toMatchObject({ cell: 12, isNamed: true })
    expect(planDsm(61, 1304)).toMatchObject({ isNamed: false, left: 0, cell: 11 })
    expect(planDsm(60, 328)).toMatchObject({ isNamed: false, left: 0, cell: 5 })
    expect(planDsm(500, 328).cell).toBeCloseTo(0.656)
    expect([isWide(30), isWide(31)]).toEqual([false, true])
  })

  it('fits its place, whatever it is, and finds every cell again by its middle', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.integer({ min: 120, max: 2000 }), (parts, width) => {
        const plan = planDsm(parts, width)
        expect(plan.cell).toBeGreaterThan(0)
        expect(plan.left + parts * plan.cell).toBeLessThanOrEqual(width + 1e-6)
        for (const at of [
          { row: 0, column: parts - 1 },
          { row: parts - 1, column: parts >> 1 },
        ]) {
          const middle = (place: number) => (place + 0.5) * plan.cell
          expect(cellAt(plan, plan.left + middle(at.column), plan.top + middle(at.row))).toEqual(at)
        }
        expect(cellAt(plan, plan.left - 1, plan.top + 1)).toBeNull()
        expect(cellAt(plan, plan.left + 1, plan.top + parts * plan.cell + 1)).toBeNull()
      }),
    )
  })
})

describe('a cell that is looked at', () => {
  it('is moved by the arrows, to the ends of its row, and never out', () => {
    expect(cellAfter('ArrowDown', { row: 1, column: 1 }, 3)).toEqual({ row: 2, column: 1 })
    expect(cellAfter('ArrowDown', { row: 2, column: 1 }, 3)).toEqual({ row: 2, column: 1 })
    expect(cellAfter('ArrowUp', { row: 0, column: 1 }, 3)).toEqual({ row: 0, column: 1 })
    expect(cellAfter('ArrowRight', { row: 0, column: 2 }, 3)).toEqual({ row: 0, column: 2 })
    expect(cellAfter('ArrowLeft', { row: 0, column: 2 }, 3)).toEqual({ row: 0, column: 1 })
    expect(cellAfter('Home', { row: 2, column: 2 }, 3)).toEqual({ row: 2, column: 0 })
    expect(cellAfter('End', { row: 2, column: 0 }, 3)).toEqual({ row: 2, column: 2 })
    expect(cellAfter('x', { row: 0, column: 0 }, 3)).toBeNull()
  })
})

describe('the counts of a matrix', () => {
  it('are summed on both sides of the diagonal, without it', () => {
    const dsm = [
      [99, 1, 2],
      [4, 99, 8],
      [16, 32, 99],
    ]
    expect(dsmSums(dsm)).toEqual({ most: 32, below: 52, above: 11 })
    expect(dsmSums([])).toEqual({ most: 0, below: 0, above: 0 })
  })

  it('have a colour for each doubling, the last one at the end of the scale', () => {
    expect([1, 2, 3, 4, 7, 8].map(stepOf)).toEqual([0, 1, 1, 2, 2, 3])
    expect(stepsTo(11)).toEqual([
      { least: 1, words: '1' },
      { least: 2, words: '2–3' },
      { least: 4, words: '4–7' },
      { least: 8, words: '8–11' },
    ])
    expect(stepsTo(0)).toEqual([])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (one, other) => {
        const [less, most] = [Math.min(one, other), Math.max(one, other)]
        expect(shadeOf(most, most)).toBe(1)
        expect(shadeOf(less, most)).toBeGreaterThan(0)
        expect(shadeOf(less, most)).toBeLessThanOrEqual(1)
        expect(stepsTo(most).filter(({ least }) => least <= less).length).toBe(stepOf(less) + 1)
      }),
    )
  })
})
