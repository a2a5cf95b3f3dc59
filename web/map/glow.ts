/** The light of tokens that just landed. */
import { cellGap } from '../../compositor/draw/cell-paint.ts'
import type { MapLight } from '../../compositor/draw/map-light.ts'
import { cssOf, rgbOf } from './colour.ts'
import { GLOW_MS, type Landing } from './landings.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'
import type { Scene } from './scene.ts'

/** Glows are no smaller than this many CSS pixels: a landing is seen from afar as well. */
const SMALLEST_GLOW = 9
const FLASH = '#f1fff4'

/** The lights of a scene, oldest first: for each landing a halo, and a flash on its cell that fades. */
export function lightsOf(scene: Scene, plot: Plot, palette: MapPalette): MapLight[] {
  if (!scene.glow) return []
  return scene.landings.flatMap(landing => lightsOfLanding(landing, plot, palette, scene.now))
}

function lightsOfLanding(landing: Landing, plot: Plot, palette: MapPalette, now: number): MapLight[] {
  const { tokens } = landing.generation
  if (!tokens.has(landing.index)) return []
  const left = 1 - Math.min(1, Math.max(0, (now - landing.at) / GLOW_MS))
  const ease = left ** 3
  const x = plot.x(tokens.x(landing.index))
  const y = plot.y(tokens.y(landing.index))
  const side = Math.max(1, plot.cell - cellGap(plot.cell))
  const radius = Math.max(SMALLEST_GLOW * plot.ratio, Math.min(64 * plot.ratio, plot.cell * (0.9 + ease)))
  const halo: MapLight = {
    left: x + side / 2 - radius,
    top: y + side / 2 - radius,
    width: 2 * radius,
    height: 2 * radius,
    ink: rgbOf(palette.glow),
    alpha: ease * (palette.dark ? 0.4 : 0.3),
    inner: side * 0.2,
    adds: palette.dark,
  }
  const flash: MapLight = {
    left: x,
    top: y,
    width: side,
    height: side,
    ink: rgbOf(palette.dark ? FLASH : palette.glow),
    alpha: ease * 0.85,
    inner: null,
    adds: false,
  }
  return [halo, flash]
}

/** Paints lights on a 2D canvas. */
export function paintLights(ctx: CanvasRenderingContext2D, lights: readonly MapLight[]): void {
  for (const { left, top, width, height, ink, alpha, inner, adds } of lights) {
    ctx.globalCompositeOperation = adds ? 'lighter' : 'source-over'
    ctx.globalAlpha = alpha
    if (inner === null) ctx.fillStyle = cssOf(ink)
    else {
      const x = left + width / 2
      const y = top + height / 2
      const halo = ctx.createRadialGradient(x, y, inner, x, y, width / 2)
      halo.addColorStop(0, cssOf(ink))
      halo.addColorStop(1, cssOf(ink, 0))
      ctx.fillStyle = halo
    }
    ctx.fillRect(left, top, width, height)
  }
  ctx.globalCompositeOperation = 'source-over'
  ctx.globalAlpha = 1
}
