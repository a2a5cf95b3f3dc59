import type { Alternative } from '../../events/generation.ts'
import type { TokenColumns, TokenDetail } from '../token-columns.ts'

/** A token that might have come, with its probability. */
export interface Candidate {
  text: string
  p: number
  /** It is the one that came. */
  chosen: boolean
}

/** The candidates for a token that its server named, likeliest first, and what is left for all others. */
export interface Candidates {
  rows: Candidate[]
  /** The probability of all tokens that are not listed, 0 … 1; null where nothing is listed. */
  rest: number | null
}

/**
 * The candidates for a token. The token itself is among them, also where the server listed likelier ones alone.
 *
 * @param most how many are listed; the others are part of the rest
 */
export function candidatesOf(
  token: Pick<TokenDetail, 'text' | 'logprob' | 'confidence' | 'top'>,
  most: number,
): Candidates {
  const sorted = [...token.top].sort((a, b) => b.logprob - a.logprob)
  const same = ownAmong(sorted, token)
  const all = sorted.map(
    (of): Candidate => ({ text: of.text, p: Math.min(1, Math.exp(of.logprob)), chosen: of === same }),
  )
  const own = all.find(row => row.chosen) ?? ownRow(token)
  const rows = all.slice(0, most)
  if (own !== null && !rows.includes(own)) {
    if (rows.length === most) rows.pop()
    rows.push(own)
  }
  const known = rows.reduce((sum, { p }) => sum + p, 0)
  return { rows, rest: rows.length === 0 ? null : Math.max(0, 1 - known) }
}

/** How unexpected a token was: −ln p, in nats; null where its probability is not known. */
export function surpriseOf(token: Pick<TokenDetail, 'logprob' | 'confidence'>): number | null {
  if (token.logprob !== null) return Math.max(0, -token.logprob)
  return token.confidence === null ? null : -Math.log(token.confidence)
}

/**
 * Perplexity of a text: e to the mean surprise of its tokens, as if each had been drawn from so many equally likely
 * ones. Tokens without a probability do not count; `known` says how many have one.
 */
export function perplexityOf(tokens: TokenColumns): { value: number; known: number } | null {
  let [sum, known] = [0, 0]
  for (let i = tokens.first; i < tokens.end; i++) {
    const p = tokens.has(i) ? tokens.confidence(i) : Number.NaN
    if (!(p > 0)) continue
    sum -= Math.log(p)
    known++
  }
  return known === 0 ? null : { value: Math.exp(sum / known), known }
}

/** Two alternatives may read the same (byte tokens do): the token is the one with its probability. */
function ownAmong(
  top: readonly Alternative[],
  token: Pick<TokenDetail, 'text' | 'logprob'>,
): Alternative | undefined {
  const away = (of: Alternative) => Math.abs(of.logprob - (token.logprob ?? of.logprob))
  return top.filter(of => of.text === token.text).sort((a, b) => away(a) - away(b))[0]
}

function ownRow({ text, confidence }: Pick<TokenDetail, 'text' | 'confidence'>): Candidate | null {
  return confidence === null ? null : { text, p: confidence, chosen: true }
}
