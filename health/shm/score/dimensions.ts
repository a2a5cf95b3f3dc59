/** The raw values of the dimensions and what calibration makes of them, not yet rounded. Null: not defined. */
import { CALIBRATION, calibrate, type Knots } from './calibration.ts'
import type { ScoreCounts } from './score-counts.ts'

/** A number in [0, 1] before and after calibration. */
export interface Measure {
  raw: number
  value: number
}

export interface Symmetry {
  symmetry: Measure | null
  evenness: Measure | null
  acyclicity: Measure | null
}

const EVENNESS_SHARE = 0.7
const ACYCLICITY_SHARE = 0.3
/** Imports that each tree is given for the good: a handful of them cannot make or break it. */
const CONSISTENCY_PRIOR = 10
/** The same for commits. */
const STABILITY_PRIOR = 20

/** `0.7·J + 0.3·A`; A alone where J is not defined. */
export function symmetryOf(counts: ScoreCounts): Symmetry {
  const evenness = evennessOf(counts.lines)
  const acyclicity = acyclicityOf(counts)
  const symmetry =
    evenness && acyclicity
      ? { raw: mixed(evenness.raw, acyclicity.raw), value: mixed(evenness.value, acyclicity.value) }
      : acyclicity
  return { symmetry, evenness, acyclicity }
}

/**
 * J: the entropy of the subsystems' shares of the lines, as a share of the greatest possible one (Shannon 1948;
 * Pielou 1966). Not defined for one subsystem, or without a line.
 */
export function evennessOf(lines: readonly number[]): Measure | null {
  const nats = entropyOf(lines)
  if (nats === null || lines.length < 2) return null
  const raw = clamped(nats / Math.log(lines.length))
  return { raw, value: calibrate(CALIBRATION.evenness, raw) }
}

/** `−Σ pᵢ ln pᵢ` of the shares that counts are of their sum, summed from the largest down; null: they are all 0. */
export function entropyOf(counts: readonly number[]): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return null
  let sum = 0
  for (const count of counts.toSorted((one, other) => other - one)) {
    if (count > 0) sum -= (count / all) * Math.log(count / all)
  }
  return sum
}

/**
 * A: the share of files that lie in no cycle (Tarjan 1972; Martin's Acyclic Dependencies). Not defined without a
 * file.
 */
function acyclicityOf({ files, filesInCycles }: ScoreCounts): Measure | null {
  if (files === 0) return null
  const raw = clamped((files - filesInCycles) / files)
  return { raw, value: raw }
}

/**
 * `1 − PC`, PC the propagation cost (MacCormack, Rusnak, Baldwin 2006). It is calibrated by the share of the other
 * files that a file reaches, `(PC·n − 1)/(n − 1)`: that each file reaches itself says nothing. Not defined for fewer
 * than two files.
 */
export function couplingOf({ files, reachablePairs }: ScoreCounts): Measure | null {
  if (files < 2) return null
  const raw = clamped((files ** 2 - reachablePairs) / files ** 2)
  const others = clamped((reachablePairs - files) / (files * (files - 1)))
  return { raw, value: calibrate(CALIBRATION.coupling, others) }
}

/**
 * Newman's assortativity (2003) of imports by subsystem, 0 where it is below: `(Tr e − Σ ab)/(1 − Σ ab)`, both sides
 * multiplied by the square of the imports so that only integers are subtracted. Not defined without imports, or where
 * all of them begin and end in one subsystem.
 */
export function modularityOf({ imports: { all, inside, expected } }: ScoreCounts): Measure | null {
  if (all === 0 || expected === all ** 2) return null
  const raw = clamped((inside * all - expected) / (all ** 2 - expected))
  return { raw, value: calibrate(CALIBRATION.modularity, raw) }
}

/**
 * `1 − bad/(cross + 10)` of the imports between subsystems (Martin's Stable Dependencies). Not defined if there are
 * none.
 */
export function consistencyOf({ imports: { cross, against } }: ScoreCounts): Measure | null {
  return cross === 0 ? null : sparing(cross, against, CONSISTENCY_PRIOR, CALIBRATION.consistency)
}

/**
 * `1 − x/(t + 20)` of the commits (co-change; Nagappan & Ball 2005). Not defined without a history or a commit in it.
 */
export function stabilityOf({ commits }: ScoreCounts): Measure | null {
  if (!commits || commits.all === 0) return null
  return sparing(commits.all, commits.cross, STABILITY_PRIOR, CALIBRATION.stability)
}

function sparing(all: number, bad: number, prior: number, knots: Knots): Measure {
  const raw = clamped((all + prior - bad) / (all + prior))
  return { raw, value: calibrate(knots, raw) }
}

function mixed(evenness: number, acyclicity: number): number {
  return clamped(EVENNESS_SHARE * evenness + ACYCLICITY_SHARE * acyclicity)
}

function clamped(x: number): number {
  return Math.min(1, Math.max(0, x))
}
