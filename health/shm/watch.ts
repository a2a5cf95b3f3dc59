/** A folder's score as it changes. */
import { type FSWatcher, lstatSync, watch } from 'node:fs'
import { basename, join, posix, resolve, sep } from 'node:path'
import { reasonOf } from '../../events/errors.ts'
import type { Assessor, AssessProgress } from './assess.ts'
import type { PasReport } from './report.ts'
import { isManifest } from './scan/manifests.ts'
import { languageOf } from './scan/names.ts'
import { PAS_CONFIG_FILE } from './scan/pas-config.ts'

export interface WatchOptions {
  /** Of the same folder. It stays its owner's, who stops it. */
  assessor: Assessor
  root: string
  /** Told the first report, and every one that differs from the one before; what it throws is told to `onError`. */
  onReport(report: PasReport): unknown
  /** Told what keeps a report from being made, once; the next change is a new try, and so is every other second. */
  onError(message: string): void
  /** Told why changes are seen late; if not given, `onError` is. */
  onNotice?(message: string): void
  /** Told that an assessment ended, whatever came of it. */
  onSettled?(): void
  onProgress?(progress: AssessProgress): void
}

/** A folder that is listened in. */
interface Listening {
  watcher: FSWatcher
  /** Which one of those that had its name. */
  identity: string | null
}

/** Editors write in several steps: it is waited until so long nothing happened, but not for longer than this. */
const QUIET_MS = 20
const LONGEST_WAIT_MS = 250
/** How often everything is looked at where the system does not tell. */
const POLL_MS = 2000
/** What git appends to when HEAD moves. */
const REFLOG_FOLDER = '.git/logs'
const COMPILER_OPTIONS = /^[tj]sconfig.*\.json$/

/**
 * Scores a folder and then again whenever a file of it changes. It listens in each folder that was scanned, so nothing is spent on
 * dependencies and on what git ignores; where the system tells of all folders at once it listens to that. What changed is read again; where
 * files come or go, or the system lost count, everything is looked at. Where the system cannot watch so many folders
 * everything is looked at every two seconds.
 */
export class Watch {
  readonly #options: WatchOptions
  readonly #root: string
  readonly #isRecursive: boolean
  readonly #watchers = new Map<string, Listening>()
  #polling: NodeJS.Timeout | null = null
  #timer: NodeJS.Timeout | null = null
  #firstEventAt: number | null = null
  /** Files that changed since the last assessment began; null: more than files. */
  #changed: Set<string> | null = new Set()
  #running: Promise<void> | null = null
  #told: string | null = null
  #trouble: string | null = null
  #retry: NodeJS.Timeout | null = null
  readonly #stopping = new AbortController()

  /** @param recursive whether the system watches folders with all that is below them */
  constructor(
    options: WatchOptions,
    recursive = process.platform === 'darwin' || process.platform === 'win32',
  ) {
    this.#options = options
    this.#root = resolve(options.root)
    this.#isRecursive = recursive
  }

