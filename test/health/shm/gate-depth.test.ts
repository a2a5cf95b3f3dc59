/** A gate in clones of any depth: how many commits a clone has decides nothing but whether stability is compared. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Assessor } from '../../../health/shm/assess.ts'
import { BASELINE_FILE, readBaseline } from '../../../health/shm/baseline.ts'
import { Comparison } from '../../../health/shm/comparison.ts'
import type { Assessment } from '../../../health/shm/say/assessment.ts'
import { sayTerminal } from '../../../health/shm/say/terminal.ts'
import { Folder } from './scan/folder.ts'

const HEAD = 1_700_000_000
const AT = new Date('2026-11-22T10:00:00Z')
const BASE = { baseline: null, gate: true, writeBaseline: false, since: null }

let origin: Folder
let clones: Folder
beforeEach(() => {
  origin = new Folder()
  clones = new Folder()
  origin.git(['init', '-q'])
  const files = Array.from({ length: 12 }, (_, i) => `${'abc'[i % 3]}/${i}.ts`)
  for (const [i, file] of files.entries())
    origin.commit({ [file]: i === 0 ? '\n' : `import '../${files[i - 1]}'\n` }, HEAD)
})
afterEach(() => {
  origin[Symbol.dispose]()
  clones[Symbol.dispose]()
})

function cloned(name: string, ...options: string[]): string {
  origin.git(['clone', '-q', ...options, `file://${origin.path}`, join(clones.path, name)])
  return join(clones.path, name)
}

async function compared(root: string, keep = false): Promise<Assessment> {
  const assessor = new Assessor(root)
  try {
    const comparison = new Comparison(assessor, { ...BASE, root, writeBaseline: keep })
    const assessment = await comparison.of(await assessor.assess())
    if (keep) await comparison.keep(assessment, AT)
    return assessment
  } finally {
    await assessor.stop()
  }
}

/** The baseline in the origin. */
function kept(): string {
  return readFileSync(join(origin.path, BASELINE_FILE), 'utf8')
}

/** What is written of it, in one line. */
function said(assessment: Assessment): string {
  return sayTerminal(assessment, { width: 100, colour: false, big: false }).replace(/\s+/g, ' ')
}

describe('a gate', () => {
  it('of a baseline with stability compares the rest in a shallow clone, and says so', async () => {
    const whole = await compared(origin.path, true)
    expect(whole.report.dimensions.stability.value).not.toBeNull()
    origin.commit({ [BASELINE_FILE]: kept() }, HEAD)
    const shallow = await compared(cloned('shallow', '--depth', '1'))
    expect(shallow.report.warnings.map(({ code }) => code)).toEqual(['SHALLOW_CLONE'])
    expect(shallow.report.dimensions.stability.value).toBeNull()
    expect(shallow.verdict).toMatchObject({ passed: true, left_out: ['stability'] })
    expect(shallow.verdict?.score).toBe(shallow.verdict?.before)
    expect(shallow.verdict?.score).not.toBe(whole.report.score)
    expect(said(shallow)).toContain(
      'Compared without stability, which is not defined here (there is no history to look at): ',
    )
    const deep = await compared(cloned('deep'))
    expect(deep.verdict).toMatchObject({ passed: true, left_out: [], before: whole.report.score })
  })

  it('fails in a shallow clone as it does in a whole one', async () => {
    await compared(origin.path, true)
    origin.commit({ [BASELINE_FILE]: kept(), 'a/0.ts': "import '../b/1.ts'\n" }, HEAD)
    for (const root of [cloned('deep'), cloned('shallow', '--depth', '1')]) {
      const { verdict } = await compared(root)
      expect(verdict?.failures.map(({ code }) => code)).toEqual(['NEW_SCC', 'LOWER_SCORE'])
    }
  })

  it('of a baseline out of a shallow clone compares the rest in a whole one, and says so', async () => {
    const shallow = cloned('shallow', '--depth', '1')
    await compared(shallow, true)
    const deep = cloned('deep')
    const baseline = await readBaseline(join(shallow, BASELINE_FILE))
    expect(baseline?.dimensions.stability).toBeNull()
    writeFileSync(join(deep, BASELINE_FILE), JSON.stringify(baseline))
    const assessment = await compared(deep)
    expect(assessment.verdict).toMatchObject({ passed: true, left_out: ['stability'] })
    expect(assessment.verdict?.score).toBe(baseline?.score)
    expect(said(assessment)).toContain('Compared without stability, which the baseline is without: ')
  })

  it('looks at no commits where the project says so', async () => {
    const crossing = (i: number) => origin.commit({ 'a/0.ts': `\n// ${i}\n`, 'b/1.ts': `\n// ${i}\n` }, HEAD)
    crossing(0)
    await compared(origin.path, true)
    for (let i = 1; i < 30; i++) crossing(i)
    const failed = await compared(origin.path)
    expect(failed.verdict?.failures.map(({ code }) => code)).toEqual(['LOWER_SCORE'])
    origin.write({ 'pas.config.json': '{"gate_stability": false}' })
    const passed = await compared(origin.path)
    expect(passed.verdict).toMatchObject({ passed: true, left_out: ['stability'] })
    await compared(origin.path, true)
    const baseline = await readBaseline(join(origin.path, BASELINE_FILE))
    expect(baseline?.dimensions.stability).toBeNull()
    expect(baseline?.score).toBe(passed.verdict?.score)
    // What was told at the time stays in the history.
    expect(baseline?.history.at(-1)?.score).toBe(passed.report.score)
  })
})
