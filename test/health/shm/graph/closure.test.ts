import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closureOf, reachablePairs } from '../../../../health/shm/graph/closure.ts'
import { componentsOf } from '../../../../health/shm/graph/components.ts'
import { reachedFrom } from '../../../../health/shm/graph/edge-change.ts'
import type { ImportGraph } from '../../../../health/shm/graph.ts'
import { anyGraph, chain, complete, graph, pairsOf, waysOf } from './graphs.ts'

/** Reachable pairs by a search from each node. */
function searched(any: ImportGraph): number {
  let pairs = 0
  for (let node = 0; node < any.count; node++) {
    for (const mark of reachedFrom(any, [node])) pairs += mark
  }
  return pairs
}

/** A graph of so many nodes, the same at every call; `share` of its edges may lead anywhere, the others lead downwards. */
function scattered(count: number, degree: number, share: number): ImportGraph {
  let state = 12_345
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return graph(
    count,
    Array.from({ length: count * degree }, (): [number, number] => {
      const [one, other] = [Math.floor(random() * count), Math.floor(random() * count)]
      return random() < share ? [one, other] : [Math.max(one, other), Math.min(one, other)]
    }),
  )
}

describe('reachable pairs', () => {
  test('are those of Floyd and Warshall', () => {
    fc.assert(
      fc.property(anyGraph(12), any => {
        expect(reachablePairs(any)).toBe(waysOf(any).flat().filter(Boolean).length)
      }),
      { numRuns: 1000 },
    )
  })

  test('are told for each component', () => {
    fc.assert(
      fc.property(anyGraph(12), any => {
        const components = componentsOf(any)
        const { reach } = closureOf(any, components)
        const told = Array.from(components.of, component => reach[component])
        expect(told).toEqual(waysOf(any).map(row => row.filter(Boolean).length))
      }),
    )
  })

  test('of some columns are those that end there', () => {
    const cases = anyGraph(12).chain(any =>
      fc.tuple(fc.constant(any), fc.uint8Array({ minLength: any.count, maxLength: any.count, max: 1 })),
    )
    fc.assert(
      fc.property(cases, ([any, columns]) => {
        const expected = waysOf(any).flatMap(row => row.filter((reached, to) => reached && columns[to] === 1))
        expect(closureOf(any, componentsOf(any), columns).pairs).toBe(expected.length)
      }),
    )
  })

  test('are those of a search from each node where rows have many words', () => {
    for (const [degree, share] of [
      [1, 0],
      [2, 0],
      [5, 0],
      [1, 0.2],
      [2, 0.01],
    ] as const) {
      const any = scattered(1_500, degree, share)
      expect(reachablePairs(any)).toBe(searched(any))
    }
  })

  test('are exact where rows do not fit into one block', () => {
    const count = 30_000
    const any = scattered(count, 2, 0)
    const { pairs, reach } = closureOf(any, componentsOf(any))
    const components = componentsOf(any)
    let sum = 0
    for (const nodes of reach) sum += nodes
    expect(pairs).toBe(sum)
    for (let node = 0; node < count; node += 997) {
      let reached = 0
      for (const mark of reachedFrom(any, [node])) reached += mark
      expect(reach[components.of[node] as number]).toBe(reached)
    }
  })

  test('of a chain of 200,000 are all pairs in order', () => {
    const count = 200_000
    expect(reachablePairs(chain(count))).toBe((count * (count + 1)) / 2)
  })

  test('of a complete graph of 3,000 are all pairs', () => {
    expect(reachablePairs(complete(3_000))).toBe(9_000_000)
  })

  test('never grow when an edge goes', () => {
    fc.assert(
      fc.property(anyGraph(10), any => {
        const pairs = pairsOf(any)
        pairs.forEach((_, gone) => {
          expect(reachablePairs(graph(any.count, pairs.toSpliced(gone, 1)))).toBeLessThanOrEqual(
            reachablePairs(any),
          )
        })
      }),
    )
  })

  test('of a graph without nodes are none', () => {
    expect(reachablePairs(graph(0, []))).toBe(0)
  })
})
