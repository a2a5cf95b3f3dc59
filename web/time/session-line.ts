import { type Signal, signal } from '@preact/signals'
import type { Generation } from '../generation.ts'
import type { GenerationRecord, RecordsPage } from '../records-api.ts'
import type { ScopeStore } from '../store.ts'
import { type Lane, laneOf, laneOfRecord } from './lane.ts'
import { momentBy, rateAt, resumeBy } from './lane-sums.ts'
import { TokenTimes } from './token-times.ts'

const PAGE_RECORDS = 100
/** Recorded generations that are known beside those that the page holds. */
const MOST_RECORDS = 1000
/** After a question that failed, ms. */
const REST_MS = 5000

export interface SessionLineOptions {
  store: ScopeStore
  /** A page of the recorded generations, the newest first. */
  list(limit: number, cursor: string | null): Promise<RecordsPage>
  /** Milliseconds, never going back. */
  clock?(): number
}

/** What was when: the generations that the page holds, and before them those of the records, as far as they are asked for. */
export class SessionLine {
  /** Goes up when records came. */
  readonly revision: Signal<number> = signal(0)
  readonly #store: ScopeStore
  readonly #list: SessionLineOptions['list']
  readonly #times = new WeakMap<Generation, TokenTimes>()
  readonly #records = new Map<string, GenerationRecord>()
  #cursor: string | null = null
  #complete = false
  #asking = false
  readonly #clock: () => number
  #restsUntil = 0

  constructor({ store, list, clock }: SessionLineOptions) {
    this.#store = store
    this.#list = list
    this.#clock = clock ?? (() => performance.now())
  }

  /** Everything that is known, by its begin. */
  lanes(): Lane[] {
    const { now } = this.#store
    const held = this.#store.list.peek()
    const lanes = held.map(generation => laneOf(generation, this.timesOf(generation), now))
    const ids = new Set(held.map(({ id }) => id))
    for (const [id, record] of this.#records) if (!ids.has(id)) lanes.push(laneOfRecord(record))
    return lanes.sort((a, b) => a.began - b.began)
  }

  /** When the tokens of a generation came. */
  timesOf(generation: Generation): TokenTimes {
    let times = this.#times.get(generation)
    if (times === undefined) {
      times = new TokenTimes()
      this.#times.set(generation, times)
    }
    times.follow(generation.tokens)
    return times
  }

  /** The moment next to this one at which a token came, in this direction; null: there is none. */
  moment(at: number, step: 1 | -1): number | null {
    return momentBy(this.lanes(), at, step)
  }

  /** When the next generation begins, of a moment at which none runs: Infinity where none does; null: one runs. */
  resume(at: number): number | null {
    return resumeBy(this.lanes(), at)
  }

  /** Tokens a second over the two seconds before this moment; null where nothing ran. */
  rateAt(at: number): number | null {
    return rateAt(this.lanes(), at, this.#store.now)
  }

  /** Sees to it that the records from this time on are known, of the newest thousand. What cannot be asked is left, and asked again a while after. */
  async reach(from: number): Promise<void> {
    if (this.#asking || this.#clock() < this.#restsUntil) return
    this.#asking = true
    try {
      while (!this.#complete && this.#records.size < MOST_RECORDS && this.#oldest() > from) {
        const page = await this.#list(PAGE_RECORDS, this.#cursor)
        for (const record of page.records) this.#records.set(record.generation, record)
        this.#cursor = page.next
        this.#complete = page.next === null
        this.revision.value++
      }
    } catch {
      this.#restsUntil = this.#clock() + REST_MS
    } finally {
      this.#asking = false
    }
  }

  /** Forgets a recorded generation that is there no more. */
  forget(id: string): void {
    if (this.#records.delete(id)) this.revision.value++
  }

  #oldest(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const { started_at } of this.#records.values()) oldest = Math.min(oldest, started_at)
    return oldest
  }
}
