/** The report of a scan: what `pnpm shm --json` prints and `GET /scope/v1/shm` answers. */
import type { ScanWarning } from './source-tree.ts'

export type PasStatus = 'healthy' | 'warning' | 'critical'

/** A number before and after calibration, each in [0, 1] and rounded to 9 digits; null: not defined. */
export interface PasPart {
  raw: number | null
  value: number | null
}

export interface PasDimension extends PasPart {
  status: PasStatus | null
  weight: number
}

export interface PasSymmetry extends PasDimension {
  parts: { evenness: PasPart; acyclicity: PasPart }
}

export interface PasDimensions {
  symmetry: PasSymmetry
  coupling: PasDimension
  modularity: PasDimension
  consistency: PasDimension
  stability: PasDimension
}

/** A file and a line of it, from 1. */
export interface PasPlace {
  file: string
  line: number
}

/** Files each of which can be reached from each other one by imports. */
export interface PasScc {
  size: number
  /** Edges between its files. */
  edges: number
  /** Ascending. */
  files: string[]
  /** A shortest cycle in it: each file imports the next one at this line, the last one the first. */
  cycle: PasPlace[]
}

export interface PasSubsystem {
  name: string
  files: number
  lines: number
}

/** An import between subsystems that points from the more stable one to the less stable one. */
export interface PasWorstEdge extends PasPlace {
  to: string
  from_subsystem: string
  to_subsystem: string
  /** Instability I = Ce/(Ca+Ce) of both. */
  from_instability: number
  to_instability: number
}

/** A thing to do, and what it would bring: the score with it done, computed, not guessed. */
export interface PasAdvice {
  /** A sentence in the imperative. */
  what: string
  /** The imports to remove, turn round, or move. */
  places: (PasPlace & { to: string })[]
  score_then: number
  gain: number
  /** The first file of the SCC that falls apart then, or gets smaller; not there where it is about none. */
  breaks?: string
}

export interface PasCounts {
  files: number
  lines: number
  edges: number
  subsystems: number
  files_in_cycles: number
  /** Ordered pairs with a way from one to the other, each file with itself among them. */
  reachable_pairs: number
  /** Imports between subsystems, and those of them against stability. */
  cross: number
  cross_bad: number
  /** Commits looked at, and those that touch two subsystems or more; null where stability is not defined. */
  commits: number | null
  commits_cross: number | null
  /** Imports that name something of the project and lead to no file of it. */
  unresolved: number
  /** Imports of other packages and of the language itself. */
  external: number
  /** Left out by the policy. */
  type_only: number
  dynamic: number
}

export interface PasReport {
  /** Null: nothing to score. */
  score: number | null
  status: PasStatus | null
  dimensions: PasDimensions
  counts: PasCounts
  /** NCCD, the largest SCC's share of the files, Gini of the subsystems' lines: told, not scored. */
  also: { nccd: number | null; core_size: number | null; gini: number | null; hill: number | null }
  /** Largest first. */
  sccs: PasScc[]
  subsystems: PasSubsystem[]
  /** Imports from subsystem (row) to subsystem (column), in the order of `subsystems`; inside ones on the diagonal. */
  dsm: number[][]
  worst_edges: PasWorstEdge[]
  advice: PasAdvice[]
  unresolved: (PasPlace & { specifier: string })[]
  policy: {
    type_only: boolean
    dynamic: boolean
    tests: boolean
    partition: 'declared' | 'workspaces' | 'folders'
  }
  ids: { formula: 'pas-1'; calibration: 'cal-1'; partition: string; tree: string }
  warnings: ScanWarning[]
  duration_ms: number
}
