import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Baseline,
  baselineOf,
  gate,
  readBaseline,
  withoutStability,
  writeBaseline,
} from '../../../health/shm/baseline.ts'
import type { PasReport } from '../../../health/shm/report.ts'
import { emptyReport, pasDimension, pasReport, pasScc } from '../../support/pas-report.ts'

const AT = new Date('2026-11-22T10:00:00Z')

const baseline = (changes: Partial<PasReport> = {}): Baseline => baselineOf(pasReport(changes), null, AT)
const codes = (report: PasReport, before: Baseline) => gate(report, before).failures.map(({ code }) => code)

describe('the gate', () => {
  it('is passed by what it was made of', () => {
    for (const report of [pasReport(), emptyReport()]) {
      const verdict = gate(report, baselineOf(report, null, AT))
      expect(verdict).toEqual({
        passed: true,
        failures: [],
        score: report.score,
        before: report.score,
        left_out: [],
      })
    }
  })

  it('fails on a new cycle, and names its files', () => {
    const sccs = [...pasReport().sccs, pasScc(['tools/p.ts', 'tools/q.ts'])]
    const { passed, failures } = gate(pasReport({ sccs }), baseline())
    expect(passed).toBe(false)
    expect(failures).toEqual([
      {
        code: 'NEW_SCC',
        message: '2 files form a new cycle: tools/p.ts, tools/q.ts.',
        files: ['tools/p.ts', 'tools/q.ts'],
      },
    ])
  })

  it('fails on a larger cycle, and names what is new in it', () => {
    const sccs = [
      pasScc(['api/a.ts', 'api/b.ts', 'core/c.ts', 'core/new.ts']),
      pasScc(['core/x.ts', 'core/y.ts']),
    ]
    expect(gate(pasReport({ sccs }), baseline()).failures).toEqual([
      {
        code: 'LARGER_SCC',
        message: 'A cycle of 3 files has 4 now; new in it: core/new.ts.',
        files: ['core/new.ts'],
      },
    ])
  })

  it('fails where two cycles became one', () => {
    const sccs = [pasScc(['api/a.ts', 'api/b.ts', 'core/c.ts', 'core/x.ts', 'core/y.ts'])]
    expect(codes(pasReport({ sccs }), baseline())).toEqual(['LARGER_SCC'])
  })

  it('counts all that a cycle fell apart to', () => {
    const files = ['a', 'b', 'c', 'd', 'e', 'f']
    const before = baseline({ sccs: [pasScc(files)] })
    const halves = [pasScc(['a', 'b', 'c']), pasScc(['d', 'e'])]
    expect(codes(pasReport({ sccs: halves }), before)).toEqual([])
    const grown = [pasScc(['a', 'b', 'c', 'new']), pasScc(['d', 'e', 'newer'])]
    expect(codes(pasReport({ sccs: grown }), before)).toEqual(['LARGER_SCC'])
  })

  it('lets cycles shrink, go, and change a file', () => {
    expect(codes(pasReport({ sccs: [] }), baseline())).toEqual([])
    expect(codes(pasReport({ sccs: [pasScc(['api/a.ts', 'core/c.ts'])] }), baseline())).toEqual([])
    const renamed = [pasScc(['api/a.ts', 'api/b.ts', 'core/renamed.ts'])]
    expect(codes(pasReport({ sccs: renamed }), baseline())).toEqual([])
  })

  it.each([
    [0.9, 0.9, true],
    [0.9, 0.890000001, true],
    [0.9, 0.89, true],
    [0.9, 0.889999998, false],
    [0.9, 0.5, false],
    [0.9, 1, true],
  ])('takes a score of %d to %d: passed %s', (before, score, passed) => {
    const verdict = gate(pasReport({ score }), baseline({ score: before }))
    expect(verdict.passed).toBe(passed)
    expect(verdict.failures.map(({ code }) => code)).toEqual(passed ? [] : ['LOWER_SCORE'])
  })

  it('leaves out what only one of both has: the depth of a clone decides nothing', () => {
    const { dimensions } = pasReport()
    const deep = pasReport({ score: 0.9, dimensions: { ...dimensions, stability: pasDimension(1, 1, 0.1) } })
    const shallow = pasReport({ score: 0.8, dimensions })
    for (const verdict of [
      gate(shallow, baselineOf(deep, null, AT)),
      gate(deep, baselineOf(shallow, null, AT)),
    ]) {
      expect(verdict).toMatchObject({ passed: true, left_out: ['stability'] })
      const product = 0.87 ** 0.35 * 0.72 ** 0.25 * 0.86 ** 0.15 * 0.93 ** 0.15
      expect(verdict.score).toBeCloseTo(product ** (1 / 0.9), 9)
      expect(verdict.before).toBe(verdict.score)
    }
    const worse = pasReport({ dimensions: { ...dimensions, coupling: pasDimension(0.5, 0.5, 0.25) } })
    const { failures } = gate(worse, baselineOf(deep, null, AT))
    expect(failures.map(({ code }) => code)).toEqual(['LOWER_SCORE'])
    expect(failures[0]?.message).toMatch(/^PAS without stability is 0\.7\d+; the baseline is 0\.8\d+, and/)
  })

  it('of a baseline without stability looks at the other dimensions alone, however the commits are', () => {
    const { dimensions } = pasReport()
    const withCommits = (value: number, score: number) =>
      pasReport({ score, dimensions: { ...dimensions, stability: pasDimension(value, value, 0.1) } })
    const kept = withoutStability(baselineOf(withCommits(1, 0.9), null, AT))
    expect(kept.dimensions.stability).toBeNull()
    expect(kept.score).toBe(gate(pasReport(), kept).before)
    expect(gate(withCommits(0.3, 0.7), kept)).toMatchObject({ passed: true, left_out: ['stability'] })
    const none = gate(pasReport({ score: kept.score }), kept)
    expect(none).toMatchObject({ passed: true, left_out: [], before: kept.score })
  })

  it.each<[string, Partial<PasReport>]>([
    ['other parts', { ids: { ...pasReport().ids, partition: 'other' } }],
    ['tests out, not in', { policy: { ...pasReport().policy, tests: true } }],
    ['the calibration cal-1, not cal-2', { ids: { ...pasReport().ids, calibration: 'cal-2' as 'cal-1' } }],
    ['the formula pas-1, not pas-2', { ids: { ...pasReport().ids, formula: 'pas-2' as 'pas-1' } }],
  ])('does not compare with %s', (what, changes) => {
    expect(() => gate(pasReport(changes), baseline())).toThrow(
      `The baseline cannot be compared with: it has ${what}. Write it anew with --write-baseline.`,
    )
  })

  it('is passed exactly if no cycle of files is new to all cycles, or makes one larger', () => {
    const group = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { minLength: 2, maxLength: 5 })
    const groups = fc.array(group, { maxLength: 3 }).map(some => {
      const used = new Set<string>()
      return some
        .map(files => files.filter(file => !used.has(file) && used.add(file)))
        .filter(files => files.length > 1)
        .sort((one, other) => other.length - one.length)
    })
    fc.assert(
      fc.property(groups, groups, (before, now) => {
        const known = new Set(before.flat())
        const { passed, failures } = gate(
          pasReport({ sccs: now.map(files => pasScc(files)) }),
          baseline({ sccs: before.map(files => pasScc(files)) }),
        )
        const strangers = now.filter(files => !files.some(file => known.has(file)))
        expect(failures.filter(({ code }) => code === 'NEW_SCC')).toHaveLength(strangers.length)
        if (passed) expect(now.flat().length).toBeLessThanOrEqual(before.flat().length)
        const isWithin = now.every(files => before.some(old => files.every(file => old.includes(file))))
        if (isWithin) expect(passed).toBe(true)
      }),
    )
  })
})

