import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as sqlite from 'node:sqlite'
import { reasonOf, TokenscopeError } from '../events/errors.ts'

const LOCK_FILE = 'lock.db'
const OWNER_FILE = 'server.json'
const COMPILE_CACHE = 'compile-cache'

/**
 * The data folder, held by one server at a time.
 *
 * The lock is a transaction that SQLite keeps open on a file: the system lets go of it when the process
 * ends, however it ends, so that no stale lock can be left behind.
 */
export class DataFolder {
  readonly path: string
  /** Where Node may keep modules as it has compiled them; null until it is opened, or if that cannot be made. */
  compileCache: string | null = null
  #lock: sqlite.DatabaseSync | null = null

  constructor(path: string) {
    this.path = resolve(path)
  }

  /**
   * Creates the folder (0700) if need be and locks it.
   *
   * @throws TokenscopeError DATA_FOLDER if it cannot be written or another server holds it
   */
  open(): void {
    try {
      createFolder(this.path)
      this.#lock = new sqlite.DatabaseSync(join(this.path, LOCK_FILE))
      this.#lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    } catch (error) {
      this.#lock?.close()
      this.#lock = null
      throw this.#refusal(error)
    }
    this.compileCache = openCompileCache(join(this.path, COMPILE_CACHE))
  }

  /** Notes who holds the folder, for the message that a second server gives. */
  describe(url: string): void {
    writeFileSync(join(this.path, OWNER_FILE), `${JSON.stringify({ pid: process.pid, url })}\n`, {
      mode: 0o600,
    })
  }

  /** Lets go of it. */
  close(): void {
    if (this.#lock === null) return
    rmSync(join(this.path, OWNER_FILE), { force: true })
    this.#lock.close()
    this.#lock = null
  }

  #refusal(error: unknown): TokenscopeError {
    const locked = /database is locked/.test(reasonOf(error))
    const message = locked
      ? `The data folder ${this.path} is in use by ${this.#owner()}. Stop it, or use --data for another folder.`
      : `The data folder ${this.path} cannot be used: ${reasonOf(error)}. Use --data for another folder.`
    return new TokenscopeError('DATA_FOLDER', message, { cause: error, param: '--data' })
  }

  #owner(): string {
    try {
      const { pid, url } = JSON.parse(readFileSync(join(this.path, OWNER_FILE), 'utf8'))
      return `another Tokenscope (process ${pid}, ${url})`
    } catch {
      return 'another Tokenscope'
    }
  }
}

/** Where the server is that holds a data folder, as it was described; null where none is, as far as can be told. */
export function serverOf(path: string): string | null {
  try {
    const { url } = JSON.parse(readFileSync(join(path, OWNER_FILE), 'utf8'))
    return typeof url === 'string' ? url : null
  } catch {
    return null
  }
}

/** Creates a folder and those above it, one by one: mkdir's own recursion never ends where none can be made. */
function createFolder(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) return
  if (there !== undefined) throw new Error(`${path} is a file`)
  createFolder(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}

/** A folder of this Node's own; what other versions have left is removed, so that it does not grow with each. */
function openCompileCache(path: string): string | null {
  const own = join(path, process.version)
  try {
    createFolder(own)
    for (const name of readdirSync(path)) {
      if (name !== process.version) rmSync(join(path, name), { recursive: true, force: true })
    }
    return own
  } catch {
    // It only makes starts faster.
    return null
  }
}
