import { LOOK_HATCH, type QuadList } from './quad-list.ts'
import { mixed } from './rgba.ts'
import type { ViewTheme } from './view-theme.ts'

/** Distance of a hatch's lines along x, in pixels. shaders/quads.wgsl has the same. */
export const HATCH_PERIOD = 4

/** Whether a hatch has a line at a pixel. Lines go on from one rectangle to the next. */
export function onHatchLine(x: number, y: number): boolean {
  return (x + y + 1) % HATCH_PERIOD === 0
}

/**
 * Fills rectangles pixel by pixel: where there are hundreds of thousands of them a canvas takes far longer.
 *
 * @param pixels one word each, row by row: red in the lowest byte
 * @param above rows of the picture that lie above those of `pixels`
 */
export function fillQuads(
  quads: QuadList,
  theme: ViewTheme,
  pixels: Uint32Array,
  width: number,
  height: number,
  above = 0,
): void {
  quads.visit((x, quadTop, wide, high, colour, look) => {
    const y = quadTop - above
    if (y >= height || y + high <= 0) return
    const [left, right] = [Math.max(0, x), Math.min(width, x + wide)]
    const bottom = Math.min(height, y + high)
    for (let row = Math.max(0, y); row < bottom; row++) {
      const start = row * width
      if (look === LOOK_HATCH) hatch(pixels, start, left, right, row + above, (colour >>> 24) / 255, theme)
      else for (let column = left; column < right; column++) pixels[start + column] = colour
    }
  })
}

function hatch(
  pixels: Uint32Array,
  start: number,
  left: number,
  right: number,
  row: number,
  strength: number,
  { hatchGround, hatchLine }: ViewTheme,
): void {
  for (let column = left; column < right; column++) {
    const ink = onHatchLine(column, row) ? hatchLine : hatchGround
    const under = pixels[start + column] as number
    pixels[start + column] = strength === 1 ? ink : mixed(under, ink, strength)
  }
}
