/** Reports of trees that do not exist, for what shows them. */
import type { PasDimension, PasReport, PasScc, PasStatus } from '../../health/shm/report.ts'
import type { Assessment } from '../../health/shm/say/assessment.ts'

export function pasDimension(raw: number | null, value: number | null, weight: number): PasDimension {
  return { raw, value, status: value === null ? null : statusOf(value), weight }
}

function statusOf(value: number): PasStatus {
  if (value >= 0.9) return 'healthy'
  return value >= 0.75 ? 'warning' : 'critical'
}

/** A cycle through files in their order. */
export function pasScc(files: readonly string[], edges = files.length): PasScc {
  const cycle = files.map((file, i) => ({ file, line: i + 1 }))
  return { size: files.length, edges, files: [...files].sort(), cycle }
}

/** Three parts, of which two import each other; one cycle of three files, one of two. */
export function pasReport(changes: Partial<PasReport> = {}): PasReport {
  return {
    score: 0.812345678,
    status: 'warning',
    dimensions: {
      symmetry: {
        ...pasDimension(0.81, 0.87, 0.35),
        parts: { evenness: { raw: 0.77, value: 0.84 }, acyclicity: { raw: 0.9375, value: 0.9375 } },
      },
      coupling: pasDimension(0.85, 0.72, 0.25),
      modularity: pasDimension(0.6, 0.86, 0.15),
      consistency: pasDimension(0.9, 0.93, 0.15),
      stability: pasDimension(null, null, 0.1),
    },
    counts: {
      files: 80,
      lines: 10_000,
      edges: 120,
      subsystems: 3,
      files_in_cycles: 5,
      reachable_pairs: 960,
      cross: 30,
      cross_bad: 4,
      commits: null,
      commits_cross: null,
      unresolved: 1,
      external: 210,
      type_only: 40,
      dynamic: 2,
    },
    also: { nccd: 1.2, core_size: 0.0375, gini: 0.3, hill: 2.6 },
    sccs: [pasScc(['api/a.ts', 'api/b.ts', 'core/c.ts'], 4), pasScc(['core/x.ts', 'core/y.ts'])],
    subsystems: [
      { name: 'api', files: 30, lines: 5000 },
      { name: 'core', files: 40, lines: 4000 },
      { name: 'tools', files: 10, lines: 1000 },
    ],
    dsm: [
      [40, 12, 0],
      [4, 46, 0],
      [6, 8, 4],
    ],
    worst_edges: [
      {
        file: 'core/c.ts',
        line: 7,
        to: 'api/a.ts',
        from_subsystem: 'core',
        to_subsystem: 'api',
        from_instability: 0.17,
        to_instability: 0.55,
      },
    ],
    advice: [
      {
        what: 'Remove the import of api/a.ts from core/c.ts.',
        places: [{ file: 'core/c.ts', line: 7, to: 'api/a.ts' }],
        score_then: 0.853,
        gain: 0.040654322,
      },
    ],
    unresolved: [{ file: 'tools/t.ts', line: 3, specifier: './gone.ts' }],
    policy: { type_only: false, dynamic: true, tests: false, partition: 'folders' },
    ids: { formula: 'pas-1', calibration: 'cal-1', partition: 'p'.repeat(64), tree: 't'.repeat(64) },
    warnings: [
      { code: 'NO_GIT', path: null, message: 'There is no git repository: stability is not defined.' },
    ],
    duration_ms: 312,
    ...changes,
  }
}

/** Nothing to score. */
export function emptyReport(): PasReport {
  const none = (weight: number) => pasDimension(null, null, weight)
  const nothing = { raw: null, value: null }
  const zero = Object.fromEntries(Object.keys(pasReport().counts).map(name => [name, 0]))
  return pasReport({
    score: null,
    status: null,
    dimensions: {
      symmetry: { ...none(0.35), parts: { evenness: nothing, acyclicity: nothing } },
      coupling: none(0.25),
      modularity: none(0.15),
      consistency: none(0.15),
      stability: none(0.1),
    },
    counts: { ...(zero as unknown as PasReport['counts']), commits: null, commits_cross: null },
    also: { nccd: null, core_size: null, gini: null, hill: null },
    sccs: [],
    subsystems: [],
    dsm: [],
    worst_edges: [],
    advice: [],
    unresolved: [],
    warnings: [{ code: 'NO_SOURCES', path: null, message: 'There are no source files.' }],
  })
}

export function pasAssessment(
  report: PasReport = pasReport(),
  changes: Partial<Assessment> = {},
): Assessment {
  return { title: 'sample', report, history: [], verdict: null, since: null, ...changes }
}
