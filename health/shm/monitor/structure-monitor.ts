import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ComponentReport } from '../../../events/components.ts'
import { reasonOf, TokenscopeError } from '../../../events/errors.ts'
import type { Meter } from '../../../events/metrics.ts'
import { DIMENSION_NAMES } from '../baseline.ts'
import { counted } from '../say/plain-text.ts'
import type { TreeStanding } from '../tree-standing.ts'
import type { FromMonitorThread, ReportDigest, ToMonitorThread } from './monitor-thread.ts'
import { ScoreHistory } from './score-history.ts'

export interface StructureMonitorOptions {
  /** The folder to score. */
  root: string
  /** The folder where the history of scores is kept. */
  data: string
  meter: Meter
  say: (level: 'info' | 'warn', sentence: string) => void
  /** Changes go on being looked for so long after the last one who watched has gone, as who reloads a page does. */
  graceMs?: number
  /** The module that the thread runs instead of monitor-thread.ts. */
  thread?: URL
}

/** The last report and how the tree stands. */
export interface TreeAnswer {
  /** The report as `pnpm shm --json` has it, in UTF-8; null: there is none yet. */
  json: Uint8Array | null
  standing: TreeStanding
  /** Another one for each answer that differs. */
  revision: string
}

const HISTORY_FILE = 'score-history.json'
const GRACE_MS = 5000
/** A thread that is in the middle of something when it is to stop is ended after this. */
const STOP_PATIENCE_MS = 1000

/**
 * Scores a source tree in a thread of its own: once at the start, when it is asked to, and at each change while somebody watches.
 * If the thread ends by itself it is started once more; if that one ends as well before it made a report, the tree is left alone until
 * somebody asks for a scan or comes to watch.
 */
export class StructureMonitor {
  readonly #root: string
  readonly #meter: Meter
  readonly #say: StructureMonitorOptions['say']
  readonly #graceMs: number
  readonly #module: URL
  readonly #history: ScoreHistory
  readonly #life = randomUUID()
  #changes = 0
  #thread: Worker | null = null
  #isRetry = false
  #isAttended = false
  #grace: NodeJS.Timeout | null = null
  #isStopping = false
  #digest: ReportDigest | null = null
  #scannedAt: number | null = null
  #scanning = false
  #watching = false
  #progress: TreeStanding['progress'] = null
  #failure: string | null = null
  #notice: string | null = null

