/** The light of tokens that just landed: a halo each, and a flash on its place that fades. */
import type { Marks } from '../view/picture-layer.ts'
import { GLOW_MS, type Landing } from './landings.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'

/** Halos are no smaller and no larger than this many CSS pixels: a landing is seen from afar as well. */
const SMALLEST_HALO = 9
const LARGEST_HALO = 36
/** Its radius in sides of what landed. */
const HALO_SIZE = 1.1
const FLASH = '#f1fff4'
/** Paints the light of landings, oldest first, at this time of the animation clock. */
export function paintGlow(
  marks: Marks,
  landings: readonly Landing[],
  plot: Plot,
  palette: MapPalette,
  now: number,
): void {
  const { ctx } = marks
  for (const landing of landings) {
    const left = plot.x(landing.x)
    const top = plot.y(landing.y)
    const width = Math.max(1, plot.x(landing.x + landing.width) - left - 1)
    const height = Math.max(1, plot.y(landing.y + landing.height) - top - 1)
    const ease = (1 - Math.min(1, Math.max(0, (now - landing.at) / GLOW_MS))) ** 3
    const size = (HALO_SIZE * Math.min(width, height)) / plot.ratio
    const radius = plot.ratio * Math.min(LARGEST_HALO, Math.max(SMALLEST_HALO, size))
    ctx.globalCompositeOperation = palette.dark ? 'lighter' : 'source-over'
    ctx.globalAlpha = ease * (palette.dark ? 0.4 : 0.3)
    marks.halo(palette.glow, radius, left + width / 2, top + height / 2)
    ctx.globalCompositeOperation = 'source-over'
    ctx.globalAlpha = ease * 0.85
    ctx.fillStyle = palette.dark ? FLASH : palette.glow
    ctx.fillRect(left, top, width, height)
  }
  ctx.globalAlpha = 1
}
