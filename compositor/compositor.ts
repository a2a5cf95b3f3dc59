/**
 * The compositor: has the tokens of the log laid out, in a process of its own (`process.ts`).
 *
 * It reads the log by its own cursor and works only while somebody watches; what was appended meanwhile it
 * catches up with, as far as the log keeps it. The process holds the tokens; it is started with the first
 * viewer, and may end at any time: another one then gets all that the log keeps. Nothing that becomes of it
 * reaches a viewer, and a GPU that keeps failing is given up for the CPU.
 */
import { resolve } from 'node:path'
import type { TokenLog } from '../broadcast/token-log.ts'
import type { ComponentReport } from '../events/components.ts'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import type { Backend } from './adapter.ts'
import {
  type Answer,
  type ProcessEnd,
  ProcessHandle,
  type ProcessHandleOptions,
  type Say,
} from './process-handle.ts'
import { Restarts } from './restarts.ts'
import { prepareDump } from './shader-files.ts'
import type { PlacedTokens } from './token-pages.ts'

const PAGE_TOKENS = 65_536
const MAX_PAGES = 16
/** Entries read at a time, so that a long log does not hold up what else this process does. */
const BATCH_ENTRIES = 8192
/** Entries are gathered for so long, a frame's time: a message for each costs more than laying it out. */
const GATHER_MS = 16
/** Batches on their way: one at work, and the next so that the process need not wait for it. */
const MAX_BATCHES = 2

export interface CompositorOptions {
  log: TokenLog
  meter: Meter
  backend: Backend
  /** Folder that shaders are written to as they are compiled; null for none. */
  dump: string | null
  say: Say
  /** How the process is started and how long is waited for it. */
  process?: Pick<ProcessHandleOptions, 'entry' | 'answerMs' | 'stopMs'>
  /** Ends of the GPU's process, close together, after which the CPU is used. */
  maxEnds?: number
}

/** Somebody who waits for an answer to `places`. */
type Asker = PromiseWithResolvers<PlacedTokens>

export class Compositor {
  readonly #options: CompositorOptions
  readonly #log: TokenLog
  readonly #dump: string | null
  readonly #restarts: Restarts
  #backend: Backend
  #process: ProcessHandle | null = null
  /** Whether the process has begun and takes batches. */
  #ready = false
  /** Seq of the last entry read for the process. */
  #cursor = 0
  /** Batches on their way, oldest first: the cursor before each. */
  #batches: number[] = []
  #askers: Asker[] = []
  #watched = false
  #stopping = false
  #unlisten: (() => void) | null = null
  #turn: NodeJS.Timeout | null = null
  /** `performance.now()` of the last batch. */
  #sentAt = Number.NEGATIVE_INFINITY
  #restart: NodeJS.Timeout | null = null
  #ends = 0
  /** How the last process ended, as half a sentence; null once another has begun. */
  #lastEnd: string | null = null
  #tokens = 0
  #lastStepMs: number | null = null

  constructor(options: CompositorOptions) {
    this.#options = options
    this.#log = options.log
    this.#dump = options.dump === null ? null : resolve(options.dump)
    this.#restarts = new Restarts(options.maxEnds)
    this.#backend = options.backend
  }

