import { ERROR_CODES, reasonOf, TokenscopeError } from '../../events/errors.ts'
import type { Ending, GenerationError, GenerationEvent, GenerationState } from '../../events/generation.ts'
import type { Meter } from '../../events/metrics.ts'
import type { RecordingHead } from '../file/recording-lines.ts'
import { type RecordingItem, RecordingReader } from '../file/recording-reader.ts'
import type { Records } from '../recording.ts'
import { readAhead, unlessAborted } from './read-ahead.ts'
import { type ReplayClock, systemClock } from './replay-clock.ts'
import { ReplayedGeneration } from './replayed-generation.ts'
import { TurnShare } from './turn-share.ts'

/** How much slower or faster than it was a recording can be played. */
export const MIN_SPEED = 0.25
export const MAX_SPEED = 1000

/** After so many entries, of all replays together, they let who records them keep up. */
const KEEP_UP_ENTRIES = 8192

export interface ReplaysOptions {
  records: Pick<Records, 'export'>
  /** Takes what is played; `readAt` is `performance.now()`. */
  emit: (event: GenerationEvent, readAt: number) => void
  meter: Meter
  /** Resolves once what was told is recorded, or cannot be: replays can be faster, and wait for it now and then. */
  keepUp?: () => Promise<void>
  clock?: ReplayClock
}

/** A file of recordings that is being played. */
interface Run {
  source: AsyncIterable<Uint8Array>
  speed: number | null
  /** Told the id of each generation before anything of it is told. */
  onGeneration: (id: string) => void
  /** Whether it is over with its only generation. */
  isOfOne: boolean
  abort: AbortController
  /** Why it was aborted. */
  ending: Ending
}

/** A generation that is being played; aborted once it is over, whatever its recording still holds. */
interface Playing {
  generation: ReplayedGeneration
  run: Run
  abort: AbortController
}

/**
 * Plays recordings again, as generations of now: any number at once, each with the spacing that it had, divided by
 * its speed. An entry that is late does not delay those after it. However fast they are, they leave most of each turn
 * of the event loop to others.
 */
export class Replays {
  readonly #options: ReplaysOptions
  readonly #clock: ReplayClock
  readonly #share = new TurnShare()
  readonly #runs = new Map<Run, Promise<void>>()
  readonly #playing = new Map<string, Playing>()
  /** Entries told since others could last keep up. */
  #ahead = 0
  /** Until they do. */
  #keepingUp: Promise<void> | null = null
  #draining = false

  constructor(options: ReplaysOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Generations that are being played. */
  get running(): number {
    return this.#playing.size
  }

  /**
   * Plays a recorded generation; returns once it is known to be there. What goes wrong later is told as its end.
   *
   * @param speed 1 is as it was, 0.25 to 1000; null is as fast as it can be
   * @returns the id of the generation that plays it
   * @throws TokenscopeError NOT_FOUND, BAD_REQUEST (param `speed`), RECORDS_UNAVAILABLE, DRAINING
   */
  start(generation: string, speed: number | null): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    try {
      this.#check(speed)
      const source = this.#options.records.export(generation, 'jsonl')
      const { done } = this.#begin({ source, speed, onGeneration: resolve, isOfOne: true })
      // Whoever asked was answered by then, unless nothing began.
      done.then(() => reject(draining()), reject)
    } catch (error) {
      reject(error)
    }
    return promise
  }

  /**
   * Plays recordings in the form `jsonl`, one after the other, as their bytes come; at most two pieces are held.
   *
   * @param bytes whose pieces are each memory of their own
   * @param signal ends it
   * @returns ids of the generations that played them, at the end
   * @throws TokenscopeError BAD_RECORDING naming the line, BAD_REQUEST (param `speed`), DRAINING; and what the source
   *   throws. What was playing ends as failed.
   */
  async play(
    bytes: AsyncIterable<Uint8Array>,
    speed: number | null,
    signal?: AbortSignal,
  ): Promise<{ generations: string[] }> {
    this.#check(speed)
    const generations: string[] = []
    const onGeneration = (id: string) => void generations.push(id)
    const { run, done } = this.#begin({ source: bytes, speed, onGeneration, isOfOne: false })
    const gone = () => this.#abort(run, 'client_gone')
    signal?.addEventListener('abort', gone, { once: true })
    if (signal?.aborted) gone()
    try {
      await done
    } finally {
      signal?.removeEventListener('abort', gone)
    }
    if (run.ending === 'shutdown') throw draining()
    return { generations }
  }

  /** Ends what plays as the generation of this id; of a file with more recordings the next one follows. */
  stop(generation: string): boolean {
    const playing = this.#playing.get(generation)
    if (playing === undefined) return false
    this.#end(playing, 'cancelled', 'stopped', null)
    return true
  }

