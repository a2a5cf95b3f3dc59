/** The light of tokens that just landed: a halo each, and a flash on its place that fades. */
import { cssOf, rgbOf } from './colour.ts'
import { GLOW_MS, type Landing } from './landings.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'

/** Halos are no smaller and no larger than this many CSS pixels: a landing is seen from afar as well. */
const SMALLEST_HALO = 9
const LARGEST_HALO = 64
const FLASH = '#f1fff4'
const SPRITE = 128

/** A halo in one colour, to be stretched: a gradient for each landing and frame takes far longer. */
export class HaloSprite {
  readonly #ink: string
  readonly #canvas: OffscreenCanvas

  constructor(ink: string) {
    this.#ink = ink
    this.#canvas = new OffscreenCanvas(SPRITE, SPRITE)
    const ctx = this.#canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
    const middle = SPRITE / 2
    const halo = ctx.createRadialGradient(middle, middle, SPRITE / 12, middle, middle, middle)
    halo.addColorStop(0, cssOf(rgbOf(ink)))
    halo.addColorStop(1, cssOf(rgbOf(ink), 0))
    ctx.fillStyle = halo
    ctx.fillRect(0, 0, SPRITE, SPRITE)
  }

  /** Whether it is of this colour. */
  isOf(ink: string): boolean {
    return this.#ink === ink
  }

  paint(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
    ctx.drawImage(this.#canvas, x - radius, y - radius, 2 * radius, 2 * radius)
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
    const size = Math.min(width, height) * (0.9 + ease)
    const radius = plot.ratio * Math.min(LARGEST_HALO, Math.max(SMALLEST_HALO, size / plot.ratio))
    ctx.globalCompositeOperation = palette.dark ? 'lighter' : 'source-over'
    ctx.globalAlpha = ease * (palette.dark ? 0.4 : 0.3)
    halo.paint(ctx, left + width / 2, top + height / 2, radius)
    ctx.globalCompositeOperation = 'source-over'
    ctx.globalAlpha = ease * 0.85
    ctx.fillStyle = palette.dark ? FLASH : palette.glow
    ctx.fillRect(left, top, width, height)
  }
  ctx.globalAlpha = 1
}
