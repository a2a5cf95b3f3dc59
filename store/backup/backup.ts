import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { reasonOf } from '../../events/errors.ts'
import { APPLICATION_ID } from '../schema.ts'
import { type RecordCounts, readHeader, refusal } from './check-file.ts'
import { type CopyProgress, copyRecords, openSnapshot } from './records-copy.ts'

/** The file of the records in the data folder. */
export const RECORDS_FILE = 'records.db'

export interface BackupOptions {
  /** The data folder. */
  folder: string
  /** The backup: a path. What is there is replaced if it is a backup. */
  file: string
  onProgress?: (progress: CopyProgress) => void
  /** Stops it; nothing is left behind. */
  signal?: AbortSignal
}

export interface BackupReport extends RecordCounts {
  /** The whole path. */
  file: string
  bytes: number
}

/**
 * Makes a backup of the records as they are at this moment, while a server writes to them or not: one file,
 * checked, there as a whole or not at all.
 *
 * @throws TokenscopeError BACKUP; the signal's reason
 */
export async function backupRecords({ folder, file, ...rest }: BackupOptions): Promise<BackupReport> {
  const records = join(resolve(folder), RECORDS_FILE)
  if (!statSync(records, { throwIfNoEntry: false })?.isFile()) {
    throw refusal(
      `There are no records in ${resolve(folder)} to back up. Start Tokenscope once, or use --data for another folder.`,
    )
  }
  const target = targetOf(file, records)
  const source = openRecords(records)
  try {
    return { ...(await copyRecords({ source, name: records, target, ...rest })), file: target }
  } finally {
    source.close()
  }
}

function openRecords(records: string) {
  try {
    return openSnapshot(records)
  } catch (error) {
    throw refusal(`The records in ${records} cannot be read: ${reasonOf(error)}.`, error)
  }
}

/** The whole path of the backup; refused where it cannot be written, or where something else is. */
function targetOf(file: string, records: string): string {
  const path = resolve(file)
  const there = statSync(path, { throwIfNoEntry: false })
  const folder = dirname(path)
  if (there === undefined) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw refusal(`There is no folder ${folder} to put ${basename(path)} into. Create it first.`)
    }
    checkWritable(folder)
    return path
  }
  if (there.isDirectory()) throw refusal(`${path} is a folder. Name a file in it.`)
  // Records in use are not opened to look at them: closing a file lets go of the locks that SQLite has on it.
  const { dev, ino } = statSync(records)
  if (there.dev === dev && there.ino === ino)
    throw refusal(`${path} is the records themselves. Name another file.`)
  if (!there.isFile() || !isBackup(path)) {
    throw refusal(`${path} is there already and is not a backup of Tokenscope. Name another file.`)
  }
  const real = realpathSync(path)
  checkWritable(dirname(real))
  return real
}

function checkWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw refusal(`${folder} cannot be written to: ${reasonOf(error)}. Name another place.`, error)
  }
}

/** What has a write-ahead log are records in use, of whatever folder. */
function isBackup(file: string): boolean {
  try {
    const header = readHeader(file)
    return header !== null && header.applicationId === APPLICATION_ID && !header.wal
  } catch {
    return false
  }
}
