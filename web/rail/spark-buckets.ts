import type { TokenColumns } from '../token-columns.ts'

/** A run of tokens, summed up. */
export interface SparkBucket {
  /** The mean of what is known; NaN where nothing is. */
  confidence: number
  /** Tokens a second; null where the times do not say. */
  rate: number | null
}

/** Tokens in a bucket of a short generation. Fewer would make the speed jitter. */
const FEWEST = 4

/** Sums a generation up in at most `most` runs of equal length. */
export function bucketsOf(tokens: TokenColumns, most: number): SparkBucket[] {
  const span = tokens.end - tokens.first
  if (tokens.held < 2) return []
  const each = Math.max(FEWEST, Math.ceil(span / most))
  const buckets: SparkBucket[] = []
  for (let from = tokens.first; from < tokens.end; from += each) {
    buckets.push(bucketOf(tokens, from, Math.min(tokens.end, from + each), each))
  }
  return buckets
}

function bucketOf(tokens: TokenColumns, from: number, to: number, each: number): SparkBucket {
  let sum = 0
  let known = 0
  for (let i = from; i < to; i++) {
    if (!tokens.has(i)) continue
    const confidence = tokens.confidence(i)
    if (Number.isNaN(confidence)) continue
    sum += confidence
    known++
  }
  // The time of a run is from the token before it: a stall between two runs belongs to the second.
  // The last one may have few tokens, and few are no speed: it is told over as many as the others have.
  const begin = Math.max(tokens.first, Math.min(from, to - each))
  const start = tokens.has(begin - 1) ? begin - 1 : begin
  const seconds = tokens.time(to - 1) - tokens.time(start)
  const whole = tokens.has(start) && tokens.has(to - 1) && seconds > 0
  return {
    confidence: known === 0 ? Number.NaN : sum / known,
    rate: whole ? (to - 1 - start) / seconds : null,
  }
}
