/** The report as SARIF, held to the schema of SARIF 2.1.0. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { Compile } from 'typebox/schema'
import { describe, expect, it } from 'vitest'
import type { PasReport } from '../../../../health/shm/report.ts'
import { saySarif } from '../../../../health/shm/say/sarif.ts'
import { codePoints } from '../../../support/code-points.ts'
import { emptyReport, pasAssessment, pasReport, pasScc } from '../../../support/pas-report.ts'

const SCHEMA = join(
  import.meta.dirname,
  '../../../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
)

/** One pattern of it (of a language tag) has a bracket that closes nothing: JavaScript takes it only without its `u` flag. */
const repaired = (key: string, value: unknown) =>
  key === 'pattern' && typeof value === 'string' ? value.replace(/(?<=\{2\})\](?=\?\$$)/, '\\]') : value

const schema = Compile(JSON.parse(readFileSync(SCHEMA, 'utf8'), repaired))

const logOf = (report: PasReport) => JSON.parse(saySarif(pasAssessment(report)))

function faults(log: unknown): string[] {
  const [, errors] = schema.Errors(log)
  return errors.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)
}

const NAME = codePoints({ minLength: 1, maxLength: 30 })

describe('a report as SARIF', () => {
  it('is what the schema asks for, of whatever it tells', () => {
    for (const report of [pasReport(), emptyReport()]) expect(faults(logOf(report))).toEqual([])
    const warnings = fc.array(
      fc.record({
        code: fc.constantFrom('BINARY_FILE' as const, 'LINK_LOOP' as const),
        path: fc.option(NAME),
        message: NAME,
      }),
      { maxLength: 3 },
    )
    const line = fc.integer({ min: 1, max: 1e6 })
    const place = fc.record({ file: NAME, line })
    const report = fc
      .tuple(
        fc.uniqueArray(NAME, { minLength: 2, maxLength: 20 }),
        place,
        fc.tuple(NAME, NAME, NAME),
        fc.double({ min: -0.1, max: 0.5, noNaN: true }),
        warnings,
      )
      .map(([files, one, [to, part, what], gain, warnings]) => {
        const edge = { from_subsystem: part, to_subsystem: part, from_instability: 0, to_instability: 1 }
        return pasReport({
          sccs: [pasScc(files)],
          worst_edges: [{ ...one, to, ...edge }],
          unresolved: [{ ...one, specifier: to }],
          advice: [
            { what, places: [{ ...one, to }], score_then: 0.5, gain, breaks: files.toSorted()[0] as string },
          ],
          warnings,
        })
      })
    fc.assert(
      fc.property(report, report => {
        expect(faults(logOf(report))).toEqual([])
      }),
    )
  })

  it('would not be if something in it were wrong', () => {
    // biome-ignore lint/suspicious/noExplicitAny: what is spoilt here is not meant to have a type any more.
    const wrongs: [fault: string, spoil: (log: any) => void][] = [
      ['/version enum', log => Object.assign(log, { version: '2.0.0' })],
      ['/runs/0 required', ({ runs: [run] }) => delete run.tool],
      ['/runs/0/results/0/level enum', ({ runs: [run] }) => Object.assign(run.results[0], { level: 'bad' })],
      [
        '/runs/0/results/0 additionalProperties',
        ({ runs: [run] }) => Object.assign(run.results[0], { other: 1 }),
      ],
      [
        '/runs/0/results/0/locations/0/physicalLocation/region/startLine minimum',
        ({ runs: [run] }) =>
          Object.assign(run.results[0].locations[0].physicalLocation.region, { startLine: 0 }),
      ],
      [
        '/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri format',
        ({ runs: [run] }) =>
          Object.assign(run.results[0].locations[0].physicalLocation.artifactLocation, { uri: 'a b' }),
      ],
    ]
    for (const [fault, spoil] of wrongs) {
      const log = logOf(pasReport())
      spoil(log)
      expect(faults(log)).toContain(fault)
    }
  })

  it('says in the result of a cycle how to end it', () => {
    const advice = [
      { what: 'Remove it.', places: [], score_then: 0.8123, gain: 0.0002, breaks: 'core/x.ts' },
      ...pasReport().advice,
    ]
    const [one, other] = logOf(pasReport({ advice })).runs[0].results
    expect(one.properties.advice).toEqual([])
    expect(other.properties.advice).toEqual(advice.slice(0, 1))
    expect(other.message.text).toMatch(/ Remove it\. \(it changes the score by less than 0\.001\)$/)
  })
})
