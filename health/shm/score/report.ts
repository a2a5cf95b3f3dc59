import { hash } from 'node:crypto'
import type { ImportGraph } from '../graph.ts'
import type { PasCounts, PasReport, PasScc, PasSubsystem } from '../report.ts'
import type { Partition, ScanWarning, SourceTree } from '../source-tree.ts'
import { adviceOf } from './advice.ts'
import { CALIBRATION_ID } from './calibration.ts'
import { entropyOf } from './dimensions.ts'
import type { FoundScc } from './import-structure.ts'
import { FORMULA_ID, scoreOf, toNineDigits } from './pas.ts'
import type { ScoreCounts } from './score-counts.ts'
import { type Structure, structureOf } from './structure.ts'
import { worstEdgesOf } from './worst-edges.ts'

/** What a scan found. Lists by file are in the order of `tree.files`. */
export interface ReportInput {
  tree: SourceTree
  /** Line feeds. */
  lines: Uint32Array
  /** SHA-256 of the content, hex. */
  hashes: readonly string[]
  graph: ImportGraph
  partition: Partition
  /** What tells this partition from others. */
  partitionId: string
  /** Commits looked at and those that touch two subsystems or more; null where there is no history to read. */
  churn: { commits: number | null; cross: number | null; warnings: readonly ScanWarning[] }
  resolution: {
    unresolved: readonly { file: number; line: number; specifier: string }[]
    external: number
    typeOnly: number
    dynamic: number
    warnings: readonly ScanWarning[]
  }
  /** Whether tests are in. */
  policy: { tests: boolean }
  /** Of reading the files; those of the tree, the resolution and the history are told with these. */
  warnings: readonly ScanWarning[]
  durationMs: number
  /** Of this graph and this partition, if it is known already; it is worked out otherwise. */
  structure?: Structure
}

/** With more subsystems the matrix would be larger than all the rest together, and nobody could read it. */
const MOST_DSM_ROWS = 500

/**
 * The report of a scan. But for `duration_ms` the same input makes the same report, whatever order it was found in.
 * `dsm` is empty where there are more than 500 subsystems.
 */
export function reportOf(input: ReportInput): PasReport {
  const { tree, lines, partition, resolution, churn, graph } = input
  const structure = input.structure ?? structureOf(graph, partition)
  const pathOf = (file: number) => tree.files[file]?.path ?? ''
  const subsystems = partition.subsystems.map(
    ({ name, files }): PasSubsystem => ({
      name,
      files: files.length,
      lines: files.reduce((sum, file) => sum + (lines[file] as number), 0),
    }),
  )
  const counts: ScoreCounts = {
    ...structure.counts,
    files: tree.files.length,
    lines: subsystems.map(subsystem => subsystem.lines),
    commits: churn.commits && churn.cross !== null ? { all: churn.commits, cross: churn.cross } : null,
  }
  return {
    ...scoreOf(counts),
    counts: countsTold(counts, resolution),
    also: alsoOf(counts, structure),
    sccs: structure.sccs.map(scc => sccTold(scc, structure, pathOf)),
    subsystems,
    dsm: dsmOf(structure),
    worst_edges: worstEdgesOf(structure, pathOf),
    advice: adviceOf({ structure, counts, lines, pathOf }),
    unresolved: resolution.unresolved
      .toSorted(
        (one, other) =>
          one.file - other.file || one.line - other.line || byText(one.specifier, other.specifier),
      )
      .map(({ file, line, specifier }) => ({ file: pathOf(file), line, specifier })),
    policy: { type_only: false, dynamic: true, tests: input.policy.tests, partition: partition.by },
    ids: {
      formula: FORMULA_ID,
      calibration: CALIBRATION_ID,
      partition: input.partitionId,
      tree: treeHash(tree, input.hashes),
    },
    warnings: warningsTold([...tree.warnings, ...input.warnings, ...resolution.warnings, ...churn.warnings]),
    duration_ms: input.durationMs,
  }
}

function countsTold(counts: ScoreCounts, resolution: ReportInput['resolution']): PasCounts {
  return {
    files: counts.files,
    lines: sum(counts.lines),
    edges: counts.imports.all,
    subsystems: counts.lines.length,
    files_in_cycles: counts.filesInCycles,
    reachable_pairs: counts.reachablePairs,
    cross: counts.imports.cross,
    cross_bad: counts.imports.against,
    commits: counts.commits?.all ?? null,
    commits_cross: counts.commits?.cross ?? null,
    unresolved: resolution.unresolved.length,
    external: resolution.external,
    type_only: resolution.typeOnly,
    dynamic: resolution.dynamic,
  }
}

/**
 * NCCD: what is reachable against what it would be in a balanced binary tree of so many files (Lakos 1996). Core: the
 * largest SCC's share of the files (Baldwin, MacCormack, Rusnak 2014). Gini of the subsystems' lines. Hill number of
 * order 1: as many subsystems of equal size would be as even (Hill 1973).
 */
function alsoOf({ files, lines, reachablePairs }: ScoreCounts, { sccs }: Structure): PasReport['also'] {
  const tree = (files + 1) * Math.log2(files + 1) - files
  const nats = entropyOf(lines)
  return {
    nccd: files === 0 ? null : toNineDigits(reachablePairs / tree),
    core_size: files === 0 ? null : toNineDigits((sccs[0]?.nodes.length ?? 0) / files),
    gini: giniOf(lines),
    hill: nats === null ? null : toNineDigits(Math.exp(nats)),
  }
}

/** Gini's coefficient, in integers up to the last division; null: all are 0. */
function giniOf(lines: readonly number[]): number | null {
  const all = sum(lines)
  if (all === 0) return null
  const ranked = lines
    .toSorted((one, other) => one - other)
    .reduce((total, size, i) => total + (i + 1) * size, 0)
  return toNineDigits((2 * ranked - (lines.length + 1) * all) / (lines.length * all))
}

function sccTold(
  { nodes, edges, cycle }: FoundScc,
  { graph, sources }: Structure,
  pathOf: (file: number) => string,
): PasScc {
  return {
    size: nodes.length,
    edges: edges.length,
    files: Array.from(nodes, pathOf),
    cycle: cycle.map(edge => ({
      file: pathOf(sources[edge] as number),
      line: graph.lines[edge] as number,
    })),
  }
}

function dsmOf({ graph, sources, partition: { of, subsystems } }: Structure): number[][] {
  if (subsystems.length > MOST_DSM_ROWS) return []
  const dsm = subsystems.map(() => subsystems.map(() => 0))
  for (let edge = 0; edge < sources.length; edge++) {
    const row = dsm[of[sources[edge] as number] as number] as number[]
    const column = of[graph.targets[edge] as number] as number
    row[column] = (row[column] as number) + 1
  }
  return dsm
}

/** SHA-256 over path and content hash of each file. */
function treeHash({ files }: SourceTree, hashes: readonly string[]): string {
  return hash('sha256', files.map(({ path }, i) => `${path}\0${hashes[i]}\0`).join(''))
}

/** In an order that does not depend on what was found first. */
function warningsTold(warnings: readonly ScanWarning[]): ScanWarning[] {
  return warnings.toSorted(
    (one, other) =>
      byText(one.path ?? '', other.path ?? '') ||
      byText(one.code, other.code) ||
      byText(one.message, other.message),
  )
}

function byText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
