import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TokenscopeError } from '../../../events/errors.ts'
import { backupRecords } from '../../../store/backup/backup.ts'
import { restoreRecords } from '../../../store/backup/restore.ts'
import { openRecords } from '../../../store/database.ts'
import { MIGRATIONS } from '../../../store/migrations.ts'
import { makeRecords, readRecords } from '../../support/sample-records.ts'
import { SmallDisk } from '../../support/small-disk.ts'

const WRITER = new URL('../../support/sample-records-writer.ts', import.meta.url)
const mounts = SmallDisk.isPossible

let scratch: string
/** Where backups are, and the data folder that they are brought to. */
let file: string
let folder: string
let records: string
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'tokenscope-restore-'))
  file = join(scratch, 'backup.db')
  folder = join(scratch, 'data')
  records = join(folder, 'records.db')
  const source = join(scratch, 'source')
  makeRecords(source, { generations: 20, bytes: 20_000 })
  await backupRecords({ folder: source, file })
  mkdirSync(folder)
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

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

/** Has a process write to records and killed, so that a part of them is in their write-ahead log only. */
async function writeAndDie(path: string): Promise<void> {
  const writer = fork(WRITER, [path], { execArgv: [] })
  writer.send('write')
  await once(writer, 'message')
  writer.kill('SIGKILL')
  await once(writer, 'close')
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
}

describe('a restore', () => {
  it('brings the records to an empty folder, as a history of its own', async () => {
    const report = await restoreRecords({ folder, file })
    expect(report).toEqual({
      bytes: statSync(file).size,
      generations: 20,
      tokens: 100,
      exchanges: 0,
      before: null,
    })
    expect(readdirSync(folder)).toEqual(['records.db'])
    expect(statSync(records).mode & 0o777).toBe(0o600)
    const { logId, ...rest } = readRecords(records)
    expect(rest).toEqual({ generations: 20, integrity: 'ok' })
    expect(logId).toMatch(/^[0-9a-f]{10}$/)
    // The backup is as it was, and a server can go on from the copy.
    expect(readRecords(file).logId).toBe('firsthistory')
    openRecords(records).close()
  })

  it('keeps what was there before, all of it, under another name', async () => {
    makeRecords(folder, { generations: 5, logId: 'older' })
    await writeAndDie(records)
    const { before } = await restoreRecords({ folder, file })
    expect(before).toMatch(/records\.before-restore-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.db$/)
    expect(readdirSync(folder).sort()).toEqual(
      ['records.db', (before as string).slice(folder.length + 1)].sort(),
    )
    expect(readRecords(records)).toMatchObject({ generations: 20, integrity: 'ok' })
    const kept = readRecords(before as string)
    expect(kept).toMatchObject({ logId: 'older', integrity: 'ok' })
    expect(kept.generations).toBeGreaterThanOrEqual(15)

    // And back: what was kept is a backup as well.
    const again = await restoreRecords({ folder, file: before as string })
    expect(again).toMatchObject({ generations: kept.generations })
    expect(again.before).not.toBe(before)
    expect(readRecords(records).generations).toBe(kept.generations)
    expect(readRecords(again.before as string).generations).toBe(20)
  })

  it('takes the place of records that are beyond repair, and keeps every byte of them', async () => {
    const garbage = Buffer.from('not a database at all. '.repeat(999))
    writeFileSync(records, garbage)
    writeFileSync(`${records}-wal`, 'nor is this a log')
    const { before } = await restoreRecords({ folder, file })
    expect(readRecords(records)).toMatchObject({ generations: 20, integrity: 'ok' })
    expect(readFileSync(before as string).equals(garbage)).toBe(true)
    expect(readFileSync(`${before}-wal`, 'utf8')).toBe('nor is this a log')
    expect(existsSync(`${records}-wal`)).toBe(false)
  })

  it('leaves a log behind whose records are gone', async () => {
    makeRecords(folder, { generations: 5 })
    await writeAndDie(records)
    rmSync(records)
    expect((await restoreRecords({ folder, file })).before).toBe(null)
    expect(readRecords(records)).toMatchObject({ generations: 20, integrity: 'ok' })
  })

  it('takes the records of another data folder, with the log that a kill left', async () => {
    const lost = makeRecords(join(scratch, 'lost'), { generations: 1 })
    await writeAndDie(lost)
    const { generations } = await restoreRecords({ folder, file: lost })
    expect(generations).toBeGreaterThanOrEqual(11)
    expect(readRecords(records)).toMatchObject({ generations, integrity: 'ok' })
  })

  it('is refused while another program has the records open', async () => {
    makeRecords(folder, { generations: 5 })
    const other = new sqlite.DatabaseSync(records)
    other.exec('BEGIN; SELECT count(*) FROM generations')
    expect(await refusalOf(restoreRecords({ folder, file }))).toBe(
      `Another program has ${records} open. Close it first, or let it end.`,
    )
    other.close()
    expect(readdirSync(folder)).toEqual(['records.db'])
    expect(readRecords(records)).toMatchObject({ generations: 5, integrity: 'ok' })
    expect(await restoreRecords({ folder, file })).toMatchObject({ generations: 20 })
  })

  it('stops when it is told to, and changes nothing', async () => {
    makeRecords(folder, { generations: 5 })
    for (const phase of ['copy', 'check'] as const) {
      const stopping = new AbortController()
      const restore = restoreRecords({
        folder,
        file,
        signal: stopping.signal,
        onProgress: step => {
          if (step.phase === phase) stopping.abort(new Error('enough'))
        },
      })
      await expect(restore).rejects.toThrow('enough')
      expect(readdirSync(folder)).toEqual(['records.db'])
      expect(readRecords(records).generations).toBe(5)
    }
  })
})

