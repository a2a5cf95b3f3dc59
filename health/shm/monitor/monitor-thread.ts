/** What the thread of a `StructureMonitor` runs: it scores the tree, and watches it as long as it is told to. */
import { availableParallelism } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { reasonOf } from '../../../events/errors.ts'
import { Assessor, type AssessProgress } from '../assess.ts'
import { DIMENSION_NAMES, type DimensionName } from '../baseline.ts'
import { Comparison } from '../comparison.ts'
import type { PasReport, PasStatus } from '../report.ts'
import type { Assessment } from '../say/assessment.ts'
import { sayJson } from '../say/json.ts'
import type { SeenScore } from '../tree-standing.ts'
import { Watch } from '../watch.ts'

/** What the thread is told. `scan`: once, at once. `watch`: as often as something changes, until `rest`. */
export type ToMonitorThread = 'scan' | 'watch' | 'rest' | 'stop'

/** What it tells. */
export type FromMonitorThread =
  | { type: 'progress'; progress: AssessProgress }
  | { type: 'report'; report: ReportDigest }
  /** No report could be made. */
  | { type: 'failure'; message: string }
  /** The tree is watched less well than it should be. */
  | { type: 'notice'; message: string }
  /** An assessment ended, whatever came of it. */
  | { type: 'settled' }

/** A report, written out already, and what of it a server uses itself. */
export interface ReportDigest {
  /** As `pnpm shm --json` has it, in UTF-8. */
  json: Uint8Array<ArrayBuffer>
  score: number | null
  status: PasStatus | null
  dimensions: Record<DimensionName, number | null>
  files: number
  filesInCycles: number
  sccs: number
  warnings: number
  /** What the score was made of: only with equal ones it may be compared. */
  of: string
  /** Scores that the baseline in the folder tells of, oldest first. */
  past: SeenScore[]
  /** Why the baseline in the folder cannot be used; null: it can, or there is none. */
  trouble: string | null
}

/** Progress is told at most so often. */
const PROGRESS_MS = 100
/** How long a folder that cannot be scored is left alone before it is looked at again. */
const RETRY_MS = 2000

class MonitorThread {
  readonly #root: string
  readonly #send: (message: FromMonitorThread, transfer?: ArrayBuffer[]) => void
  readonly #assessor: Assessor
  readonly #comparison: Comparison
  readonly #stopping = new AbortController()
  #watch: Watch | null = null
  #retry: NodeJS.Timeout | null = null
  #hasReport = false
  #progressAt = 0

  constructor(root: string, send: (message: FromMonitorThread, transfer?: ArrayBuffer[]) => void) {
    this.#root = root
    this.#send = send
    // One processor is left to those who pass tokens on.
    this.#assessor = new Assessor(root, { threads: Math.max(1, availableParallelism() - 1) })
    this.#comparison = new Comparison(this.#assessor, {
      root,
      ...{ baseline: null, gate: false, writeBaseline: false, since: null },
    })
  }

  async scan(): Promise<void> {
    const { signal } = this.#stopping
    try {
      await this.#tell(await this.#assessor.assess({ onProgress: this.#progress, signal }))
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#send({ type: 'settled' })
    }
  }

  /** Scores the tree whenever it changes, beginning now. */
  watch(): void {
    if (this.#watch !== null || this.#stopping.signal.aborted) return
    const watch = new Watch({
      assessor: this.#assessor,
      root: this.#root,
      onReport: report => this.#tell(report),
      onError: message => this.#send({ type: 'failure', message }),
      onNotice: message => this.#send({ type: 'notice', message }),
      onProgress: this.#progress,
      onSettled: () => this.#send({ type: 'settled' }),
    })
    this.#watch = watch
    watch.start().catch(async error => {
      this.#fail(error)
      this.#send({ type: 'settled' })
      await watch.stop()
      if (this.#watch !== watch) return
      this.#retry = setTimeout(() => {
        this.#watch = null
        this.watch()
      }, RETRY_MS)
    })
  }

  /** Leaves it alone again. */
  async rest(): Promise<void> {
    const watch = this.#watch
    this.#watch = null
    if (this.#retry !== null) clearTimeout(this.#retry)
    await watch?.stop()
    // Who came and went at once had the first scan broken off.
    if (!this.#hasReport && !this.#stopping.signal.aborted) await this.scan()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.rest()
    await this.#assessor.stop()
  }

  readonly #progress = (progress: AssessProgress): void => {
    const now = performance.now()
    if (now - this.#progressAt < PROGRESS_MS) return
    this.#progressAt = now
    this.#send({ type: 'progress', progress })
  }

  async #tell(report: PasReport): Promise<void> {
    const { assessment, trouble } = await this.#compared(report)
    this.#hasReport = true
    const json = new TextEncoder().encode(sayJson(assessment))
    const digest: ReportDigest = {
      json,
      score: report.score,
      status: report.status,
      dimensions: Object.fromEntries(
        DIMENSION_NAMES.map(name => [name, report.dimensions[name].value]),
      ) as ReportDigest['dimensions'],
      files: report.counts.files,
      filesInCycles: report.counts.files_in_cycles,
      sccs: report.sccs.length,
      warnings: report.warnings.length,
      of: JSON.stringify([
        ...[this.#root, report.ids.formula, report.ids.calibration, report.ids.partition],
        report.policy,
      ]),
      past: assessment.history.map(({ at, score }) => ({ at: Date.parse(at) / 1000, score })),
      trouble,
    }
    this.#send({ type: 'report', report: digest }, [json.buffer])
  }

  /** The report beside its baseline, or without it where that is no good. */
  async #compared(report: PasReport): Promise<{ assessment: Assessment; trouble: string | null }> {
    try {
      return { assessment: await this.#comparison.of(report), trouble: null }
    } catch (error) {
      const assessment = { title: this.#root, report, history: [], verdict: null, since: null }
      return { assessment, trouble: reasonOf(error) }
    }
  }

  #fail(error: unknown): void {
    if (this.#stopping.signal.aborted || (error as Error).name === 'AbortError') return
    this.#send({ type: 'failure', message: reasonOf(error) })
  }
}

if (parentPort !== null) {
  const port = parentPort
  const { root } = workerData as { root: string }
  const thread = new MonitorThread(root, (message, transfer = []) => port.postMessage(message, transfer))
  // A rest takes as long as what it breaks off; what comes meanwhile waits for it.
  let turn: Promise<void> = Promise.resolve()
  port.on('message', (message: ToMonitorThread) => {
    if (message === 'scan') void thread.scan()
    else if (message === 'watch') turn = turn.then(() => thread.watch())
    else if (message === 'rest') turn = turn.then(() => thread.rest())
    else void thread.stop().then(() => port.close())
  })
}
