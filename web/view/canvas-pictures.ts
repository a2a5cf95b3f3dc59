import { whole } from '../../compositor/draw/steps.ts'
import type { SceneLayer, ViewScene } from '../../compositor/draw/view-scene.ts'
import type { ViewTheme } from '../../compositor/draw/view-theme.ts'
import { createViewPainter } from '../draw/view-drawing.ts'
import { CanvasMarks } from './canvas-marks.ts'
import type { Backdrop, Picture, PictureLayer, Placement } from './picture-layer.ts'

/** A picture on a canvas of its own. */
interface CanvasPicture extends Picture {
  readonly canvas: OffscreenCanvas
  readonly ctx: OffscreenCanvasRenderingContext2D
}

/** Pictures by Canvas 2D, shown on the canvas that marks are painted on as well. */
export class CanvasPictures implements PictureLayer {
  readonly by = 'canvas2d'
  readonly marks: CanvasMarks
  readonly ready = true
  readonly idle = true
  readonly #ctx: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D
  readonly #painter = createViewPainter()

  constructor(ctx: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D) {
    this.#ctx = ctx
    this.marks = new CanvasMarks(ctx)
  }

  *paint(scene: ViewScene): Generator<void, Picture> {
    const { width, height } = scene
    const canvas = new OffscreenCanvas(width, height)
    const ctx = canvas.getContext('2d', { alpha: false }) as OffscreenCanvasRenderingContext2D
    yield* this.#painter.steps(ctx as never, scene)
    const picture: CanvasPicture = { width, height, canvas, ctx }
    return picture
  }

  paintNow(scene: ViewScene): Picture {
    return whole(this.paint(scene))
  }

  add(picture: Picture, layer: SceneLayer, theme: ViewTheme): void {
    this.#painter.paintLayer((picture as CanvasPicture).ctx as never, layer, theme)
  }

  free(picture: Picture): void {
    // Its memory goes with its size, not when it is next tidied up.
    ;(picture as CanvasPicture).canvas.width = 0
  }

  show({ width, height, ground }: Backdrop, placements: readonly Placement[]): void {
    const ctx = this.#ctx
    ctx.globalCompositeOperation = 'source-over'
    ctx.globalAlpha = 1
    ctx.fillStyle = ground
    // Most of the time a picture is all that is seen.
    if (!placements.some(placed => covers(placed, width, height))) ctx.fillRect(0, 0, width, height)
    for (const { picture, x, y, scaleX, scaleY, alpha } of placements) {
      const { canvas } = picture as CanvasPicture
      ctx.globalAlpha = alpha
      const still = scaleX === 1 && scaleY === 1
      ctx.imageSmoothingEnabled = !still
      if (still) ctx.drawImage(canvas, x, y)
      else ctx.drawImage(canvas, x, y, picture.width * scaleX, picture.height * scaleY)
    }
    ctx.globalAlpha = 1
  }

  present(): void {}

  stop(): void {}
}

/** Whether nothing of a canvas of this size is seen beside a picture, or through it. */
function covers({ picture, x, y, scaleX, scaleY, alpha }: Placement, width: number, height: number): boolean {
  const reaches = x + picture.width * scaleX >= width && y + picture.height * scaleY >= height
  return alpha === 1 && x <= 0 && y <= 0 && reaches
}
