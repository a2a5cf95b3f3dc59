import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMetrics, type Metrics } from '../../../../health/metrics.ts'
import { Assessor } from '../../../../health/shm/assess.ts'
import { baselineOf, writeBaseline } from '../../../../health/shm/baseline.ts'
import {
  StructureMonitor,
  type StructureMonitorOptions,
} from '../../../../health/shm/monitor/structure-monitor.ts'
import type { PasReport } from '../../../../health/shm/report.ts'
import { soon } from '../../../support/soon.ts'
import { Folder } from '../scan/folder.ts'

const ENDING = new URL('./ending-thread.ts', import.meta.url)

let tree: Folder
let data: string
let metrics: Metrics
let said: string[]
let monitors: StructureMonitor[]
beforeEach(() => {
  tree = new Folder().write({ 'a/one.ts': "import '../b/two.ts'\n", 'b/two.ts': '\n' })
  data = mkdtempSync(join(tmpdir(), 'tokenscope-monitor-'))
  metrics = createMetrics()
  said = []
  monitors = []
})
afterEach(async () => {
  await Promise.all(monitors.map(one => one.stop()))
  tree[Symbol.dispose]()
  rmSync(data, { recursive: true, force: true })
})

async function started(options: Partial<StructureMonitorOptions> = {}): Promise<StructureMonitor> {
  const monitor = new StructureMonitor({
    root: tree.path,
    data,
    meter: metrics,
    say: (level, sentence) => said.push(`${level}: ${sentence}`),
    graceMs: 0,
    ...options,
  })
  monitors.push(monitor)
  await monitor.start()
  return monitor
}

/** Waits until a monitor has a state, and a report of which this holds. */
async function settled(
  monitor: StructureMonitor,
  check: (report: PasReport | null) => void = () => {},
  state = 'ready',
): Promise<PasReport | null> {
  return soon(() => {
    const { json, standing } = monitor.answer
    const report = json === null ? null : (JSON.parse(Buffer.from(json).toString()) as PasReport)
    expect(standing).toMatchObject({ state, progress: null })
    check(report)
    return report
  })
}

const edges = (count: number) => (report: PasReport | null) => expect(report?.counts.edges).toBe(count)
const cycles = (count: number) => (report: PasReport | null) => expect(report?.sccs.length).toBe(count)
const closeCycle = () => tree.write({ 'b/two.ts': "import '../a/one.ts'\n" })

describe('a monitor', () => {
  test('scores the tree at the start as the program does, and tells the metrics', async () => {
    const monitor = await started()
    expect(monitor.answer).toMatchObject({
      json: null,
      standing: { root: tree.path, state: 'scanning', watching: false, scanned_at: null, history: [] },
    })
    expect(monitor.report().detail).toBe(`${tree.path} is being scored.`)
    const begun = Date.now() / 1000
    const report = await settled(monitor, edges(1))
    const assessor = new Assessor(tree.path)
    const expected = await assessor.assess()
    await assessor.stop()
    expect({ ...report, duration_ms: 0 }).toEqual({ ...expected, duration_ms: 0 })
    const { standing } = monitor.answer
    expect(standing.scanned_at).toBeGreaterThanOrEqual(begun - 1)
    expect(standing.history).toEqual([{ at: standing.scanned_at, score: expected.score }])
    const text = await metrics.text()
    expect(text).toContain(`tokenscope_pas_score ${expected.score}\n`)
    expect(text).toContain('tokenscope_pas_dimension{name="symmetry"} 1\n')
    expect(text).toContain('tokenscope_pas_dimension{name="stability"} Nan\n')
    expect(monitor.report()).toMatchObject({
      name: 'structure',
      status: 'ok',
      detail: expect.stringMatching(/ has a PAS of 0\.\d{3} \(\w+\): 2 files, no import cycles\.$/),
    })
  })

  test('has no score among the metrics before there is one', async () => {
    expect(await metrics.text()).not.toMatch(/^tokenscope_pas_score /m)
  })

  test('sees what changes while somebody watches, and only then', async () => {
    const monitor = await started()
    await settled(monitor, cycles(0))
    closeCycle()
    monitor.attend(true)
    await settled(monitor, cycles(1))
    expect(monitor.answer.standing.watching).toBe(true)
    tree.write({ 'b/two.ts': '// none\n' })
    const between = await settled(monitor, cycles(0))

    monitor.attend(false)
    await soon(() => expect(monitor.answer.standing.watching).toBe(false))
    closeCycle()
    monitor.scan()
    await settled(monitor, cycles(1))
    // A second look of who comes back finds what was changed meanwhile.
    tree.write({ 'b/two.ts': '// none\n' })
    monitor.attend(true)
    const after = await settled(monitor, cycles(0))
    expect({ ...after, duration_ms: 0 }).toEqual({ ...between, duration_ms: 0 })
    expect(monitor.answer.standing.history).toHaveLength(5)
  })

  test('goes on watching where who watched comes back in time', async () => {
    const monitor = await started({ graceMs: 60_000 })
    monitor.attend(true)
    await settled(monitor, cycles(0))
    monitor.attend(false)
    closeCycle()
    await settled(monitor, cycles(1))
    monitor.attend(true)
    expect(monitor.answer.standing.watching).toBe(true)
  })

  test('has a report also where who watched left during the first scan', async () => {
    const monitor = await started()
    monitor.attend(true)
    monitor.attend(false)
    await settled(monitor, edges(1))
  })

  test('gives each answer that differs a revision of its own', async () => {
    const monitor = await started()
    const revisions = [monitor.answer.revision]
    await settled(monitor, edges(1))
    revisions.push(monitor.answer.revision)
    expect(monitor.answer.revision).toBe(revisions[1])
    monitor.scan()
    revisions.push(monitor.answer.revision)
    expect(new Set(revisions).size).toBe(3)
    await settled(monitor)
  })

  test('tells the scores of the baseline before its own, and what the gate says', async () => {
    const assessor = new Assessor(tree.path)
    const report = await assessor.assess()
    await assessor.stop()
    await writeBaseline(join(tree.path, 'pas.baseline.json'), baselineOf(report, null, new Date(5000)))
    closeCycle()
    const monitor = await started()
    const told = (await settled(monitor, cycles(1))) as PasReport & { gate: { passed: boolean } }
    expect(told.gate.passed).toBe(false)
    expect(monitor.answer.standing.history.map(({ score }) => score)).toEqual([report.score, told.score])
  })

  test('names a baseline that is none, and scores all the same', async () => {
    tree.write({ 'pas.baseline.json': '{' })
    const monitor = await started()
    await settled(monitor, edges(1))
    expect(monitor.answer.standing.trouble).toContain('pas.baseline.json is not JSON')
    expect(monitor.report().status).toBe('degraded')
  })

  test('goes on with the history of the run before', async () => {
    const first = await started()
    await settled(first, edges(1))
    await first.stop()
    closeCycle()
    const second = await started()
    await settled(second, cycles(1))
    const [before, after] = [first.answer.standing, second.answer.standing]
    expect(after.history).toEqual([...before.history, { at: after.scanned_at, score: expect.any(Number) }])
  })
})

