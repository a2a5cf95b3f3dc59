import type { SceneLayer } from '../../compositor/draw/view-scene.ts'
import type { ViewTheme } from '../../compositor/draw/view-theme.ts'
import { createViewPainter } from '../draw/view-drawing.ts'
import { cssOf, rgbOf } from '../map/colour.ts'
import type { Marks, MarksContext } from './picture-layer.ts'

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D

/** Halos are made for radii so many device pixels apart. */
const RADIUS_STEP = 4

/** Marks on a canvas. */
export class CanvasMarks implements Marks {
  readonly ctx: MarksContext
  readonly #ctx: Context
  readonly #painter = createViewPainter()
  readonly #halo = new HaloSprite()

  constructor(ctx: Context) {
    this.#ctx = ctx
    this.ctx = ctx as MarksContext
  }

  layer(layer: SceneLayer, theme: ViewTheme): void {
    this.#painter.paintLayer(this.#ctx as never, layer, theme)
  }

  halo(colour: string, radius: number, x: number, y: number): void {
    this.#halo.become(colour, radius)
    this.#halo.paint(this.#ctx, x, y)
  }
}

/** A halo, made once for each colour and size: a gradient for each landing, or one that is stretched, takes far longer. */
class HaloSprite {
  #ink = ''
  #radius = 0
  #bitmap: ImageBitmap | null = null

  /** Has halos painted in this colour, about as large as this radius in device pixels. */
  become(ink: string, wanted: number): void {
    const radius = Math.max(1, Math.round(wanted / RADIUS_STEP)) * RADIUS_STEP
    if (this.#ink === ink && this.#radius === radius) return
    const canvas = new OffscreenCanvas(2 * radius, 2 * radius)
    const ctx = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
    const halo = ctx.createRadialGradient(radius, radius, radius / 6, radius, radius, radius)
    halo.addColorStop(0, cssOf(rgbOf(ink)))
    halo.addColorStop(1, cssOf(rgbOf(ink), 0))
    ctx.fillStyle = halo
    ctx.fillRect(0, 0, 2 * radius, 2 * radius)
    this.#bitmap?.close()
    // Of a canvas each painting would take a copy.
    this.#bitmap = canvas.transferToImageBitmap()
    this.#ink = ink
    this.#radius = radius
  }

  /** Paints it about a point, on whole pixels: so it is copied, not stretched. */
  paint(ctx: Context, x: number, y: number): void {
    if (this.#bitmap === null) return
    ctx.drawImage(this.#bitmap, Math.round(x) - this.#radius, Math.round(y) - this.#radius)
  }
}
