import fc from 'fast-check'
import { expect, test } from 'vitest'
import { edgeSources, turnedEdges, withoutEdges } from '../../../../health/shm/graph/edge-change.ts'
import { graphOf, type ImportGraph } from '../../../../health/shm/graph.ts'
import { anyGraph } from './graphs.ts'

/** A graph and places of some of its edges, in any order. */
const anyChange = anyGraph(8).chain(graph =>
  fc.tuple(
    fc.constant(graph),
    fc.subarray([...graph.targets.keys()]).chain(edges => fc.shuffledSubarray(edges)),
  ),
)

/** The edges of a graph as objects, each with whether it is among those. */
function edgesOf(graph: ImportGraph, chosen: readonly number[]) {
  const sources = edgeSources(graph)
  return Array.from(graph.targets, (to, edge) => ({
    ...{ from: sources[edge] as number, to, line: graph.lines[edge] as number },
    isChosen: chosen.includes(edge),
  }))
}

test('a graph without some edges is the one that the others make', () => {
  fc.assert(
    fc.property(anyChange, ([graph, removed]) => {
      const others = edgesOf(graph, removed).filter(({ isChosen }) => !isChosen)
      expect(withoutEdges(graph, removed)).toEqual(graphOf(graph.count, others))
    }),
  )
})

test('a graph with some edges turned round has them the other way, and where both ways were there the one that was', () => {
  fc.assert(
    fc.property(anyChange, ([graph, turned]) => {
      const edges = edgesOf(graph, turned)
      const kept = edges.filter(({ isChosen }) => !isChosen)
      const isKept = (from: number, to: number) => kept.some(one => one.from === from && one.to === to)
      const added = edges
        .filter(({ from, to, isChosen }) => isChosen && !isKept(to, from))
        .map(({ from, to, line }) => ({ from: to, to: from, line }))
      expect(turnedEdges(graph, turned, edgeSources(graph))).toEqual(
        graphOf(graph.count, [...kept, ...added]),
      )
    }),
  )
})
