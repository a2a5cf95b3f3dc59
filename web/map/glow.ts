/** The light of tokens that just landed: a halo each, and a flash on its place that fades. */
import { cssOf, rgbOf } from './colour.ts'
import { GLOW_MS, type Landing } from './landings.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'

/** Halos are no smaller and no larger than this many CSS pixels: a landing is seen from afar as well. */
const SMALLEST_HALO = 9
const LARGEST_HALO = 36
/** Its radius in sides of what landed. */
const HALO_SIZE = 1.1
const FLASH = '#f1fff4'
/** Halos are made for radii so many device pixels apart. */
const RADIUS_STEP = 4

/** A halo, made once for each colour and size: a gradient for each landing, or one that is stretched, takes far longer. */
export class HaloSprite {
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
  paint(ctx: CanvasRenderingContext2D, x: number, y: number): void {
    if (this.#bitmap === null) return
    ctx.drawImage(this.#bitmap, Math.round(x) - this.#radius, Math.round(y) - this.#radius)
  }
}

/** Paints the light of landings, oldest first, at this time of the animation clock. */
export function paintGlow(
  ctx: CanvasRenderingContext2D,
  landings: readonly Landing[],
  plot: Plot,
  palette: MapPalette,
  halo: HaloSprite,
  now: number,
): void {
  for (const landing of landings) {
    const left = plot.x(landing.x)
    const top = plot.y(landing.y)
    const width = Math.max(1, plot.x(landing.x + landing.width) - left - 1)
    const height = Math.max(1, plot.y(landing.y + landing.height) - top - 1)
    const ease = (1 - Math.min(1, Math.max(0, (now - landing.at) / GLOW_MS))) ** 3
    const size = (HALO_SIZE * Math.min(width, height)) / plot.ratio
    halo.become(palette.glow, plot.ratio * Math.min(LARGEST_HALO, Math.max(SMALLEST_HALO, size)))
    ctx.globalCompositeOperation = palette.dark ? 'lighter' : 'source-over'
    ctx.globalAlpha = ease * (palette.dark ? 0.4 : 0.3)
    halo.paint(ctx, left + width / 2, top + height / 2)
    ctx.globalCompositeOperation = 'source-over'
    ctx.globalAlpha = ease * 0.85
    ctx.fillStyle = palette.dark ? FLASH : palette.glow
    ctx.fillRect(left, top, width, height)
  }
  ctx.globalAlpha = 1
}
