/** The past that a score is compared with: a file beside the code, which a gate holds the tree to. */
import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { reasonOf, TokenscopeError } from '../../events/errors.ts'
import { isBaseline } from './baseline-shape.ts'
import type { PasDimensions, PasReport } from './report.ts'
import { meanOf } from './score/pas.ts'

/** Where a baseline is kept in the folder that is scored, if nobody names another file. */
export const BASELINE_FILE = 'pas.baseline.json'

export type DimensionName = keyof PasDimensions

export const DIMENSION_NAMES = [
  'symmetry',
  'coupling',
  'modularity',
  'consistency',
  'stability',
] as const satisfies readonly DimensionName[]

/** A score of the past. */
export interface PastScore {
  /** ISO 8601. */
  at: string
  score: number | null
  /** The tree's hash. */
  tree: string
}

/** What a baseline file holds. */
export interface Baseline {
  version: 1
  score: number | null
  ids: PasReport['ids']
  policy: PasReport['policy']
  /** The files of each SCC, ascending; largest first. */
  sccs: string[][]
  /** The value of each dimension. */
  dimensions: Record<DimensionName, number | null>
  /** Oldest first; the last one is the baseline's own. */
  history: PastScore[]
}

export interface GateFailure {
  code: 'NEW_SCC' | 'LARGER_SCC' | 'LOWER_SCORE'
  /** A sentence. */
  message: string
  /** The files that it is about, ascending; empty where it is about the score. */
  files: string[]
}

/** What a gate says: it is passed if nothing failed. */
export interface GateVerdict {
  passed: boolean
  failures: GateFailure[]
  /** Both scores, of the dimensions that both have; null: they have none in common. */
  score: number | null
  before: number | null
  /** Dimensions that only one of both has, as stability in a shallow clone: left out of both scores. */
  left_out: DimensionName[]
}

/** How far a score may fall below its baseline. */
const TOLERANCE = 0.01
/** Scores have 9 digits: a fall of exactly the tolerance is none beyond it. */
const LAST_DIGIT = 1e-9
/** So many past scores are kept. */
const MAX_HISTORY = 1000

/**
 * Compares a report with its baseline: no new SCC, none that grew, no score below the baseline's by more than 0.01. A
 * dimension that is defined in only one of both is left out of both scores, so that the depth of a clone decides nothing.
 *
 * @throws TokenscopeError CONFIG if both cannot be compared: other parts, formula, calibration or policy
 */
export function gate(report: PasReport, baseline: Baseline): GateVerdict {
  const difference = differenceOf(report, baseline)
  if (difference !== null) {
    const what = `The baseline cannot be compared with: it has ${difference}`
    throw new TokenscopeError('CONFIG', `${what}. Write it anew with --write-baseline.`, {
      param: '--baseline',
    })
  }
  const failures = sccFailures(report, baseline.sccs)
  const now = valuesOf(report)
  const isIn = (values: Baseline['dimensions']) => (name: DimensionName) => values[name] !== null
  const both = DIMENSION_NAMES.filter(isIn(now)).filter(isIn(baseline.dimensions))
  const either = DIMENSION_NAMES.filter(name => isIn(now)(name) || isIn(baseline.dimensions)(name))
  const leftOut = either.filter(name => !both.includes(name))
  const over = (values: Baseline['dimensions']) => meanOf(name => (both.includes(name) ? values[name] : null))
  const score = leftOut.length === 0 ? report.score : over(now)
  const before = leftOut.length === 0 ? baseline.score : over(baseline.dimensions)
  if (score !== null && before !== null && score < before - TOLERANCE - LAST_DIGIT) {
    const without = leftOut.length === 0 ? '' : ` without ${leftOut.join(' and ')}`
    const fall = `PAS${without} is ${score.toFixed(4)}; the baseline is ${before.toFixed(4)}`
    failures.push({
      code: 'LOWER_SCORE',
      message: `${fall}, and it may fall by ${TOLERANCE} at most.`,
      files: [],
    })
  }
  return { passed: failures.length === 0, failures, score, before, left_out: leftOut }
}

/** The baseline that a report makes; it goes on with the history of the one before, if both can be compared. */
export function baselineOf(report: PasReport, before: Baseline | null, at: Date): Baseline {
  const entry: PastScore = { at: at.toISOString(), score: report.score, tree: report.ids.tree }
  const past = before === null || differenceOf(report, before) !== null ? [] : before.history
  const isSame = past.at(-1)?.tree === entry.tree && past.at(-1)?.score === entry.score
  return {
    version: 1,
    score: report.score,
    ids: report.ids,
    policy: report.policy,
    sccs: report.sccs.map(({ files }) => files),
    dimensions: valuesOf(report),
    history: (isSame ? past : [...past, entry]).slice(-MAX_HISTORY),
  }
}

