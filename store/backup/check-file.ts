import { fork } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { TokenscopeError } from '../../events/errors.ts'
import { sizeText } from '../../events/quantities.ts'
import { MIGRATIONS } from '../migrations.ts'
import { APPLICATION_ID } from '../schema.ts'

/** What the first bytes of a SQLite file say (https://sqlite.org/fileformat2.html, section 1.3). */
export interface FileHeader {
  applicationId: number
  /** Version of the schema. */
  userVersion: number
  pageSize: number
  /** Null where the file does not say: it was written by something very old. */
  pages: number | null
  /** Whether it has a write-ahead log: records in use have one, a backup does not. */
  wal: boolean
  /** Bytes of the file. */
  bytes: number
}

/** What a check counted. */
export interface RecordCounts {
  generations: number
  tokens: number
  exchanges: number
}

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1')
const HEADER_BYTES = 100
const CHECK_PROCESS = new URL('./check-process.ts', import.meta.url)

/**
 * Reads the header of a file; null if it is no SQLite database.
 *
 * Never to be used on a database that this process has open: closing the file would let go of SQLite's locks.
 *
 * @throws Error of the system if it cannot be read
 */
export function readHeader(file: string): FileHeader | null {
  const head = Buffer.alloc(HEADER_BYTES)
  const handle = openSync(file, 'r')
  try {
    const bytes = fstatSync(handle).size
    if (readSync(handle, head, 0, HEADER_BYTES, 0) < HEADER_BYTES) return null
    if (!head.subarray(0, MAGIC.length).equals(MAGIC)) return null
    const pageSize = head.readUInt16BE(16)
    return {
      applicationId: head.readUInt32BE(68),
      userVersion: head.readUInt32BE(60),
      pageSize: pageSize === 1 ? 65_536 : pageSize,
      pages: head.readUInt32BE(24) === head.readUInt32BE(92) ? head.readUInt32BE(28) : null,
      wal: head[19] === 2,
      bytes,
    }
  } finally {
    closeSync(handle)
  }
}

/**
 * Checks what can be seen at a glance: that the file is there, is records of Tokenscope, of a version that this one
 * knows, and as long as it says.
 *
 * @throws TokenscopeError BACKUP that names what is wrong
 */
export function checkHeader(file: string): FileHeader {
  const header = headerOf(file)
  if (header === null) {
    throw refusal(
      `${file} is not a backup of Tokenscope: it is no SQLite database, or only the beginning of one.`,
    )
  }
  const { applicationId, userVersion, pageSize, pages, bytes } = header
  if (applicationId !== APPLICATION_ID) {
    throw refusal(`${file} is not a backup of Tokenscope: it is a database of another program.`)
  }
  if (userVersion > MIGRATIONS.length) {
    throw refusal(
      `${file} was made by a newer Tokenscope (schema ${userVersion}; this one knows them up to ${MIGRATIONS.length}). Update Tokenscope first.`,
    )
  }
  if (userVersion === 0) throw refusal(`${file} holds no records: it was never finished.`)
  if (pages !== null && bytes < pages * pageSize) {
    throw refusal(
      `${file} is cut off: it has ${sizeText(bytes)} of ${sizeText(pages * pageSize)} (${bytes} of ${pages * pageSize} bytes). Copy it again, or use another backup.`,
    )
  }
  return header
}

/**
 * Checks all of a database that nobody writes to, page by page. It has a process of its own, since nothing can
 * interrupt SQLite in this.
 *
 * @param name what messages call the file, where that is not its path
 * @throws TokenscopeError BACKUP that says what is damaged; the signal's reason
 */
export async function checkContent(
  file: string,
  { name = file, signal }: { name?: string; signal?: AbortSignal | undefined } = {},
): Promise<RecordCounts> {
  signal?.throwIfAborted()
  const answer = await askCheckProcess(file, signal)
  if ('counts' in answer) return answer.counts
  throw refusal(`${name} is damaged: ${answer.damage}. Use another backup.`)
}

/** What the process answers. */
export type CheckAnswer = { counts: RecordCounts } | { damage: string }

function askCheckProcess(file: string, signal: AbortSignal | undefined): Promise<CheckAnswer> {
  const child = fork(CHECK_PROCESS, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  return new Promise<CheckAnswer>((resolve, reject) => {
    const stop = () => child.kill('SIGKILL')
    let answer: CheckAnswer | null = null
    signal?.addEventListener('abort', stop, { once: true })
    child.once('message', message => {
      answer = message as CheckAnswer
    })
    child.once('error', reject)
    child.once('close', (code, killed) => {
      signal?.removeEventListener('abort', stop)
      if (signal?.aborted) reject(signal.reason)
      else if (answer !== null) resolve(answer)
      else reject(refusal(`${file} could not be checked: the check ended with ${killed ?? code}. Try again.`))
    })
    child.send(file, error => {
      if (error) child.kill('SIGKILL')
    })
  })
}

function headerOf(file: string): FileHeader | null {
  try {
    return readHeader(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refusal(`There is no file ${file}.`)
    if (code === 'EISDIR') throw refusal(`${file} is a folder, not a backup.`)
    throw refusal(`${file} cannot be read: ${(error as Error).message}.`, error)
  }
}

/** The refusal of a backup. */
export function refusal(message: string, cause?: unknown): TokenscopeError {
  return new TokenscopeError('BACKUP', message, { cause })
}
