/**
 * The compositor: has the tokens of the log laid out, in a process of its own (`process.ts`), and answers what is
 * asked about the layouts.
 *
 * It works only while somebody watches or asks, and lays out only what is watched or asked about; what was
 * appended meanwhile it catches up with. The process holds the tokens; it is started with the first viewer, and
 * may end at any time: another one then gets what was recorded, all that the log has besides, and the questions that
 * have no answer yet. Nothing else of it reaches a viewer, and a GPU that keeps failing is given up for the CPU.
 */
import { resolve } from 'node:path'
import type {
  LayoutName,
  PickQuestion,
  Placed,
  ViewAnswer,
  ViewQuestion,
} from '../broadcast/protocol/view.ts'
import type { TokenLog } from '../broadcast/token-log.ts'
import type { ComponentReport } from '../events/components.ts'
import { reasonOf } from '../events/errors.ts'
import type { Meter } from '../events/metrics.ts'
import type { Backend } from './adapter.ts'
import { Feed } from './feed.ts'
import type { FrameQuestion } from './frame/frame-question.ts'
import type { Done } from './messages.ts'
import type { Past } from './past.ts'
import { PastFeed } from './past-feed.ts'
import {
  type Answer,
  type ProcessEnd,
  ProcessHandle,
  type ProcessHandleOptions,
  type Say,
} from './process-handle.ts'
import { checkQuestion } from './question-check.ts'
import { type Asking, Questions, WAIT_MS } from './questions.ts'
import { Restarts } from './restarts.ts'
import { prepareDump } from './shader-files.ts'
import { type HeldTiles, ViewCache, withoutHad } from './view-cache.ts'
import { Watching } from './watching.ts'

/** Pages of tokens kept at most: 16.7 million tokens. */
const MAX_PAGES = 16

export interface CompositorOptions {
  log: TokenLog
  /** What was recorded, which is laid out before what the log has; null for nothing. */
  past: Past | null
  meter: Meter
  backend: Backend
  /** Folder that shaders are written to as they are compiled; null for none. */
  dump: string | null
  say: Say
  /** How the process is started and how long is waited for it. */
  process?: Omit<ProcessHandleOptions, 'say' | 'onAnswer'>
  /** Ends of the GPU's process, close together, after which the CPU is used. */
  maxEnds?: number
  /** How long a question waits for a process that can be asked, in ms. */
  waitMs?: number
  /** The newest generations that were recorded with so many tokens in all are laid out. */
  pastTokens?: number
  /** How long a layout is laid out after it was asked about, in ms. */
  holdMs?: number
}

export class Compositor {
  readonly #options: CompositorOptions
  readonly #log: TokenLog
  readonly #dump: string | null
  readonly #restarts: Restarts
  readonly #watching: Watching
  readonly #past: PastFeed
  readonly #feed: Feed
  readonly #questions: Questions
  readonly #cache = new ViewCache()
  readonly #listeners = new Set<(placed: Placed) => void>()
  /** Those who wait until everything up to a seq is laid out. */
  readonly #waiters = new Set<{ upto: number; go: () => void }>()
  #backend: Backend
  #process: ProcessHandle | null = null
  /** Whether the process knows what was recorded, and takes batches of the log. */
  #ready = false
  /** Whether the process has what listeners knew of, which is laid out at once and not as it comes in. */
  #replayed = false
  /** Seq up to which the process must have laid out before it is asked: else what is there would be missing. */
  #dueTo = 0
  /** Seq up to which listeners know where tokens were laid out, or need not. */
  #toldTo = 0
  #watched = false
  #stopping = false
  #restart: NodeJS.Timeout | null = null
  #ends = 0
  /** How the last process ended, as half a sentence; null once another has begun. */
  #lastEnd: string | null = null
  #lastDone: Done | null = null

  constructor(options: CompositorOptions) {
    this.#options = options
    this.#log = options.log
    this.#dump = options.dump === null ? null : resolve(options.dump)
    this.#restarts = new Restarts(options.maxEnds)
    this.#watching = new Watching(() => this.#update(), options.holdMs)
    const { past, pastTokens: maxTokens, say } = options
    this.#past = new PastFeed({ past, maxTokens, say, send: batch => this.#process?.send(batch) })
    this.#feed = new Feed(options.log, batch => this.#process?.send(batch))
    this.#questions = new Questions(request => this.#process?.send(request), options.waitMs)
    this.#backend = options.backend
  }

