import type { Lane } from '../time/lane.ts'
import { ratesOf } from '../time/lane-sums.ts'
import type { Series } from './samples.ts'

/** Tokens a second are counted over so long, in seconds. */
export const SPEED_BUCKET_S = 2
/** Quantiles are taken of so long, in seconds. */
export const QUANTILE_BUCKET_S = 5

/** Tokens a second of all together; null while nothing runs. */
export function speedSeries(lanes: readonly Lane[], from: number, now: number): Series {
  const rates = ratesOf(lanes, from, now, SPEED_BUCKET_S, now)
  const series: Series = { times: [], values: [] }
  rates.known.forEach((known, i) => {
    series.times.push(Math.min(now, rates.from + (i + 0.5) * SPEED_BUCKET_S))
    series.values.push(rates.running[i] === 1 ? known + (rates.mean[i] as number) : null)
  })
  return series
}

/** Milliseconds to the first token of each generation, at the time of that token. */
export function firstTokenSeries(lanes: readonly Lane[], from: number): Series & { ids: string[] } {
  const found = lanes
    .filter(({ firstToken }) => firstToken !== null && firstToken >= from)
    .sort((a, b) => (a.firstToken as number) - (b.firstToken as number))
  return {
    times: found.map(({ firstToken }) => firstToken as number),
    values: found.map(({ firstToken, began }) => Math.max(0, (firstToken as number) - began) * 1000),
    ids: found.map(({ id }) => id),
  }
}

/** Milliseconds from one token to the next of its generation: the median, and what one in a hundred is over. */
export function intervalSeries(
  lanes: readonly Lane[],
  from: number,
  now: number,
): { times: number[]; median: Series['values']; p99: Series['values'] } {
  const first = Math.floor(from / QUANTILE_BUCKET_S)
  const count = Math.floor(now / QUANTILE_BUCKET_S) - first + 1
  const intervals: number[][] = Array.from({ length: count }, () => [])
  for (const { times } of lanes) {
    if (times === null) continue
    for (let i = Math.max(1, times.before(first * QUANTILE_BUCKET_S)); i < times.length; i++) {
      const bucket = Math.floor(times.at(i) / QUANTILE_BUCKET_S) - first
      intervals[bucket]?.push((times.at(i) - times.at(i - 1)) * 1000)
    }
  }
  for (const one of intervals) one.sort((a, b) => a - b)
  return {
    times: intervals.map((_, i) => Math.min(now, (first + i + 0.5) * QUANTILE_BUCKET_S)),
    median: intervals.map(one => quantile(one, 0.5)),
    p99: intervals.map(one => quantile(one, 0.99)),
  }
}

/** The quantile of sorted values by the nearest rank; null of none. */
export function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}
