import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { componentsOf } from '../../../../health/shm/graph/components.ts'
import { edgeSources } from '../../../../health/shm/graph/edge-change.ts'
import { shortestCycle } from '../../../../health/shm/graph/shortest-cycle.ts'
import { strongSubgraphs } from '../../../../health/shm/graph/strong-subgraph.ts'
import type { ImportGraph } from '../../../../health/shm/graph.ts'
import { anyGraph, complete, cyclesOf, graph, type Pair, pairsOf, ring } from './graphs.ts'

/** The shortest cycle of each component, as nodes; each edge must begin where the one before it ends. */
function found(any: ImportGraph, visits?: number): number[][] {
  const sources = edgeSources(any)
  return strongSubgraphs(any, componentsOf(any)).map(subgraph => {
    const edges = shortestCycle(subgraph, visits)
    const nodes = edges.map(edge => sources[edge] as number)
    expect(edges.map(edge => any.targets[edge])).toEqual([...nodes.slice(1), nodes[0]])
    return nodes
  })
}

/** Cycles by length, then in lexicographic order. */
function inOrder(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((node, i) => node !== other[i])
  return one.length - other.length || (one[differing] ?? 0) - (other[differing] ?? 0)
}

/** A graph in which layers of so many nodes follow each other round, each node leading to all of the next layer. */
function layers(count: number, width: number): ImportGraph {
  const pairs: Pair[] = []
  for (let layer = 0; layer < count; layer++)
    for (let from = 0; from < width; from++)
      for (let to = 0; to < width; to++)
        pairs.push([layer * width + from, ((layer + 1) % count) * width + to])
  return graph(count * width, pairs)
}

describe('the shortest cycle', () => {
  test('is the first of the shortest ones of an exhaustive search', () => {
    fc.assert(
      fc.property(anyGraph(8), any => {
        const all = cyclesOf(any, any.count).sort(inOrder)
        const { of } = componentsOf(any)
        for (const nodes of found(any)) {
          expect(nodes).toEqual(all.find(([lowest]) => of[lowest as number] === of[nodes[0] as number]))
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('is found among longer ones', () => {
    const sparse = fc
      .array(fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 11 })), { maxLength: 6 })
      .map(more => graph(12, [...Array.from({ length: 12 }, (_, i): Pair => [i, (i + 1) % 12]), ...more]))
    fc.assert(
      fc.property(sparse, any => {
        expect(found(any)).toEqual([cyclesOf(any, 12).sort(inOrder)[0]])
      }),
    )
  })

  test('of a ring of 50,000 is the ring', () => {
    const count = 50_000
    expect(found(ring(count))).toEqual([Array.from({ length: count }, (_, i) => i)])
  })

  test('of 3,000 nodes that all lead to each other is one of two', () => {
    expect(found(complete(3_000))).toEqual([[0, 1]])
  })

  test('of 200 layers takes one node of each', () => {
    expect(found(layers(200, 5))).toEqual([Array.from({ length: 200 }, (_, layer) => layer * 5)])
  })

  test('is still a cycle when the visits run out', () => {
    const count = 300
    const any = graph(count, [...pairsOf(ring(count)), [250, 200]])
    expect(found(any, 1)[0]).toHaveLength(count)
    expect(found(any)).toEqual([Array.from({ length: 51 }, (_, i) => 200 + i)])
  })
})
