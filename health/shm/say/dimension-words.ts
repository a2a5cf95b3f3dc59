import { DIMENSION_NAMES, type DimensionName } from '../baseline.ts'
import type { PasDimension, PasReport } from '../report.ts'
import type { Assessment } from './assessment.ts'
import { changeText, valueText } from './plain-text.ts'

/** What each dimension asks, in a few words and in a sentence. */
export const DIMENSION_WORDS: Record<DimensionName, { short: string; long: string; undefinedWhy: string }> = {
  symmetry: {
    short: 'even parts, no cycles',
    long: 'The parts are of similar size, and no files import each other in a circle.',
    undefinedWhy: 'there are no files',
  },
  coupling: {
    short: 'little reaches little',
    long: 'From a file few others can be reached through imports, so a change stays near.',
    undefinedWhy: 'there is only one file',
  },
  modularity: {
    short: 'imports stay inside',
    long: 'Files import their own part rather than others.',
    undefinedWhy: 'no file imports another, or all do so in one part',
  },
  consistency: {
    short: 'towards the stable',
    long: 'Imports between parts lead to parts that are at least as stable.',
    undefinedWhy: 'no import leads from one part to another',
  },
  stability: {
    short: 'commits stay inside',
    long: 'Commits of the last 90 days touch one part at a time.',
    undefinedWhy: 'there is no history to look at',
  },
}

/** How the dimensions compare with the baseline's that both have, and why without the others, as a sentence; null: both have all. */
export function comparedWithout({ report, verdict }: Pick<Assessment, 'report' | 'verdict'>): string | null {
  if (verdict === null || verdict.left_out.length === 0) return null
  const reasons = verdict.left_out.map(name =>
    report.dimensions[name].value === null
      ? `${name}, which is not defined here (${DIMENSION_WORDS[name].undefinedWhy})`
      : `${name}, which the baseline is without`,
  )
  const { score, before } = verdict
  const scores =
    score === null || before === null
      ? ''
      : `: ${valueText(score)}, ${changeText(score - before)} from the baseline’s ${valueText(before)}`
  return `Compared without ${reasons.join(' and ')}${scores}.`
}

/** The dimensions with their names, in the order of their weights. */
export function dimensionsOf({ dimensions }: PasReport): [DimensionName, PasDimension][] {
  return DIMENSION_NAMES.map(name => [name, dimensions[name]])
}
