/**
 * Draws tokens: nucleus sampling, `top_p` (Holtzman et al., "The Curious Case of Neural Text Degeneration",
 * ICLR 2020), then temperature (Ackley, Hinton and Sejnowski 1985), in llama.cpp's order: the nucleus is one
 * of the model's own distribution, whatever the temperature.
 */
import type { Random } from './random.ts'

export interface SamplerOptions {
  /** 0 takes the most likely token; 1 draws as the model says; below 1 the likely ones become likelier. */
  temperature: number
  /** Only the smallest set of most likely tokens whose probabilities sum to this is drawn from; 0 … 1. */
  topP: number
  random: Random
}

/**
 * Draws a token from a distribution, of which only those with a 1 in `allowed` can come. Returns -1 if none
 * is allowed. Ties of the greedy choice go to the smaller id.
 */
export type Sampler = (distribution: Float64Array, allowed: Uint8Array) => number

/** A sampler for distributions over `size` tokens. It reuses its buffer: one generation each. */
export function createSampler(size: number, { temperature, topP, random }: SamplerOptions): Sampler {
  const weights = new Float64Array(size)
  return (distribution, allowed) => {
    let best = -1
    let total = 0
    for (let token = 0; token < size; token++) {
      const possible = allowed[token] === 1
      const weight = possible ? (distribution[token] as number) : 0
      weights[token] = weight
      total += weight
      if (possible && (best === -1 || weight > (weights[best] as number))) best = token
    }
    if (best === -1 || temperature === 0 || topP === 0) return best
    if ((weights[best] as number) >= total * topP) return best
    const tokens = topP < 1 ? nucleus(weights, total * topP) : positive(weights)

    // Relative to the best, so that no power underflows to a row of zeros.
    const peak = weights[best] as number
    let sum = 0
    for (const token of tokens) {
      const relative = (weights[token] as number) / peak
      const weight = temperature === 1 ? relative : relative ** (1 / temperature)
      weights[token] = weight
      sum += weight
    }
    let left = random() * sum
    for (const token of tokens) {
      left -= weights[token] as number
      if (left < 0) return token
    }
    // Rounding left a crumb over.
    return best
  }
}

/** The fewest heaviest tokens that weigh `target` together, heaviest first, ties by id. */
function nucleus(weights: Float64Array, target: number): number[] {
  // Mostly a few tokens are enough: look only as far down as needed, and sort only those.
  let candidates: number[] = []
  for (let floor = target / 16; ; floor /= 16) {
    let sum = 0
    candidates = []
    // Below this share the floor is no help any more.
    const lowest = floor < target * 1e-6 ? 0 : floor
    for (let token = 0; token < weights.length; token++) {
      const weight = weights[token] as number
      if (weight <= lowest) continue
      candidates.push(token)
      sum += weight
    }
    if (sum >= target || lowest === 0) break
  }
  candidates.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b)
  let sum = 0
  const end = candidates.findIndex(token => {
    sum += weights[token] as number
    return sum >= target
  })
  return end === -1 ? candidates : candidates.slice(0, end + 1)
}

function positive(weights: Float64Array): number[] {
  const tokens: number[] = []
  for (let token = 0; token < weights.length; token++) if ((weights[token] as number) > 0) tokens.push(token)
  return tokens
}

/** The `count` most likely tokens, most likely first, ties by id. */
export function mostLikely(distribution: Float64Array, count: number): number[] {
  const best: number[] = []
  if (count === 0) return best
  let floor = Number.NEGATIVE_INFINITY
  for (let token = 0; token < distribution.length; token++) {
    const probability = distribution[token] as number
    if (best.length === count && probability <= floor) continue
    let place = best.length
    while (place > 0 && (distribution[best[place - 1] as number] as number) < probability) place--
    best.splice(place, 0, token)
    if (best.length > count) best.pop()
    floor = distribution[best[best.length - 1] as number] as number
  }
  return best
}
