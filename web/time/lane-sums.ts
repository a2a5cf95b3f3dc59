import type { Lane } from './lane.ts'
import { STALL_S } from './token-times.ts'

/** The window over which a speed at a moment is measured, in seconds. */
const RATE_WINDOW_S = 2
/** Lengths that a bucket can have, in seconds: those that a person reads a clock by. */
const BUCKETS_S = [
  0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400,
]

type Stretch = [from: number, to: number]

/** Tokens a second of all lanes together, in buckets of equal length. */
export interface Rates {
  /** Unix seconds; a multiple of `bucketS`, so that the buckets stay while the view moves. */
  from: number
  bucketS: number
  /** Of tokens whose times are known. */
  known: Float64Array
  /** Of those of which a generation's number alone is known: the mean over it. */
  mean: Float64Array
  /** Whether one was giving tokens in any part of the bucket. */
  running: Uint8Array
}

/** The bucket that a person reads well where so many fit in a span, in seconds. */
export function bucketFor(spanS: number, most: number): number {
  const least = spanS / most
  return BUCKETS_S.find(length => length >= least) ?? Math.ceil(least / 86_400) * 86_400
}

/** How fast it went between two times, Unix seconds. */
export function ratesOf(
  lanes: readonly Lane[],
  from: number,
  to: number,
  bucketS: number,
  now: number,
): Rates {
  const first = Math.floor(from / bucketS)
  const count = Math.max(1, Math.ceil(to / bucketS) - first)
  const start = first * bucketS
  const known = new Float64Array(count)
  const mean = new Float64Array(count)
  const running = new Uint8Array(count)
  for (const lane of lanes) {
    const ended = lane.ended ?? now
    if (ended < from || lane.began > to) continue
    lane.times?.count(known, start, bucketS)
    if (lane.uncounted) spread(mean, lane.uncounted, start, bucketS)
    if (lane.firstToken === null) continue
    const last = Math.min(count - 1, Math.floor((ended - start) / bucketS))
    for (let i = Math.max(0, Math.floor((lane.firstToken - start) / bucketS)); i <= last; i++) running[i] = 1
  }
  const open = Math.floor((now - start) / bucketS)
  for (let i = 0; i < count; i++) {
    known[i] = (known[i] as number) / bucketS
    mean[i] = (mean[i] as number) / bucketS
  }
  // The bucket that is not over yet says how fast it goes over its length before now.
  if (open >= 0 && open < count) {
    const counts = lanes.map(({ times }) => (times ? times.upTo(now) - times.upTo(now - bucketS) : 0))
    known[open] = counts.reduce((sum, tokens) => sum + tokens, 0) / bucketS
  }
  return { from: start, bucketS, known, mean, running }
}

/** Tokens a second over the two seconds before this moment, means included; null where nothing ran. */
export function rateAt(lanes: readonly Lane[], at: number, now: number): number | null {
  const from = at - RATE_WINDOW_S
  let tokens = 0
  let ran = false
  for (const lane of lanes) {
    const { times, uncounted, firstToken, ended } = lane
    if (firstToken === null || firstToken > at || (ended ?? now) < from) continue
    ran = true
    if (times !== null) tokens += times.upTo(at) - times.upTo(from)
    if (uncounted !== null) {
      const overlap = Math.min(at, uncounted.to) - Math.max(from, uncounted.from)
      tokens += (Math.max(0, overlap) / (uncounted.to - uncounted.from)) * uncounted.tokens
    }
  }
  return ran ? tokens / RATE_WINDOW_S : null
}

/** Stretches of over two seconds in which a generation was giving tokens, and none came from any. */
export function stallsOf(lanes: readonly Lane[], from: number, to: number, now: number): Stretch[] {
  const ran: Stretch[] = []
  const gave: Stretch[] = []
  for (const { began, firstToken, ended, times, uncounted } of lanes) {
    const end = ended ?? now
    if (firstToken === null || end < from || began > to) continue
    ran.push([firstToken, end])
    // Of what is not known in detail nobody can say that it stalled.
    if (uncounted !== null) gave.push([uncounted.from, uncounted.to])
    if (times !== null) gave.push(...times.runs(end))
  }
  return without(joined(ran), joined(gave)).filter(([start, end]) => end - start > STALL_S)
}

/** The moment next to this one at which a token came, or one that is not known in detail began to or ended. */
export function momentBy(lanes: readonly Lane[], at: number, step: 1 | -1): number | null {
  let best: number | null = null
  const offer = (time: number | null | undefined) => {
    if (time === null || time === undefined || Number.isNaN(time)) return
    if (
      step === 1 ? time > at && (best === null || time < best) : time < at && (best === null || time > best)
    ) {
      best = time
    }
  }
  for (const { times, uncounted } of lanes) {
    if (times !== null) offer(step === 1 ? times.at(times.upTo(at)) : times.at(times.before(at) - 1))
    offer(uncounted?.from)
    offer(uncounted?.to)
  }
  return best
}

/** When the next generation begins, of a moment at which none runs: Infinity where none does; null: one runs. */
export function resumeBy(lanes: readonly Lane[], at: number): number | null {
  let next = Number.POSITIVE_INFINITY
  for (const { began, ended } of lanes) {
    if (began > at) next = Math.min(next, began)
    else if (ended === null || ended > at) return null
  }
  return next
}

/** Stretches in their order, those that touch made one. */
function joined(stretches: Stretch[]): Stretch[] {
  const result: Stretch[] = []
  for (const [from, to] of stretches.sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}

/** What of `whole` is in none of `parts`; both joined. */
function without(whole: Stretch[], parts: Stretch[]): Stretch[] {
  const result: Stretch[] = []
  let i = 0
  for (const [from, to] of whole) {
    let at = from
    while (i < parts.length && (parts[i] as Stretch)[1] <= at) i++
    for (let j = i; j < parts.length && (parts[j] as Stretch)[0] < to; j++) {
      const [start, end] = parts[j] as Stretch
      if (start > at) result.push([at, start])
      at = Math.max(at, end)
    }
    if (at < to) result.push([at, to])
  }
  return result
}

function spread(
  buckets: Float64Array,
  { tokens, from, to }: NonNullable<Lane['uncounted']>,
  start: number,
  bucketS: number,
): void {
  const first = Math.max(0, Math.floor((from - start) / bucketS))
  const last = Math.min(buckets.length - 1, Math.floor((to - start) / bucketS))
  for (let i = first; i <= last; i++) {
    const left = start + i * bucketS
    const overlap = Math.min(to, left + bucketS) - Math.max(from, left)
    buckets[i] = (buckets[i] as number) + (Math.max(0, overlap) / (to - from)) * tokens
  }
}
