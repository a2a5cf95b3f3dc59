import type { TokenColumns } from '../token-columns.ts'

/** Of a generation's tokens the least sure tenth is hard to choose, these many at least … */
const SHARE = 0.1
const LEAST = 5
/** … but none as sure as this. */
const SURE = 0.9

/**
 * The next token in a direction that was hard to choose: one of the least sure of its generation.
 *
 * @returns its index; null where there is none further on, or no probability is known
 */
export function hesitationBeside(tokens: TokenColumns, from: number, step: 1 | -1): number | null {
  const limit = limitOf(tokens)
  for (let i = from + step; i >= tokens.first && i < tokens.end; i += step)
    if (tokens.has(i) && tokens.confidence(i) <= limit) return i
  return null
}

/** What a token's probability is at most if it was hard to choose. */
function limitOf(tokens: TokenColumns): number {
  const known: number[] = []
  for (let i = tokens.first; i < tokens.end; i++) {
    const p = tokens.has(i) ? tokens.confidence(i) : Number.NaN
    if (p < SURE) known.push(p)
  }
  if (known.length === 0) return -1
  known.sort((a, b) => a - b)
  const count = Math.max(LEAST, Math.ceil(tokens.held * SHARE))
  return known[Math.min(count, known.length) - 1] as number
}
