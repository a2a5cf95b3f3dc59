import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { reportOf } from '../../../../health/shm/score/report.ts'
import { structureOf } from '../../../../health/shm/score/structure.ts'
import type { ScanWarning } from '../../../../health/shm/source-tree.ts'
import { found, report, type Sketch } from './trees.ts'

/** `a` has a cycle of two and one of three that share a file; `b` is imported by all; `main.ts` lies beside them. */
const SKETCH: Sketch = {
  files: { 'a/one.ts': 10, 'a/two.ts': 20, 'a/x.ts': 30, 'a/y.ts': 40, 'b/low.ts': 60, 'main.ts': 40 },
  imports: [
    ['main.ts', 'a/one.ts', 1],
    ['main.ts', 'b/low.ts', 2],
    ['a/one.ts', 'a/two.ts', 3],
    ['a/two.ts', 'a/x.ts', 4],
    ['a/x.ts', 'a/one.ts', 5],
    ['a/x.ts', 'a/y.ts', 6],
    ['a/y.ts', 'a/x.ts', 7],
    ['a/y.ts', 'b/low.ts', 8],
    ['b/low.ts', 'main.ts', 9],
  ],
  commits: [10, 4],
}

describe('a report', () => {
  test('tells what was counted', () => {
    const all = reportOf({
      ...found(SKETCH),
      resolution: { unresolved: [], external: 7, typeOnly: 5, dynamic: 3, warnings: [] },
      policy: { tests: true },
    })
    expect(all.counts).toEqual({
      files: 6,
      lines: 200,
      edges: 9,
      subsystems: 3,
      files_in_cycles: 6,
      reachable_pairs: 36,
      cross: 4,
      cross_bad: 1,
      commits: 10,
      commits_cross: 4,
      unresolved: 0,
      external: 7,
      type_only: 5,
      dynamic: 3,
    })
    expect(all.policy).toEqual({ type_only: false, dynamic: true, tests: true, partition: 'folders' })
    expect(all.subsystems).toEqual([
      { name: '.', files: 1, lines: 40 },
      { name: 'a', files: 4, lines: 100 },
      { name: 'b', files: 1, lines: 60 },
    ])
    expect(all.dsm).toEqual([
      [0, 1, 1],
      [0, 5, 1],
      [1, 0, 0],
    ])
    expect(all.duration_ms).toBe(1)
  })

  test('tells each SCC with a shortest cycle and its lines', () => {
    expect(report(SKETCH).sccs).toEqual([
      {
        size: 6,
        edges: 9,
        files: ['a/one.ts', 'a/two.ts', 'a/x.ts', 'a/y.ts', 'b/low.ts', 'main.ts'],
        cycle: [
          { file: 'a/x.ts', line: 6 },
          { file: 'a/y.ts', line: 7 },
        ],
      },
    ])
  })

  test('tells SCCs largest first, then by their first file', () => {
    const ring = (files: string[]) =>
      files.map((file, i) => [file, files[(i + 1) % files.length] ?? ''] as const)
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const { sccs, counts } = report({
      files: Object.fromEntries(names.map(name => [name, 1])),
      imports: [...ring(['c', 'd']), ...ring(['a', 'b']), ...ring(['g', 'f', 'e'])],
    })
    expect(sccs.map(({ files }) => files.join(''))).toEqual(['efg', 'ab', 'cd'])
    expect(sccs[0]?.cycle.map(({ file }) => file)).toEqual(['e', 'g', 'f'])
    expect(counts.files_in_cycles).toBe(7)
  })

  test('tells what is not scored', () => {
    // pairs 36 against 7 · log2 7 − 6; lines 40, 60, 100
    const { also } = report(SKETCH)
    expect(also.nccd).toBeCloseTo(36 / (7 * Math.log2(7) - 6), 8)
    expect(also.core_size).toBe(1)
    expect(also.gini).toBe(0.2)
    const shares = [0.2, 0.3, 0.5]
    expect(also.hill).toBeCloseTo(Math.exp(-shares.reduce((sum, p) => sum + p * Math.log(p), 0)), 8)
    expect(report({ files: { 'a.ts': 4 }, imports: [] }).also).toEqual({
      nccd: 1,
      core_size: 0,
      gini: 0,
      hill: 1,
    })
  })

  test('tells imports against stability, the widest gap first', () => {
    // ".": 2 out, 1 in; "a": 1 out, 1 in; "b": 1 out, 2 in
    expect(report(SKETCH).worst_edges).toEqual([
      {
        file: 'b/low.ts',
        line: 9,
        to: 'main.ts',
        from_subsystem: 'b',
        to_subsystem: '.',
        from_instability: 0.333333333,
        to_instability: 0.666666667,
      },
    ])
  })

  test('tells 20 such imports at most', () => {
    const users = Array.from({ length: 40 }, (_, i) => `u/${i + 10}.ts`)
    const { worst_edges, counts } = report({
      files: Object.fromEntries(['core/a.ts', ...users].map(path => [path, 1])),
      imports: [
        ...users.map(path => [path, 'core/a.ts', 1] as const),
        ...users.slice(0, 30).map((path, i) => ['core/a.ts', path, 30 - i] as const),
      ],
    })
    expect(counts.cross_bad).toBe(30)
    expect(worst_edges).toHaveLength(20)
    expect(worst_edges.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
  })

  test('names formula, calibration, partition and the tree by paths and contents', () => {
    const input = found(SKETCH)
    const paths = Object.keys(SKETCH.files).sort()
    const text = paths.map((path, i) => `${path}\0${input.hashes[i]}\0`).join('')
    expect(reportOf(input).ids).toEqual({
      formula: 'pas-1',
      calibration: 'cal-1',
      partition: 'folders',
      tree: createHash('sha256').update(text).digest('hex'),
    })
    const edited = { ...input, hashes: input.hashes.with(2, 'hash of another content') }
    expect(reportOf(edited).ids.tree).not.toBe(reportOf(input).ids.tree)
  })

  test('lists what does not resolve and warnings in an order of their own', () => {
    const warning = (path: string | null, code: ScanWarning['code']): ScanWarning => ({
      code,
      path,
      message: 'so',
    })
    const input = found(SKETCH)
    const unresolved = [
      { file: 4, line: 2, specifier: './z' },
      { file: 1, line: 9, specifier: './y' },
      { file: 4, line: 2, specifier: './a' },
    ]
    const warnings = [warning('b', 'BINARY_FILE'), warning('a', 'TOO_LARGE'), warning('a', 'INVALID_UTF8')]
    const told = reportOf({
      ...input,
      tree: { ...input.tree, warnings: [warning('z', 'TOO_DEEP')] },
      resolution: { ...input.resolution, unresolved, warnings: [warning('c', 'UNREADABLE_FILE')] },
      churn: { commits: null, cross: null, warnings: [warning(null, 'NO_GIT')] },
      warnings,
    })
    expect(told.counts.unresolved).toBe(3)
    expect(told.unresolved).toEqual([
      { file: 'a/two.ts', line: 9, specifier: './y' },
      { file: 'b/low.ts', line: 2, specifier: './a' },
      { file: 'b/low.ts', line: 2, specifier: './z' },
    ])
    expect(told.warnings.map(({ path, code }) => `${path} ${code}`)).toEqual([
      'null NO_GIT',
      'a INVALID_UTF8',
      'a TOO_LARGE',
      'b BINARY_FILE',
      'c UNREADABLE_FILE',
      'z TOO_DEEP',
    ])
  })

  test('has no commits where none counts', () => {
    const { commits, ...unknown } = SKETCH
    expect(report(SKETCH).counts.commits).toBe(commits?.[0])
    for (const sketch of [unknown, { ...SKETCH, commits: [0, 0] as const }]) {
      const { counts, dimensions } = report(sketch)
      expect([counts.commits, counts.commits_cross, dimensions.stability.value]).toEqual([null, null, null])
    }
  })

  test('of no files has no numbers', () => {
    const empty = report({ files: {}, imports: [] })
    expect([empty.score, empty.status]).toEqual([null, null])
    expect(empty.also).toEqual({ nccd: null, core_size: null, gini: null, hill: null })
    expect([empty.sccs, empty.subsystems, empty.dsm, empty.worst_edges, empty.advice]).toEqual([
      [],
      [],
      [],
      [],
      [],
    ])
    expect(empty.counts).toMatchObject({
      files: 0,
      lines: 0,
      edges: 0,
      subsystems: 0,
      reachable_pairs: 0,
      commits: null,
    })
  })

  test('has no matrix for more subsystems than can be read', () => {
    const folders = (count: number) => ({
      files: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}/a.ts`, 1])),
      imports: [],
    })
    expect(report(folders(500)).dsm).toHaveLength(500)
    expect(report(folders(501)).dsm).toEqual([])
  })

  test('is the same with a structure that is known already, and follows the lines', () => {
    const input = found(SKETCH)
    const structure = structureOf(input.graph, input.partition)
    expect(reportOf({ ...input, structure })).toEqual(reportOf(input))
    const longer = { ...input, lines: input.lines.with(0, 1_000) }
    expect(reportOf({ ...longer, structure })).toEqual(reportOf(longer))
    expect(reportOf(longer).score).not.toBe(reportOf(input).score)
  })
})
