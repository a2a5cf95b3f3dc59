import { BLOCK_SIDE, type CellBounds } from '../../compositor/draw/cell.ts'

/** Crosses are at least this many CSS pixels apart. */
const PITCH = 56

/** Where the crosses of the graticule are, in cells. */
export interface Graticule {
  left: number
  top: number
  step: number
  columns: number
  rows: number
}

/** A small cross at each block corner in view, or at every fourth where they would crowd. */
export function graticuleOf(scale: number, seen: CellBounds): Graticule {
  let step = BLOCK_SIDE
  while (step * scale < PITCH) step *= 4
  const left = Math.floor(seen.left / step) * step
  const top = Math.floor(seen.top / step) * step
  return {
    left,
    top,
    step,
    columns: Math.floor((seen.right - left) / step) + 1,
    rows: Math.floor((seen.bottom - top) / step) + 1,
  }
}