  /** @throws TokenscopeError CONFIG if shaders cannot be written where they are to be */
  start(): void {
    if (this.#dump !== null) prepareDump(this.#dump)
    this.#unlisten = this.#log.onAppend(() => this.#schedule())
  }

  /** Resolves when nothing of the process is left. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#unlisten?.()
    this.#unschedule()
    if (this.#restart) clearTimeout(this.#restart)
    this.#restart = null
    await this.#process?.stop()
  }

  /** Says whether somebody watches; nothing is laid out while nobody does. */
  watch(watched: boolean): void {
    this.#watched = watched
    if (watched) {
      this.#ensureProcess()
      this.#schedule()
    } else this.#unschedule()
  }

  /** Every token up to this seq that the log had is laid out, or was and has been let go. */
  get laidOutTo(): number {
    return this.#batches[0] ?? this.#cursor
  }

  /**
   * The tokens with a seq from `from` to `to`, both included, that the process has laid out.
   *
   * @throws TokenscopeError INTERNAL if there is no process, or it ends before it answers
   */
  places(from: number, to: number): Promise<PlacedTokens> {
    const asker: Asker = Promise.withResolvers()
    this.#askers.push(asker)
    if (this.#ready) this.#process?.send({ type: 'places', from, to })
    else this.#dismissAskers('has not begun')
    return asker.promise
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    const { name, adapter, reason, detail } = this.#backend
    const last = this.#lastStepMs === null ? '' : `, last step ${this.#lastStepMs.toFixed(3)} ms`
    const tokens = this.#tokens === 0 ? '' : `; ${this.#tokens} tokens${last}`
    const trouble = this.#trouble
    return {
      name: 'compositor',
      status: trouble === null ? 'ok' : 'degraded',
      detail: `${detail}${tokens}${trouble === null ? '' : `. ${trouble}`}`,
      facts: {
        backend: name,
        adapter,
        reason,
        layouts: ['map'],
        tokens: this.#tokens,
        restarts: this.#ends,
        pid: this.#process?.pid ?? null,
      },
    }
  }

  #schedule(): void {
    if (this.#watched && this.#ready && this.#turn === null && !this.#stopping)
      this.#turn = setTimeout(() => this.#step(), this.#gatherMs())
  }

  /** How long to gather: not at all after a while without a batch, nor for what fills one. */
  #gatherMs(): number {
    if (this.#log.head - this.#cursor >= BATCH_ENTRIES) return 0
    return Math.max(0, this.#sentAt + GATHER_MS - performance.now())
  }

  #unschedule(): void {
    if (this.#turn) clearTimeout(this.#turn)
    this.#turn = null
  }

  /** Sends the process what the log has since the last step, as far as it is one batch. */
  #step(): void {
    this.#turn = null
    const { head, tail } = this.#log
    if (this.#batches.length === MAX_BATCHES || this.#cursor === head) return
    const first = Math.max(this.#cursor + 1, tail)
    const last = Math.min(head, first + BATCH_ENTRIES - 1)
    const seqs = new Float64Array(last - first + 1)
    const cells = new Uint32Array(last - first + 1)
    let count = 0
    for (let seq = first; seq <= last; seq++) {
      const cell = this.#log.cell(seq)
      if (cell === null) continue
      seqs[count] = seq
      cells[count++] = cell
    }
    if (count > 0) {
      this.#batches.push(this.#cursor)
      this.#sentAt = performance.now()
      this.#process?.send({ type: 'batch', seqs: seqs.slice(0, count), cells: cells.slice(0, count) })
    }
    this.#cursor = last
    this.#schedule()
  }

  #ensureProcess(): void {
    if (this.#process !== null || this.#restart !== null || this.#stopping) return
    const { say, process } = this.#options
    this.#cursor = 0
    try {
      this.#process = new ProcessHandle({ ...process, say, onAnswer: answer => this.#take(answer) })
    } catch (error) {
      this.#onEnd({ reason: `could not be started: ${reasonOf(error)}`, told: false, ran: false })
      return
    }
    this.#process.send({
      type: 'start',
      backend: this.#backend.name,
      dump: this.#dump,
      pageTokens: PAGE_TOKENS,
      maxPages: MAX_PAGES,
    })
    void this.#process.ended.then(end => this.#onEnd(end))
  }

  #take(answer: Answer): void {
    if (answer.type === 'ready') {
      this.#ready = true
      this.#lastEnd = null
      this.#options.say('debug', `compositor: laying out, ${this.#backend.detail}`)
    } else if (answer.type === 'done') {
      this.#batches.shift()
      this.#tokens = answer.kept
      this.#lastStepMs = answer.seconds * 1000
      this.#restarts.worked()
      const labels = { backend: this.#backend.name, layout: 'map' }
      this.#options.meter.observe('tokenscope_layout_seconds', labels, answer.seconds)
    } else if (answer.type === 'places') this.#askers.shift()?.resolve(answer)
    this.#schedule()
  }

  #onEnd({ reason, told, ran }: ProcessEnd): void {
    this.#process = null
    this.#ready = false
    this.#unschedule()
    this.#cursor = 0
    this.#batches = []
    this.#tokens = 0
    this.#dismissAskers(reason)
    if (this.#stopping) return
    this.#ends++
    this.#lastEnd = reason
    const { waitMs, hopeless } = this.#restarts.judge(performance.now(), ran)
    this.#options.say(told ? 'error' : 'warn', `compositor: its process ${reason}`)
    if (hopeless && this.#backend.name === 'webgpu') this.#giveUpGpu(reason)
    this.#restart = setTimeout(() => {
      this.#restart = null
      if (this.#watched) this.#ensureProcess()
    }, waitMs)
  }

  #giveUpGpu(reason: string): void {
    const { adapter } = this.#backend
    const why = `${adapter} failed again and again: the process that used it ${reason}`
    this.#backend = { name: 'cpu', adapter: null, reason: why, detail: `CPU, since ${why}` }
    this.#restarts.clear()
    this.#options.say('error', `compositor: on the CPU from now on, since ${why}`)
  }

  /** What is wrong at the moment, as a sentence; null if nothing is. */
  get #trouble(): string | null {
    if (this.#isGivenUp) return 'A restart of Tokenscope tries the GPU again.'
    if (this.#lastEnd === null) return null
    const when = this.#watched ? '' : ' for the next viewer'
    return `The process that lays out ${this.#lastEnd} and is started again${when}.`
  }

  /** Whether the GPU was tried and is used no more. */
  get #isGivenUp(): boolean {
    return this.#backend.name !== this.#options.backend.name
  }

  #dismissAskers(reason: string): void {
    const error = new TokenscopeError('INTERNAL', `The compositor’s process ${reason}.`)
    for (const { reject } of this.#askers.splice(0)) reject(error)
  }
}
