import { visibleBounds } from './camera.ts'
import type { CellLayer } from './cell-layer.ts'
import { paintTexts } from './cell-text.ts'
import { paintOverlay } from './overlay.ts'
import type { MapPalette } from './palette.ts'
import { plotOf } from './plot.ts'
import type { Scene } from './scene.ts'

/**
 * Draws frames of the map: cells by a layer of either kind, over them letters and marks, which are always
 * painted with Canvas 2D.
 */
export class MapPainter {
  readonly #ctx: CanvasRenderingContext2D
  layer: CellLayer
  palette: MapPalette
  /** Frames drawn so far. */
  frames = 0

  constructor(ctx: CanvasRenderingContext2D, layer: CellLayer, palette: MapPalette) {
    this.#ctx = ctx
    this.layer = layer
    this.palette = palette
  }

  /** Draws a frame; true if it must be drawn again to be sharp. */
  paint(scene: Scene): boolean {
    const ctx = this.#ctx
    const { palette } = this
    const plot = plotOf(scene)
    const seen = visibleBounds(scene.pose, scene.view)
    ctx.globalCompositeOperation = 'source-over'
    ctx.globalAlpha = 1
    ctx.clearRect(0, 0, scene.width, scene.height)
    const again = this.layer.paint(scene, plot, seen, palette)
    paintTexts(ctx, scene, plot, seen, palette)
    paintOverlay(ctx, scene, plot, palette)
    this.frames++
    return again
  }
}
