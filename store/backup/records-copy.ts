import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { reasonOf, TokenscopeError } from '../../events/errors.ts'
import { sizeText } from '../../events/quantities.ts'
import { sqliteCode } from '../database.ts'
import { checkContent, type RecordCounts, refusal } from './check-file.ts'

/** How far a copy is: bytes of the whole; a check says nothing on its way. */
export type CopyProgress = { phase: 'copy'; done: number; total: number } | { phase: 'check'; total: number }

export interface CopyOptions {
  source: sqlite.DatabaseSync
  /** What messages call the source. */
  name: string
  /** The file that the copy becomes; what is there is replaced. */
  target: string
  onProgress?: ((progress: CopyProgress) => void) | undefined
  signal?: AbortSignal | undefined
  /** What is changed in the copy before it is checked. */
  change?: (copy: sqlite.DatabaseSync) => void
  /** Gives the copy its name once nothing can be wrong with it any more; a rename if not given. */
  place?: (part: string) => void
}

/** Pages that are copied in one go: few enough to look up in between, and enough to be fast. */
const PAGES_AT_ONCE = 256

/** What is left free beside the copy. */
const SPARE_BYTES = 1_000_000

/** Result codes of SQLite (https://sqlite.org/rescode.html). */
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NO_DATABASE = 26

const SIDE_FILES = ['', '-journal', '-wal', '-shm'] as const

/**
 * Opens records to be read as they are now, whatever others write to them meanwhile.
 *
 * @param settled whether nobody writes to them, so that they can be read without a lock
 * @throws Error of SQLite
 */
export function openSnapshot(file: string, settled = false): sqlite.DatabaseSync {
  const database = openToRead(file, settled)
  try {
    // A transaction begins with its first reading; from here on it sees nothing that is written later.
    database.exec('BEGIN; SELECT count(*) FROM sqlite_schema')
    return database
  } catch (error) {
    database.close()
    // Where nothing can be made beside the file nobody writes to it, either.
    if (!settled && sqliteCode(error) === CANNOT_OPEN && !isThere(`${file}-wal`))
      return openSnapshot(file, true)
    throw error
  }
}

/**
 * Copies what an open snapshot sees into one file of mode 0600 that needs no other beside it: written whole beside
 * the target, checked, on the disk, and only then given its name. If it fails or is stopped nothing is left behind.
 *
 * @returns what the check counted, and the size
 * @throws TokenscopeError BACKUP; the signal's reason
 */
export async function copyRecords(options: CopyOptions): Promise<RecordCounts & { bytes: number }> {
  const { source, name, target, onProgress = () => {}, signal, change = () => {} } = options
  const { place = part => renameSync(part, target) } = options
  signal?.throwIfAborted()
  removeLeftOvers(target)
  const part = partOf(target, process.pid)
  const { pages, pageSize } = source
    .prepare('SELECT page_count AS pages, page_size AS pageSize FROM pragma_page_count, pragma_page_size')
    .get() as { pages: number; pageSize: number }
  const total = pages * pageSize
  checkRoom(target, total)
  try {
    closeSync(openSync(part, 'wx', 0o600))
    await sqlite.backup(source, part, {
      rate: PAGES_AT_ONCE,
      progress({ totalPages, remainingPages }) {
        // What is thrown here ends the copy.
        signal?.throwIfAborted()
        onProgress({ phase: 'copy', done: (totalPages - remainingPages) * pageSize, total })
      },
    })
    signal?.throwIfAborted()
    onProgress({ phase: 'copy', done: total, total })
    makeSingle(part, change)
    onProgress({ phase: 'check', total })
    const counts = await checkContent(part, { name: `The copy of ${name}`, signal })
    sync(part)
    signal?.throwIfAborted()
    place(part)
    sync(dirname(target))
    return { ...counts, bytes: total }
  } catch (error) {
    throw copyError(error, { name, target, total, signal })
  } finally {
    for (const end of SIDE_FILES) rmSync(part + end, { force: true })
  }
}

/** Has the system write a file, or what is in a folder, to the disk. */
export function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** A URL keeps what is special in a path from being read as an option. */
function openToRead(file: string, settled: boolean): sqlite.DatabaseSync {
  const url = pathToFileURL(file)
  url.searchParams.set(...((settled ? ['immutable', '1'] : ['mode', 'rw']) as [string, string]))
  const database = new sqlite.DatabaseSync(url, { readOnly: settled, timeout: 5000 })
  // Nothing is written but what SQLite itself does: who may write takes away, at the end, the files that reading makes.
  if (!settled) database.exec('PRAGMA query_only = ON')
  return database
}

/** Makes of a copied database one that is a single file. */
function makeSingle(part: string, change: (copy: sqlite.DatabaseSync) => void): void {
  const copy = new sqlite.DatabaseSync(part)
  try {
    copy.exec('PRAGMA journal_mode = DELETE')
    change(copy)
  } finally {
    copy.close()
  }
}

function partOf(target: string, pid: number): string {
  return join(dirname(target), `.${basename(target)}.${pid}.part`)
}

/** Removes what copies to the same file have left behind that were killed. */
function removeLeftOvers(target: string): void {
  const folder = dirname(target)
  const head = `.${basename(target)}.`
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(head)) continue
    const pid = /^(\d+)\.part(?:-journal|-wal|-shm)?$/.exec(name.slice(head.length))?.[1]
    if (pid !== undefined && !isAtWork(Number(pid))) rmSync(join(folder, name), { force: true })
  }
}

/** Whether another process of this id is there; that of this process is none that copies to the same file. */
function isAtWork(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function checkRoom(target: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(target))
  const free = bavail * bsize
  if (free < bytes + SPARE_BYTES) throw noRoom(target, bytes, `${sizeText(free)} are free`)
}

function noRoom(target: string, bytes: number, why: string): Error {
  return refusal(`There is no room in ${dirname(target)}: the copy takes ${sizeText(bytes)}, and ${why}.`)
}

function copyError(
  error: unknown,
  {
    name,
    target,
    total,
    signal,
  }: { name: string; target: string; total: number; signal: AbortSignal | undefined },
): unknown {
  if (signal?.aborted || error instanceof TokenscopeError) return error
  const { code } = error as NodeJS.ErrnoException
  const errcode = sqliteCode(error)
  if (errcode === FULL || code === 'ENOSPC' || code === 'EDQUOT') {
    return noRoom(target, total, 'the disk became full')
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return refusal(`${dirname(target)} cannot be written to: ${reasonOf(error)}. Name another place.`, error)
  }
  if (errcode === CORRUPT || errcode === NO_DATABASE) {
    return refusal(`${name} is damaged: ${reasonOf(error)}. Use another backup.`, error)
  }
  return refusal(`The copy of ${name} could not be made: ${reasonOf(error)}.`, error)
}

function isThere(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0
}
