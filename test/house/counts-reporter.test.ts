import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

// Inside the repository, so that the planted projects find Vitest; their files are named so that this
// repository's own run does not take them for its own.
const OUTPUT = join(import.meta.dirname, '../.output')
const VITEST = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs')
const REPORTER = join(import.meta.dirname, 'counts-reporter.ts')

const projects: string[] = []

afterEach(async () => {
  for (const project of projects.splice(0)) await rm(project, { recursive: true })
})

/** Runs Vitest on a project of these files and answers the lines of its output. */
async function runProject(files: Record<string, string>): Promise<{ code: number; lines: string[] }> {
  await mkdir(OUTPUT, { recursive: true })
  const project = await mkdtemp(join(OUTPUT, 'counts-'))
  projects.push(project)
  const test = { include: ['*.case.ts'], pool: 'forks', reporters: ['default', REPORTER] }
  await writeFile(join(project, 'vitest.config.ts'), `export default ${JSON.stringify({ test })}\n`)
  for (const [name, source] of Object.entries(files)) {
    await writeFile(
      join(project, name),
      `import { beforeAll, describe, expect, it } from 'vitest'\n${source}`,
    )
  }
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
  return new Promise(resolve => {
    const args = [VITEST, 'run', '--root', project]
    const child = execFile(process.execPath, args, { cwd: project, env }, (_error, stdout) => {
      resolve({ code: child.exitCode ?? -1, lines: stdout.trimEnd().split('\n') })
    })
  })
}

describe('the line at the end of a run', () => {
  it('counts tests, and a file that does not load as a failure, after naming what was skipped', async () => {
    const { code, lines } = await runProject({
      'some.case.ts': `
        it('adds', () => expect(1 + 1).toBe(2))
        describe('a group', () => {
          it('adds more', () => expect(2 + 2).toBe(4))
          it('cannot add', () => expect(2 + 2).toBe(5))
          it('draws', ctx => ctx.skip('no GPU here'))
        })`,
      'broken.case.ts': `throw new Error('does not load')`,
    })
    expect(lines.slice(-2)).toEqual([
      'skipped: some.case.ts > a group > draws: no GPU here',
      '2 passed, 2 failed',
    ])
    expect(code).toBe(1)
  })

  it('counts an error that nobody caught', async () => {
    const { code, lines } = await runProject({
      'some.case.ts': `
        it('adds', () => { void Promise.reject(new Error('nobody caught me')) })
        it.skip('is off', () => {})`,
    })
    expect(lines.slice(-2)).toEqual(['skipped: some.case.ts > is off', '1 passed, 1 failed'])
    expect(code).toBe(1)
  })

  it('counts a hook that fails once, and lists the tests that it kept from running', async () => {
    const { code, lines } = await runProject({
      'some.case.ts': `
        describe('a group', () => {
          beforeAll(() => { throw new Error('not today') })
          it('adds', () => {})
          it('subtracts', () => {})
        })`,
    })
    expect(lines.at(-1)).toBe('0 passed, 1 failed')
    expect(lines.slice(-3, -1)).toEqual([
      'skipped: some.case.ts > a group > adds',
      'skipped: some.case.ts > a group > subtracts',
    ])
    expect(code).toBe(1)
  })

  it('counts a process that dies, and the test that it left unfinished', async () => {
    const { code, lines } = await runProject({
      'some.case.ts': `it('dies', async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}) })`,
    })
    expect(lines.at(-1)).toBe('0 passed, 2 failed')
    expect(code).toBe(1)
  })

  it('is there when all is well', async () => {
    const { code, lines } = await runProject({ 'some.case.ts': `it('adds', () => expect(1 + 1).toBe(2))` })
    expect(lines.at(-1)).toBe('1 passed, 0 failed')
    expect(code).toBe(0)
  })
})
