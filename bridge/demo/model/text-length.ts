/**
 * How long a text goes on. An n-gram model ends with the same chance after the first sentence as after the
 * tenth; texts do not. Their lengths are taken to follow a Weibull distribution, whose hazard (the chance of
 * ending now, having come so far) rises with a power of the length.
 *
 * Weibull, "A statistical distribution function of wide applicability", J. Appl. Mech. 18, 1951; the shape
 * from mean and deviation after Justus et al., J. Appl. Meteorology 17, 1978.
 */
export interface LengthModel {
  /** Mean length of the texts, in tokens. */
  readonly mean: number
  /** The Weibull shape: 1 is a constant hazard, more is a rising one. */
  readonly shape: number
  /** How many times likelier an end is after `length` tokens than the n-gram model thinks; above 0. */
  factor(length: number): number
}

/** Fits the model to lengths in tokens. With fewer than two different lengths the factor is always 1. */
export function fitLengths(lengths: readonly number[]): LengthModel {
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length
  const variance = lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0) / lengths.length
  if (!(variance > 0)) return { mean, shape: 1, factor: () => 1 }
  const shape = Math.max(1, (Math.sqrt(variance) / mean) ** -1.086)
  const scale = mean / gamma(1 + 1 / shape)
  return {
    mean,
    shape,
    // The Weibull hazard over the constant one, 1 / mean. Length counts from 1 to stay above 0.
    factor: length => ((mean * shape) / scale) * ((length + 1) / scale) ** (shape - 1),
  }
}

/**
 * Multiplies the odds of `token` in a distribution by `factor`, the others keeping their proportions
 * (Kneser, Peters and Klakow, "Language model adaptation using dynamic marginals", Eurospeech 1997).
 * In place; it still sums to 1.
 */
export function scaleOdds(distribution: Float64Array, token: number, factor: number): void {
  const probability = distribution[token] as number
  const rest = 1 / (1 - probability + factor * probability)
  for (let i = 0; i < distribution.length; i++) distribution[i] = (distribution[i] as number) * rest
  distribution[token] = factor * probability * rest
}

/** Γ(x) for x from 1 to 2: Abramowitz and Stegun 6.1.36, error below 3e-7. */
function gamma(x: number): number {
  const coefficients = [
    -0.577191652, 0.988205891, -0.897056937, 0.918206857, -0.756704078, 0.482199394, -0.193527818,
    0.035868343,
  ]
  return coefficients.reduce((sum, coefficient, i) => sum + coefficient * (x - 1) ** (i + 1), 1)
}
