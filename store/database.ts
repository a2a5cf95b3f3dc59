import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import * as sqlite from 'node:sqlite'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'
import { APPLICATION_ID } from './schema.ts'

/** SQLite's page, in bytes: larger than its default, since most of what is kept are blobs. */
const PAGE_BYTES = 8192
/** How long to wait for another connection that writes, in ms. */
const BUSY_MS = 5000
/** Pages after which the WAL is written back: of those that are written again and again only the last counts. */
const WAL_PAGES = 2048
/** Memory for pages, in KiB: the changes of a transaction have room in it. */
const CACHE_KIB = 16 * 1024
/** Bytes that the WAL keeps of the disk once it is written back. */
const WAL_KEPT_BYTES = 16 * 1024 * 1024

/**
 * What SQLite says where the same may work later: the disk is full, broken or locked, or the folder was made
 * read-only. What is wrong with the batch itself is not among them.
 */
const PASSING = new Map([
  [5, 'another program holds the database'],
  [6, 'another program holds the database'],
  [3, 'the file may not be written'],
  [7, 'there is no memory left'],
  [8, 'the file can only be read'],
  [10, 'the disk could not be written or read'],
  [11, 'the file is damaged'],
  [13, 'the disk is full'],
  [14, 'the file cannot be opened'],
  [15, 'another program holds the database'],
])

/** Primary result codes of SQLite's, in the low byte of `errcode`. */
const SQLITE_READONLY = 8
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/**
 * Opens the records for writing, makes them (0600) if they are not there, and brings what an older Tokenscope made
 * to the newest version, in one transaction.
 *
 * @throws TokenscopeError RECORDS, naming the file and what to do
 */
export function openRecords(
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): sqlite.DatabaseSync {
  let db: sqlite.DatabaseSync | null = null
  try {
    // SQLite itself would make a file that others can read; its side files have the mode of this one.
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
    db = new sqlite.DatabaseSync(path, { timeout: BUSY_MS })
    // On what is there already the first two say nothing; they have to come before the first page is written.
    db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`)
    const version = checkVersion(db, path, migrations.length)
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};
       PRAGMA wal_autocheckpoint = ${WAL_PAGES}; PRAGMA cache_size = -${CACHE_KIB}`,
    )
    migrate(db, version, migrations)
    return db
  } catch (error) {
    db?.close()
    throw recordsRefusal(path, error)
  }
}

/** The number of SQLite's that an error carries, without what refines it; null for errors of other kinds. */
export function sqliteCode(error: unknown): number | null {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null
}

/** What stands in the way where the same may work later; null where it never will. */
export function passingTrouble(error: unknown): string | null {
  return PASSING.get(sqliteCode(error) ?? -1) ?? null
}

/**
 * A statement that writes. It gives numbers as bigints: the id of the row that was inserted last is among them, and
 * the index of words has ids that no number holds.
 */
export function prepareWrite(db: sqlite.DatabaseSync, sql: string): sqlite.StatementSync {
  const statement = db.prepare(sql)
  statement.setReadBigInts(true)
  return statement
}

/** What a pragma says, as a number. */
export function pragma(db: sqlite.DatabaseSync, name: string): number {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number
}

/** Bytes that the records take; what was removed and can be used again is not counted. */
export function recordsBytes(db: sqlite.DatabaseSync): number {
  return (pragma(db, 'page_count') - pragma(db, 'freelist_count')) * PAGE_BYTES
}

/** The version of what is there, once it is known to be ours and not newer than `newest`. */
function checkVersion(db: sqlite.DatabaseSync, path: string, newest: number): number {
  const version = pragma(db, 'user_version')
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }
  const application = pragma(db, 'application_id')
  if (application === 0 && version === 0 && tables.n === 0) return 0
  if (application !== APPLICATION_ID) {
    throw new TokenscopeError(
      'RECORDS',
      `${path} is a database of another program. Move it away, or use --data for another folder.`,
    )
  }
  if (version > newest) {
    throw new TokenscopeError(
      'RECORDS',
      `${path} was written by a newer Tokenscope (its records are of version ${version}, this one knows ${newest}). ` +
        'Update Tokenscope, or use --data for another folder.',
    )
  }
  return version
}

function migrate(db: sqlite.DatabaseSync, version: number, migrations: readonly Migration[]): void {
  if (version === migrations.length) {
    // Says now whether it can be written at all.
    db.exec('BEGIN IMMEDIATE; COMMIT')
    return
  }
  db.exec('BEGIN IMMEDIATE')
  for (const step of migrations.slice(version)) step(db)
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}; COMMIT`)
}

/** What is said where the records cannot be opened. */
export function recordsRefusal(path: string, error: unknown): TokenscopeError {
  if (error instanceof TokenscopeError) return error
  const told: Record<number, string> = {
    [SQLITE_NOTADB]: 'are no database. Move the file away or restore a backup',
    [SQLITE_CORRUPT]: 'are damaged. Restore a backup, or move the file away to begin anew',
    [SQLITE_READONLY]:
      'can only be read. Make the file and its folder writable, or use --data for another folder',
    [SQLITE_FULL]: 'cannot be opened, since the disk is full. Free some space',
  }
  // Where a folder cannot be written, SQLite says only that it could not open what it makes there.
  const code = isReadOnly(path) ? SQLITE_READONLY : sqliteCode(error)
  const words =
    (code === null ? undefined : told[code]) ??
    'cannot be opened. See whether the file can be read and written'
  return new TokenscopeError('RECORDS', `The records in ${path} ${words}. (${reasonOf(error)})`, {
    cause: error,
  })
}

/** Whether the file is there, and it or its folder cannot be written. */
function isReadOnly(path: string): boolean {
  if (!existsSync(path)) return false
  try {
    for (const place of [path, dirname(path)]) accessSync(place, constants.W_OK)
    return false
  } catch {
    return true
  }
}
