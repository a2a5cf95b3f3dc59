/** Trees that are against being scored, each given to the program itself: it names what is in the way and goes on. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PasReport } from '../health/shm/report.ts'
import { NODE_FLAGS } from './support/program.ts'

const SHM = join(import.meta.dirname, '../shm.ts')

/** The rights by which root reads what nobody may read. */
const RIGHTS = '-dac_override,-dac_read_search'
const WITHOUT_RIGHTS = ['setpriv', `--bounding-set=${RIGHTS}`, `--inh-caps=${RIGHTS}`]

let scratch: string
let tree: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tokenscope-hostile-'))
  tree = join(scratch, 'tree')
  write({ 'a/one.ts': "import '../b/two.ts'\n", 'b/two.ts': '\n' })
})
// Paths as deep as some of these only rm can remove.
afterEach(() => void execFileSync('rm', ['-rf', scratch]))

function write(files: Record<string, string | Uint8Array>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), content)
  }
}

function git(cwd: string, ...args: string[]): void {
  const name = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'init.defaultBranch=main']
  execFileSync('git', [...name, ...args], { cwd, stdio: 'ignore' })
}

interface Run {
  before?: readonly string[]
  node?: readonly string[]
  env?: NodeJS.ProcessEnv
  folder?: string
}

/** The report of the tree with its warnings as `CODE path`; whatever else the program says is a failure. */
async function scored({ before = [], node = [], env = {}, folder = tree }: Run = {}) {
  const line = [...before, process.execPath, ...NODE_FLAGS, ...node, SHM, folder, '--json']
  const child = spawn(line[0] as string, line.slice(1), {
    cwd: scratch,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', data => {
    said.stdout += data
  })
  child.stderr.on('data', data => {
    said.stderr += data
  })
  const [code] = await once(child, 'close')
  expect([code, said.stderr]).toEqual([0, ''])
  const report: PasReport = JSON.parse(said.stdout)
  return {
    report,
    warnings: report.warnings.map(({ code, path }) => (path === null ? code : `${code} ${path}`)),
  }
}

