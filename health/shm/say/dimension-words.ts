import { DIMENSION_NAMES, type DimensionName } from '../baseline.ts'
import type { PasDimension, PasReport } from '../report.ts'

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

/** The dimensions with their names, in the order of their weights. */
export function dimensionsOf({ dimensions }: PasReport): [DimensionName, PasDimension][] {
  return DIMENSION_NAMES.map(name => [name, dimensions[name]])
}
