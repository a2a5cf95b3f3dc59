/**
 * What a shader knows of a cell: 0 where nothing is, 1 where the confidence is not known, else 2 and its
 * entry of the colour scale. Read by `cell_colour` in shaders/map-cells.wgsl.
 */
import { cividisIndex } from './cividis.ts'

export const EMPTY_CELL = 0
export const UNKNOWN_CELL = 1
const FIRST_OF_SCALE = 2

/** The entry of a cell whose token has this confidence, 0 … 1, or NaN where it is not known. */
export function cellEntry(confidence: number): number {
  return Number.isNaN(confidence) ? UNKNOWN_CELL : FIRST_OF_SCALE + cividisIndex(confidence)
}