  /** Cancels what plays, and takes nothing more. */
  async drain(): Promise<void> {
    this.#draining = true
    for (const run of this.#runs.keys()) this.#abort(run, 'shutdown')
    await Promise.allSettled(this.#runs.values())
  }

  #check(speed: number | null): void {
    if (this.#draining) throw draining()
    if (speed === null || (speed >= MIN_SPEED && speed <= MAX_SPEED)) return
    const message = `The speed is ${speed}; it must be ${MIN_SPEED} to ${MAX_SPEED}, or unlimited.`
    throw new TokenscopeError('BAD_REQUEST', message, { param: 'speed' })
  }

  #begin(about: Omit<Run, 'abort' | 'ending'>): { run: Run; done: Promise<void> } {
    const run: Run = { ...about, abort: new AbortController(), ending: 'stopped' }
    const done = this.#run(run).finally(() => this.#runs.delete(run))
    this.#runs.set(run, done)
    return { run, done }
  }

  #abort(run: Run, ending: Ending): void {
    if (run.abort.signal.aborted) return
    run.ending = ending
    for (const playing of [...this.#playing.values()]) {
      if (playing.run === run) this.#end(playing, 'cancelled', ending, null)
    }
    run.abort.abort()
  }

  async #run(run: Run): Promise<void> {
    const reader = new RecordingReader()
    const { signal } = run.abort
    let playing: Playing | null = null
    try {
      for await (const bytes of readAhead(run.source, signal)) {
        for (const item of reader.read(bytes)) playing = await this.#take(item, playing, run)
      }
      if (signal.aborted) return
      for (const item of reader.end()) playing = await this.#take(item, playing, run)
    } catch (error) {
      // A source may break with its connection before anybody says that the connection is gone.
      if (!(error instanceof TokenscopeError)) await new Promise(resolve => setImmediate(resolve))
      if (signal.aborted) return
      if (playing !== null) this.#end(playing, 'failed', 'error', errorOf(error))
      throw error
    }
  }

  /** @returns what is being played after it */
  async #take(item: RecordingItem, before: Playing | null, run: Run): Promise<Playing | null> {
    let playing = before
    if (this.#share.isSpent) await this.#share.next()
    if (run.abort.signal.aborted) return playing
    if (item.type === 'recording') playing = this.#open(item.head, run)
    else if (playing === null) return null
    else if (item.type === 'request') playing.generation.startedAt(item.request.started_at * 1000)
    else if (item.type === 'entry') await this.#tell(item.entry, playing)
    else if (item.type === 'end') this.#end(playing, 'interrupted', 'truncated', UNENDED)
    return playing
  }

  #open(head: RecordingHead, run: Run): Playing {
    const generation = new ReplayedGeneration({
      replay: { of: head.generation, speed: run.speed },
      model: head.model,
      upstream: head.upstream,
      heardAt: head.started_at * 1000,
      startedAt: this.#clock.now(),
    })
    const playing = { generation, run, abort: new AbortController() }
    this.#playing.set(generation.id, playing)
    this.#options.meter.set('tokenscope_replays', {}, this.running)
    run.onGeneration(generation.id)
    return playing
  }

  async #tell(entry: GenerationEvent, playing: Playing): Promise<void> {
    const { generation, abort } = playing
    if (generation.over) return
    const keepingUp = this.#letKeepUp()
    if (keepingUp !== null) await unlessAborted(keepingUp, abort.signal)
    const due = generation.dueAt(entry)
    if (due !== null && due > this.#clock.now()) {
      await this.#clock.until(due, abort.signal)
      if (this.#share.isSpent) await this.#share.next()
    }
    // Somebody may have stopped it meanwhile.
    if (generation.over) return
    const now = this.#clock.now()
    this.#ahead++
    this.#options.emit(generation.retell(entry, now), now)
    if (generation.over) this.#close(playing)
  }

  /** What is to be waited for before anything more is told; null if nothing is. */
  #letKeepUp(): Promise<void> | null {
    if (this.#ahead < KEEP_UP_ENTRIES) return this.#keepingUp
    this.#ahead = 0
    const keepUp = this.#options.keepUp?.() ?? null
    const over = () => {
      this.#keepingUp = null
    }
    // Who cannot record now or ever is not waited for.
    this.#keepingUp = keepUp?.then(over, over) ?? null
    return this.#keepingUp
  }

  /** Ends it otherwise than its recording does; does nothing if it is over. */
  #end(
    { generation, ...rest }: Playing,
    state: GenerationState,
    ending: Ending,
    error: GenerationError | null,
  ): void {
    const now = this.#clock.now()
    const last = generation.end(state, ending, error, now)
    if (last === null) return
    this.#options.emit(last, now)
    this.#close({ generation, ...rest })
  }

  #close({ generation, run, abort }: Playing): void {
    this.#playing.delete(generation.id)
    const { meter } = this.#options
    if (generation.state !== null) meter.count('tokenscope_generations_total', { state: generation.state })
    meter.set('tokenscope_replays', {}, this.running)
    abort.abort()
    // What its recording still holds is not asked for.
    if (run.isOfOne) run.abort.abort()
  }
}

const UNENDED: GenerationError = {
  kind: 'unknown',
  code: null,
  message: 'The recording ends before the generation did.',
  retryable: false,
}

/** Why a recording could not be read to its end. */
function errorOf(error: unknown): GenerationError {
  if (!(error instanceof TokenscopeError)) {
    const code = (error as NodeJS.ErrnoException | null)?.code ?? null
    const message = `The recording broke off: ${reasonOf(error)}`
    return { kind: 'connection', code: typeof code === 'string' ? code : null, message, retryable: true }
  }
  const { code, message } = error
  const kind = code === 'BAD_RECORDING' ? 'parse' : 'unknown'
  return { kind, code, message, retryable: ERROR_CODES[code].retryable }
}

function draining(): TokenscopeError {
  return new TokenscopeError('DRAINING', 'Tokenscope is stopping; ask again later.')
}
