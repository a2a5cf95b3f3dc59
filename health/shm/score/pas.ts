import type { PasDimension, PasDimensions, PasPart, PasStatus } from '../report.ts'
import {
  consistencyOf,
  couplingOf,
  type Measure,
  modularityOf,
  stabilityOf,
  symmetryOf,
} from './dimensions.ts'
import type { ScoreCounts } from './score-counts.ts'

/** The name of the formula in reports: scores under another one are not comparable. */
export const FORMULA_ID = 'pas-1'

/** Hundredths. */
export const WEIGHTS = { symmetry: 35, coupling: 25, modularity: 15, consistency: 15, stability: 10 } as const

const NAMES = Object.keys(WEIGHTS) as (keyof PasDimensions)[]

/** No dimension counts as less: one zero must not hide what the others say. */
const FLOOR = 0.01
const HEALTHY = 0.9
const WARNING = 0.75

/** A score with the dimensions that it is made of. */
export interface PasScore {
  /** Null: nothing to score. */
  score: number | null
  status: PasStatus | null
  dimensions: PasDimensions
}

/**
 * The score of these counts: the weighted geometric mean of the dimensions, `Π max(d, .01)^w`, over those that are
 * defined. The weights told are the ones it was made with: they add up to 1 over the defined dimensions, and what is
 * not defined has 0. All numbers are rounded to 9 digits, and only at the end.
 */
export function scoreOf(counts: ScoreCounts): PasScore {
  const { symmetry, evenness, acyclicity } = symmetryOf(counts)
  const measures: Record<keyof PasDimensions, Measure | null> = {
    symmetry,
    coupling: couplingOf(counts),
    modularity: modularityOf(counts),
    consistency: consistencyOf(counts),
    stability: counts.files === 0 ? null : stabilityOf(counts),
  }
  const all = NAMES.reduce((sum, name) => sum + (measures[name] ? WEIGHTS[name] : 0), 0)
  const score = meanOf(name => measures[name]?.value ?? null)
  const dimension = (name: keyof PasDimensions) => dimensionOf(measures[name], WEIGHTS[name] / all)
  return {
    score,
    status: statusOf(score),
    dimensions: {
      symmetry: {
        ...dimension('symmetry'),
        parts: { evenness: partOf(evenness), acyclicity: partOf(acyclicity) },
      },
      coupling: dimension('coupling'),
      modularity: dimension('modularity'),
      consistency: dimension('consistency'),
      stability: dimension('stability'),
    },
  }
}

/**
 * The weighted geometric mean of the dimensions that have a value, `Π max(d, .01)^w`, their weights renormalised, with 9
 * digits; null: none has one.
 */
export function meanOf(values: (name: keyof PasDimensions) => number | null): number | null {
  const defined = NAMES.flatMap(name => {
    const value = values(name)
    return value === null ? [] : { value, weight: WEIGHTS[name] }
  })
  if (defined.length === 0) return null
  const all = defined.reduce((sum, { weight }) => sum + weight, 0)
  const mean = defined.reduce(
    (product, { value, weight }) => product * Math.max(value, FLOOR) ** (weight / all),
    1,
  )
  return toNineDigits(Math.min(1, mean))
}

/** What a score or a dimension's value says in a word. */
export function statusOf(value: number | null): PasStatus | null {
  if (value === null) return null
  if (value >= HEALTHY) return 'healthy'
  return value >= WARNING ? 'warning' : 'critical'
}

/** The number with 9 digits behind the point. */
export function toNineDigits(x: number): number {
  return Math.round(x * 1e9) / 1e9
}

function dimensionOf(measure: Measure | null, weight: number): PasDimension {
  const part = partOf(measure)
  return { ...part, status: statusOf(part.value), weight: measure ? toNineDigits(weight) : 0 }
}

function partOf(measure: Measure | null): PasPart {
  return measure
    ? { raw: toNineDigits(measure.raw), value: toNineDigits(measure.value) }
    : { raw: null, value: null }
}
