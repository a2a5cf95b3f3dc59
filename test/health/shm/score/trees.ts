/** Small trees for the tests of the score. */
import fc from 'fast-check'
import { graphOf } from '../../../../health/shm/graph.ts'
import type { PasReport } from '../../../../health/shm/report.ts'
import { type ReportInput, reportOf } from '../../../../health/shm/score/report.ts'
import type { Partition, SourceTree } from '../../../../health/shm/source-tree.ts'

/** A tree as it is easiest to think of: files with their lines, in folders, and who imports whom. */
export interface Sketch {
  /** Lines by path; what is before the first `/` is the subsystem, or `.`. */
  files: Record<string, number>
  /** `[from, to]` or `[from, to, line]`; the line is 1 where it is left out. */
  imports: (readonly [from: string, to: string, line?: number | undefined])[]
  commits?: readonly [all: number, cross: number]
}

/** What a scan of the sketched tree would find. */
export function found({ files, imports, commits }: Sketch): ReportInput {
  const paths = Object.keys(files).sort()
  const index = new Map(paths.map((path, i) => [path, i]))
  const edges = imports.map(([from, to, line = 1]) => ({
    from: index.get(from) as number,
    to: index.get(to) as number,
    line,
  }))
  return {
    tree: treeOf(paths),
    lines: Uint32Array.from(paths, path => files[path] as number),
    hashes: paths.map(path => `hash of ${path.split('/').at(-1)}`),
    graph: graphOf(paths.length, edges),
    partition: partitionOf(paths),
    partitionId: 'folders',
    churn: { commits: commits?.[0] ?? null, cross: commits?.[1] ?? null, warnings: [] },
    resolution: { unresolved: [], external: 0, typeOnly: 0, dynamic: 0, warnings: [] },
    policy: { tests: false },
    warnings: [],
    durationMs: 1,
  }
}

/** The report on a sketched tree. */
export function report(sketch: Sketch): PasReport {
  return reportOf(found(sketch))
}

/** Trees of up to 12 files in up to four subsystems. */
export function anySketch(): fc.Arbitrary<Sketch> {
  const file = fc.record({ folder: fc.constantFrom('a/', 'b/', 'c/', ''), lines: fc.nat({ max: 50 }) })
  const commits = fc
    .tuple(fc.nat({ max: 40 }), fc.nat({ max: 40 }))
    .map(([one, other]): [number, number] => [Math.max(one, other), Math.min(one, other)])
  return fc.array(file, { minLength: 1, maxLength: 12 }).chain(files => {
    const named = Object.fromEntries(files.map(({ folder, lines }, i) => [`${folder}f${i}.ts`, lines]))
    const path = fc.constantFrom(...Object.keys(named))
    const ends = fc.tuple(path, path, fc.integer({ min: 1, max: 9 }))
    return fc
      .tuple(
        fc.uniqueArray(ends, { maxLength: 30, selector: ([from, to]) => `${from} ${to}` }),
        fc.option(commits),
      )
      .map(([imports, history]) => ({
        files: named,
        imports: imports.filter(([from, to]) => from !== to),
        ...(history && { commits: history }),
      }))
  })
}

function treeOf(paths: readonly string[]): SourceTree {
  return {
    root: '/project',
    files: paths.map(path => ({ path, language: 'typescript', size: 1, changedMs: 0 })),
    packages: [],
    warnings: [],
  }
}

function partitionOf(paths: readonly string[]): Partition {
  const names = paths.map(path => (path.includes('/') ? (path.split('/')[0] as string) : '.'))
  const parts = [...new Set(names)].sort()
  return {
    by: 'folders',
    subsystems: parts.map(name => ({ name, files: [...names.keys()].filter(i => names[i] === name) })),
    of: Int32Array.from(names, name => parts.indexOf(name)),
  }
}