/** Whether somebody who has no right to may be had here: anyone but root, or root without its rights. */
function stranger(): readonly string[] | null {
  const folder = mkdtempSync(join(tmpdir(), 'tokenscope-shut-'))
  try {
    chmodSync(folder, 0)
    const isShutOut = (before: readonly string[]) => {
      const [command, ...args] = [...before, 'ls', folder]
      const { status, error, stderr } = spawnSync(command as string, args, { encoding: 'utf8' })
      return error === undefined && status !== 0 && stderr.includes(folder)
    }
    return [[], WITHOUT_RIGHTS].find(isShutOut) ?? null
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const STRANGER = stranger()

describe('pnpm shm names, and goes on', () => {
  it('links that lead back to where they are', async () => {
    symlinkSync('..', join(tree, 'a/up'))
    symlinkSync('self', join(tree, 'self'))
    symlinkSync('/', join(tree, 'b/top.ts'))
    symlinkSync('pong', join(tree, 'ping'))
    symlinkSync('ping', join(tree, 'pong'))
    const { report, warnings } = await scored()
    expect(warnings).toEqual(
      ['NO_GIT'].concat(['a/up', 'b/top.ts', 'ping', 'pong', 'self'].map(path => `LINK_LOOP ${path}`)),
    )
    expect(report.counts).toMatchObject({ files: 2, edges: 1 })
  })

  it('a file of 50 MB, of text or of nothing', async () => {
    write({ 'a/large.ts': "import './one.ts'\n".repeat(2_900_000), 'b/hole.ts': '' })
    truncateSync(join(tree, 'b/hole.ts'), 50 * 1024 * 1024)
    const { report, warnings } = await scored()
    expect(warnings).toEqual(['NO_GIT', 'TOO_LARGE a/large.ts', 'BINARY_FILE b/hole.ts'])
    expect(report.counts).toMatchObject({ files: 4, edges: 1, lines: 2_900_002 })
  })

  it('what is binary and named .ts, and what is not UTF-8', async () => {
    const bytes = Uint8Array.from({ length: 4096 }, (_, i) => (i * 37) % 256)
    const latin = Buffer.from("import './one.ts' // caf\xe9\n", 'latin1')
    write({
      'a/binary.ts': bytes,
      'a/latin.ts': latin,
      'b/latin.py': latin,
      'b/cut.go': Buffer.from('\xe2\x82', 'latin1'),
    })
    const { report, warnings } = await scored()
    expect(warnings).toEqual([
      'NO_GIT',
      'BINARY_FILE a/binary.ts',
      'INVALID_UTF8 a/latin.ts',
      'INVALID_UTF8 b/cut.go',
      'INVALID_UTF8 b/latin.py',
    ])
    // What can be read of it is read.
    expect(report.counts).toMatchObject({ files: 6, edges: 2 })
  })

  it('folders 10,000 deep', async () => {
    const program = `import os, sys
os.chdir(sys.argv[1])
for i in range(10000):
    if i % 100 == 0: open('x.ts', 'w').close()
    os.mkdir('d')
    os.chdir('d')`
    execFileSync('python3', ['-c', program, tree])
    const { report, warnings } = await scored()
    expect(report.counts.files).toBeGreaterThan(10)
    expect(new Set(warnings.map(text => text.split(' ')[0]))).toEqual(new Set(['NO_GIT', 'TOO_DEEP']))
  })

  it.skipIf(STRANGER === null)(
    'folders and files that it may not read (here root has all rights)',
    async () => {
      write({ 'shut/three.ts': '\n', 'a/shut.ts': '\n', 'b/.gitignore': '*.ts\n', 'b/package.json': '{}' })
      const shut = ['shut', 'a/shut.ts', 'b/.gitignore', 'b/package.json'].map(path => join(tree, path))
      for (const path of shut) chmodSync(path, 0)
      const { report, warnings } = await scored({ before: STRANGER ?? [] })
      expect(warnings).toEqual([
        'NO_GIT',
        'UNREADABLE_FILE a/shut.ts',
        'UNREADABLE_FILE b',
        'UNREADABLE_FILE b/package.json',
        'UNREADABLE_FOLDER shut',
      ])
      expect(report.counts).toMatchObject({ files: 2, edges: 1 })
    },
  )

  it('files and folders that vanish while it scans, and while it reads', async () => {
    write({ 'a/listed.ts': '\n', 'a/read.ts': '\n', 'b/read.ts': '\n', 'gone/x.ts': '\n' })
    // What others do meanwhile, at the moments at which it matters: by the call, the end of its path, and what goes then.
    const moments = {
      readdirSync: [
        ['/tree/', 'gone'],
        ['/tree/a', 'a/listed.ts'],
      ],
      // Whichever is read first, the other one is gone.
      openSync: [
        ['/a/read.ts', 'b/read.ts'],
        ['/b/read.ts', 'a/read.ts'],
      ],
    }
    const preload = join(scratch, 'vanish.mjs')
    writeFileSync(
      preload,
      `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
for (const [call, moments] of Object.entries(${JSON.stringify(moments)})) {
  const original = fs[call]
  fs[call] = (path, ...rest) => {
    const found = original(path, ...rest)
    for (const [end, gone] of moments)
      if (String(path).endsWith(end)) fs.rmSync(${JSON.stringify(tree)} + '/' + gone, { recursive: true })
    return found
  }
}
syncBuiltinESMExports()
`,
    )
    const { report, warnings } = await scored({ node: ['--import', pathToFileURL(preload).href] })
    expect(warnings).toEqual([
      'NO_GIT',
      'VANISHED_FILE a/listed.ts',
      expect.stringMatching(/^VANISHED_FILE [ab]\/read\.ts$/),
      'VANISHED_FILE gone',
    ])
    expect(report.counts).toMatchObject({ files: 3, edges: 1 })
  })

  it('a shallow clone, of which the history is not told', async () => {
    git(tree, 'init')
    git(tree, 'add', '.')
    git(tree, 'commit', '-m', 'one')
    write({ 'a/one.ts': "\nimport '../b/two.ts'\n" })
    git(tree, 'commit', '-am', 'two')
    git(scratch, 'clone', '--depth', '1', pathToFileURL(tree).href, 'shallow')
    const whole = await scored()
    expect([whole.warnings, whole.report.counts.commits]).toEqual([[], 2])
    const shallow = await scored({ folder: join(scratch, 'shallow') })
    expect(shallow.warnings).toEqual(['SHALLOW_CLONE'])
    expect(shallow.report.dimensions.stability).toMatchObject({ value: null, weight: 0 })
    expect(shallow.report.dimensions.coupling).toMatchObject({
      ...whole.report.dimensions.coupling,
      weight: expect.any(Number),
    })
  })

  it('no repository, one without a commit, a broken one, and no git at all', async () => {
    const messageOf = async (run?: Run) => {
      const { report, warnings } = await scored(run)
      expect(report.dimensions.stability.value).toBeNull()
      expect(report.counts.files).toBe(2)
      return [warnings, report.warnings[0]?.message]
    }
    expect(await messageOf()).toEqual([['NO_GIT'], expect.stringContaining('not a git repository')])
    git(tree, 'init')
    expect(await messageOf()).toEqual([['NO_HISTORY'], expect.stringContaining('no commit')])
    // Whatever is on the PATH, git is not.
    const bin = join(scratch, 'bin')
    mkdirSync(bin)
    symlinkSync('/usr/bin/env', join(bin, 'env'))
    expect(await messageOf({ env: { PATH: bin } })).toEqual([
      ['NO_GIT'],
      expect.stringContaining('git is not installed'),
    ])
    writeFileSync(join(tree, '.git/HEAD'), 'nothing that git knows')
    expect(await messageOf()).toEqual([['NO_GIT'], expect.any(String)])
  })

  it('a tree with nothing in it', async () => {
    rmSync(tree, { recursive: true })
    mkdirSync(join(tree, 'empty/er'), { recursive: true })
    write({ 'README.md': '# Nothing\n' })
    const { report, warnings } = await scored()
    expect(warnings).toEqual(['NO_GIT', 'NO_SOURCES'])
    expect([report.score, report.status, report.counts.files]).toEqual([null, null, 0])
  })

  it('what is no file, and names that no one would give', async () => {
    execFileSync('mkfifo', [join(tree, 'pipe.ts'), join(tree, 'a/package.json')])
    mkdirSync(join(tree, 'folder.ts'))
    write({ 'b/\n\x1b[2J\u202e.ts': '\n', 'b/a\'b"c$(x).ts': '\n' })
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/a/`), Buffer.from([0xff]), Buffer.from('.ts')]), '')
    const { report, warnings } = await scored()
    expect(warnings).toEqual(['NO_GIT', 'VANISHED_FILE a/\ufffd.ts'])
    expect(report.counts.files).toBe(4)
  })
})
