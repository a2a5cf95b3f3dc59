import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TokenscopeError } from '../../events/errors.ts'
import { openRecords, pragma } from '../../store/database.ts'
import { MIGRATIONS } from '../../store/migrations.ts'
import { APPLICATION_ID } from '../../store/schema.ts'
import { SmallDisk } from '../support/small-disk.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-database-'))
  path = join(folder, 'records.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function refusalOf(file = path): string {
  try {
    openRecords(file).close()
  } catch (error) {
    expect(error).toBeInstanceOf(TokenscopeError)
    const { code, message } = error as TokenscopeError
    expect(code).toBe('RECORDS')
    expect(message).toContain(file)
    expect(message).not.toContain('\n')
    return message
  }
  return 'it was opened'
}

/** Records with something in them, closed. */
function fill(): void {
  const db = openRecords(path)
  const insert = db.prepare('INSERT INTO entry_blocks VALUES (?, 1, ?, 1, 0, 0, 1, 0, ?)')
  for (let i = 1; i <= 100; i++) insert.run(i, i, Buffer.alloc(4000, i))
  db.close()
}

describe('the database', () => {
  test('is made as it is meant to be, and for its owner alone', () => {
    const db = openRecords(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600)
    const told = ['page_size', 'auto_vacuum', 'application_id', 'user_version'].map(name => pragma(db, name))
    expect(told).toEqual([8192, 2, APPLICATION_ID, MIGRATIONS.length])
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    db.close()
  })

  test('is brought from an older version to the newest, and keeps what is in it', () => {
    const older = openRecords(path)
    older.exec("INSERT INTO facts VALUES ('run', 7)")
    older.close()
    const steps = [
      ...MIGRATIONS,
      (db: sqlite.DatabaseSync) => db.exec('ALTER TABLE generations ADD COLUMN mood TEXT'),
    ]
    const newer = openRecords(path, steps)
    expect(pragma(newer, 'user_version')).toBe(MIGRATIONS.length + 1)
    expect(newer.prepare('SELECT value FROM facts').all()).toEqual([{ value: 7 }])
    expect(newer.prepare('SELECT mood FROM generations').all()).toEqual([])
    newer.close()
    // By then it is too new for who knows less.
    expect(refusalOf()).toMatch(/newer Tokenscope/)
  })

  test('is as it was if a step of a migration fails', () => {
    fill()
    const steps = [
      ...MIGRATIONS,
      (db: sqlite.DatabaseSync) => db.exec('DROP TABLE entry_blocks'),
      (db: sqlite.DatabaseSync) => db.exec('SELECT nothing FROM nowhere'),
    ]
    expect(() => openRecords(path, steps)).toThrow(TokenscopeError)
    const db = openRecords(path)
    expect(db.prepare('SELECT count(*) AS n FROM entry_blocks').get()).toEqual({ n: 100 })
    db.close()
  })

  test('is refused, and left as it is, where it is of another program', () => {
    const other = new sqlite.DatabaseSync(path)
    other.exec('CREATE TABLE notes (text TEXT)')
    other.close()
    const before = readFileSync(path)
    expect(refusalOf()).toMatch(/another program/)
    expect(readFileSync(path)).toEqual(before)
  })

  test('is refused where it is no database', () => {
    writeFileSync(path, 'this is a text that somebody has put here\n'.repeat(100))
    expect(refusalOf()).toMatch(/no database/)
  })

  test('is refused where its end is missing', () => {
    fill()
    truncateSync(path, Math.floor(statSync(path).size / 2))
    expect(refusalOf()).toMatch(/damaged/)
  })

  test('is refused where it cannot be opened at all', () => {
    expect(refusalOf(join(folder, 'nowhere', 'records.db'))).toMatch(/cannot be opened/)
  })

  const mounts = SmallDisk.isPossible
  test.skipIf(!mounts)(
    `is refused where it can only be read${mounts ? '' : ' (this process may not mount a disk)'}`,
    () => {
      const disk = SmallDisk.mount(4)
      try {
        const file = join(disk.path, 'records.db')
        openRecords(file).close()
        disk.lock()
        expect(refusalOf(file)).toMatch(/can only be read/)
      } finally {
        disk.unmount()
      }
    },
  )
})
