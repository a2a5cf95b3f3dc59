import type { CellBounds } from '../../compositor/draw/cell.ts'
import { rgbaOf } from '../../compositor/draw/rgba.ts'
import type { Easel } from '../../compositor/draw/view-scene.ts'
import { graticuleOf } from './graticule.ts'
import type { MapPalette } from './palette.ts'

/** A small cross at block corners: what gives an empty map its measure, and a full one its order. */
export function paintGraticule({ quads, camera }: Easel, palette: MapPalette, ratio: number): void {
  const { x, y, zoom } = camera
  const seen: CellBounds = {
    left: x,
    top: y,
    right: x + camera.width / zoom,
    bottom: y + camera.height / zoom,
  }
  const { left, top, step, columns, rows } = graticuleOf(zoom / ratio, seen)
  const thin = Math.max(1, Math.round(ratio))
  const arm = 3 * thin
  const ink = rgbaOf(palette.grid)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const across = left + column * step
      const down = top + row * step
      const atX = Math.round((across - x) * zoom)
      const atY = Math.round((down - y) * zoom)
      quads.add(atX - arm, atY, atX + arm + thin, atY + thin, ink)
      quads.add(atX, atY - arm, atX + thin, atY + arm + thin, ink)
    }
  }
}
