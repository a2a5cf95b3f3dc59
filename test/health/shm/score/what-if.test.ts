import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { turnedEdges, withoutEdges } from '../../../../health/shm/graph/edge-change.ts'
import type { ImportGraph } from '../../../../health/shm/graph.ts'
import { importStructureOf } from '../../../../health/shm/score/import-structure.ts'
import { WhatIf } from '../../../../health/shm/score/what-if.ts'
import type { Partition } from '../../../../health/shm/source-tree.ts'
import { anyGraph } from '../graph/graphs.ts'

/** The first nodes in one subsystem, the next ones in a second, and so on. */
function parts(count: number, of: readonly number[]): Partition {
  const subsystems = ['a', 'b', 'c'].map((name, part) => ({
    name,
    files: [...of.keys()].filter(file => of[file] === part),
  }))
  return { by: 'folders', subsystems, of: Int32Array.from({ length: count }, (_, i) => of[i] as number) }
}

const cases = anyGraph(14).chain(graph =>
  fc.record({
    graph: fc.constant(graph),
    of: fc.array(fc.nat({ max: 2 }), { minLength: graph.count, maxLength: graph.count }),
    edges: fc.subarray(
      Array.from(graph.targets, (_, edge) => edge),
      { minLength: Math.min(1, graph.targets.length), maxLength: Math.min(3, graph.targets.length) },
    ),
    file: fc.nat({ max: graph.count - 1 }),
    to: fc.nat({ max: 2 }),
  }),
)

function counted(graph: ImportGraph, partition: Partition) {
  return importStructureOf(graph, partition).counts
}

describe('counts after a change', () => {
  test('that takes imports away are those of the graph without them', () => {
    fc.assert(
      fc.property(cases, ({ graph, of, edges }) => {
        const partition = parts(graph.count, of)
        const whatIf = new WhatIf(importStructureOf(graph, partition))
        expect(whatIf.removed(edges)).toEqual(counted(withoutEdges(graph, edges), partition))
      }),
      { numRuns: 500 },
    )
  })

  test('that turns imports round are those of the turned graph', () => {
    fc.assert(
      fc.property(cases, ({ graph, of, edges }) => {
        const partition = parts(graph.count, of)
        const structure = importStructureOf(graph, partition)
        const turned = turnedEdges(graph, edges, structure.sources)
        expect(new WhatIf(structure).turned(edges)).toEqual(counted(turned, partition))
      }),
      { numRuns: 500 },
    )
  })

  test('that moves a file are those of the other partition', () => {
    fc.assert(
      fc.property(cases, ({ graph, of, file, to }) => {
        const whatIf = new WhatIf(importStructureOf(graph, parts(graph.count, of)))
        expect(whatIf.moved(file, to)).toEqual(counted(graph, parts(graph.count, of.with(file, to))))
      }),
    )
  })

  test('cost work, which is counted', () => {
    fc.assert(
      fc.property(cases, ({ graph, of, edges }) => {
        const structure = importStructureOf(graph, parts(graph.count, of))
        const [one, other] = [new WhatIf(structure), new WhatIf(structure)]
        one.removed(edges)
        other.removed(edges)
        expect(one.work).toBeGreaterThan(0)
        expect(other.work).toBe(one.work)
      }),
    )
  })
})