  /** @throws TokenscopeError CONFIG if shaders cannot be written where they are to be */
  start(): void {
    if (this.#dump !== null) prepareDump(this.#dump)
    this.#feed.start()
  }

  /** Resolves when nothing of the process is left. What was asked and not answered is refused. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#past.stop()
    this.#feed.stop()
    this.#watching.stop()
    this.#questions.stop()
    for (const { go } of this.#waiters) go()
    if (this.#restart) clearTimeout(this.#restart)
    this.#restart = null
    await this.#process?.stop()
  }

  /** Says whether there are viewers: only then, or when something is asked, tokens are taken in as they come. */
  attend(attended: boolean): void {
    this.#watching.attend(attended)
  }

  /** Says which layouts viewers have before them; none is laid out while nobody looks at it or asks about it. */
  watch(layouts: ReadonlySet<LayoutName>): void {
    this.#watching.view(layouts)
  }

  /**
   * What there is in a viewport. Waits while the process that knows is started, or started again.
   *
   * @throws TokenscopeError BAD_REQUEST for a question that is none, COMPOSITOR_UNAVAILABLE if there is no process for too
   *   long, DRAINING while Tokenscope stops, INTERNAL
   */
  async view(question: ViewQuestion): Promise<ViewAnswer> {
    checkQuestion(question)
    const { have, ...rest } = question
    if (have === undefined) {
      return (await this.#ask('view', rest, { ask: () => ({ type: 'view', question }) })) as ViewAnswer
    }
    let held: HeldTiles = new Map()
    // Whatever each has, they share an answer.
    const answer = await this.#ask('tiles', rest, {
      ask: () => {
        const prepared = this.#cache.prepare(rest)
        held = prepared.held
        return { type: 'view', question: prepared.question }
      },
      complete: raw => this.#cache.complete(rest, raw, held),
    })
    return withoutHad(answer as ViewAnswer, have)
  }

