/** Trees that are large in one way or another: what is bounded stays bounded, and nothing recurses. */
import { describe, expect, test } from 'vitest'
import type { ImportGraph } from '../../../../health/shm/graph.ts'
import { type ReportInput, reportOf } from '../../../../health/shm/score/report.ts'
import { chain, complete, ring } from '../graph/graphs.ts'
import { found } from './trees.ts'

/** What a scan would find of so many files in ten folders. */
function large(graph: ImportGraph): ReportInput {
  const { count } = graph
  const width = count / 10
  const subsystems = Array.from({ length: 10 }, (_, part) => ({
    name: `p${part}`,
    files: Array.from({ length: width }, (_, i) => part * width + i),
  }))
  return {
    ...found({ files: {}, imports: [] }),
    tree: {
      root: '/project',
      files: Array.from({ length: count }, (_, i) => ({
        path: `p${Math.floor(i / width)}/${String(i).padStart(6, '0')}.ts`,
        language: 'typescript' as const,
        size: 1,
        changedMs: 0,
      })),
      packages: [],
      warnings: [],
    },
    lines: new Uint32Array(count).fill(10),
    hashes: Array.from({ length: count }, () => 'hash'),
    graph,
    partition: {
      by: 'folders',
      subsystems,
      of: Int32Array.from({ length: count }, (_, i) => Math.floor(i / width)),
    },
  }
}

describe('a report', () => {
  test('on a chain of 200,000 files', () => {
    const count = 200_000
    const { counts, sccs } = reportOf(large(chain(count)))
    expect(counts).toMatchObject({ edges: count - 1, cross: 9, reachable_pairs: (count * (count + 1)) / 2 })
    expect(sccs).toEqual([])
  })

  test('on 1,000 files each of which imports all others', () => {
    const count = 1_000
    const { counts, sccs, dimensions } = reportOf(large(complete(count)))
    expect(counts).toMatchObject({
      edges: count * (count - 1),
      reachable_pairs: count ** 2,
      files_in_cycles: count,
    })
    expect(sccs[0]).toMatchObject({ size: count, edges: count * (count - 1) })
    expect(sccs[0]?.cycle.map(({ file }) => file)).toEqual(['p0/000000.ts', 'p0/000001.ts'])
    expect(dimensions.coupling).toMatchObject({ raw: 0, value: 0 })
    expect(dimensions.modularity).toMatchObject({ raw: 0, value: 0 })
  })

  test('on a ring of 50,000 files', () => {
    const count = 50_000
    const { counts, sccs, advice } = reportOf(large(ring(count)))
    expect(counts.files_in_cycles).toBe(count)
    expect(sccs[0]?.cycle).toHaveLength(count)
    expect(advice[0]?.what).toContain('the cycle of 50,000 files around p0/000000.ts is gone')
  })
})
