import { describe, expect, it } from 'vitest'
import { graphOf } from '../../../../health/shm/graph.ts'
import { sayDebug } from '../../../../health/shm/say/debug.ts'
import { reportOf } from '../../../../health/shm/score/report.ts'
import { emptyReport, pasAssessment } from '../../../support/pas-report.ts'

/** A report of twelve files in three parts, scored as any other is. */
function scored() {
  const paths = Array.from({ length: 12 }, (_, i) => `${'abc'[i % 3]}/${i}.ts`).sort()
  const of = Int32Array.from(paths, path => 'abc'.indexOf(path[0] as string))
  const subsystems = ['a', 'b', 'c'].map((name, part) => ({
    name,
    files: [...of.keys()].filter(file => of[file] === part),
  }))
  const edges = [
    [0, 1],
    [1, 2],
    [2, 0],
    [0, 4],
    [4, 5],
    [5, 8],
    [8, 9],
    [9, 3],
    [10, 11],
    [11, 10],
    [6, 1],
  ].map(([from, to], i) => ({ from: from as number, to: to as number, line: i + 1 }))
  return reportOf({
    tree: {
      root: '/',
      files: paths.map(path => ({ path, language: 'typescript', size: 1, changedMs: 0 })),
      packages: [],
      warnings: [],
    },
    lines: Uint32Array.from(paths, (_, i) => 10 + i * i),
    hashes: paths,
    graph: graphOf(paths.length, edges),
    partition: { by: 'folders', subsystems, of },
    partitionId: 'parts',
    churn: { commits: 40, cross: 13, warnings: [] },
    resolution: { unresolved: [], external: 3, typeOnly: 2, dynamic: 1, warnings: [] },
    policy: { tests: false },
    warnings: [],
    durationMs: 1,
  })
}

describe('the numbers behind a report', () => {
  it('are calculated from the counts again, and come out as reported', () => {
    const text = sayDebug(pasAssessment(scored()))
    const pairs = [...text.matchAll(/= (-?[\d.]+) {3}reported ([\d.]+)/g)].map(([, one, other]) => [
      one,
      other,
    ])
    // The score, J, A, coupling, modularity, consistency, stability.
    expect(pairs).toHaveLength(7)
    for (const [calculated, reported] of pairs) expect(Number(calculated)).toBeCloseTo(Number(reported), 7)
  })

  it('are those of the formulas, filled in', () => {
    const text = sayDebug(pasAssessment(scored()))
    expect(text).toContain('= 1 − 5/12 = ')
    expect(text).toContain('= 1 − 13/(40 + 20) = ')
    expect(text).toContain('SCCs: 3 + 2')
    expect(text).toMatch(/a {2}p = \d+\/\d+ = 0\.\d{6}, 4 files/)
  })

  it('say what is not defined', () => {
    const text = sayDebug(pasAssessment(emptyReport()))
    expect(text).toContain('no dimension is defined')
    expect(text).not.toMatch(/NaN|Infinity|undefined/)
  })
})
