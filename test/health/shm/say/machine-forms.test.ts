import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PasReport } from '../../../../health/shm/report.ts'
import { narrowedTo } from '../../../../health/shm/say/assessment.ts'
import { sayDot } from '../../../../health/shm/say/dot.ts'
import { sayJson } from '../../../../health/shm/say/json.ts'
import { sayMermaid } from '../../../../health/shm/say/mermaid.ts'
import { saySarif } from '../../../../health/shm/say/sarif.ts'
import { codePoints } from '../../../support/code-points.ts'
import { emptyReport, pasAssessment, pasReport, pasScc } from '../../../support/pas-report.ts'

const NAME = codePoints({ minLength: 1, maxLength: 30 })

/** The same value with the keys of every object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, one]) => [key, shuffled(one)]),
  )
}

describe('a report as JSON', () => {
  it('is one line that holds all of it', () => {
    for (const report of [pasReport(), emptyReport()]) {
      const text = sayJson(pasAssessment(report))
      expect(text.indexOf('\n')).toBe(text.length - 1)
      expect(JSON.parse(text)).toEqual(report)
    }
  })

  it('has its keys in one order, whoever made it', () => {
    const report = shuffled(pasReport()) as PasReport
    expect(sayJson(pasAssessment(report))).toBe(sayJson(pasAssessment()))
    expect(Object.keys(JSON.parse(sayJson(pasAssessment())))).toEqual([
      'score',
      'status',
      'dimensions',
      'counts',
      'also',
      'sccs',
      'subsystems',
      'dsm',
      'worst_edges',
      'advice',
      'unresolved',
      'policy',
      'ids',
      'warnings',
      'duration_ms',
    ])
  })

  it('tells the gate and what changed if somebody asked', () => {
    const verdict = { passed: true, failures: [], score: 0.8, before: 0.8, left_out: [] }
    const since = { rev: 'HEAD~1', changed: ['core/x.ts'], affected: ['api/a.ts'] }
    const whole = pasAssessment(pasReport(), { verdict })
    const { gate, since: told, ...report } = JSON.parse(sayJson(narrowedTo(whole, since)))
    expect({ gate, told }).toEqual({ gate: verdict, told: since })
    expect(report.sccs).toEqual([pasScc(['core/x.ts', 'core/y.ts'])])
    expect([report.worst_edges, report.advice, report.unresolved]).toEqual([[], [], []])
    expect(report.counts).toEqual(pasReport().counts)
  })
})

describe('a report as SARIF', () => {
  const runOf = (report: PasReport) => JSON.parse(saySarif(pasAssessment(report))).runs[0]

  it('has a result for each cycle, worst import and unresolved one, each with its rule and place', () => {
    const { results, tool } = runOf(pasReport())
    const told = results.map((result: Record<string, unknown>) => {
      const [location] = result.locations as [{ physicalLocation: Record<string, Record<string, unknown>> }]
      const { artifactLocation, region } = location.physicalLocation
      expect(tool.driver.rules[result.ruleIndex as number].id).toBe(result.ruleId)
      return [result.ruleId, result.level, artifactLocation?.uri, region?.startLine]
    })
    expect(told).toEqual([
      ['import-cycle', 'error', 'api/a.ts', 1],
      ['import-cycle', 'error', 'core/x.ts', 1],
      ['unstable-import', 'warning', 'core/c.ts', 7],
      ['unresolved-import', 'note', 'tools/t.ts', 3],
    ])
    expect(results[0].message.text).toContain('api/a.ts:1 → api/b.ts:2 → core/c.ts:3 → api/a.ts')
    const flow = results[0].codeFlows[0].threadFlows[0].locations
    expect(
      flow.map((step: { location: { message: { text: string } } }) => step.location.message.text),
    ).toEqual(['imports api/b.ts', 'imports core/c.ts', 'imports api/a.ts'])
    for (const { help, fullDescription } of tool.driver.rules)
      expect(Math.min(help.text.length, fullDescription.text.length)).toBeGreaterThan(40)
  })

  it('knows a finding again, wherever it has moved to in its file', () => {
    const printOf = (line: number) =>
      runOf(pasReport({ unresolved: [{ file: 'a.ts', line, specifier: './b.ts' }] })).results.at(-1)
        .partialFingerprints
    expect(printOf(1)).toEqual(printOf(99))
    const prints = runOf(pasReport()).results.map((one: { partialFingerprints: object }) =>
      JSON.stringify(one.partialFingerprints),
    )
    expect(new Set(prints).size).toBe(prints.length)
  })

  it('writes every path as a URI that means it', () => {
    fc.assert(
      fc.property(NAME, name => {
        const { results } = runOf(pasReport({ sccs: [pasScc([`a b/${name}`, 'x'])] }))
        const { uri } = results[0].locations[0].physicalLocation.artifactLocation
        expect(new URL(uri, 'file:///root/').protocol).toBe('file:')
        expect(uri).not.toMatch(/[\s"<>\\^`{|}:?#]/)
        expect(decodeURIComponent(uri)).toBe(`a b/${name}`.toWellFormed())
      }),
    )
  })

  it('tells warnings as notifications', () => {
    expect(runOf(emptyReport()).invocations[0].toolExecutionNotifications).toEqual([
      { descriptor: { id: 'NO_SOURCES' }, level: 'warning', message: { text: 'There are no source files.' } },
    ])
  })
})

describe('the subsystems as a graph', () => {
  it('is written for Graphviz, cycles in a cluster of their own', () => {
    const lines = sayDot(pasAssessment()).split('\n')
    expect(lines[0]).toBe('digraph subsystems {')
    expect(lines).toContain('  n2 [label="tools\\n10 files, 1,000 lines"]')
    expect(lines).toContain(
      '    label="cycle of 2 parts"; color="#c4312b"; fontcolor="#c4312b"; style=dashed',
    )
    expect(lines.filter(line => line.includes('->')).map(line => line.trim().split(', penwidth')[0])).toEqual(
      ['n2 -> n0 [label="6"', 'n2 -> n1 [label="8"', 'n0 -> n1 [label="12"', 'n1 -> n0 [label="4"'],
    )
  })

  it('is written for Mermaid, cycles marked', () => {
    expect(sayMermaid(pasAssessment())).toBe(`---
title: "sample: PAS 0.812, warning"
---
flowchart TD
  n2["tools<br/>10 files"]
  n0["api<br/>30 files"]:::cycle
  n1["core<br/>40 files"]:::cycle
  n2 -->|6| n0
  n2 -->|8| n1
  n0 ==>|12| n1
  n1 ==>|4| n0
  classDef cycle stroke:#c4312b,stroke-width:2px
  linkStyle 2,3 stroke:#c4312b
`)
  })

  it('is one for an empty tree, too', () => {
    expect(sayDot(pasAssessment(emptyReport()))).toMatch(
      /^digraph subsystems \{\n[^\n]*PAS –, not scored[\s\S]*\}\n$/,
    )
    expect(sayMermaid(pasAssessment(emptyReport()))).toContain('flowchart TD\n')
  })

  it('lets no name out of its quotes', () => {
    fc.assert(
      fc.property(NAME, NAME, (one, other) => {
        const subsystems = [one, other, 'c'].map(name => ({ name, files: 1, lines: 1 }))
        const assessment = pasAssessment(pasReport({ subsystems }), { title: one })
        const dot = sayDot(assessment)
        // Without its quoted strings nothing is left but the grammar.
        expect(dot.replace(/"(?:[^"\\\n]|\\.)*"/g, '""')).toMatch(/^[\w\s{}[\]=;,.>"-]*$/)
        const boxes = sayMermaid(assessment)
          .split('\n')
          .filter(line => /^ {2}n\d\[/.test(line))
        expect(boxes).toHaveLength(3)
        for (const box of boxes)
          expect(box).toMatch(/^ {2}n\d\["[\p{L}\p{N} ./_#;-]*<br\/>1 file"\](:::cycle)?$/u)
      }),
    )
  })
})
