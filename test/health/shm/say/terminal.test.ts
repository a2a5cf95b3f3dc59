import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PasReport } from '../../../../health/shm/report.ts'
import type { Assessment } from '../../../../health/shm/say/assessment.ts'
import { columnsOf } from '../../../../health/shm/say/plain-text.ts'
import { sayTerminal } from '../../../../health/shm/say/terminal.ts'
import { emptyReport, pasAssessment, pasDimension, pasReport, pasScc } from '../../../support/pas-report.ts'

const PLAIN = { width: 80, colour: false, big: true }

const say = (report: PasReport, changes: Partial<Assessment> = {}, shape = PLAIN) =>
  sayTerminal(pasAssessment(report, changes), shape)

describe('the report in a terminal', () => {
  it('says the score and its status first, then what it is made of and what to do', () => {
    const text = say(pasReport(), {}, { ...PLAIN, big: false })
    const lines = text.split('\n').map(line => line.trim())
    expect(lines.slice(0, 4)).toEqual([
      '',
      'PAS 0.812  warning',
      'PAS of sample: 80 files · 10,000 lines · 3 parts · 0.31 s',
      '',
    ])
    expect(lines).toContain('! symmetry     0.810 → 0.870  ━━━━━━━━━━━━━━━━━───  even parts, no cycles')
    expect(lines).toContain('✗ coupling     0.850 → 0.720  ━━━━━━━━━━━━━━──────  little reaches little')
    expect(lines).toContain('· stability    not defined: there is no history to look at')
    expect(lines).toContain('+0.041  Remove the import of api/a.ts from core/c.ts. (then 0.853)')
    expect(lines).toContain('api/a.ts:1 → api/b.ts:2 → core/c.ts:3 → api/a.ts')
    expect(lines).toContain('core   ━━━━━━━━━━━━━━━━────  4,000  40 %  40 files')
    expect(lines).toContain('tools/t.ts:3 → ./gone.ts')
    expect(text.indexOf('What to fix first')).toBeLessThan(text.indexOf('Import cycles'))
  })

  it('shows the score in big digits to a person', () => {
    expect(say(pasReport()).split('\n').slice(1, 4)).toEqual([
      '  ┏━┓   ┏━┓  ┓  ╺━┓   warning',
      '  ┃ ┃   ┣━┫  ┃  ┏━┛   PAS of sample',
      '  ┗━┛ ▪ ┗━┛  ┻  ┗━╸   80 files · 10,000 lines · 3 parts · 0.31 s',
    ])
  })

  it('colours state and nothing else, and says the same without colours', () => {
    const coloured = say(pasReport(), {}, { ...PLAIN, colour: true })
    expect(coloured).toContain('\x1b[33mwarning')
    expect(coloured).toContain('\x1b[31m✗')
    expect(stripVTControlCharacters(coloured)).toBe(say(pasReport()))
    expect(say(pasReport())).not.toContain('\x1b')
  })

  it('has something to say where there is nothing to score', () => {
    const text = say(emptyReport())
    expect(text).toContain('PAS –  not scored')
    expect(text).toContain('There are no source files.')
    expect(text).not.toMatch(/NaN|Infinity|undefined|No import cycles/)
  })

  it('never rounds a score up to a status that it has not', () => {
    expect(say(pasReport({ score: 0.8999999 }), {}, { ...PLAIN, big: false })).toContain('PAS 0.899  warning')
  })

  it('tells how it stands to the baseline', () => {
    const failures = [
      { code: 'NEW_SCC' as const, message: '2 files form a new cycle: a.ts, b.ts.', files: ['a.ts', 'b.ts'] },
    ]
    const verdict = { passed: false, failures, score: 0.8126, before: 0.85, left_out: ['stability' as const] }
    const failed = say(pasReport(), { verdict })
    expect(failed.split('\n')[1]).toMatch(/warning$/)
    expect(failed).toContain('Worse than the baseline')
    expect(failed).toContain('✗  2 files form a new cycle: a.ts, b.ts.')
    const sentence = (text: string) => text.replace(/\s+/g, ' ')
    expect(sentence(failed)).toContain(
      'Compared without stability, which is not defined here (there is no history to look at): 0.812, −0.037 from the baseline’s 0.850.',
    )
    const { dimensions } = pasReport()
    const deep = pasReport({ dimensions: { ...dimensions, stability: pasDimension(0.9, 0.95, 0.1) } })
    expect(sentence(say(deep, { verdict }))).toContain(
      'Compared without stability, which the baseline is without: 0.812, −0.037 from the baseline’s 0.850.',
    )
    const passed = say(pasReport(), { verdict: { ...verdict, passed: true, failures: [], left_out: [] } })
    expect(passed).toContain('✓ No worse than the baseline.')
    expect(passed.split('\n')[1]).toMatch(/warning {2}−0\.037 from the baseline’s 0\.850$/)
    expect(passed).not.toContain('Compared without')
  })

  it('cuts long lists and says what is left', () => {
    const subsystems = Array.from({ length: 30 }, (_, i) => ({ name: `part-${i}`, files: 1, lines: 100 - i }))
    const files = (i: number) => Array.from({ length: 20 }, (_, j) => `part-0/some/folder/file-${i}-${j}.ts`)
    const sccs = Array.from({ length: 9 }, (_, i) => pasScc(files(i)))
    const text = say(pasReport({ subsystems, sccs }))
    expect(text).toContain('and 18 smaller ones with 1,431 lines')
    expect(text).toContain('and 4 more groups of 20 files each')
    expect(text).toContain('(13 more files)')
    expect(text).toContain('file-0-19.ts:20\n    → part-0/some/folder/file-0-0.ts\n')
  })

  it('shows the best three things to do, and of many places the first', () => {
    const advice = Array.from({ length: 5 }, (_, i) => ({
      what: `Do thing ${i}.`,
      places: Array.from({ length: 2 + 2 * i }, (_, j) => ({ file: `from-${i}-${j}`, line: 1, to: 'x' })),
      score_then: 0.9,
      gain: 0.05 - i / 100,
    }))
    const lines = say(pasReport({ advice }))
      .split('\n')
      .map(line => line.trim())
    const from = lines.indexOf('What to fix first') + 1
    expect(lines.slice(from, lines.indexOf('', from))).toEqual([
      '+0.050  Do thing 0. (then 0.900)',
      'from-0-0:1 → x',
      'from-0-1:1 → x',
      '+0.040  Do thing 1. (then 0.900)',
      'from-1-0:1 → x',
      'and 3 more imports',
      '+0.030  Do thing 2. (then 0.900)',
      'from-2-0:1 → x',
      'and 5 more imports',
      'and 2 more',
    ])
  })

  it('keeps a place for how to end a cycle, and tells a small gain as one', () => {
    const piece = (i: number, changes: Partial<PasReport['advice'][0]> = {}) => ({
      what: `Do thing ${i}.`,
      places: [],
      score_then: 0.9,
      gain: 0.05 - i / 100,
      ...changes,
    })
    const said = (advice: PasReport['advice']) =>
      say(pasReport({ advice }))
        .split('\n')
        .map(line => line.trim())
        .filter(line => /Do thing|^and \d+ more$/.test(line))
    const slight = piece(4, { gain: 0.0004, breaks: 'a.ts' })
    expect(said([piece(0), piece(1), piece(2), piece(3), slight])).toEqual([
      '+0.050  Do thing 0. (then 0.900)',
      '+0.040  Do thing 1. (then 0.900)',
      '<0.001  Do thing 4. (it changes the score by less than 0.001)',
      'and 2 more',
    ])
    const worse = piece(5, { gain: -0.0021, score_then: 0.7, breaks: 'b.ts' })
    expect(said([piece(0, { breaks: 'a.ts' }), piece(1), piece(2), worse])[2]).toContain('Do thing 2.')
    expect(said([worse])).toEqual(['−0.002  Do thing 5. (then 0.700)'])
  })

  it('lets no name steer the terminal', () => {
    const evil = 'a/\x1b[2J\x1b]0;owned\x07\u202eevil\n.ts'
    const text = say(
      pasReport({
        sccs: [pasScc([evil, 'b.ts'])],
        subsystems: [{ name: evil, files: 1, lines: 1 }],
        unresolved: [{ file: evil, line: 1, specifier: evil }],
        warnings: [{ code: 'BINARY_FILE', path: evil, message: `${evil} is binary.` }],
      }),
      { title: evil },
    )
    for (const control of ['\x1b', '\x07', '\u202e']) expect(text).not.toContain(control)
    expect(text).toContain('\\u{1b}[2J')
  })

  it('keeps to the width, whatever the names are', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 })
    const shape = fc.record({
      width: fc.integer({ min: 40, max: 140 }),
      colour: fc.boolean(),
      big: fc.boolean(),
    })
    fc.assert(
      fc.property(
        name,
        name,
        shape,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (one, other, shape, value) => {
          const report = pasReport({
            sccs: [pasScc([one, other, 'x'])],
            subsystems: [
              { name: one, files: 1234, lines: 1_234_567 },
              { name: other, files: 0, lines: 0 },
            ],
            worst_edges: [
              { ...(pasReport().worst_edges[0] as PasReport['worst_edges'][0]), file: one, to: other },
            ],
            unresolved: [{ file: one, line: 1, specifier: other }],
            advice: [
              {
                what: `Move ${one}.`,
                places: [{ file: one, line: 3, to: other }],
                score_then: value,
                gain: 0.1,
              },
            ],
          })
          report.counts.lines = 1_234_567
          report.dimensions.coupling = pasDimension(value, value, 0.25)
          const lines = stripVTControlCharacters(say(report, { title: one }, shape)).split('\n')
          expect(lines.filter(line => columnsOf(line) > Math.min(shape.width, 100))).toEqual([])
        },
      ),
      { numRuns: 150 },
    )
  })
})