/** A baseline as if its tree had had no history to look at: a gate compares without stability then. */
export function withoutStability(baseline: Baseline): Baseline {
  const dimensions = { ...baseline.dimensions, stability: null }
  return { ...baseline, dimensions, score: meanOf(name => dimensions[name]) }
}

/**
 * Reads a baseline; null if there is no such file.
 *
 * @throws TokenscopeError CONFIG if it cannot be read, or holds no baseline
 */
export async function readBaseline(file: string): Promise<Baseline | null> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw unusable(`${file} cannot be read: ${reasonOf(error)}.`)
  }
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    throw unusable(`${file} is not JSON. Write it anew with --write-baseline.`)
  }
  if (isBaseline(value)) return value
  throw unusable(`${file} is no baseline of this version. Write it anew with --write-baseline.`)
}

/**
 * Writes a baseline: the old file or the new one is there, whole, whatever happens meanwhile.
 *
 * @throws TokenscopeError CONFIG if it cannot be written
 */
export async function writeBaseline(file: string, baseline: Baseline): Promise<void> {
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(unfinished, `${JSON.stringify(baseline, null, 2)}\n`, { flag: 'wx' })
    await rename(unfinished, file)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw unusable(`${file} cannot be written: ${reasonOf(error)}.`)
  }
}

/** What a score of the past differs in so that it cannot be compared, as half a sentence; null: it can. */
export function differenceOf({ ids, policy }: PasReport, baseline: Baseline): string | null {
  if (ids.formula !== baseline.ids.formula) return `the formula ${baseline.ids.formula}, not ${ids.formula}`
  if (ids.calibration !== baseline.ids.calibration)
    return `the calibration ${baseline.ids.calibration}, not ${ids.calibration}`
  for (const rule of ['type_only', 'dynamic', 'tests'] as const) {
    const isIn = baseline.policy[rule]
    if (policy[rule] !== isIn)
      return `${{ type_only: 'type-only imports', dynamic: 'dynamic imports', tests: 'tests' }[rule]} ${isIn ? 'in' : 'out'}, not ${isIn ? 'out' : 'in'}`
  }
  return ids.partition === baseline.ids.partition ? null : 'other parts'
}

/** SCCs that are new, or have more files than the one of the baseline that they come from. */
function sccFailures(report: PasReport, before: readonly string[][]): GateFailure[] {
  const homeOf = new Map<string, number>()
  before.forEach((files, i) => {
    for (const file of files) homeOf.set(file, i)
  })
  const failures: GateFailure[] = []
  const successors = new Map<number, string[]>()
  for (const { files, size } of report.sccs) {
    const home = mostFrequent(files, homeOf)
    if (home === null) {
      const message = `${size} files form a new cycle: ${listed(files)}.`
      failures.push({ code: 'NEW_SCC', message, files })
    } else successors.set(home, [...(successors.get(home) ?? []), ...files])
  }
  for (const [home, files] of successors) {
    // One that fell apart is measured by all of its parts: each may be smaller while new files got in.
    const old = before[home] as string[]
    if (files.length <= old.length) continue
    const known = new Set(old)
    const added = files.filter(file => !known.has(file)).sort()
    const message = `A cycle of ${old.length} files has ${files.length} now; new in it: ${listed(added)}.`
    failures.push({ code: 'LARGER_SCC', message, files: added })
  }
  return failures
}

/** The SCC of the baseline that most of the files were in, of several the larger one, which comes first; null: none were. */
function mostFrequent(files: readonly string[], homeOf: ReadonlyMap<string, number>): number | null {
  const counts = new Map<number, number>()
  for (const file of files) {
    const home = homeOf.get(file)
    if (home !== undefined) counts.set(home, (counts.get(home) ?? 0) + 1)
  }
  let best: [home: number, count: number] | null = null
  for (const [home, count] of counts) {
    if (best === null || count > best[1] || (count === best[1] && home < best[0])) best = [home, count]
  }
  return best?.[0] ?? null
}

function valuesOf({ dimensions }: PasReport): Baseline['dimensions'] {
  return Object.fromEntries(
    DIMENSION_NAMES.map(name => [name, dimensions[name].value]),
  ) as Baseline['dimensions']
}

function listed(files: readonly string[]): string {
  const shown = files.slice(0, 3).join(', ')
  return files.length > 3 ? `${shown} and ${files.length - 3} more` : shown
}

function unusable(message: string): TokenscopeError {
  return new TokenscopeError('CONFIG', message, { param: '--baseline' })
}