  /** Makes the first report; from then on changes are seen. @throws what kept it from being made */
  async start(): Promise<void> {
    const { assessor, onProgress, onSettled } = this.#options
    const report = await assessor.assess({ onProgress, signal: this.#stopping.signal })
    await this.#tell(report)
    onSettled?.()
    this.#changed = this.#listen() ? null : new Set()
    await this.#run()
  }

  /** Ends it; nothing is told afterwards. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const { watcher } of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#polling !== null) clearInterval(this.#polling)
    if (this.#retry !== null) clearTimeout(this.#retry)
    await this.#running
  }

  /** Assesses until nothing is left that changed. */
  #run(): Promise<void> {
    this.#running ??= this.#work().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #work(): Promise<void> {
    while (!this.#stopping.signal.aborted && (this.#changed === null || this.#changed.size > 0)) {
      const changed = this.#changed
      this.#changed = new Set()
      const { folders } = this.#options.assessor
      await this.#assess(changed)
      const isOther = changed === null || folders !== this.#options.assessor.folders
      // What happened in a folder before it was watched nobody told.
      if (isOther && this.#listen()) this.#changed = null
    }
  }

  async #assess(changed: ReadonlySet<string> | null): Promise<void> {
    const { assessor, onError, onProgress, onSettled } = this.#options
    const { signal } = this.#stopping
    try {
      const report = await assessor.assess({
        ...(changed === null ? {} : { changed: [...changed] }),
        onProgress,
        signal,
      })
      this.#trouble = null
      await this.#tell(report)
    } catch (error) {
      if (signal.aborted) return
      // When it works again that is news, even if nothing else is.
      this.#told = null
      const trouble = reasonOf(error)
      if (trouble !== this.#trouble) onError(trouble)
      this.#trouble = trouble
      this.#tryLater()
    }
    onSettled?.()
  }

  /** Some troubles pass without a change that anybody tells. */
  #tryLater(): void {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#note(null), POLL_MS)
  }

  async #tell(report: PasReport): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const content = JSON.stringify({ ...report, duration_ms: 0 })
    if (content === this.#told) return
    this.#told = content
    await this.#options.onReport(report)
  }

  /** Listens in every folder that was scanned and in no other; whether there are new ones. */
  #listen(): boolean {
    if (this.#stopping.signal.aborted) return false
    const wanted = new Set(this.#isRecursive ? [''] : ['', ...this.#options.assessor.folders])
    if (!this.#isRecursive && isFolder(join(this.#root, REFLOG_FOLDER))) wanted.add(REFLOG_FOLDER)
    for (const [folder, { watcher, identity }] of this.#watchers) {
      // One that went and is there again is another one, and what listens to the old one hears nothing of it.
      if (wanted.has(folder) && identity === identityOf(join(this.#root, folder))) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    let isNew = false
    for (const folder of wanted) {
      if (this.#watchers.has(folder) || this.#polling !== null) continue
      isNew = this.#listenIn(folder) || isNew
    }
    return isNew
  }

  #listenIn(folder: string): boolean {
    const path = join(this.#root, folder)
    try {
      const identity = identityOf(path)
      const watcher = watch(path, { recursive: this.#isRecursive }, (type, name) => {
        this.#hear(folder, type, name)
      })
      this.#watchers.set(folder, { watcher, identity })
      watcher.on('error', error => this.#lose(folder, watcher, error))
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#poll(error)
      // It has gone meanwhile, which its parent tells, if it has one here.
      else if (folder === '') this.#tryLater()
      return false
    }
  }

  #hear(folder: string, type: string, name: string | null): void {
    if (name === null) {
      this.#note(null)
      return
    }
    // The root's own end is told by its name.
    if (folder === '' && name === basename(this.#root) && !isFolder(this.#root)) {
      this.#note(null)
      return
    }
    const path = posix.join(folder, name.split(sep).join('/'))
    const [parent, own] = [parentOf(path), path.slice(path.lastIndexOf('/') + 1)]
    if (parent === REFLOG_FOLDER) {
      if (own === 'HEAD') this.#note(null)
    } else if (this.#options.assessor.has(path)) this.#note(path)
    else if (this.#mattersIn(parent, own, path, type)) this.#note(null)
  }

  /** Whether something that is no file of the tree changes it. */
  #mattersIn(parent: string, name: string, path: string, type: string): boolean {
    const { folders } = this.#options.assessor
    if (parent !== '' && !folders.has(parent)) return false
    if (name === '.gitignore' || name === PAS_CONFIG_FILE) return true
    if (name.startsWith('.')) return false
    if (isManifest(name) || COMPILER_OPTIONS.test(name)) return true
    // A file that is left out may be written to; one that comes may be a file of the tree.
    if (type !== 'rename') return false
    return languageOf(name) !== null || folders.has(path) || isFolder(join(this.#root, path))
  }

  /** A change is there: of a file, or, with null, of anything. */
  #note(path: string | null): void {
    if (this.#stopping.signal.aborted) return
    if (path === null) this.#changed = null
    else this.#changed?.add(path)
    const now = performance.now()
    this.#firstEventAt ??= now
    if (this.#timer !== null) clearTimeout(this.#timer)
    const wait = Math.max(Math.min(QUIET_MS, this.#firstEventAt + LONGEST_WAIT_MS - now), 0)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#firstEventAt = null
      void this.#run()
    }, wait)
  }

  #lose(folder: string, watcher: FSWatcher, error: unknown): void {
    watcher.close()
    if (this.#watchers.get(folder)?.watcher === watcher) this.#watchers.delete(folder)
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EMFILE') this.#poll(error)
    this.#note(null)
  }

  /** Looks by itself from now on, since the system does not tell of all folders. */
  #poll(error: unknown): void {
    if (this.#polling !== null || this.#stopping.signal.aborted) return
    this.#polling = setInterval(() => this.#note(null), POLL_MS)
    const why = `Not every folder can be watched: ${reasonOf(error)}`
    const { onNotice = this.#options.onError } = this.#options
    onNotice(`${why}. Changes are looked for every ${POLL_MS / 1000} seconds.`)
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '' : path.slice(0, slash)
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** What tells a folder from the next one at its path; null: there is none. */
function identityOf(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats === undefined ? null : `${stats.dev} ${stats.ino} ${stats.birthtimeMs}`
}