  /** @throws TokenscopeError CONFIG if there is no such folder */
  constructor({ root, data, meter, say, graceMs = GRACE_MS, thread }: StructureMonitorOptions) {
    this.#root = resolve(root)
    this.#meter = meter
    this.#say = say
    this.#graceMs = graceMs
    this.#module = thread ?? new URL('./monitor-thread.ts', import.meta.url)
    this.#history = new ScoreHistory(join(data, HISTORY_FILE), sentence => say('warn', sentence))
    refuseUnlessFolder(this.#root)
  }

  /** Begins with a scan. */
  async start(): Promise<void> {
    await this.#history.load()
    this.scan()
  }

  /** Scores the tree again, whatever changed; nothing if it is being scanned. */
  scan(): void {
    if (this.#isStopping || this.#scanning) return
    this.#scanning = true
    this.#changed()
    this.#post('scan')
    if (this.#isAttended && !this.#watching) this.#setWatching(true)
  }

  /** Told whether somebody watches. */
  attend(isAttended: boolean): void {
    if (this.#isStopping || isAttended === this.#isAttended) return
    this.#isAttended = isAttended
    if (this.#grace !== null) clearTimeout(this.#grace)
    this.#grace = null
    if (!isAttended) this.#grace = setTimeout(() => this.#setWatching(false), this.#graceMs)
    else if (!this.#watching) this.#setWatching(true)
  }

  /** The last report and how the tree stands. */
  get answer(): TreeAnswer {
    const state = this.#scanning ? 'scanning' : this.#failure === null ? 'ready' : 'failed'
    return {
      json: this.#digest?.json ?? null,
      revision: `${this.#life}.${this.#changes}`,
      standing: {
        root: this.#root,
        state,
        watching: this.#watching,
        progress: this.#progress,
        scanned_at: this.#scannedAt,
        trouble: this.#trouble,
        history: this.#history.scores,
      },
    }
  }

  report(): ComponentReport {
    const digest = this.#digest
    const { root, state, trouble, watching, scanned_at } = this.answer.standing
    const scored =
      digest === null
        ? `${root} ${state === 'scanning' ? 'is being scored' : 'has no score'}.`
        : `${root} has a PAS of ${scoreText(digest)}: ${counted(digest.files, 'file')}, ${cyclesText(digest)}.`
    return {
      name: 'structure',
      status: state === 'failed' || trouble !== null ? 'degraded' : 'ok',
      detail: trouble === null ? scored : `${scored} ${trouble}`,
      facts: { root, state, score: digest?.score ?? null, watching, scanned_at },
    }
  }

  /** Ends the thread; what it was doing is given up. */
  async stop(): Promise<void> {
    this.#isStopping = true
    if (this.#grace !== null) clearTimeout(this.#grace)
    const thread = this.#thread
    if (thread !== null) {
      const ended = new Promise(resolve => thread.once('exit', resolve))
      thread.postMessage('stop' satisfies ToMonitorThread)
      const patience = setTimeout(() => void thread.terminate(), STOP_PATIENCE_MS)
      await ended
      clearTimeout(patience)
    }
    await this.#history.settle()
  }

  get #trouble(): string | null {
    return this.#failure ?? this.#digest?.trouble ?? this.#notice
  }

  #setWatching(isWatching: boolean): void {
    this.#watching = isWatching
    this.#notice = null
    this.#changed()
    this.#post(isWatching ? 'watch' : 'rest')
  }

  /** Tells the thread, which is started if there is none. */
  #post(message: ToMonitorThread): void {
    if (this.#thread === null) {
      // Nobody watches in a thread that is not there.
      if (message === 'rest') return
      this.#thread = this.#begin()
    }
    this.#thread.postMessage(message)
  }

  #begin(): Worker {
    const thread = new Worker(this.#module, { workerData: { root: this.#root } })
    let failure: unknown = null
    thread.on('error', error => {
      failure = error
    })
    thread.on('message', (message: FromMonitorThread) => this.#hear(message))
    thread.on('exit', code => {
      this.#thread = null
      if (!this.#isStopping) this.#lost(failure === null ? `it ended with ${code}` : reasonOf(failure))
    })
    return thread
  }

  #hear(message: FromMonitorThread): void {
    if (this.#isStopping) return
    if (message.type === 'progress') this.#progress = message.progress
    else if (message.type === 'report') this.#take(message.report)
    else if (message.type === 'failure') this.#fail(message.message)
    else if (message.type === 'notice') {
      this.#notice = message.message
      this.#say('warn', message.message)
    } else {
      this.#progress = null
      this.#scanning = false
    }
    this.#changed()
  }

  #take(digest: ReportDigest): void {
    const before = this.#digest
    const at = Date.now() / 1000
    this.#digest = digest
    this.#scannedAt = at
    this.#failure = null
    this.#isRetry = false
    this.#history.add(digest.of, { at, score: digest.score }, digest.past)
    this.#meter.set('tokenscope_pas_score', {}, digest.score ?? Number.NaN)
    for (const name of DIMENSION_NAMES)
      this.#meter.set('tokenscope_pas_dimension', { name }, digest.dimensions[name] ?? Number.NaN)
    if (before?.score !== digest.score || before.sccs !== digest.sccs)
      this.#say('info', `PAS of ${this.#root}: ${scoreText(digest)}, ${cyclesText(digest)}`)
    if (digest.trouble !== null && digest.trouble !== before?.trouble) this.#say('warn', digest.trouble)
  }

  #fail(message: string): void {
    if (message !== this.#failure) this.#say('warn', `${this.#root} could not be scored: ${message}`)
    this.#failure = message
  }

  /** The thread ended by itself. */
  #lost(why: string): void {
    this.#progress = null
    this.#scanning = false
    this.#fail(`What scores it broke off: ${why}.`)
    const isRetry = this.#isRetry
    this.#isRetry = !isRetry
    if (isRetry) {
      this.#watching = false
      this.#changed()
      return
    }
    const isWatching = this.#watching
    this.scan()
    if (isWatching) this.#post('watch')
  }

  #changed(): void {
    this.#changes++
  }
}

/** @throws TokenscopeError CONFIG */
function refuseUnlessFolder(root: string): void {
  let why = 'is not a folder'
  try {
    if (statSync(root).isDirectory()) return
  } catch (error) {
    why =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'is not there'
        : `cannot be read: ${reasonOf(error)}`
  }
  throw new TokenscopeError('CONFIG', `--shm ${root}: the folder ${why}.`, { param: '--shm' })
}

function scoreText({ score, status }: ReportDigest): string {
  return score === null ? 'nothing to score' : `${score.toFixed(3)} (${status})`
}

function cyclesText({ sccs, filesInCycles }: ReportDigest): string {
  if (sccs === 0) return 'no import cycles'
  return `${counted(filesInCycles, 'file')} in ${counted(sccs, 'import cycle')}`
}
