import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { subsystemGraphOf } from '../../../../health/shm/say/subsystem-graph.ts'
import { pasReport } from '../../../support/pas-report.ts'

const MATRIX = fc.integer({ min: 1, max: 8 }).chain(count =>
  fc.array(
    fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(5)), {
      minLength: count,
      maxLength: count,
    }),
    { minLength: count, maxLength: count },
  ),
)

/** Floyd and Warshall: whether there is a way from i to j. */
function ways(dsm: number[][]): boolean[][] {
  const found = dsm.map((row, i) => row.map((imports, j) => imports > 0 && i !== j))
  for (const k of dsm.keys())
    for (const i of dsm.keys())
      for (const j of dsm.keys()) if (found[i]?.[k] && found[k]?.[j]) (found[i] as boolean[])[j] = true
  return found
}

describe('the graph of subsystems', () => {
  it('puts what imports before what it imports, and the parts of a cycle together', () => {
    fc.assert(
      fc.property(MATRIX, dsm => {
        const { order, cycles, cycleOf } = subsystemGraphOf(pasReport({ dsm }))
        const way = ways(dsm)
        expect([...order].sort((a, b) => a - b)).toEqual([...dsm.keys()])
        for (const i of dsm.keys()) {
          for (const j of dsm.keys()) {
            if (i === j) continue
            const isMutual = way[i]?.[j] === true && way[j]?.[i] === true
            expect(isMutual).toBe(cycleOf[i] !== -1 && cycleOf[i] === cycleOf[j])
            if (way[i]?.[j] && !isMutual) expect(order.indexOf(i)).toBeLessThan(order.indexOf(j))
          }
        }
        for (const parts of cycles) {
          const places = parts.map(part => order.indexOf(part))
          expect(Math.max(...places) - Math.min(...places)).toBe(parts.length - 1)
        }
      }),
    )
  })

  it('tells the instability of each part', () => {
    expect(subsystemGraphOf(pasReport()).instability).toEqual([12 / 22, 4 / 24, 1])
    expect(subsystemGraphOf(pasReport({ dsm: [[7]] })).instability).toEqual([null])
  })
})
