import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ComponentReport } from '../../events/components.ts'
import { reasonOf } from '../../events/errors.ts'
import { durationText, sizeText } from '../../events/quantities.ts'
import { ThreadHandle } from '../thread-handle.ts'
import type { BackupReport } from './backup.ts'

export interface BackupScheduleOptions {
  /** The data folder. */
  folder: string
  everyMs: number
  say: (level: 'info' | 'warn' | 'error', text: string) => void
  /** Unix milliseconds; the system's if not given. */
  now?: () => number
}

/** Where in the data folder they are, and how many of them. */
const BACKUPS_FOLDER = 'backups'
const KEPT = 7

const NAME = /^records-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.db$/
const THREAD = new URL('./backup-thread.ts', import.meta.url)

/** After a failure it is not waited longer than this. */
const LONGEST_RETRY_MS = 60 * 60 * 1000
/** A machine that slept, or whose clock was set, is up to date again after this. */
const LONGEST_TIMER_MS = 60 * 1000

/**
 * Backs the records up every so often into `backups/` of the data folder, each checked, and keeps the newest seven.
 * When the next is due follows from the newest that is there, so that starts and stops neither skip nor double one.
 */
export class BackupSchedule {
  readonly #folder: string
  readonly #records: string
  readonly #everyMs: number
  readonly #say: BackupScheduleOptions['say']
  readonly #now: () => number
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #thread: ThreadHandle | null = null
  #stopped = false
  /** Why the last one failed, and when it is tried again; null if it did not fail. */
  #failure: { reason: string; retryAt: number } | null = null
  /** When the newest was made, as its name says; null if there is none. */
  #newest: number | null = null
  /** From when on it is counted; later than now only by a clock that was set back. */
  #since: number | null = null

  constructor({ folder, everyMs, say, now = Date.now }: BackupScheduleOptions) {
    this.#records = resolve(folder)
    this.#folder = join(this.#records, BACKUPS_FOLDER)
    this.#everyMs = everyMs
    this.#say = say
    this.#now = now
  }

  /** Makes a backup if one is due, and from now on whenever one is. */
  start(): void {
    this.#newest = newestTime(namesIn(this.#folder))
    this.#since = this.#newest
    this.#wait()
  }

  /** Makes no more; one that is being made is given up, and nothing of it is left. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#thread?.stop()
    await this.#running
  }

  /** `degraded` after one that failed, until the next that does not. */
  report(): ComponentReport {
    const every = `every ${durationText(this.#everyMs / 1000)}`
    const newest = this.#newest === null ? null : timeText(this.#newest)
    const failure = this.#failure
    const facts = { folder: this.#folder, newest, failure: failure?.reason ?? null }
    const detail =
      failure !== null
        ? `the last backup failed: ${failure.reason} It is tried again at ${timeText(failure.retryAt)}.`
        : newest === null
          ? `${every}, none yet`
          : `${every}, the newest of ${newest}`
    return { name: 'backups', status: failure === null ? 'ok' : 'degraded', detail, facts }
  }

  /** For how many milliseconds none is due. */
  get #left(): number {
    const now = this.#now()
    if (this.#failure !== null) return this.#failure.retryAt - now
    if (this.#since === null) return 0
    this.#since = Math.min(this.#since, now)
    return this.#since + this.#everyMs - now
  }

  #wait(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(
      () => {
        if (this.#left > 0) return this.#wait()
        this.#running = this.#back().finally(() => {
          this.#running = null
          this.#wait()
        })
      },
      Math.min(Math.max(this.#left, 0), LONGEST_TIMER_MS),
    )
  }

  /** Never rejects. */
  async #back(): Promise<void> {
    const time = this.#now()
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      const made = nameOf(time)
      const backup = await this.#make(join(this.#folder, made))
      this.#newest = time
      this.#since = time
      this.#failure = null
      this.#say('info', `backed up ${sizeText(backup.bytes)} of records: ${backup.file}`)
      for (const name of namesIn(this.#folder).slice(0, -KEPT)) {
        if (name !== made) rmSync(join(this.#folder, name))
      }
    } catch (error) {
      if (this.#stopped) return
      const retryAt = this.#now() + Math.min(this.#everyMs, LONGEST_RETRY_MS)
      const reason = reasonOf(error).replace(/[^.]$/, '$&.')
      this.#failure = { reason, retryAt }
      this.#say('error', `The backup failed: ${reason} It is tried again at ${timeText(retryAt)}.`)
    }
  }

  /** A thread is there only as long as it is needed. */
  async #make(file: string): Promise<BackupReport> {
    const thread = new ThreadHandle({ entry: THREAD, data: null, onEnd: () => {} })
    this.#thread = thread
    try {
      return await thread.call<BackupReport>('backup', { folder: this.#records, file })
    } finally {
      await thread.stop()
      this.#thread = null
    }
  }
}

/** Names of the backups in a folder, the oldest first. */
function namesIn(folder: string): string[] {
  try {
    // Times are written so that their order is that of their letters.
    return readdirSync(folder)
      .filter(name => NAME.test(name))
      .sort()
  } catch {
    return []
  }
}

function newestTime(names: readonly string[]): number | null {
  const newest = names.at(-1)
  return newest === undefined ? null : Date.parse(newest.replace(NAME, '$1T$2:$3:$4Z'))
}

function nameOf(time: number): string {
  return `records-${timeText(time).replaceAll(':', '-')}.db`
}

/** As `2026-11-21T15:20:55Z`. */
function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
}
