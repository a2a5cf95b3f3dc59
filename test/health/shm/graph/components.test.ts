import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { componentsOf, nodesInCycles } from '../../../../health/shm/graph/components.ts'
import { strongSubgraphs } from '../../../../health/shm/graph/strong-subgraph.ts'
import { anyGraph, chain, graph, mutual, pairsOf, ring } from './graphs.ts'

/** The components as lists of nodes, in the order of their lowest nodes. */
function listed(of: Int32Array): number[][] {
  const groups = new Map<number, number[]>()
  of.forEach((component, node) => {
    groups.set(component, [...(groups.get(component) ?? []), node])
  })
  return [...groups.values()]
}

describe('components', () => {
  test('are the nodes that reach each other', () => {
    fc.assert(
      fc.property(anyGraph(12), any => {
        const { of, sizes } = componentsOf(any)
        const expected = mutual(any)
        expect(listed(of)).toEqual(expected)
        expect([...sizes].sort()).toEqual(expected.map(({ length }) => length).sort())
        expect(nodesInCycles({ of, sizes })).toBe(expected.filter(({ length }) => length > 1).flat().length)
      }),
      { numRuns: 1000 },
    )
  })

  test('are numbered from the leaves up', () => {
    fc.assert(
      fc.property(anyGraph(12), any => {
        const { of } = componentsOf(any)
        for (const [from, to] of pairsOf(any)) expect(of[from]).toBeGreaterThanOrEqual(of[to] as number)
      }),
    )
  })

  test('of a graph without nodes are none', () => {
    expect(componentsOf(graph(0, []))).toEqual({ of: new Int32Array(0), sizes: new Int32Array(0) })
  })

  test('of a chain of 200,000 are found without recursion', () => {
    const count = 200_000
    const { sizes, of } = componentsOf(chain(count))
    expect(sizes.length).toBe(count)
    expect(of[0]).toBe(count - 1)
  })

  test('of a ring of 200,000 are one', () => {
    expect([...componentsOf(ring(200_000)).sizes]).toEqual([200_000])
  })
})

describe('strong subgraphs', () => {
  test('hold the nodes and edges of each component of more than one, largest first', () => {
    fc.assert(
      fc.property(anyGraph(12), any => {
        const subgraphs = strongSubgraphs(any, componentsOf(any))
        const expected = mutual(any)
          .filter(({ length }) => length > 1)
          .sort((one, other) => other.length - one.length)
        expect(subgraphs.map(({ nodes }) => [...nodes])).toEqual(expected)
        for (const { nodes, offsets, targets, edges, backOffsets, sources } of subgraphs) {
          const inside = pairsOf(any).filter(([from, to]) => nodes.includes(from) && nodes.includes(to))
          const forth = pairsOf({
            count: nodes.length,
            offsets,
            targets: Uint32Array.from(targets),
            lines: edges,
          })
          const back = pairsOf({
            count: nodes.length,
            offsets: backOffsets,
            targets: Uint32Array.from(sources),
            lines: edges,
          })
          const named = forth.map(([from, to]) => [nodes[from], nodes[to]])
          expect(named).toEqual(inside)
          expect(back.map(([to, from]) => [from, to]).sort()).toEqual(forth.sort())
          expect(Array.from(edges, edge => pairsOf(any)[edge])).toEqual(inside)
        }
      }),
    )
  })
})
