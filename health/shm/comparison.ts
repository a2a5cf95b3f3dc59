import { basename, join, resolve } from 'node:path'
import { TokenscopeError } from '../../events/errors.ts'
import type { Assessor } from './assess.ts'
import {
  BASELINE_FILE,
  type Baseline,
  baselineOf,
  differenceOf,
  gate,
  readBaseline,
  withoutStability,
  writeBaseline,
} from './baseline.ts'
import type { PasReport } from './report.ts'
import { type Assessment, narrowedTo } from './say/assessment.ts'
import { changedSince } from './scan/churn.ts'
import { readPasConfig } from './scan/pas-config.ts'

export interface ComparisonOptions {
  /** The folder that is scored. */
  root: string
  /** Path of the baseline; null for `pas.baseline.json` in the folder, if it is there. */
  baseline: string | null
  /** Whether the report must be compared. */
  gate: boolean
  /** Whether the baseline is to be written anew: then it need not be there, or be comparable. */
  writeBaseline: boolean
  /** Only findings in files that changed since this revision; null for all. */
  since: string | null
}

/** Compares the reports of a folder with its past, which is a baseline and what git knows. */
export class Comparison {
  readonly #options: ComparisonOptions
  readonly #assessor: Assessor
  /** Of the baseline. */
  readonly file: string

  /** @param assessor of the same folder */
  constructor(assessor: Assessor, options: ComparisonOptions) {
    this.#assessor = assessor
    this.#options = options
    this.file = options.baseline ?? join(options.root, BASELINE_FILE)
  }

  /**
   * All that there is to say about the assessor's last report.
   *
   * @throws TokenscopeError CONFIG if the baseline is not there, is none or cannot be compared with, though somebody asked for
   * it; or if git does not know the revision
   */
  async of(report: PasReport): Promise<Assessment> {
    const { root, since } = this.#options
    const before = await this.#before(report)
    const whole: Assessment = {
      title: basename(resolve(root)),
      report,
      history: before?.history ?? [],
      verdict: before === null ? null : gate(report, before),
      since: null,
    }
    if (since === null) return whole
    const reach = this.#assessor.reachOf(await changedSince(root, since))
    return narrowedTo(whole, { rev: since, ...reach })
  }

  /** Writes the baseline that a report makes, unless it is worse than the one that a gate holds it to; whether it was written. */
  async keep({ report, verdict }: Assessment, at: Date): Promise<boolean> {
    if (this.#options.gate && verdict?.passed === false) return false
    const baseline = baselineOf(report, await readBaseline(this.file), at)
    await writeBaseline(this.file, (await this.#hasStability()) ? baseline : withoutStability(baseline))
    return true
  }

  /** The baseline to compare with; null: there is none, and nobody needs it. */
  async #before(report: PasReport): Promise<Baseline | null> {
    const { baseline, gate: isNeeded, writeBaseline: isWritten } = this.#options
    const before = await readBaseline(this.file)
    if (before === null) {
      if (isWritten || (baseline === null && !isNeeded)) return null
      const message = `There is no baseline ${this.file}. Make one with --write-baseline.`
      throw new TokenscopeError('CONFIG', message, { param: '--baseline' })
    }
    const isOptional = isWritten ? !isNeeded : baseline === null && !isNeeded
    if (isOptional && differenceOf(report, before) !== null) return null
    return (await this.#hasStability()) ? before : withoutStability(before)
  }

  /** Whether the project wants its commits compared, too. */
  async #hasStability(): Promise<boolean> {
    return (await readPasConfig(this.#options.root))?.gate_stability !== false
  }
}
