/**
 * Numbers 0 ≤ x < 1, the same ones for the same seed.
 *
 * Source: mulberry32, T. Ettinger, 2017 (public domain).
 */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of `list`. */
export function oneOf<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T
}

/** A whole number `from` ≤ n < `to`. */
export function between(random: () => number, from: number, to: number): number {
  return from + Math.floor(random() * (to - from))
}
