import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NODE_FLAGS, Program } from './support/program.ts'

const SHM = join(import.meta.dirname, '../shm.ts')

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tokenscope-shm-'))
  write({ 'a/one.ts': "import '../b/two.ts'\n", 'b/two.ts': '\n' })
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true })
    writeFileSync(join(scratch, path), content)
  }
}

const program = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  new Program(args, { program: 'shm.ts', cwd: scratch, env })

async function run(...args: string[]) {
  const one = program(args)
  const code = await one.exited
  return { code, stdout: one.stdout, stderr: one.stderr }
}

const CYCLE = { 'b/two.ts': "import '../a/one.ts'\n" }

describe('pnpm shm', () => {
  it('has a help, and says in one line what is wrong with its command line', async () => {
    const help = await run('--help')
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('Usage: pnpm shm [DIR] [options]')
    expect(Math.max(...help.stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
    const wrong: [args: string[], message: RegExp][] = [
      [['--colour'], /Unknown option --colour\. See --help\./],
      [['--json', '--html'], /--json and --html are forms of one report\. Choose one of them\./],
      [['a', 'b'], /"b" is one folder too many\. See --help\./],
      [['--threads', '0'], /--threads is "0"; it must be a whole number from 1 to 64, or auto\./],
      [['--json=yes'], /--json takes no value\./],
      [['--output'], /--output needs a value: the path of a file\./],
      [['--watch', '--gate'], /--watch does not end, and --gate is about the end\./],
      [['--watch', '--json'], /--watch writes --json anew with each change\. Say where with --output FILE\./],
      [['none'], /\S+none cannot be scored: .*ENOENT.*/],
      [['a/one.ts'], /\S+one\.ts cannot be scored: it is no folder\./],
      [['--gate'], /There is no baseline pas\.baseline\.json\. Make one with --write-baseline\./],
      [['--since', 'HEAD'], /"HEAD" is no revision that git knows.*/],
      [['--output', 'none/report.txt'], /none\/report\.txt cannot be written: ENOENT.*/],
    ]
    await Promise.all(
      wrong.map(async ([args, message]) => {
        const { code, stdout, stderr } = await run(...args)
        expect([args, code, stdout]).toEqual([args, 2, ''])
        expect(stderr).toMatch(new RegExp(`^shm: ${message.source}\\n$`))
      }),
    )
    expect(readdirSync(scratch).sort()).toEqual(['a', 'b'])
  })

  it('tells a bad pas.config.json and a bad baseline apart from a bad score', async () => {
    write({ 'pas.config.json': '{"subsystem": {}}' })
    expect(await run()).toMatchObject({ code: 2, stdout: '' })
    write({ 'pas.config.json': '{}', 'pas.baseline.json': '[]' })
    const { code, stderr } = await run('--gate')
    expect([code, stderr]).toEqual([
      2,
      'shm: pas.baseline.json is no baseline of this version. Write it anew with --write-baseline.\n',
    ])
  })

  it('writes for a person, plain where it is piped', async () => {
    const { code, stdout, stderr } = await run()
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^\n {2}PAS \d\.\d{3} {2}\w+\n {2}PAS of tokenscope-shm-\w+: 2 files · 2 lines · 2 parts · /,
    )
    expect(stdout).toContain('✓ No import cycles.')
    for (const control of ['\x1b', '\r']) expect(stdout).not.toContain(control)
  })

  it.each([
    ['--json', /^\{"score":/],
    ['--sarif', /^\{\n {2}"\$schema"/],
    ['--html', /^<!doctype html>/],
    ['--dot', /^digraph /],
    ['--mermaid', /^---\ntitle: /],
    ['--debug', /^PAS of /],
  ])('writes %s, to standard output or to a file', async (form, begin) => {
    const piped = await run(form)
    expect(piped).toMatchObject({ code: 0, stderr: '' })
    expect(piped.stdout).toMatch(begin)
    expect(piped.stdout.endsWith('\n')).toBe(true)
    const filed = await run(form, '--output', 'report', '--threads', '1', '--no-color')
    expect(filed).toEqual({ code: 0, stdout: '', stderr: '' })
    const timeless = (text: string) => text.replace(/"duration_ms":\d+|\d+\.\d\d s/g, '')
    expect(timeless(readFileSync(join(scratch, 'report'), 'utf8'))).toBe(timeless(piped.stdout))
  })

  it('is complete however slowly it is read', async () => {
    // Cycles of files with long names make a long report.
    const folder = `parts/${'x'.repeat(100)}`
    write(
      Object.fromEntries(
        Array.from({ length: 900 }, (_, i) => [
          `${folder}-${i % 3}/${'y'.repeat(80)}-${i}.ts`,
          `import '../${'x'.repeat(100)}-${(i + 1) % 3}/${'y'.repeat(80)}-${(i + 1) % 900}.ts'\n`,
        ]),
      ),
    )
    const child = spawn(process.execPath, [...NODE_FLAGS, SHM, '--json'], {
      cwd: scratch,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    await once(child.stdout, 'readable')
    let text = ''
    // A piece at a time, and something else in between.
    for (;;) {
      const piece: Buffer | null = child.stdout.read(Math.min(4096, child.stdout.readableLength || 1))
      if (piece !== null) text += piece
      else if (child.stdout.readableEnded) break
      await turn()
    }
    expect((await exited)[0]).toBe(0)
    expect(text.length).toBeGreaterThan(131_072)
    expect(text.endsWith('}\n')).toBe(true)
    expect(JSON.parse(text).sccs[0].size).toBe(900)
  })

  it('does not mind a reader who goes away', async () => {
    const child = spawn(process.execPath, [...NODE_FLAGS, SHM, '--html'], {
      cwd: scratch,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', data => {
      stderr += data
    })
    expect((await once(child, 'close'))[0]).toBe(0)
    expect(stderr).toBe('')
  })

  it('holds a tree to its baseline', async () => {
    const made = await run('--write-baseline', '--json')
    expect([made.code, made.stderr]).toEqual([0, '  baseline written: pas.baseline.json\n'])
    expect(await run('--gate')).toMatchObject({ code: 0, stderr: '' })
    write(CYCLE)
    const person = await run('--gate')
    expect([person.code, person.stderr]).toEqual([1, ''])
    expect(person.stdout).toContain('✗  2 files form a new cycle: a/one.ts, b/two.ts.')
    const machine = await run('--gate', '--json', '--write-baseline')
    expect(machine.code).toBe(1)
    expect(machine.stderr).toMatch(/^shm: 2 files form a new cycle: a\/one\.ts, b\/two\.ts\.\nshm: PAS is /)
    expect(JSON.parse(machine.stdout).gate.passed).toBe(false)
    // Without the gate it is written, and passed from then on.
    expect(await run('--write-baseline')).toMatchObject({ code: 0 })
    expect(await run('--gate', '--baseline', 'pas.baseline.json')).toMatchObject({ code: 0 })
    expect(JSON.parse(readFileSync(join(scratch, 'pas.baseline.json'), 'utf8')).history).toHaveLength(2)
    write({ 'c/three.ts': '\n' })
    const other = await run('--gate')
    expect([other.code, other.stdout]).toEqual([2, ''])
    expect(other.stderr).toMatch(/^shm: The baseline cannot be compared with: it has other parts\./)
  })

  it('watches until it is told to stop', async () => {
    const one = program(['--watch'])
    await one.written(/No import cycles\./)
    write(CYCLE)
    await one.written(/Import cycles: 2 files in 1 group/)
    one.child.kill('SIGINT')
    expect(await one.exited).toBe(0)
    expect(one.stderr).toBe('')
  })

  it('writes its file anew with each change', async () => {
    const one = program(['--watch', '--json', '--output', 'report.json'])
    const sccs = () => {
      try {
        return JSON.parse(readFileSync(join(scratch, 'report.json'), 'utf8')).sccs.length
      } catch {
        return null
      }
    }
    await expect.poll(sccs).toBe(0)
    write(CYCLE)
    await expect.poll(sccs).toBe(1)
    one.child.kill('SIGTERM')
    expect([await one.exited, one.stdout]).toEqual([0, ''])
  })
})
