import type { Alternative } from './generation.ts'

/**
 * The probability behind a logprob.
 *
 * @param logprob nats; servers write "probability zero" as −9999 or −3.4e38, which come out as 0
 * @returns 0..1, or null without a logprob
 */
export function confidenceOf(logprob: number | null): number | null {
  return logprob === null ? null : Math.min(1, Math.exp(logprob))
}

/**
 * Shannon entropy over the alternatives given, with everything else as one lump (so a lower bound of the
 * entropy over the whole vocabulary).
 *
 * @returns nats, or null with fewer than two alternatives
 */
export function entropyOf(top: readonly Alternative[]): number | null {
  if (top.length < 2) return null
  let entropy = 0
  let rest = 1
  for (const { logprob } of top) {
    const p = Math.min(1, Math.exp(logprob))
    rest -= p
    if (p > 0) entropy -= p * Math.log(p)
  }
  // Below that, what is left is the rounding of the logprobs.
  if (rest > 1e-9) entropy -= rest * Math.log(rest)
  return Math.max(0, entropy)
}