describe('a baseline', () => {
  it('goes on with the history of the one before, and begins anew where that says nothing about it', () => {
    const first = baseline({ score: 0.7 })
    const ids = { ...pasReport().ids, tree: 'other' }
    const second = baselineOf(pasReport({ score: 0.8, ids }), first, new Date('2026-11-23T10:00:00Z'))
    expect(second.history).toEqual([
      { at: '2026-11-22T10:00:00.000Z', score: 0.7, tree: 't'.repeat(64) },
      { at: '2026-11-23T10:00:00.000Z', score: 0.8, tree: 'other' },
    ])
    expect(baselineOf(pasReport({ score: 0.8, ids }), second, AT).history).toEqual(second.history)
    const moved = { ...ids, partition: 'other' }
    expect(baselineOf(pasReport({ ids: moved }), second, AT).history).toHaveLength(1)
  })

  it('keeps the last thousand scores', () => {
    const history = Array.from({ length: 1000 }, (_, i) => ({ at: String(i), score: 0.5, tree: String(i) }))
    const next = baselineOf(pasReport(), { ...baseline(), history }, AT)
    expect(next.history).toHaveLength(1000)
    expect([next.history[0]?.at, next.history.at(-1)?.tree]).toEqual(['1', 't'.repeat(64)])
  })
})

describe('the file of a baseline', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenscope-baseline-'))
    file = join(folder, 'pas.baseline.json')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('holds what was written, for people and for git', async () => {
    await writeBaseline(file, baseline())
    expect(await readBaseline(file)).toEqual(baseline())
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(/^\{\n {2}"version": 1,\n[\s\S]*\n\}\n$/)
    await writeBaseline(file, baseline({ score: 0.1 }))
    expect((await readBaseline(file))?.score).toBe(0.1)
    expect(readdirSync(folder)).toEqual(['pas.baseline.json'])
  })

  it('is missing, or says what is wrong with it', async () => {
    expect(await readBaseline(file)).toBeNull()
    writeFileSync(file, '{"version": 1')
    await expect(readBaseline(file)).rejects.toThrow(/is not JSON\. Write it anew/)
    for (const wrong of [null, [], {}, { ...baseline(), version: 2 }, { ...baseline(), sccs: [['a']] }]) {
      writeFileSync(file, JSON.stringify(wrong))
      await expect(readBaseline(file)).rejects.toThrow(/is no baseline of this version/)
    }
    await expect(readBaseline(folder)).rejects.toThrow(/cannot be read: EISDIR/)
  })

  it('leaves nothing behind where it cannot be written', async () => {
    await expect(writeBaseline(join(folder, 'none', 'b.json'), baseline())).rejects.toThrow(
      /cannot be written: ENOENT/,
    )
    mkdirSync(file)
    await expect(writeBaseline(file, baseline())).rejects.toThrow(/cannot be written/)
    expect(readdirSync(folder)).toEqual(['pas.baseline.json'])
  })
})
