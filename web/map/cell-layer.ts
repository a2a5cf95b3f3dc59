import type { CellBounds } from '../../compositor/draw/cell.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'
import type { Scene } from './scene.ts'

/** What can draw the map. */
export type DrawnBy = 'webgpu' | 'canvas2d'

/**
 * Draws what lies below letters and marks: ground, graticule, outlines of blocks, cells, the light of
 * landings. Whoever draws it, the picture is the same: cells at rest to the pixel.
 */
export interface CellLayer {
  readonly by: DrawnBy
  /**
   * Draws a frame. What letters and marks are painted on afterwards has been cleared.
   *
   * @param seen the part of the map in view, in cells
   * @returns true if it must be drawn again to be sharp
   */
  paint(scene: Scene, plot: Plot, seen: CellBounds, palette: MapPalette): boolean
  /** Ends it and frees what it holds. */
  stop(): void
}
