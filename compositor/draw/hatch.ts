/** What a hatch needs of a 2D context. */
export type HatchContext = Pick<
  CanvasRenderingContext2D,
  'beginPath' | 'fillRect' | 'fillStyle' | 'lineTo' | 'lineWidth' | 'moveTo' | 'stroke' | 'strokeStyle'
>

/** The two greys of a hatch: what lies under the lines, and the lines. */
export interface HatchInk {
  ground: string
  line: string
}

// Below this side, in pixels, lines would run together: a dither of pixels says the same.
const LINES_FROM = 6

/**
 * Fills a rectangle with a fine hatch: the sign for "not known", which is never a colour of the scale.
 * The lines continue from one neighbour to the next, whatever the size. Sizes are in device pixels.
 */
export function paintHatch(
  ctx: HatchContext,
  x: number,
  y: number,
  width: number,
  height: number,
  ink: HatchInk,
): void {
  ctx.fillStyle = ink.ground
  ctx.fillRect(x, y, width, height)
  if (width < LINES_FROM || height < LINES_FROM) {
    ctx.fillStyle = ink.line
    for (let row = 0; row < height; row++) {
      for (let column = (x + y + row) % 2; column < width; column += 2)
        ctx.fillRect(x + column, y + row, 1, 1)
    }
    return
  }
  const period = hatchPeriod(width)
  ctx.strokeStyle = ink.line
  ctx.lineWidth = Math.max(1, period / 5)
  ctx.beginPath()
  // Lines run from the lower left to the upper right: x + y is the same along each.
  for (let sum = Math.ceil((x + y) / period) * period - x - y; sum < width + height; sum += period) {
    if (sum <= 0) continue
    ctx.moveTo(x + Math.max(0, sum - height), y + Math.min(height, sum))
    ctx.lineTo(x + Math.min(width, sum), y + Math.max(0, sum - width))
  }
  ctx.stroke()
}

/** The distance of the lines, in pixels, for something of this size. */
function hatchPeriod(side: number): number {
  return Math.min(8, Math.max(4, Math.round(side / 5)))
}
