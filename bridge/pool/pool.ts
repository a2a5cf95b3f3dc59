import { TokenscopeError } from '../../events/errors.ts'
import type { Ask } from '../ask.ts'
import type { Lease, Places } from '../delivery.ts'
import type { Upstream } from '../upstream.ts'
import { Affinity } from './affinity.ts'
import type { Instance } from './instance.ts'
import { best, canTake, fitting, preferring } from './selection.ts'
import { WaitingList } from './waiting-list.ts'

/** Requests that may wait for a place, all instances together. */
export const QUEUE_LIMIT = 256
/** Weight of the newest duration in the average. */
const NEWEST_WEIGHT = 0.1
const LONGEST_RETRY_AFTER_SECONDS = 300

export interface PoolOptions {
  /** The instances that are there for a request, in the order in which they were named. */
  instancesFor: (ask: Ask) => readonly Instance[]
  /** What is said where there are none. */
  absence: () => TokenscopeError
  /** How many may wait; 256 if not given. */
  queueLimit?: number
}

interface Waiter {
  ask: Ask
  tried: ReadonlySet<Upstream>
  serve: (instance: Instance) => void
  refuse: (error: unknown) => void
}

const NOBODY: ReadonlySet<Upstream> = new Set()

/**
 * The places of all instances: who gets one, and who waits.
 *
 * A generation takes a place; anything else goes at once, since a list of models is not to wait for an essay. Who
 * finds no place at any instance that could take the request waits, in the order of the `WaitingList`, passed over
 * only by who can go to an instance that the former cannot.
 */
export class Pool implements Places {
  readonly #instancesFor: PoolOptions['instancesFor']
  readonly #absence: PoolOptions['absence']
  readonly #waiting: WaitingList<Waiter>
  readonly #affinity = new Affinity<Instance>()
  readonly #running = new Set<{ begunAt: number }>()
  #durationMs: number | null = null

  constructor({ instancesFor, absence, queueLimit = QUEUE_LIMIT }: PoolOptions) {
    this.#instancesFor = instancesFor
    this.#absence = absence
    this.#waiting = new WaitingList(queueLimit)
  }

  /** Requests that wait for a place. */
  get queued(): number {
    return this.#waiting.length
  }

  /**
   * Who would get the request now, places aside.
   *
   * @throws TokenscopeError NO_UPSTREAM
   */
  expected(ask: Ask): Upstream {
    return (best(this.#candidates(ask, NOBODY), ask) as Instance).upstream
  }

  async lease(ask: Ask, tried: ReadonlySet<Upstream>, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted()
    const candidates = this.#candidates(ask, tried)
    if (ask.endpoint === null) {
      const { upstream } = best(candidates, ask) as Instance
      return { upstream, release: () => {} }
    }
    const instance = best(withPlace(candidates), ask)
    if (instance !== undefined) return this.#take(instance, ask)
    if (this.#waiting.isFull) throw this.#full(candidates)
    return await this.#wait(ask, tried, signal)
  }

  hasOther(ask: Ask, tried: ReadonlySet<Upstream>): boolean {
    const all = this.#instancesFor(ask)
    return this.#pinned(ask, all) === undefined && fitting(all, ask).some(one => !tried.has(one.upstream))
  }

  /** Notes which instance made the answer with this id, in case that a later request goes on from it. */
  answered(ask: Ask, id: string, upstream: Upstream): void {
    const maker = this.#instancesFor(ask).find(one => one.upstream === upstream)
    if (maker !== undefined) this.#affinity.answered(ask, id, maker)
  }

  /** An instance came, went, has other models or a changed circuit: somebody who waits may be served. */
  serve(): void {
    for (const waiting of this.#waiting) {
      const { ask, tried, serve, refuse } = waiting.what
      const all = this.#instancesFor(ask)
      // Most often the first who is served took the only place there was.
      if (all.length > 0 && !all.some(({ hasPlace }) => hasPlace)) continue
      try {
        const instance = best(withPlace(this.#candidates(ask, tried)), ask)
        if (instance === undefined) continue
        this.#waiting.remove(waiting)
        serve(instance)
      } catch (error) {
        // Nobody is there for it any more.
        this.#waiting.remove(waiting)
        refuse(error)
      }
    }
  }

  #candidates(ask: Ask, tried: ReadonlySet<Upstream>): readonly Instance[] {
    const all = this.#instancesFor(ask)
    if (all.length === 0) throw this.#absence()
    const pinned = this.#pinned(ask, all)
    if (pinned !== undefined) return [pinned]
    return preferring(fitting(all, ask), one => !tried.has(one.upstream))
  }

  /** The only one that knows what the request goes on from, whether it is up or not: no other would. */
  #pinned(ask: Ask, all: readonly Instance[]): Instance | undefined {
    if (all.length === 1) return undefined
    const maker = this.#affinity.makerFor(ask)
    return maker !== undefined && all.includes(maker) ? maker : undefined
  }

  #take(instance: Instance, ask: Ask): Lease {
    const taken = { begunAt: performance.now() }
    this.#running.add(taken)
    const passage = instance.take()
    this.#affinity.begun(ask, instance)
    return {
      upstream: instance.upstream,
      release: (result, firstTokenMs) => {
        if (!this.#running.delete(taken)) return
        this.#learnDuration(performance.now() - taken.begunAt)
        // The first token of an answer that came whole says how long the answer was, not how fast it began.
        instance.give(result, ask.facts?.stream ? firstTokenMs : null)
        passage.end(result, this.#hasAnother(ask, instance))
        this.serve()
      },
    }
  }

  async #wait(ask: Ask, tried: ReadonlySet<Upstream>, signal: AbortSignal): Promise<Lease> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease>()
    // A copy, since it is whoever asks that goes on with the original.
    const waiter: Waiter = {
      ask,
      tried: new Set(tried),
      serve: instance => resolve(this.#take(instance, ask)),
      refuse: reject,
    }
    const waiting = this.#waiting.add(waiter, ask.priority, performance.now())
    const leave = () => {
      this.#waiting.remove(waiting)
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    return await promise.finally(() => signal.removeEventListener('abort', leave))
  }

  /** Whether somebody else could take the request as well. */
  #hasAnother(ask: Ask, instance: Instance): boolean {
    const all = this.#instancesFor(ask)
    if (this.#pinned(ask, all) !== undefined) return false
    return all.some(one => one !== instance && canTake(one, ask))
  }

  #learnDuration(ms: number): void {
    this.#durationMs =
      this.#durationMs === null ? ms : this.#durationMs + NEWEST_WEIGHT * (ms - this.#durationMs)
  }

  #full(candidates: readonly Instance[]): TokenscopeError {
    const places = candidates.reduce((sum, { max }) => sum + max, 0)
    const retryAfterSeconds = this.#clearedInSeconds(places)
    return new TokenscopeError(
      'POOL_FULL',
      `All ${places} places are taken and ${this.queued} requests wait for one. Ask again in ${retryAfterSeconds} s.`,
      { retryAfterSeconds },
    )
  }

  /** How long those who wait now will take, if each takes as long as the last ones did. */
  #clearedInSeconds(places: number): number {
    const now = performance.now()
    const oldest = Math.max(0, ...[...this.#running].map(({ begunAt }) => now - begunAt))
    const seconds = ((this.queued / places) * (this.#durationMs ?? oldest)) / 1000
    return Math.max(1, Math.min(LONGEST_RETRY_AFTER_SECONDS, Math.ceil(seconds)))
  }
}

function withPlace(instances: readonly Instance[]): readonly Instance[] {
  return instances.filter(({ hasPlace }) => hasPlace)
}