describe('what goes wrong', () => {
  test('a folder that is not there, or a file, stops the start', () => {
    const options = { data, meter: metrics, say: () => {} }
    expect(() => new StructureMonitor({ ...options, root: join(tree.path, 'none') })).toThrow(
      `--shm ${tree.path}/none: the folder is not there.`,
    )
    expect(() => new StructureMonitor({ ...options, root: join(tree.path, 'a/one.ts') })).toThrow(
      'is not a folder',
    )
  })

  test('a configuration that is wrong is named, and made right while somebody watches', async () => {
    tree.write({ 'pas.config.json': '{' })
    const monitor = await started()
    await settled(monitor, report => expect(report).toBe(null), 'failed')
    expect(monitor.answer.standing.trouble).toContain('pas.config.json')
    expect(monitor.report()).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('pas.config.json'),
    })
    tree.write({ 'pas.config.json': '{}' })
    monitor.attend(true)
    await settled(monitor, edges(1))
    tree.write({ 'pas.config.json': '[' })
    await settled(monitor, edges(1), 'failed')
    tree.write({ 'pas.config.json': '{}' })
    await settled(monitor, edges(1))
    expect(monitor.answer.standing.trouble).toBe(null)
  })

  test('a tree that goes is named, and scored again when it is back', async () => {
    const monitor = await started()
    monitor.attend(true)
    await settled(monitor, edges(1))
    // It may be scored once more when half of it is gone.
    rmSync(tree.path, { recursive: true })
    await settled(monitor, () => {}, 'failed')
    expect(monitor.answer.standing.trouble).toContain(tree.path)
    tree.write({ 'c/three.ts': '\n' })
    await settled(monitor, edges(0))
    // It is another folder than the one that was listened in.
    tree.write({ 'd/four.ts': "import '../c/three.ts'\n" })
    await settled(monitor, edges(1))
  })

  test('a thread that ends is started once more', async () => {
    tree.write({ 'ends-once': '' })
    const monitor = await started({ thread: ENDING })
    await settled(monitor, edges(1))
    expect(said.join('\n')).toContain('a defect')
    expect(monitor.answer.standing.trouble).toBe(null)
  })

  test('one that ends again is named, until somebody asks', async () => {
    tree.write({ ends: '' })
    const monitor = await started({ thread: ENDING })
    monitor.attend(true)
    await settled(monitor, report => expect(report).toBe(null), 'failed')
    await soon(() => expect(monitor.answer.standing.watching).toBe(false))
    expect(monitor.answer.standing.trouble).toBe('What scores it broke off: it ended with 3.')
    rmSync(join(tree.path, 'ends'))
    monitor.scan()
    await settled(monitor, edges(1))
    // Who watched all the while sees changes again.
    expect(monitor.answer.standing.watching).toBe(true)
    closeCycle()
    await settled(monitor, cycles(1))
  })

  test('a stop in the middle of a scan leaves nothing behind', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [`m/f${i}.ts`, `import './f${i + 1}.ts'\n`]),
    )
    tree.write(files)
    const monitor = await started()
    monitor.attend(true)
    await monitor.stop()
    const { standing } = monitor.answer
    monitor.scan()
    monitor.attend(false)
    expect(monitor.answer.standing).toEqual(standing)
  })
})