  /**
   * Which token lies at a place: an answer with that one, or none.
   *
   * @throws TokenscopeError as {@link view} does
   */
  async pick(question: PickQuestion): Promise<ViewAnswer> {
    checkQuestion(question)
    return (await this.#ask('pick', question, { ask: () => ({ type: 'pick', question }) })) as ViewAnswer
  }

  /**
   * A picture of a layout, with all that was recorded and that the log has by now: nobody looks at it again as it goes on.
   *
   * @returns the bytes of a PNG file
   * @throws TokenscopeError as {@link view} does
   */
  async frame(question: FrameQuestion): Promise<Uint8Array> {
    await this.#upToDate(question.layout)
    return (await this.#ask('frame', question, { ask: () => ({ type: 'frame', question }) })) as Uint8Array
  }

  /**
   * Whether tokens of a generation that the log has by now are in a layout.
   *
   * @throws TokenscopeError as {@link view} does
   */
  async shows(generation: string, layout: LayoutName): Promise<boolean> {
    await this.#upToDate(layout)
    const everything = { x: 0, y: 0, w: 1, h: 1, zoom: 1e-12, zoom_y: 1e-12 }
    const { count } = await this.view({
      layout,
      ...everything,
      have: [],
      filter: { generations: [generation] },
    })
    return count > 0
  }

  /** Calls `listener` with where tokens of watched layouts were laid out; returns how to stop that. */
  onPlaced(listener: (placed: Placed) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Every token up to this seq that the log had is laid out, or was and has been let go. */
  get laidOutTo(): number {
    return this.#feed.doneTo
  }

  /** For `/readyz`. */
  report(): ComponentReport {
    const { name, adapter, reason, detail } = this.#backend
    const { tokens = 0, dropped = 0, bytes = 0, seconds = 0 } = this.#lastDone ?? {}
    const last = tokens === 0 ? '' : `; ${tokens} tokens, last step ${(seconds * 1000).toFixed(3)} ms`
    const trouble = this.#trouble
    return {
      name: 'compositor',
      status: trouble === null ? 'ok' : 'degraded',
      detail: `${detail}${last}${trouble === null ? '' : `. ${trouble}`}`,
      facts: {
        backend: name,
        adapter,
        reason,
        layouts: [...this.#watching.layouts],
        tokens,
        dropped,
        bytes,
        restarts: this.#ends,
        pid: this.#process?.pid ?? null,
      },
    }
  }

  /** Asks the process, and has the layout laid out meanwhile and for a while; `question` says what it is about. */
  async #ask(
    kind: string,
    question: { layout: LayoutName },
    asking: Asking,
  ): Promise<ViewAnswer | Uint8Array> {
    const answered = this.#watching.ask(question.layout)
    try {
      return await this.#questions.ask(`${kind} ${JSON.stringify(question)}`, asking)
    } finally {
      answered()
    }
  }

  /** Resolves once all that the log has by now is laid out, or what is asked has waited long enough for it. */
  async #upToDate(layout: LayoutName): Promise<void> {
    const upto = this.#log.head
    if (this.#feed.doneTo >= upto || this.#stopping) return
    const looked = this.#watching.ask(layout)
    const waited = Promise.withResolvers<void>()
    const waiter = { upto, go: () => waited.resolve() }
    const patience = setTimeout(waiter.go, this.#options.waitMs ?? WAIT_MS)
    this.#waiters.add(waiter)
    await waited.promise
    clearTimeout(patience)
    this.#waiters.delete(waiter)
    looked()
  }

  /** Follows what is watched. */
  #update(): void {
    const watched = this.#watching.active
    if (watched && !this.#watched) {
      this.#toldTo = this.#log.head
      this.#dueTo = this.#log.head
      this.#questions.pause()
    }
    this.#watched = watched
    this.#feed.hurry(watched)
    if (watched) this.#ensureProcess()
    this.#sendWatched()
    this.#openQuestions()
  }

  #sendWatched(): void {
    if (this.#ready && this.#replayed) {
      this.#process?.send({ type: 'watch', layouts: [...this.#watching.layouts] })
    }
  }

  #openQuestions(): void {
    if (this.#ready && this.#feed.doneTo >= this.#dueTo) this.#questions.open()
  }

  #ensureProcess(): void {
    if (this.#process !== null || this.#restart !== null || this.#stopping) return
    const { say, process } = this.#options
    try {
      this.#process = new ProcessHandle({ ...process, say, onAnswer: answer => this.#take(answer) })
    } catch (error) {
      this.#onEnd({ reason: `could not be started: ${reasonOf(error)}`, told: false, ran: false })
      return
    }
    this.#process.send({ type: 'start', backend: this.#backend.name, dump: this.#dump, maxPages: MAX_PAGES })
    void this.#process.ended.then(end => this.#onEnd(end))
  }

  #take(answer: Answer): void {
    if (answer.type === 'ready') this.#onReady()
    else if (answer.type === 'done') this.#onDone(answer)
    else if (answer.type === 'view' || answer.type === 'frame' || answer.type === 'refused') {
      this.#restarts.worked()
      this.#questions.take(answer)
    }
  }

  #onReady(): void {
    this.#lastEnd = null
    this.#options.say('debug', `compositor: laying out, ${this.#backend.detail}`)
    this.#questions.pause('is still reading what was recorded')
    this.#past.open(seq => this.#follow(seq))
  }

  /** Has the process follow the log from the entry after this one on. */
  #follow(seq: number): void {
    this.#ready = true
    this.#toldTo = Math.max(this.#toldTo, seq)
    this.#dueTo = this.#log.head
    const onPast = () => {
      this.#replayed = true
      this.#sendWatched()
    }
    this.#feed.open(this.#toldTo, onPast, seq)
    this.#goOn()
  }

  /** Lets go on who waited for what is laid out by now. */
  #goOn(): void {
    for (const { upto, go } of this.#waiters) if (this.#feed.doneTo >= upto) go()
    this.#openQuestions()
  }

  #onDone(done: Done): void {
    this.#lastDone = done
    this.#restarts.worked()
    if (this.#past.active) {
      this.#past.done()
      return
    }
    this.#feed.done()
    for (const { layout, seconds } of done.layouts) {
      const labels = { backend: this.#backend.name, layout }
      this.#options.meter.observe('tokenscope_layout_seconds', labels, seconds)
    }
    for (const placed of done.placed) {
      if (placed.upto > this.#toldTo) for (const listener of this.#listeners) listener(placed)
    }
    this.#toldTo = Math.max(this.#toldTo, done.upto)
    this.#goOn()
  }

  #onEnd({ reason, told, ran, due = false }: ProcessEnd): void {
    this.#process = null
    this.#ready = false
    this.#replayed = false
    this.#past.close()
    this.#feed.close()
    this.#lastDone = null
    this.#questions.close(reason)
    if (this.#stopping) return
    this.#ends++
    this.#lastEnd = reason
    const { waitMs, hopeless } = this.#restarts.judge(performance.now(), ran)
    this.#options.say(due ? 'debug' : told ? 'error' : 'warn', `compositor: its process ${reason}`)
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
}
