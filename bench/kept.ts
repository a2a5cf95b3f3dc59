/** What is kept of runs: every one in `results/`, which git ignores, and one to compare with in `baseline.json`. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Conditions } from './conditions.ts'
import type { Figure } from './figure.ts'

/** A bench that ran, and in what conditions. */
export interface Result {
  conditions: Conditions
  seconds: number
  /** Share of all processors' time that was used meanwhile, by whomever, in percent. */
  busy: number
  figures: Figure[]
}

/** Results by name of the bench. */
export type Results = Record<string, Result>

const BASELINE = join(import.meta.dirname, 'baseline.json')

/** The kept baseline; empty if there is none yet. */
export function readBaseline(): Results {
  return existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Results) : {}
}

/** Makes `results` the baseline of the benches that are in it. */
export function keepBaseline(results: Results): void {
  write(BASELINE, { ...readBaseline(), ...results })
}

/** Writes `results/<date>.json` and returns its path. */
export function writeResults(results: Results, date: string): string {
  const folder = join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  // Colons are no part of a file's name on every system.
  const path = join(folder, `${date.slice(0, 19).replaceAll(':', '-')}Z.json`)
  write(path, results)
  return path
}

function write(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}
