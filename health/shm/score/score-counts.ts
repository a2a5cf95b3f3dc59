import type { ImportGraph } from '../graph.ts'

/** All that a score is made of: integers, so that nothing depends on the order in which they were counted. */
export interface ScoreCounts {
  files: number
  /** Lines of each subsystem, in any order; as many as there are subsystems. */
  lines: readonly number[]
  filesInCycles: number
  /** Ordered pairs with a way from one to the other, each file with itself among them. */
  reachablePairs: number
  imports: ImportCounts
  /** Commits looked at and those that touch two subsystems or more; null where there is no history to read. */
  commits: { all: number; cross: number } | null
}

/** Imports by the subsystems of their ends. */
export interface ImportCounts {
  all: number
  /** Imports inside a subsystem. */
  inside: number
  /** Σ over the subsystems of (imports from it · imports to it). */
  expected: number
  /** Imports between subsystems, and those of them that point from the more stable one to the less stable one. */
  cross: number
  against: number
}

/** Imports from and to each subsystem, those inside it left out: Martin's Ce and Ca. */
export interface Couplings {
  efferent: Uint32Array
  afferent: Uint32Array
}

/**
 * Counts the imports of a graph.
 *
 * @param sources of each edge the file that it comes from.
 * @param of of each file its subsystem.
 * @param subsystems how many there are.
 */
export function countImports(
  { targets }: ImportGraph,
  sources: Uint32Array,
  of: Int32Array,
  subsystems: number,
): ImportCounts {
  const couplings = couplingsOf(targets, sources, of, subsystems)
  const own = new Float64Array(subsystems)
  let [inside, against] = [0, 0]
  for (let edge = 0; edge < targets.length; edge++) {
    const from = of[sources[edge] as number] as number
    const to = of[targets[edge] as number] as number
    if (from === to) {
      inside++
      own[from] = (own[from] as number) + 1
    } else if (isAgainst(couplings, from, to)) against++
  }
  let expected = 0
  for (let part = 0; part < subsystems; part++) {
    const inner = own[part] as number
    expected +=
      (inner + (couplings.efferent[part] as number)) * (inner + (couplings.afferent[part] as number))
  }
  return { all: targets.length, inside, expected, cross: targets.length - inside, against }
}

/** Imports from and to each of so many subsystems. */
export function couplingsOf(
  targets: Uint32Array,
  sources: Uint32Array,
  of: Int32Array,
  subsystems: number,
): Couplings {
  const [efferent, afferent] = [new Uint32Array(subsystems), new Uint32Array(subsystems)]
  for (let edge = 0; edge < targets.length; edge++) {
    const from = of[sources[edge] as number] as number
    const to = of[targets[edge] as number] as number
    if (from === to) continue
    efferent[from] = (efferent[from] as number) + 1
    afferent[to] = (afferent[to] as number) + 1
  }
  return { efferent, afferent }
}

/** Instability Ce/(Ca+Ce) of a subsystem that has imports from or to others (Martin 1994). */
export function instability({ efferent, afferent }: Couplings, part: number): number {
  const out = efferent[part] as number
  return out / (out + (afferent[part] as number))
}

/**
 * Whether an import between two subsystems breaks Martin's Stable Dependencies: I(from) < I(to), compared without
 * rounding.
 */
export function isAgainst({ efferent, afferent }: Couplings, from: number, to: number): boolean {
  const [fromOut, toOut] = [efferent[from] as number, efferent[to] as number]
  return fromOut * (toOut + (afferent[to] as number)) < toOut * (fromOut + (afferent[from] as number))
}
