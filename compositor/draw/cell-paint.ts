import { cividisCss } from './cividis.ts'
import { type HatchContext, type HatchInk, paintHatch } from './hatch.ts'

/** The space left free on each cell's right and lower edge, in device pixels, for a cell of this size. */
export function cellGap(size: number): number {
  if (size < 4) return 0
  return size < 20 ? 1 : 2
}

/**
 * Paints one cell: its colour of the scale, or a hatch where the confidence is not known (NaN). Width and
 * height include the gap and may differ by the pixel that rounding to a grid makes; all in device pixels.
 */
export function paintCell(
  ctx: HatchContext,
  x: number,
  y: number,
  width: number,
  height: number,
  confidence: number,
  ink: HatchInk,
): void {
  const gap = cellGap(Math.min(width, height))
  if (Number.isNaN(confidence)) {
    paintHatch(ctx, x, y, width - gap, height - gap, ink)
    return
  }
  ctx.fillStyle = cividisCss(confidence)
  ctx.fillRect(x, y, width - gap, height - gap)
}
