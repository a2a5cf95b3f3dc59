/**
 * A small seeded generator of random numbers: xoshiro128++ 1.0 (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", ACM TOMS 47, 2021), its state filled by splitmix32 as its authors advise.
 */

/** Gives numbers in [0, 1) with 32 random bits each. */
export type Random = () => number

/**
 * The generator of a seed: the same seeds give the same numbers. `seeds` are whole numbers of at most 53
 * bits; several of them, such as a seed and the number of a choice, give streams of their own.
 */
export function createRandom(...seeds: readonly number[]): Random {
  let mix = 0x9e3779b9
  function splitmix(): number {
    mix = (mix + 0x9e3779b9) | 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) | 0
  }
  for (const seed of seeds) {
    mix ^= seed | 0
    mix = splitmix() ^ Math.floor(seed / 2 ** 32)
    mix = splitmix()
  }
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()]
  return () => {
    const sum = (a + d) | 0
    const result = (((sum << 7) | (sum >>> 25)) + a) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return result / 2 ** 32
  }
}