describe('what is no backup', () => {
  const cases: [title: string, spoil: () => void, message: RegExp][] = [
    ['that is not there', () => rmSync(file), /^There is no file .*backup\.db\.$/],
    [
      'that is a folder',
      () => {
        rmSync(file)
        mkdirSync(file)
      },
      /backup\.db is a folder, not a backup\.$/,
    ],
    ['that is empty', () => truncateSync(file), /is no SQLite database, or only the beginning of one\.$/],
    [
      'that is text',
      () => writeFileSync(file, 'x'.repeat(9999)),
      /is not a backup of Tokenscope: it is no SQLite/,
    ],
    [
      'that is cut off',
      () => truncateSync(file, statSync(file).size - 1),
      /is cut off: it has .* of .* \(\d+ of \d+ bytes\)/,
    ],
    [
      'of another program',
      () => {
        rmSync(file)
        const other = new sqlite.DatabaseSync(file)
        other.exec('CREATE TABLE notes (text); PRAGMA user_version = 1')
        other.close()
      },
      /is not a backup of Tokenscope: it is a database of another program\.$/,
    ],
    [
      'of a newer Tokenscope',
      () => {
        const newer = new sqlite.DatabaseSync(file)
        newer.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`)
        newer.close()
      },
      new RegExp(
        `made by a newer Tokenscope \\(schema ${MIGRATIONS.length + 1}; .* up to ${MIGRATIONS.length}\\)`,
      ),
    ],
    [
      'that was never finished',
      () => {
        const unfinished = new sqlite.DatabaseSync(file)
        unfinished.exec('PRAGMA user_version = 0')
        unfinished.close()
      },
      /holds no records: it was never finished\.$/,
    ],
    [
      'with a table missing',
      () => {
        const other = new sqlite.DatabaseSync(file)
        other.exec('DROP TABLE facts')
        other.close()
      },
      /backup\.db is damaged: no such table: facts/,
    ],
    [
      'with bytes that have changed',
      () => {
        const handle = openSync(file, 'r+')
        for (let page = 2; page < 12; page++) writeSync(handle, Buffer.alloc(64, 0xee), 0, 64, page * 8192)
        closeSync(handle)
      },
      /is damaged: /,
    ],
  ]

  it.each(cases)('%s is named, and changes nothing', async (_title, spoil, message) => {
    makeRecords(folder, { generations: 5 })
    spoil()
    expect(await refusalOf(restoreRecords({ folder, file }))).toMatch(message)
    expect(readdirSync(folder)).toEqual(['records.db'])
    expect(readRecords(records)).toEqual({ generations: 5, logId: 'firsthistory', integrity: 'ok' })
  })

  it('are the records themselves', async () => {
    makeRecords(folder)
    expect(await refusalOf(restoreRecords({ folder, file: records }))).toContain('is the records themselves')
  })
})

describe.skipIf(!mounts)(`a small disk${mounts ? '' : ' (this process may not mount one)'}`, () => {
  let disk: SmallDisk
  beforeEach(() => {
    disk = SmallDisk.mount(4)
  })
  afterEach(() => disk.unmount())

  it('with no room for both keeps the records that are there', async () => {
    makeRecords(disk.path, { generations: 5, bytes: 200_000 })
    disk.fill()
    expect(await refusalOf(restoreRecords({ folder: disk.path, file }))).toMatch(/There is no room in /)
    disk.free()
    expect(readdirSync(disk.path)).toEqual(['records.db'])
    expect(readRecords(join(disk.path, 'records.db'))).toMatchObject({ generations: 5, integrity: 'ok' })
  })

  it('that can only be read gives its backup, and takes none', async () => {
    copyFileSync(file, join(disk.path, 'backup.db'))
    disk.lock()
    expect(await restoreRecords({ folder, file: join(disk.path, 'backup.db') })).toMatchObject({
      generations: 20,
    })
    expect(await refusalOf(restoreRecords({ folder: disk.path, file }))).toMatch(
      /cannot be written to: .*EROFS/,
    )
  })
})
