/** What this project's own tree must hold. What commits touch is left out: a clone's depth decides what is known of it. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Assessor } from '../../../health/shm/assess.ts'
import { BASELINE_FILE } from '../../../health/shm/baseline.ts'
import { Comparison } from '../../../health/shm/comparison.ts'
import type { PasReport } from '../../../health/shm/report.ts'
import { meanOf } from '../../../health/shm/score/pas.ts'

const ROOT = join(import.meta.dirname, '../../..')

const assessor = new Assessor(ROOT)
let report: PasReport
beforeAll(async () => {
  report = await assessor.assess()
})
afterAll(() => assessor.stop())

describe('this project', () => {
  it('scores 0.90 or more over the four structural dimensions', () => {
    const { dimensions } = report
    const score = meanOf(name => (name === 'stability' ? null : dimensions[name].value))
    expect(report.counts.files).toBeGreaterThan(500)
    expect(score).toBeGreaterThanOrEqual(0.9)
  })

  it('has no import cycle, and no import that leads nowhere', () => {
    expect(report.sccs).toEqual([])
    expect(report.unresolved).toEqual([])
  })

  it('passes its gate, whatever is known of its commits', async () => {
    const comparison = new Comparison(assessor, {
      root: ROOT,
      baseline: join(ROOT, BASELINE_FILE),
      gate: true,
      writeBaseline: false,
      since: null,
    })
    const { verdict } = await comparison.of(report)
    expect(verdict?.failures).toEqual([])
    const told = report.dimensions.stability.value === null ? [] : ['stability']
    expect(verdict?.left_out).toEqual(told)
  })
})
