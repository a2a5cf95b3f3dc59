import { randomBytes } from 'node:crypto'
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as sqlite from 'node:sqlite'
import { reasonOf } from '../../events/errors.ts'
import { sqliteCode } from '../database.ts'
import { RECORDS_FILE } from './backup.ts'
import { checkHeader, type RecordCounts, readHeader, refusal } from './check-file.ts'
import { type CopyProgress, copyRecords, openSnapshot, sync } from './records-copy.ts'

export interface RestoreOptions {
  /** The data folder: it is there, and the caller holds its lock, so that no server has the records open. */
  folder: string
  /** The backup: a path. */
  file: string
  onProgress?: (progress: CopyProgress) => void
  /** Stops it as long as the records have not been switched; they stay as they were. */
  signal?: AbortSignal
}

export interface RestoreReport extends RecordCounts {
  bytes: number
  /** Where the records are that were there before; null where there were none. */
  before: string | null
}

/** SQLite's codes for what a checkpoint cannot help: it is no database, or the disk does not give it back. */
const BEYOND_REPAIR: ReadonlySet<number | null> = new Set([10, 11, 26])

/** What SQLite keeps beside a database and brings into it when it is opened. */
const LOGS = ['-wal', '-journal'] as const

const BEFORE = /^records\.before-restore-.*\.db$/

/**
 * Puts a backup in the place of the records. It is checked first and copied beside them; then one rename switches.
 * Whenever this is killed, the records are the old ones or the new ones, whole. The old ones are kept under
 * another name.
 *
 * @throws TokenscopeError BACKUP; the signal's reason
 */
export async function restoreRecords({ folder, file, ...rest }: RestoreOptions): Promise<RestoreReport> {
  const backup = resolve(file)
  const records = join(resolve(folder), RECORDS_FILE)
  checkHeader(backup)
  if (isSame(backup, records)) throw refusal(`${backup} is the records themselves.`)
  removeAliases(records)
  const source = openBackup(backup)
  let before: string | null = null
  try {
    const copied = await copyRecords({
      source,
      name: backup,
      target: records,
      // What browsers have kept is of another history than the one that goes on from here.
      change: copy => renewLog(copy, backup),
      place(part) {
        before = keep(records)
        renameSync(part, records)
      },
      ...rest,
    })
    return { ...copied, before }
  } finally {
    source.close()
  }
}

/** With a log beside it, it may be in use; without, nobody writes to it. */
function openBackup(file: string): sqlite.DatabaseSync {
  try {
    return openSnapshot(file, !LOGS.some(end => existsSync(file + end)))
  } catch (error) {
    throw refusal(`${file} cannot be read: ${reasonOf(error)}. Use another backup.`, error)
  }
}

function renewLog(copy: sqlite.DatabaseSync, backup: string): void {
  try {
    const id = randomBytes(5).toString('hex')
    copy.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES ('log_id', ?)").run(id)
  } catch (error) {
    throw refusal(`${backup} is damaged: ${reasonOf(error)}. Use another backup.`, error)
  }
}

/**
 * Gives the records that are there a second name, under which they stay, and takes away what SQLite keeps beside
 * them, which it would apply to whatever comes in their place.
 *
 * @returns the name; null if there are none
 */
function keep(records: string): string | null {
  const before = existsSync(records) ? freeName(records) : null
  if (before !== null) {
    if (settle(records) && LOGS.some(end => existsSync(records + end))) {
      throw refusal(`Another program has ${records} open. Close it first, or let it end.`)
    }
    for (const end of ['', ...LOGS]) if (existsSync(records + end)) secondName(records + end, before + end)
    sync(dirname(records))
  }
  // Where there are any left they are of records that are damaged, or gone.
  for (const end of [...LOGS, '-shm']) rmSync(records + end, { force: true })
  return before
}

/** Brings all that SQLite keeps beside the records into them; false where they cannot be opened at all. */
function settle(records: string): boolean {
  try {
    // SQLite would remove the log of what is no database.
    if (readHeader(records) === null) return false
    const database = new sqlite.DatabaseSync(records, { timeout: 5000 })
    try {
      database.exec('SELECT count(*) FROM sqlite_schema; PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      database.close()
    }
    return true
  } catch (error) {
    if (BEYOND_REPAIR.has(sqliteCode(error))) return false
    throw error
  }
}

function freeName(records: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  for (let n = 1; ; n++) {
    const name = join(dirname(records), `records.before-restore-${time}Z${n === 1 ? '' : `-${n}`}.db`)
    if (!existsSync(name)) return name
  }
}

/** A link where the file system has them: it takes no time, and no room. */
function secondName(file: string, name: string): void {
  try {
    linkSync(file, name)
  } catch (error) {
    if (
      !['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      )
    )
      throw error
    copyFileSync(file, name, constants.COPYFILE_EXCL)
    sync(name)
  }
}

/** A restore that was killed between two names leaves one too many for the records. */
function removeAliases(records: string): void {
  for (const name of readdirSync(dirname(records))) {
    const path = join(dirname(records), name)
    if (BEFORE.test(name) && isSame(path, records)) rmSync(path)
  }
}

function isSame(one: string, other: string): boolean {
  const a = statSync(one, { throwIfNoEntry: false })
  const b = statSync(other, { throwIfNoEntry: false })
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}
