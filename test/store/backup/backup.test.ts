import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TokenscopeError } from '../../../events/errors.ts'
import { backupRecords } from '../../../store/backup/backup.ts'
import { readHeader } from '../../../store/backup/check-file.ts'
import type { CopyProgress } from '../../../store/backup/records-copy.ts'
import { rounds } from '../../support/rounds.ts'
import { addGenerations, makeRecords, readRecords } from '../../support/sample-records.ts'
import { SmallDisk } from '../../support/small-disk.ts'

const WRITER = new URL('../../support/sample-records-writer.ts', import.meta.url)
const mounts = SmallDisk.isPossible

let scratch: string
let folder: string
let file: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tokenscope-backup-'))
  folder = join(scratch, 'data')
  mkdirSync(join(scratch, 'out'))
  file = join(scratch, 'out', 'backup.db')
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

/** What is beside the backup. */
const left = () => readdirSync(join(scratch, 'out'))

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(TokenscopeError)
  expect((error as TokenscopeError).code).toBe('BACKUP')
  expect((error as TokenscopeError).message).not.toContain('\n')
  return (error as TokenscopeError).message
}

describe('a backup', () => {
  it('is one file, whole, of nobody else', async () => {
    makeRecords(folder, { generations: 40, bytes: 20_000 })
    const steps: CopyProgress[] = []
    const report = await backupRecords({ folder, file, onProgress: step => steps.push(step) })
    const { size, mode } = statSync(file)
    expect(report).toEqual({ file, bytes: size, generations: 40, tokens: 200, exchanges: 0 })
    expect(mode & 0o777).toBe(0o600)
    expect(left()).toEqual(['backup.db'])
    expect(readHeader(file)).toMatchObject({ wal: false, bytes: size })
    expect(readRecords(file)).toEqual({ generations: 40, logId: 'firsthistory', integrity: 'ok' })
    expect(left()).toEqual(['backup.db'])
    expect(readdirSync(folder)).toEqual(['records.db'])
    expect(steps.at(-2)).toEqual({ phase: 'copy', done: size, total: size })
    expect(steps.at(-1)).toEqual({ phase: 'check', total: size })
  })

  it('is of one moment, while another process writes all the time', async () => {
    const records = makeRecords(folder, { generations: 200, bytes: 50_000 })
    const writer = fork(WRITER, [records], { execArgv: [] })
    const ended = once(writer, 'exit')
    let told = 0
    let written = 0
    const write = () => {
      told++
      writer.send('write')
    }
    writer.on('message', () => written++)
    try {
      let overlapped = false
      for (let n = 0; n < rounds(20) || !overlapped; n++) {
        // From before it begins until it is copied; what is written for it is bounded, however slow the disk is.
        for (let ahead = 0; ahead < 5; ahead++) write()
        let before = -1
        const { generations } = await backupRecords({
          folder,
          file,
          onProgress: ({ phase }) => {
            if (before === -1) before = written
            if (phase === 'check') overlapped ||= written > before
            else write()
          },
        })
        expect(readRecords(file)).toMatchObject({ generations, integrity: 'ok' })
        // They are written ten at a time.
        expect(generations % 10).toBe(0)
      }
      while (written < told) await once(writer, 'message')
    } finally {
      if (writer.connected) writer.disconnect()
      await ended
    }
    expect(readRecords(records)).toMatchObject({ generations: 200 + written * 10, integrity: 'ok' })
  })

  it('is of the moment at which it began', async () => {
    const records = makeRecords(folder, { generations: 100, bytes: 50_000 })
    const writer = new sqlite.DatabaseSync(records)
    let written = 0
    const report = await backupRecords({
      folder,
      file,
      onProgress: ({ phase }) => {
        if (phase === 'copy') addGenerations(writer, 1000 + written++, 1, 50_000)
      },
    })
    writer.close()
    expect(written).toBeGreaterThan(1)
    expect(report.generations).toBe(100)
    expect(readRecords(file)).toMatchObject({ generations: 100, integrity: 'ok' })
    expect(readRecords(records).generations).toBe(100 + written)
  })

  it('takes the place of an older one, and of nothing else', async () => {
    makeRecords(folder, { generations: 1 })
    await backupRecords({ folder, file })
    rmSync(folder, { recursive: true })
    makeRecords(folder, { generations: 2 })
    await backupRecords({ folder, file })
    expect(readRecords(file).generations).toBe(2)

    symlinkSync(file, join(scratch, 'link.db'))
    expect(await backupRecords({ folder, file: join(scratch, 'link.db') })).toMatchObject({ file })

    const other = join(scratch, 'out', 'letter.txt')
    writeFileSync(other, 'Dear Ada')
    expect(await refusalOf(backupRecords({ folder, file: other }))).toContain(
      `${other} is there already and is not a backup of Tokenscope`,
    )
    expect(readFileSync(other, 'utf8')).toBe('Dear Ada')
    // As they are: records in use, of another folder.
    const others = makeRecords(join(scratch, 'other'))
    expect(await refusalOf(backupRecords({ folder, file: others }))).toContain('is not a backup')
    expect(readRecords(others).generations).toBe(3)
  })

  it('never takes the place of the records themselves, by whatever name', async () => {
    const records = makeRecords(folder)
    linkSync(records, join(scratch, 'hard.db'))
    symlinkSync(records, join(scratch, 'soft.db'))
    for (const name of [records, join(scratch, 'hard.db'), join(scratch, 'soft.db')]) {
      expect(await refusalOf(backupRecords({ folder, file: name }))).toContain('is the records themselves')
    }
    expect(readRecords(records).integrity).toBe('ok')
  })

  it('is refused clearly where it cannot be', async () => {
    expect(await refusalOf(backupRecords({ folder, file }))).toContain(`There are no records in ${folder}`)
    makeRecords(folder)
    const nowhere = join(scratch, 'gone', 'backup.db')
    expect(await refusalOf(backupRecords({ folder, file: nowhere }))).toContain(
      `There is no folder ${join(scratch, 'gone')} to put backup.db into`,
    )
    expect(await refusalOf(backupRecords({ folder, file: join(scratch, 'out') }))).toContain('is a folder')
    expect(await refusalOf(backupRecords({ folder, file: '/dev/null' }))).toContain('is not a backup')
    expect(left()).toEqual([])
  })

  it('stops at once when it is told to, and leaves nothing', async () => {
    makeRecords(folder, { generations: 100, bytes: 50_000 })
    for (const phase of ['copy', 'check'] as const) {
      const stopping = new AbortController()
      const reason = new Error('enough')
      const backup = backupRecords({
        folder,
        file,
        signal: stopping.signal,
        onProgress: step => {
          if (step.phase === phase) stopping.abort(reason)
        },
      })
      await expect(backup).rejects.toBe(reason)
      expect(left()).toEqual([])
    }
    const done = AbortSignal.abort(new Error('never begun'))
    await expect(backupRecords({ folder, file, signal: done })).rejects.toThrow('never begun')
    expect(readdirSync(folder)).toEqual(['records.db'])
  })

  it('removes what an older one left that was killed, and what another one is at work on it does not', async () => {
    makeRecords(folder)
    const ended = spawnSync(process.execPath, ['--version'])
    const mine = `.backup.db.${process.ppid}.part`
    for (const name of [`.backup.db.${ended.pid}.part`, `.backup.db.${ended.pid}.part-journal`, mine]) {
      writeFileSync(join(scratch, 'out', name), 'half')
    }
    await backupRecords({ folder, file })
    expect(left().sort()).toEqual([mine, 'backup.db'].sort())
  })

  it('is none of records that are damaged, and says so', async () => {
    const records = makeRecords(folder, { generations: 100, bytes: 20_000 })
    const handle = openSync(records, 'r+')
    writeSync(handle, Buffer.alloc(8192 * 4, 0x5a), 0, 8192 * 4, 8192 * 2)
    closeSync(handle)
    expect(await refusalOf(backupRecords({ folder, file }))).toMatch(/The copy of .*records\.db is damaged: /)
    expect(left()).toEqual([])
    writeFileSync(records, 'not a database at all'.repeat(1000))
    expect(await refusalOf(backupRecords({ folder, file }))).toMatch(
      /The records in .* cannot be read: .*not a database/,
    )
    expect(left()).toEqual([])
  })

  it('counts what is in the write-ahead log of a server that was killed', async () => {
    const records = makeRecords(folder, { generations: 1 })
    const writer = fork(WRITER, [records], { execArgv: [] })
    for (let i = 0; i < 3; i++) writer.send('write')
    let last = 0
    writer.on('message', next => {
      last = next as number
    })
    await once(writer, 'message')
    writer.kill('SIGKILL')
    await once(writer, 'close')
    const { generations } = await backupRecords({ folder, file })
    expect(generations).toBeGreaterThanOrEqual(1 + last - 1_000_000)
    expect(readRecords(file)).toMatchObject({ generations, integrity: 'ok' })
  })
})

