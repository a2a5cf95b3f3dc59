import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sizeText } from '../events/quantities.ts'
import { DataFolder } from '../server/data-folder.ts'
import { backupRecords } from '../store/backup/backup.ts'
import { restoreRecords } from '../store/backup/restore.ts'
import { Program } from './support/program.ts'
import { rounds } from './support/rounds.ts'
import { makeRecords, readRecords } from './support/sample-records.ts'

const WRITER = new URL('./support/sample-records-writer.ts', import.meta.url)
const KILLER = join(import.meta.dirname, 'support/kill-at-step.ts')

let scratch: string
let data: string
let file: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tokenscope-programs-'))
  data = join(scratch, 'data')
  file = join(scratch, 'backup.db')
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

/** Runs a program in the scratch folder to its end. */
async function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const one = new Program(args, { program: `${program}.ts`, cwd: scratch, env })
  const code = await one.exited
  return { code, stdout: one.stdout, stderr: one.stderr }
}

/** Waits until a process stands still. */
async function untilStopped(pid: number): Promise<void> {
  while (!/^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await turn()
}

describe.each(['backup', 'restore', 'replay'])('pnpm %s', name => {
  it('has a help, and says in one line what is wrong with its command line', async () => {
    const help = await run(name, ['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain(`Usage: pnpm ${name} FILE [options]`)
    expect(help.stdout).toContain('--data DIR')
    expect(Math.max(...help.stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
    const wrong: [args: string[], message: RegExp, env?: NodeJS.ProcessEnv][] = [
      [[], /It is not said which file: pnpm \w+ FILE\. See --help\./],
      [['--'], /It is not said which file/],
      [[file, '--colour', 'red'], /Unknown option --colour\. See --help\./],
      [[file, 'other.db'], /"other\.db" is one file too many\./],
      [[file, '--data'], /--data needs a value: the path of a folder\./],
      [[file], /Unknown environment variable TOKENSCOPE_COLOUR/, { TOKENSCOPE_COLOUR: 'red' }],
    ]
    await Promise.all(
      wrong.map(async ([args, message, env]) => {
        const { code, stdout, stderr } = await run(name, args, env)
        expect([code, stdout]).toEqual([1, ''])
        expect(stderr).toMatch(new RegExp(`^${name}: ${message.source}.*\\n$`))
      }),
    )
    expect(readdirSync(scratch)).toEqual([])
  })
})

describe('pnpm backup', () => {
  it('finds the data folder as a start does, and ends with a line of what it made', async () => {
    makeRecords(data, { generations: 2 })
    writeFileSync(join(scratch, 'tokenscope.config.json'), JSON.stringify({ data: 'nowhere', port: 1 }))
    const made = await run('backup', ['--', 'backup.db'], { TOKENSCOPE_DATA: data })
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const last = made.stdout.trimEnd().split('\n').at(-1)
    expect(last).toBe(`  backed up ${sizeText(statSync(file).size)}, 2 generations, 10 tokens: ${file}`)
    // Nothing of a terminal in what is piped.
    for (const control of ['\x1b', '\r']) expect(made.stdout).not.toContain(control)
    expect(readRecords(file)).toMatchObject({ generations: 2, integrity: 'ok' })
    const flag = await run('backup', ['backup.db', '--data', join(scratch, 'gone')], {
      TOKENSCOPE_DATA: data,
    })
    expect(flag).toMatchObject({ code: 1, stdout: '' })
    expect(flag.stderr).toBe(
      `backup: There are no records in ${join(scratch, 'gone')} to back up. Start Tokenscope once, or use --data for another folder.\n`,
    )
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends on %s with nothing left behind', async (signal, code) => {
    makeRecords(data, { generations: 100, bytes: 60_000 })
    mkdirSync(join(scratch, 'out'))
    const program = new Program([join(scratch, 'out', 'backup.db'), '--data', data], {
      program: 'backup.ts',
      node: ['--import', KILLER],
      env: { AT_STEP: 'progress 1', STEP_SIGNAL: signal },
    })
    expect(await program.exited).toBe(code)
    expect(program.stderr).toBe('backup: stopped; no backup was made.\n')
    expect(readdirSync(join(scratch, 'out'))).toEqual([])
    expect(readdirSync(data)).toEqual(['records.db'])
  })
})

describe('pnpm restore', () => {
  it('brings records to a machine that has nothing yet', async () => {
    makeRecords(join(scratch, 'lost'), { generations: 4 })
    await backupRecords({ folder: join(scratch, 'lost'), file })
    const deep = join(scratch, 'new', 'data')
    const restored = await run('restore', ['backup.db', '--data', deep])
    expect(restored).toMatchObject({ code: 0, stderr: '' })
    expect(restored.stdout.trimEnd().split('\n').at(-1)).toBe(
      `  restored ${sizeText(statSync(file).size)}, 4 generations, 20 tokens: ${deep}`,
    )
    expect(statSync(deep).mode & 0o777).toBe(0o700)
    expect(readRecords(join(deep, 'records.db'))).toMatchObject({ generations: 4, integrity: 'ok' })

    const again = await run('restore', ['backup.db', '--data', deep])
    expect(again.stdout).toMatch(/what was there before is kept: .*records\.before-restore-.*\.db\n$/)
  })

  it('is refused while a server runs, and makes no folder for what is no backup', async () => {
    makeRecords(data, { generations: 4 })
    await backupRecords({ folder: data, file })
    const server = new DataFolder(data)
    server.open()
    server.describe('http://127.0.0.1:8787')
    const refused = await run('restore', ['backup.db', '--data', data])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      new RegExp(
        `^restore: The data folder ${data} is in use by another Tokenscope \\(process ${process.pid}, `,
      ),
    )
    server.close()
    writeFileSync(join(scratch, 'letter.txt'), 'Dear Ada')
    const letter = await run('restore', ['letter.txt', '--data', join(scratch, 'none')])
    expect(letter.stderr).toMatch(/^restore: letter\.txt is not a backup of Tokenscope/)
    expect(existsSync(join(scratch, 'none'))).toBe(false)
  })

  it('keeps a server from starting meanwhile', async () => {
    makeRecords(data, { generations: 100, bytes: 60_000 })
    await backupRecords({ folder: data, file })
    const program = new Program([file, '--data', data], {
      program: 'restore.ts',
      node: ['--import', KILLER],
      env: { AT_STEP: 'progress 1', STEP_SIGNAL: 'SIGSTOP' },
    })
    await untilStopped(program.child.pid as number)
    const server = new DataFolder(data)
    expect(() => server.open()).toThrow(/is in use by another Tokenscope/)
    program.child.kill('SIGINT')
    program.child.kill('SIGCONT')
    expect(await program.exited).toBe(130)
    expect(program.stderr).toBe('restore: stopped; the records are as they were.\n')
    server.open()
    server.close()
    expect(readRecords(join(data, 'records.db'))).toMatchObject({ generations: 100, logId: 'firsthistory' })
  })

  it('leaves the old records or the new ones, whole, wherever it is killed', async () => {
    const source = join(scratch, 'source')
    makeRecords(source, { generations: 20, bytes: 20_000, logId: 'source' })
    await backupRecords({ folder: source, file })
    // A server was killed here: a part of its records is in their write-ahead log.
    makeRecords(data, { generations: 30, logId: 'old' })
    const writer = fork(WRITER, [join(data, 'records.db')], { execArgv: [] })
    writer.send('write')
    await once(writer, 'message')
    writer.kill('SIGKILL')
    await once(writer, 'close')

    const restoreIn = async (folder: string, killAt: number) => {
      const stepsFile = join(scratch, `steps-${killAt}`)
      const program = new Program([file, '--data', folder], {
        program: 'restore.ts',
        node: ['--import', KILLER],
        env: { AT_STEP: String(killAt), STEPS_FILE: stepsFile },
      })
      return { code: await program.exited, stepsFile, stderr: program.stderr }
    }
    const uncut = join(scratch, 'uncut')
    cpSync(data, uncut, { recursive: true })
    const whole = await restoreIn(uncut, Number.POSITIVE_INFINITY)
    expect(whole).toMatchObject({ code: 0, stderr: '' })
    const steps = JSON.parse(readFileSync(whole.stepsFile, 'utf8')) as string[]
    const kept = readRecords(
      join(uncut, readdirSync(uncut).find(name => name.startsWith('records.before')) ?? ''),
    )
    const switchAt = steps.findIndex(step => step.startsWith('renameSync'))
    expect(switchAt).toBeGreaterThan(20)

    // All of them at full size; else those around the switch.
    const isFull = rounds(steps.length) === steps.length
    const killed = steps.keys().filter(step => isFull || (step > switchAt - 3 && step < switchAt + 2))
    let switched = 0
    const killIn = async (step: number) => {
      const folder = join(scratch, `killed-${step}`)
      cpSync(data, folder, { recursive: true })
      expect(await restoreIn(folder, step), steps[step]).toMatchObject({ code: null })
      const records = readRecords(join(folder, 'records.db'))
      expect(records.integrity).toBe('ok')
      if (records.generations === 20) {
        switched++
        expect(records.logId).toMatch(/^[0-9a-f]{10}$/)
        expect(step, steps[step]).toBeGreaterThan(switchAt)
      } else expect(records).toEqual(kept)

      // Once more, and nothing is left of the one that was killed.
      await restoreRecords({ folder, file })
      const names = readdirSync(folder).filter(name => name.startsWith('records.before-restore'))
      for (const name of names) expect(readRecords(join(folder, name)).integrity).toBe('ok')
      expect(names.length).toBe(step > switchAt ? 2 : 1)
      const others = readdirSync(folder).filter(name => !names.includes(name))
      expect(others.filter(name => !/^(compile-cache|lock\.db|records\.db)$/.test(name))).toEqual([])
      expect(readRecords(join(folder, 'records.db'))).toMatchObject({ generations: 20, integrity: 'ok' })
      rmSync(folder, { recursive: true })
    }
    const next = async () => {
      for (const step of killed) await killIn(step)
    }
    await Promise.all([next(), next()])
    expect(switched).toBeGreaterThan(0)
  })
})
