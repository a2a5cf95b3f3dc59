/**
 * When viewers are served. A *round* fixes a target, the head of the log when it begins, and brings every viewer up
 * to it, a few milliseconds at a time. Afterwards they all stand at the same place, so that the next round makes one
 * frame for all.
 *
 * The first token of a generation and every change of state get a round at the end of the event-loop turn they came
 * in. So do other tokens while rounds are cheap; once they take a good part of the time, tokens are gathered for up
 * to 40 ms.
 */
import type { GenerationEvent } from '../events/generation.ts'
import { inSlices } from './slices.ts'
import type { TokenLog } from './token-log.ts'

const MAX_GATHER_MS = 40
/** Rounds may take a quarter of the time before tokens are gathered for longer. */
const GATHER_FACTOR = 3
/** However long tokens have waited: a round as long as all of the 40 ms still leaves a fifth of the time. */
const PAUSE_FACTOR = 0.25
/** A round cheaper than this is not worth waiting for. */
const CHEAP_ROUND_MS = 0.5

/** Who is served: up to an entry, as far as it can take that. */
interface Served {
  pump(target: number): void
}

export interface RoundsOptions<V extends Served> {
  log: TokenLog
  viewers: Iterable<V> & { readonly size: number }
  /** Called with a viewer that threw while it was served. */
  fault: (viewer: V, error: unknown) => void
  /** Called at the end of each round, as a part of it. */
  ended: () => void
}

export class Rounds<V extends Served> {
  readonly #log: TokenLog
  readonly #viewers: RoundsOptions<V>['viewers']
  readonly #fault: RoundsOptions<V>['fault']
  readonly #ended: RoundsOptions<V>['ended']
  #unlisten: (() => void) | null = null
  #turn: NodeJS.Immediate | null = null
  #gather: NodeJS.Timeout | null = null
  #running = false
  /** The end of the last round. */
  #done = Promise.resolve()
  #urgent = false
  /** Seq up to which viewers are served. */
  #target = 0
  /** Until when tokens are gathered while none of them has waited for long. */
  #notBefore = 0
  /** No round begins before this. */
  #pauseUntil = 0
  /** When a round last began or ended. */
  #movedAt = 0
  /** Costs of the last rounds, ms: one of them alone may hold a pause of the whole process. */
  readonly #costs = [0, 0, 0, 0, 0]
  #rounds = 0

  constructor({ log, viewers, fault, ended }: RoundsOptions<V>) {
    this.#log = log
    this.#viewers = viewers
    this.#fault = fault
    this.#ended = ended
  }

  /** Begins to follow the log. */
  start(): void {
    this.#unlisten = this.#log.onAppend((_seq, event) => this.#onAppend(event))
  }

  /** Stops following the log; resolves when every viewer has been served up to the head, if it could take that. */
  async finish(): Promise<void> {
    this.#unlisten?.()
    this.#unschedule()
    await this.#done
    // The round that was running may have planned another one.
    this.#unschedule()
    this.#begin()
    await this.#done
  }

  /** Takes note that the first viewer comes: nothing that was appended before has waited for a round. */
  reset(): void {
    this.#target = this.#log.head
  }

  /** Seq up to which viewers are served now: where the last round took them, and the next takes them all from. */
  get target(): number {
    return this.#target
  }

  /** Whether a round is running or about to. */
  get underWay(): boolean {
    return this.#running || this.#turn !== null || this.#gather !== null
  }

  /** How long the oldest entry that nobody was served has waited since the last round, in ms. */
  get waitingMs(): number {
    if (this.#viewers.size === 0 || this.#target >= this.#log.head) return 0
    return Math.max(0, performance.now() - Math.max(this.#oldestAt, this.#movedAt))
  }

  #onAppend(event: GenerationEvent): void {
    if (this.#viewers.size === 0) return
    if (event.type === 'neural_state' || event.index === 0) {
      if (this.#urgent) return
      this.#urgent = true
      this.#schedule()
    } else if (!this.underWay) this.#schedule()
  }

  /** Plans the next round, unless one is running: then its end does. */
  #schedule(): void {
    if (this.#running) return
    this.#unschedule()
    const now = performance.now()
    const gathered = this.#oldestAt + MAX_GATHER_MS
    const wait = this.#urgent ? 0 : Math.max(this.#pauseUntil, Math.min(this.#notBefore, gathered)) - now
    // At the end of the turn, when what the apps wait for is on its way, and all that came in it shares a frame.
    if (wait > 1) this.#gather = setTimeout(() => this.#begin(), wait)
    else this.#turn = setImmediate(() => this.#begin())
  }

  #unschedule(): void {
    if (this.#turn) clearImmediate(this.#turn)
    if (this.#gather) clearTimeout(this.#gather)
    this.#turn = null
    this.#gather = null
  }

  #begin(): void {
    this.#unschedule()
    this.#done = this.#round()
  }

  async #round(): Promise<void> {
    this.#running = true
    this.#urgent = false
    this.#target = this.#log.head
    this.#movedAt = performance.now()
    const pumping = await inSlices(this.#viewers, viewer => this.#pump(viewer))
    const counting = performance.now()
    this.#ended()
    const now = performance.now()
    this.#movedAt = now
    this.#costs[this.#rounds++ % this.#costs.length] = pumping + now - counting
    const cost = this.#costs.toSorted((a, b) => a - b)[this.#costs.length >> 1] as number
    const cheap = cost < CHEAP_ROUND_MS
    this.#notBefore = cheap ? 0 : now + Math.min(MAX_GATHER_MS, GATHER_FACTOR * cost)
    this.#pauseUntil = cheap ? 0 : now + Math.min(MAX_GATHER_MS, PAUSE_FACTOR * cost)
    this.#running = false
    if (this.#log.head > this.#target && this.#viewers.size > 0) this.#schedule()
    // Who was to get it at once has gone.
    else this.#urgent = false
  }

  /** When the oldest entry came that waits for a round; what fell out of the log meanwhile waits no more. */
  get #oldestAt(): number {
    return this.#log.appendedAt(Math.max(this.#target + 1, this.#log.tail))
  }

  #pump(viewer: V): void {
    try {
      viewer.pump(this.#target)
    } catch (error) {
      this.#fault(viewer, error)
    }
  }
}