describe.skipIf(!mounts)(`a small disk${mounts ? '' : ' (this process may not mount one)'}`, () => {
  let disk: SmallDisk
  beforeEach(() => {
    disk = SmallDisk.mount(8)
  })
  afterEach(() => disk.unmount())

  it('that can only be read takes none', async () => {
    makeRecords(folder)
    disk.lock()
    const target = join(disk.path, 'backup.db')
    expect(await refusalOf(backupRecords({ folder, file: target }))).toContain('cannot be written to')
  })

  it('that has no room is told of before anything is written', async () => {
    makeRecords(folder, { generations: 100, bytes: 100_000 })
    const target = join(disk.path, 'backup.db')
    expect(await refusalOf(backupRecords({ folder, file: target }))).toMatch(
      /There is no room in .*: the copy takes 10\.\d MB, and 8\.\d+ MB are free\./,
    )
    expect(readdirSync(disk.path)).toEqual([])
  })

  it('that becomes full meanwhile keeps the backup that is there', async () => {
    makeRecords(folder, { generations: 10, bytes: 100_000 })
    const target = join(disk.path, 'backup.db')
    await backupRecords({ folder, file: target })
    const before = readFileSync(target)
    rmSync(folder, { recursive: true })
    makeRecords(folder, { generations: 50, bytes: 100_000 })
    let filled = false
    const backup = backupRecords({
      folder,
      file: target,
      onProgress: () => {
        if (!filled) disk.fill()
        filled = true
      },
    })
    expect(await refusalOf(backup)).toMatch(/There is no room in .*: .* and the disk became full\./)
    disk.free()
    expect(readdirSync(disk.path)).toEqual(['backup.db'])
    expect(readFileSync(target).equals(before)).toBe(true)
  })

  it('that can only be read gives its records all the same', async () => {
    makeRecords(join(disk.path, 'data'), { generations: 7 })
    disk.lock()
    expect(await backupRecords({ folder: join(disk.path, 'data'), file })).toMatchObject({ generations: 7 })
    expect(
      await refusalOf(backupRecords({ folder: join(disk.path, 'data'), file: join(disk.path, 'b.db') })),
    ).toMatch(/cannot be written to: .*EROFS/)
  })
})

it('opens no database on a path that only looks like one with options', async () => {
  makeRecords(join(scratch, 'a?mode=memory#b'), { generations: 4 })
  expect(await backupRecords({ folder: join(scratch, 'a?mode=memory#b'), file })).toMatchObject({
    generations: 4,
  })
  const odd = join(scratch, 'out', 'c%20d?immutable=1 é.db')
  expect(await backupRecords({ folder: join(scratch, 'a?mode=memory#b'), file: odd })).toMatchObject({
    file: odd,
  })
  expect(new sqlite.DatabaseSync(odd).prepare('SELECT count(*) AS n FROM generations').get()).toEqual({
    n: 4,
  })
})
