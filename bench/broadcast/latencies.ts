import type { Quantiles } from '../figure.ts'

/** Values below this have a bucket each; above it, buckets are a thousandth of their value wide. */
const FINE = 2048
const FINE_BITS = 11
const BUCKETS = FINE + (32 - FINE_BITS) * (FINE / 2)

/**
 * Durations by the million, counted in buckets: to the microsecond below 2 ms, to a thousandth above.
 *
 * Buckets that double in width with every power of two are the ones of HdrHistogram (Gil Tene).
 */
export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Counts a duration in microseconds, up to an hour. */
  record(microseconds: number): void {
    const value = microseconds > 0 ? Math.round(microseconds) : 0
    const bucket = bucketOf(value)
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#count++
  }

  /** In milliseconds. */
  quantiles(): Quantiles {
    return { p50: this.#quantile(0.5), p99: this.#quantile(0.99) }
  }

  clear(): void {
    this.#counts.fill(0)
    this.#count = 0
  }

  /** @throws Error if nothing was recorded */
  #quantile(p: number): number {
    if (this.#count === 0) throw new Error('a quantile of nothing')
    const rank = p * (this.#count - 1)
    let below = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      below += this.#counts[bucket] as number
      if (below > rank) return leastOf(bucket) / 1000
    }
    throw new Error('the counts do not add up')
  }
}

function bucketOf(value: number): number {
  if (value < FINE) return value
  const shift = 32 - Math.clz32(value) - FINE_BITS
  return (shift * FINE) / 2 + (value >>> shift)
}

function leastOf(bucket: number): number {
  if (bucket < FINE) return bucket
  const shift = Math.floor((bucket - FINE) / (FINE / 2)) + 1
  return (bucket - (shift * FINE) / 2) * 2 ** shift
}
