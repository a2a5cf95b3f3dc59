import type { Baseline } from './baseline.ts'

type Check = (value: unknown) => boolean

const isText: Check = value => typeof value === 'string'
const isFlag: Check = value => typeof value === 'boolean'
const isValue: Check = value => value === null || (typeof value === 'number' && value >= 0 && value <= 1)

/** What a baseline file must hold, key by key. What it holds besides is left alone: a later version may have more. */
const isWhole = objectOf({
  version: value => value === 1,
  score: isValue,
  ids: objectOf({ formula: isText, calibration: isText, partition: isText, tree: isText }),
  policy: objectOf({ type_only: isFlag, dynamic: isFlag, tests: isFlag, partition: isText }),
  sccs: listOf(files => listOf(isText)(files) && (files as unknown[]).length > 1),
  dimensions: objectOf({
    symmetry: isValue,
    coupling: isValue,
    modularity: isValue,
    consistency: isValue,
    stability: isValue,
  }),
  history: listOf(objectOf({ at: isText, score: isValue, tree: isText })),
} satisfies Record<keyof Baseline, Check>)

/** Whether a value out of a file is a baseline. */
export function isBaseline(value: unknown): value is Baseline {
  return isWhole(value)
}

function objectOf(checks: Record<string, Check>): Check {
  return value =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(checks).every(([key, check]) => check((value as Record<string, unknown>)[key]))
}

function listOf(check: Check): Check {
  return value => Array.isArray(value) && value.every(check)
}
