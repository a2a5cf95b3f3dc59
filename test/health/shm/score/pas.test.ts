import { describe, expect, test } from 'vitest'
import { FORMULA_ID, scoreOf, statusOf, toNineDigits, WEIGHTS } from '../../../../health/shm/score/pas.ts'
import type { ScoreCounts } from '../../../../health/shm/score/score-counts.ts'

/** Ten files in two subsystems of equal size, 12 imports of which 2 are between them, one of those against stability. */
const COUNTS: ScoreCounts = {
  files: 10,
  lines: [300, 300],
  filesInCycles: 2,
  reachablePairs: 28,
  imports: { all: 12, inside: 10, expected: 72, cross: 2, against: 1 },
  commits: { all: 30, cross: 10 },
}

describe('a score', () => {
  test('is the weighted geometric mean of its calibrated dimensions', () => {
    const { score, status, dimensions } = scoreOf(COUNTS)
    expect(dimensions.symmetry).toEqual({
      raw: 0.94,
      value: 0.94,
      status: 'healthy',
      weight: 0.35,
      parts: { evenness: { raw: 1, value: 1 }, acyclicity: { raw: 0.8, value: 0.8 } },
    })
    // 28 pairs of 100; (0.28 · 10 − 1)/9 = 0.2 of the others
    expect(dimensions.coupling).toEqual({ raw: 0.72, value: 0.6, status: 'critical', weight: 0.25 })
    // (10/12 − 72/144)/(1 − 72/144) = 2/3, and 0.7 + 0.25 · (2/3 − 0.4)/0.3
    expect(dimensions.modularity).toEqual({
      raw: 0.666666667,
      value: 0.922222222,
      status: 'healthy',
      weight: 0.15,
    })
    // 1 − 1/12, and 0.8 + 0.2 · (11/12 − 0.8)/0.15
    expect(dimensions.consistency).toEqual({
      raw: 0.916666667,
      value: 0.955555556,
      status: 'healthy',
      weight: 0.15,
    })
    // 1 − 10/50 is a knot
    expect(dimensions.stability).toEqual({ raw: 0.8, value: 0.9, status: 'healthy', weight: 0.1 })
    const logs =
      0.35 * Math.log(0.94) +
      0.25 * Math.log(0.6) +
      0.15 * Math.log(0.7 + (0.25 * (2 / 3 - 0.4)) / 0.3) +
      0.15 * Math.log(0.8 + (0.2 * (11 / 12 - 0.8)) / 0.15) +
      0.1 * Math.log(0.9)
    expect(score).toBe(toNineDigits(Math.exp(logs)))
    expect(status).toBe('warning')
  })

  test('weighs what is defined', () => {
    expect(FORMULA_ID).toBe('pas-1')
    expect(WEIGHTS).toEqual({ symmetry: 35, coupling: 25, modularity: 15, consistency: 15, stability: 10 })
    const { score, dimensions } = scoreOf({ ...COUNTS, commits: null })
    expect(dimensions.stability).toEqual({ raw: null, value: null, status: null, weight: 0 })
    expect(dimensions.symmetry.weight).toBe(0.388888889)
    const { symmetry, coupling, modularity, consistency } = dimensions
    const logs = [symmetry, coupling, modularity, consistency].map(
      ({ value, weight }) => weight * Math.log(value as number),
    )
    expect(score).toBeCloseTo(Math.exp(logs.reduce((sum, log) => sum + log)), 8)
  })

  test('has no stability where no commit counts', () => {
    expect(scoreOf({ ...COUNTS, commits: { all: 0, cross: 0 } })).toEqual(
      scoreOf({ ...COUNTS, commits: null }),
    )
  })

  test('lets no zero count as less than a hundredth', () => {
    const all: ScoreCounts = {
      ...COUNTS,
      filesInCycles: 0,
      reachablePairs: 100,
      imports: { ...COUNTS.imports, inside: 0 },
    }
    const { score, dimensions } = scoreOf({ ...all, commits: null })
    expect(dimensions.coupling.value).toBe(0)
    expect(dimensions.modularity).toMatchObject({ raw: 0, value: 0, status: 'critical' })
    expect(score).toBe(
      toNineDigits(0.01 ** (40 / 90) * (dimensions.consistency.value as number) ** (15 / 90)),
    )
  })

  test('of one subsystem has acyclicity for symmetry', () => {
    const imports = { all: 12, inside: 12, expected: 144, cross: 0, against: 0 }
    const { dimensions } = scoreOf({ ...COUNTS, lines: [600], imports })
    expect(dimensions.symmetry).toMatchObject({ raw: 0.8, value: 0.8 })
    expect(dimensions.symmetry.parts.evenness).toEqual({ raw: null, value: null })
    expect(dimensions.modularity).toEqual({ raw: null, value: null, status: null, weight: 0 })
    expect(dimensions.consistency).toEqual({ raw: null, value: null, status: null, weight: 0 })
  })

  test('of files without a line has no evenness', () => {
    expect(scoreOf({ ...COUNTS, lines: [0, 0] }).dimensions.symmetry.parts.evenness.raw).toBeNull()
    expect(scoreOf({ ...COUNTS, lines: [5, 0] }).dimensions.symmetry.parts.evenness.raw).toBe(0)
  })

  test('of one file has no coupling', () => {
    const imports = { all: 0, inside: 0, expected: 0, cross: 0, against: 0 }
    const one: ScoreCounts = {
      files: 1,
      lines: [9],
      filesInCycles: 0,
      reachablePairs: 1,
      imports,
      commits: null,
    }
    const { score, status, dimensions } = scoreOf(one)
    expect([score, status]).toEqual([1, 'healthy'])
    expect(dimensions.coupling).toEqual({ raw: null, value: null, status: null, weight: 0 })
    expect(dimensions.symmetry.weight).toBe(1)
  })

  test('of no files is none, nor has it any dimension', () => {
    const imports = { all: 0, inside: 0, expected: 0, cross: 0, against: 0 }
    const commits = { all: 5, cross: 0 }
    const { score, status, dimensions } = scoreOf({
      files: 0,
      lines: [],
      filesInCycles: 0,
      reachablePairs: 0,
      imports,
      commits,
    })
    expect([score, status]).toEqual([null, null])
    for (const dimension of Object.values(dimensions))
      expect(dimension).toMatchObject({ raw: null, value: null, status: null, weight: 0 })
  })
})

test('healthy begins at 0.9, critical ends at 0.75', () => {
  expect([1, 0.9, 0.899999999, 0.75, 0.749999999, 0, null].map(statusOf)).toEqual([
    'healthy',
    'healthy',
    'warning',
    'warning',
    'critical',
    'critical',
    null,
  ])
})
