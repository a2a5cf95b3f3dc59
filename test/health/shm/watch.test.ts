import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Assessor } from '../../../health/shm/assess.ts'
import type { PasReport } from '../../../health/shm/report.ts'
import { Watch, type WatchOptions } from '../../../health/shm/watch.ts'

let root: string
let assessor: Assessor
let watches: Watch[]
let reports: PasReport[]
let errors: string[]
/** Calls of the assessor, each with the files it was told of; null: all. */
let asked: (readonly string[] | null)[]
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tokenscope-watch-'))
  assessor = new Assessor(root)
  watches = []
  reports = []
  errors = []
  asked = []
  write({ 'a/one.ts': "import '../b/two.ts'\n", 'b/two.ts': '\n', 'docs/read.md': '# Read\n' })
})
afterEach(async () => {
  await Promise.all(watches.map(one => one.stop()))
  await assessor.stop()
  rmSync(root, { recursive: true, force: true })
})

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}

async function started(options: Partial<WatchOptions> = {}, recursive?: boolean): Promise<Watch> {
  const assess = assessor.assess.bind(assessor)
  assessor.assess = options => {
    asked.push(options?.changed ?? null)
    return assess(options)
  }
  const onReport = (report: PasReport) => {
    reports.push(report)
  }
  const watch = new Watch(
    { assessor, root, onReport, onError: message => errors.push(message), ...options },
    recursive,
  )
  watches.push(watch)
  await watch.start()
  return watch
}

/** Waits for a report of which this holds. */
async function reported(what: (report: PasReport) => unknown, expected: unknown): Promise<void> {
  await expect.poll(() => reports.map(what).at(-1)).toEqual(expected)
}

const files = ({ counts }: PasReport) => counts.files
const sccs = ({ sccs }: PasReport) => sccs.map(({ files }) => files)

describe.each([
  ['folder by folder', false],
  ['all at once', true],
])('a watch, told by the system %s', (_, recursive) => {
  it('sees files change, come and go, and whole folders', async () => {
    await started({}, recursive)
    expect(reports.map(files)).toEqual([2])
    write({ 'b/two.ts': "import '../a/one.ts'\n" })
    await reported(sccs, [['a/one.ts', 'b/two.ts']])
    write({ 'b/three.ts': '\n' })
    await reported(files, 3)
    write({ 'c/deep/er/four.ts': '\n' })
    await reported(files, 4)
    write({ 'c/deep/er/four.ts': "import '../../../b/three.ts'\n" })
    await reported(({ counts }) => counts.edges, 3)
    renameSync(join(root, 'c/deep'), join(root, 'c/moved'))
    write({ 'c/moved/er/five.ts': '\n' })
    await reported(files, 5)
    rmSync(join(root, 'c'), { recursive: true })
    await reported(files, 3)
    write({ 'docs/example.py': '\n' })
    await reported(files, 4)
    expect(errors).toEqual([])
  })

  it('sees a file that is put in the place of another, as editors do', async () => {
    await started({}, recursive)
    write({ 'b/.two.ts.swp': "import '../a/one.ts'\n" })
    renameSync(join(root, 'b/.two.ts.swp'), join(root, 'b/two.ts'))
    await reported(sccs, [['a/one.ts', 'b/two.ts']])
  })
})

describe('a watch', () => {
  it('reads only what changed, and looks at everything only where it must', async () => {
    await started()
    asked.length = 0
    write({ 'b/two.ts': '\n\n\n' })
    await reported(({ counts }) => counts.lines, 4)
    expect(new Set(asked.flat())).toEqual(new Set(['b/two.ts']))
  })

  it('sees what the project says about itself, and what git ignores', async () => {
    await started()
    write({ 'pas.config.json': '{"subsystems": {"all": ["**"]}}' })
    await reported(({ policy }) => policy.partition, 'declared')
    write({ '.gitignore': '/b/\n' })
    execFileSync('git', ['init', '-q'], { cwd: root })
    write({ '.gitignore': '/b/\n/dist/\n' })
    await reported(files, 1)
  })

  it('tells what keeps it from a report, and the next one', async () => {
    await started()
    write({ 'pas.config.json': '{' })
    await expect.poll(() => errors.at(-1)).toMatch(/^pas\.config\.json is not JSON/)
    const before = reports.length
    rmSync(join(root, 'pas.config.json'))
    await expect.poll(() => reports.length).toBeGreaterThan(before)
    expect(reports.at(-1)?.counts.files).toBe(2)
  })

  it('tells no report twice, and none for what is not scored', async () => {
    await started()
    write({ 'docs/more.md': 'text', 'a/.hidden.ts': '\n', 'b/two.ts': '\n', 'a/style.css': 'a {}' })
    write({ 'b/two.ts': '\n\n' })
    await reported(({ counts }) => counts.lines, 3)
    expect(reports.map(({ counts }) => counts.lines)).toEqual([2, 3])
  })

  it('misses nothing that happens while it looks', async () => {
    let written = 0
    await started({
      onReport: report => {
        reports.push(report)
        if (written < 5) {
          written++
          write({ 'b/two.ts': '\n'.repeat(10 + written), [`b/more-${written}.ts`]: '\n' })
        }
      },
    })
    await reported(files, 7)
    await reported(({ subsystems }) => subsystems.find(({ name }) => name === 'b')?.lines, 20)
  })

  it('hears a folder that took the place of another one at once', async () => {
    await started()
    // As a checkout does it: nobody looks between both.
    rmSync(join(root, 'b'), { recursive: true })
    write({ 'b/two.ts': '\n\n' })
    await reported(({ subsystems }) => subsystems.find(({ name }) => name === 'b')?.lines, 2)
    write({ 'b/two.ts': '\n\n\n' })
    await reported(({ subsystems }) => subsystems.find(({ name }) => name === 'b')?.lines, 3)
  })

  it('tells a folder that went once, and scores the one that comes in its place', async () => {
    await started()
    rmSync(root, { recursive: true })
    await expect.poll(() => errors.length).toBe(1)
    write({ 'c/three.ts': '\n' })
    await reported(files, 1)
    write({ 'd/four.ts': '\n' })
    await reported(files, 2)
    expect(errors).toHaveLength(1)
  })

  it('does not begin where there is no folder', async () => {
    rmSync(root, { recursive: true })
    await expect(started()).rejects.toThrow(/cannot be scored/)
  })

  it('tells nothing after it was stopped', async () => {
    const watch = await started()
    const before = reports.length
    write({ 'b/two.ts': '\n\n\n\n' })
    await watch.stop()
    write({ 'b/two.ts': '\n' })
    const other = new Assessor(root)
    await other.assess()
    await other.stop()
    expect(reports).toHaveLength(before)
    expect(errors).toEqual([])
  })
})
