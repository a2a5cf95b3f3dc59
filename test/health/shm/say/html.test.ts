import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GateVerdict } from '../../../../health/shm/baseline.ts'
import type { PasReport } from '../../../../health/shm/report.ts'
import type { Assessment } from '../../../../health/shm/say/assessment.ts'
import { sayHtml } from '../../../../health/shm/say/html.ts'
import { historyPicture } from '../../../../health/shm/say/html-history.ts'
import { codePoints } from '../../../support/code-points.ts'
import { emptyReport, pasAssessment, pasReport, pasScc } from '../../../support/pas-report.ts'

const VOID = new Set(['meta', 'link', 'wbr'])

/** Throws if a tag is not closed, or closed where it was not open. */
function checkTags(html: string): void {
  const open: string[] = []
  const body = html.replace(/^<!doctype html>/, '').replace(/<style>[\s\S]*?<\/style>/, '')
  for (const [, slash, name, rest] of body.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*)>/g)) {
    if (VOID.has(name as string) || rest?.endsWith('/')) continue
    if (slash === '') open.push(name as string)
    else if (open.pop() !== name) throw new Error(`</${name}> closes what is not open`)
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(' ')}`)
}

const HISTORY = [0.8, 0.82, 0.79].map((score, i) => ({
  at: `2026-11-0${i + 1}T00:00:00Z`,
  score,
  tree: String(i),
}))

describe('the report as a page', () => {
  it('tells what the report holds', () => {
    const html = sayHtml(pasAssessment(pasReport(), { history: HISTORY }))
    checkTags(html)
    for (const part of [
      '<title>sample: PAS 0.812, warning</title>',
      'Remove the import of api/a.ts from core/c.ts.',
      'api → core: 12 imports',
      '2 parts import each other in a circle',
      'core: 4,000 lines (40 %), 40 files, I = 0.17',
      '<code>core/<wbr>c.ts:7</code> → <code>api/<wbr>a.ts</code>',
      '2026-11-03: 0.790',
      'now: 0.812',
      'There is no git repository: stability is not defined.',
    ])
      expect(html).toContain(part)
  })

  it('loads nothing, runs nothing, and its policy lets in its own style alone', () => {
    const html = sayHtml(pasAssessment())
    expect(html).not.toMatch(/<script|<iframe|<object|\son\w+=|javascript:|\sstyle=|@import|url\((?!#)/i)
    expect([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url)).toEqual(['data:,'])
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] as string
    const hash = createHash('sha256').update(style).digest('base64')
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]
    const quote = '&#39;'
    expect(policy).toContain(`default-src ${quote}none${quote}; style-src ${quote}sha256-${hash}${quote};`)
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'))
  })

  it('is one for an empty tree, for one part, and for more parts than a matrix has', () => {
    const one = pasReport({ subsystems: [{ name: 'a', files: 1, lines: 5 }], dsm: [[3]], sccs: [] })
    const many = pasReport({
      subsystems: Array.from({ length: 501 }, (_, i) => ({ name: `p${i}`, files: 1, lines: i })),
      dsm: [],
    })
    const large = pasReport({
      subsystems: Array.from({ length: 150 }, (_, i) => ({ name: `p${i}`, files: 1, lines: i })),
      dsm: Array.from({ length: 150 }, (_, i) => Array.from({ length: 150 }, (_, j) => (i + j) % 3)),
    })
    for (const report of [emptyReport(), one, many, large]) {
      const html = sayHtml(pasAssessment(report))
      checkTags(html)
      expect(html).not.toMatch(/NaN|Infinity|undefined|null/)
    }
    expect(sayHtml(pasAssessment(large))).toContain('50 smaller ones are left out')
    expect(sayHtml(pasAssessment(many))).toContain('too many parts for a matrix')
  })

  it('tells how it stands to the baseline and what changed', () => {
    const changes: Partial<Assessment> = {
      verdict: {
        passed: false,
        failures: [{ code: 'NEW_SCC', message: '2 files form a new cycle: a, b.', files: ['a', 'b'] }],
        score: 0.8,
        before: 0.9,
        left_out: [],
      },
      since: { rev: 'main', changed: ['a'], affected: ['b', 'c'] },
    }
    const html = sayHtml(pasAssessment(pasReport(), changes))
    checkTags(html)
    expect(html).toContain('2 files form a new cycle: a, b.')
    const verdict = { ...(changes.verdict as GateVerdict), left_out: ['stability' as const] }
    const less = sayHtml(pasAssessment(pasReport(), { verdict }))
    checkTags(less)
    expect(less).toContain(
      'Compared without stability, which is not defined here (there is no history to look at): 0.800, −0.100 from the baseline’s 0.900.',
    )
    expect(less.match(/from the baseline/g)).toHaveLength(1)
    expect(html).toContain('−0.100 from the baseline’s 0.900')
    expect(html).toContain('1 file changed since main; 2 others can reach it through imports.')
  })

  it('tells what a step brings, and a small gain as one', () => {
    const slight = { ...(pasReport().advice[0] as PasReport['advice'][0]), gain: 0.0002, breaks: 'api/a.ts' }
    const html = sayHtml(pasAssessment(pasReport({ advice: [...pasReport().advice, slight] })))
    checkTags(html)
    expect(html).toContain('<b>+0.041</b>')
    expect(html).toContain('(then 0.853)')
    expect(html).toContain('<b>&#60;0.001</b>')
    expect(html).toContain('(it changes the score by less than 0.001)')
  })

  it('shows every name as text', () => {
    const name = fc.oneof(
      codePoints({ minLength: 1, maxLength: 40 }),
      fc.constantFrom(
        '</title><script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' onload='x",
        '<!--',
      ),
    )
    fc.assert(
      fc.property(name, name, (one, other) => {
        const html = sayHtml(
          pasAssessment(
            pasReport({
              sccs: [pasScc([one, other, 'c'])],
              subsystems: [one, other, 'c'].map(name => ({ name, files: 1, lines: 100 })),
              unresolved: [{ file: one, line: 1, specifier: other }],
              warnings: [{ code: 'BINARY_FILE', path: one, message: other }],
              advice: [
                { what: one, places: [{ file: one, line: 1, to: other }], score_then: 0.9, gain: 0.1 },
              ],
            }),
            { title: one, since: { rev: other, changed: [], affected: [] } },
          ),
        )
        checkTags(html)
        expect(html).not.toMatch(/<script|<img|<!--/)
        for (const [tag] of html.matchAll(/<[^>]*>/g))
          expect(tag.replace(/"[^"]*"/g, '""')).not.toMatch(/\son\w+=/)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the picture of the history', () => {
  it('ends with the score of now, once', () => {
    const points = (picture: string) => picture.match(/<circle/g)?.length ?? 0
    expect(points(historyPicture(HISTORY, pasReport()))).toBe(4)
    const told = { at: '2026-11-04T00:00:00Z', score: pasReport().score, tree: pasReport().ids.tree }
    expect(points(historyPicture([...HISTORY, told], pasReport()))).toBe(4)
    expect(historyPicture([], pasReport())).toBe('')
    expect(points(historyPicture([told], pasReport()))).toBe(1)
  })

  it('has every score inside', () => {
    const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(scores, scores => {
        const history = scores.map((score, i) => ({ at: '2026-01-01', score, tree: String(i) }))
        const picture = historyPicture(history, pasReport())
        for (const [, x, y] of picture.matchAll(/cx="([^"]*)" cy="([^"]*)"/g)) {
          expect(Number(x)).toBeGreaterThanOrEqual(40)
          expect(Number(x)).toBeLessThanOrEqual(1072 - 56)
          expect(Number(y)).toBeGreaterThanOrEqual(12)
          expect(Number(y)).toBeLessThanOrEqual(160 - 24)
        }
      }),
    )
  })
})
