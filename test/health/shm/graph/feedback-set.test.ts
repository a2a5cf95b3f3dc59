import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { componentsOf, nodesInCycles } from '../../../../health/shm/graph/components.ts'
import {
  edgeSources,
  reachedFrom,
  turnedEdges,
  withoutEdges,
} from '../../../../health/shm/graph/edge-change.ts'
import { feedbackSet } from '../../../../health/shm/graph/feedback-set.ts'
import { strongSubgraphs } from '../../../../health/shm/graph/strong-subgraph.ts'
import { anyGraph, graph, type Pair, pairsOf, ring, waysOf } from './graphs.ts'

describe('a feedback set', () => {
  test('leaves no cycle, and each edge of it is needed', () => {
    fc.assert(
      fc.property(anyGraph(12), any => {
        const set = strongSubgraphs(any, componentsOf(any)).flatMap(subgraph => feedbackSet(subgraph))
        const rest = withoutEdges(any, set)
        expect(nodesInCycles(componentsOf(rest))).toBe(0)
        for (const edge of set) {
          const others = set.filter(other => other !== edge)
          expect(nodesInCycles(componentsOf(withoutEdges(any, others)))).toBeGreaterThan(0)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('leaves no cycle either when the visits run out', () => {
    fc.assert(
      fc.property(anyGraph(12), any => {
        const set = strongSubgraphs(any, componentsOf(any)).flatMap(subgraph => feedbackSet(subgraph, 0))
        expect(nodesInCycles(componentsOf(withoutEdges(any, set)))).toBe(0)
      }),
    )
  })

  test('of layers with one import back is that import', () => {
    const down: Pair[] = Array.from({ length: 60 }, (_, i): Pair[] => [
      [i, i + 1],
      [i, i + 2],
    ]).flat()
    const any = graph(62, [...down, [61, 0]])
    const set = strongSubgraphs(any, componentsOf(any)).flatMap(subgraph => feedbackSet(subgraph))
    expect(set.map(edge => pairsOf(any)[edge])).toEqual([[61, 0]])
  })

  test('of a ring of 100,000 is one edge', () => {
    const any = ring(100_000)
    expect(strongSubgraphs(any, componentsOf(any)).flatMap(subgraph => feedbackSet(subgraph))).toHaveLength(1)
  })
})

describe('a changed graph', () => {
  const changes = anyGraph(10).chain(any =>
    fc.tuple(fc.constant(any), fc.subarray(Array.from(any.targets, (_, edge) => edge))),
  )

  test('has lost the edges that were taken away', () => {
    fc.assert(
      fc.property(changes, ([any, gone]) => {
        const kept = pairsOf(any).filter((_, edge) => !gone.includes(edge))
        expect(withoutEdges(any, gone)).toEqual(graph(any.count, kept))
      }),
    )
  })

  test('has the turned edges the other way round, each pair once', () => {
    fc.assert(
      fc.property(changes, ([any, turned]) => {
        const pairs = pairsOf(any)
        const kept = pairs.filter((_, edge) => !turned.includes(edge))
        const round = turned.map((edge): Pair => [pairs[edge]?.[1] as number, pairs[edge]?.[0] as number])
        const changed = turnedEdges(any, turned, edgeSources(any))
        expect(pairsOf(changed)).toEqual(pairsOf(graph(any.count, [...kept, ...round])))
        expect(changed.lines.length).toBe(changed.targets.length)
      }),
    )
  })

  test('is searched from several nodes', () => {
    const cases = anyGraph(10).chain(any =>
      fc.tuple(fc.constant(any), fc.subarray(Array.from({ length: any.count }, (_, node) => node))),
    )
    fc.assert(
      fc.property(cases, ([any, nodes]) => {
        const ways = waysOf(any)
        const expected = Array.from({ length: any.count }, (_, to) =>
          Number(nodes.some(node => ways[node]?.[to])),
        )
        expect([...reachedFrom(any, nodes)]).toEqual(expected)
      }),
    )
  })
})
