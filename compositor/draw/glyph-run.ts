import { clustersOf, columnsOf } from './columns.ts'
import type { Rgba } from './rgba.ts'

/** Width of a column of the mono face, in ems. */
export const COLUMN_EM = 0.6
/** How far a capital letter reaches above the baseline, in ems. */
export const CAPITAL_EM = 0.73
/** A letter with more marks than fit in so many UTF-16 units would tower over its neighbours. */
const MOST_UNITS = 24

/** Text on one line, in pixels of the target. Characters stand on columns, whatever face has them. */
export interface GlyphRun {
  text: string
  /** Left edge of the first column. */
  x: number
  baseline: number
  /** Of the face. */
  size: number
  /** From one column to the next. */
  pitch: number
  ink: Rgba
}

/** The size of type whose columns are `pitch` pixels wide. */
export function sizeOfPitch(pitch: number): number {
  return pitch / COLUMN_EM
}

/** Visits the characters of a run that have ink, each with its left edge on a whole pixel and its columns. */
export function visitGlyphs(
  { text, x, pitch }: GlyphRun,
  visit: (cluster: string, left: number, columns: number) => void,
): void {
  let column = 0
  for (const cluster of clustersOf(text)) {
    const columns = columnsOf(cluster)
    if (cluster !== ' ')
      visit(cluster.slice(0, MOST_UNITS), Math.round(x + column * pitch), Math.max(1, columns))
    column += columns
  }
}
