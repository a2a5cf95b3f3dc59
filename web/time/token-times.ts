import type { TokenColumns } from '../token-columns.ts'

const FIRST_ROOM = 64
/** No token for longer than this while one runs is a stall, in seconds. */
export const STALL_S = 2

/** When the tokens of one generation came, in the order of time: what they are counted and found by. */
export class TokenTimes {
  #times = new Float64Array(FIRST_ROOM)
  /** Positions in `#times` of tokens that came after a stall. */
  #breaks: number[] = []
  #end = 0
  length = 0

  /** Takes over what has come since it was last called. */
  follow(tokens: TokenColumns): void {
    if (tokens.held === this.length) return
    // What comes late, as out of the records, has its place before others.
    if (!this.#append(tokens)) this.#rebuild(tokens)
  }

  /** Unix seconds of the one at this place, from 0. */
  at(place: number): number {
    return place < this.length ? (this.#times[place] as number) : Number.NaN
  }

  /** How many came before this time: the place of the first that did not. */
  before(time: number): number {
    return this.#find(time, 0, false)
  }

  /** How many came up to and with this time. */
  upTo(time: number): number {
    return this.#find(time, 0, true)
  }

  /** Adds to each bucket how many came within it. Costs as much as there are buckets, not tokens. */
  count(buckets: Float64Array, from: number, bucketS: number): void {
    if (this.length === 0) return
    const first = Math.max(0, Math.floor((this.at(0) - from) / bucketS))
    let place = this.before(from + first * bucketS)
    for (let i = first; i < buckets.length && place < this.length; i++) {
      const next = this.#find(from + (i + 1) * bucketS, place, false)
      buckets[i] = (buckets[i] as number) + next - place
      place = next
    }
  }

  /**
   * The stretches in which tokens came one after the other, without a stall.
   *
   * @param ended when the generation was over: a stall may come last
   */
  runs(ended: number): [from: number, to: number][] {
    if (this.length === 0) return []
    const runs: [number, number][] = []
    let from = this.at(0)
    for (const place of this.#breaks) {
      runs.push([from, this.at(place - 1)])
      from = this.at(place)
    }
    const last = this.at(this.length - 1)
    runs.push([from, ended - last > STALL_S ? last : Math.max(last, ended)])
    return runs
  }

  /** The place from `low` on of the first that is not before `time`, or with `inclusive` the first after it. */
  #find(time: number, low: number, inclusive: boolean): number {
    let high = this.length
    while (low < high) {
      const middle = (low + high) >> 1
      const at = this.#times[middle] as number
      if (at < time || (inclusive && at === time)) low = middle + 1
      else high = middle
    }
    return low
  }

  #append(tokens: TokenColumns): boolean {
    for (let i = this.#end; i < tokens.end; i++) {
      if (!tokens.has(i)) continue
      const time = tokens.time(i)
      // A clock that was put back: sorting is left to the long way.
      if (this.length > 0 && time < this.at(this.length - 1)) return false
      this.#push(time)
    }
    this.#end = tokens.end
    return this.length === tokens.held
  }

  #rebuild(tokens: TokenColumns): void {
    const times: number[] = []
    for (let i = tokens.first; i < tokens.end; i++) if (tokens.has(i)) times.push(tokens.time(i))
    times.sort((a, b) => a - b)
    this.length = 0
    this.#breaks = []
    for (const time of times) this.#push(time)
    this.#end = tokens.end
  }

  #push(time: number): void {
    if (this.length === this.#times.length) {
      const wider = new Float64Array(this.length * 2)
      wider.set(this.#times)
      this.#times = wider
    }
    if (this.length > 0 && time - this.at(this.length - 1) > STALL_S) this.#breaks.push(this.length)
    this.#times[this.length++] = time
  }
}
