/**
 * The calibration: what turns a raw value into one that means the same in every dimension. Fixed, published,
 * monotone.
 */

/** Its name in reports: scores under another one are not comparable. */
export const CALIBRATION_ID = 'cal-1'

/**
 * Where the line bends: at `x` the value is `y`; `x` ascends. Before the first and after the last one the line is
 * level.
 */
export type Knots = readonly (readonly [x: number, y: number])[]

/** By dimension. Coupling is read by the share of other files that a file reaches, so it falls; the others rise. */
export const CALIBRATION = {
  evenness: [
    [0, 0],
    [0.45, 0.25],
    [0.65, 0.6],
    [0.8, 0.9],
    [0.9, 1],
  ],
  coupling: [
    [0, 1],
    [0.05, 0.92],
    [0.2, 0.6],
    [0.5, 0.2],
    [1, 0],
  ],
  modularity: [
    [0, 0],
    [0.2, 0.4],
    [0.4, 0.7],
    [0.7, 0.95],
    [1, 1],
  ],
  consistency: [
    [0, 0],
    [0.5, 0.3],
    [0.8, 0.8],
    [0.95, 1],
  ],
  stability: [
    [0, 0.3],
    [0.5, 0.5],
    [0.8, 0.9],
    [1, 1],
  ],
} as const satisfies Record<string, Knots>

/** The value at `x` of the line through the knots. */
export function calibrate(knots: Knots, x: number): number {
  let [before, height] = knots[0] as readonly [number, number]
  if (x <= before) return height
  for (const [at, value] of knots) {
    if (x === at) return value
    if (x < at) return height + ((value - height) * (x - before)) / (at - before)
    before = at
    height = value
  }
  return height
}
