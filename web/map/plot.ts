import { BLOCK_SIDE } from '../../compositor/draw/cell.ts'
import { toScreen } from './camera.ts'
import type { Scene } from './scene.ts'

/** A place on the canvas in device pixels, and what a cell measures there. */
export interface Plot {
  /** Left and top edge of a cell. */
  x(cell: number): number
  y(cell: number): number
  /** Where the map's own corner is, not rounded. */
  left: number
  top: number
  /** Size of a cell, not rounded. */
  cell: number
  ratio: number
}

/** Where the cells of a scene lie. */
export function plotOf({ pose, view, ratio, moving }: Scene): Plot {
  const origin = toScreen(pose, view, 0, 0)
  const cell = pose.scale * ratio
  // At rest blocks have whole sides, and their places are whole: what is copied is copied, not resampled.
  const pitch = moving || cell < 2 ? cell : Math.round(cell * BLOCK_SIDE) / BLOCK_SIDE
  // The middle of the view stays where it is, whatever the rounding of the pitch does far from it.
  const drift = pitch - cell
  const left = origin.x * ratio - pose.x * drift
  const top = origin.y * ratio - pose.y * drift
  const shiftX = Math.round(left)
  const shiftY = Math.round(top)
  return {
    x: column => shiftX + Math.round(column * pitch),
    y: row => shiftY + Math.round(row * pitch),
    left,
    top,
    cell: pitch,
    ratio,
  }
}
