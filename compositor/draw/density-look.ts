import type { LayoutName } from '../../broadcast/protocol/view.ts'
import { paintPanels } from './flow-look.ts'
import { LOOK_HATCH } from './quad-list.ts'
import { mixed, type Rgba } from './rgba.ts'
import { barOf, LANE_UNITS } from './timeline-look.ts'
import type { Easel, SeenCell } from './view-scene.ts'

/** How strong the colour of a cell with one token is, where another has many. */
const FAINTEST = 0.5

/**
 * Paints cells of many tokens: the colour of their mean, the stronger the more there are (logarithmic).
 *
 * @returns tokens in the fullest cell that is seen
 */
export function paintDensity(easel: Easel, cells: readonly SeenCell[]): number {
  const { quads, camera, theme, ink, answer } = easel
  const unit = 2 ** answer.z
  const seen: (readonly [SeenCell, readonly [number, number, number, number]])[] = []
  let most = 0
  for (const cell of cells) {
    const rect = rectOf(easel, answer.layout, cell, unit)
    if (rect[2] <= 0 || rect[3] <= 0 || rect[0] >= camera.width || rect[1] >= camera.height) continue
    seen.push([cell, rect])
    most = Math.max(most, cell.count)
  }
  if (answer.layout === 'flow') paintPanels(easel, placesOf(seen, unit))
  for (const [{ count, value }, [left, top, right, bottom]] of seen) {
    const share = strength(count, most)
    const colour: Rgba | null = ink.ofCell(value)
    if (colour !== null) quads.add(left, top, right, bottom, mixed(theme.ground, colour, share))
    else quads.add(left, top, right, bottom, (Math.round(share * 255) << 24) >>> 0, LOOK_HATCH)
  }
  return most
}

function* placesOf(seen: readonly (readonly [SeenCell, unknown])[], unit: number) {
  for (const [{ x, y }] of seen) yield { x: x * unit, y: y * unit }
}

/** How strong a cell's colour is, 0 … 1. */
export function strength(count: number, most: number): number {
  if (most <= 1) return 1
  return FAINTEST + (1 - FAINTEST) * (Math.log(count) / Math.log(most))
}

function rectOf(
  { camera }: Easel,
  layout: LayoutName,
  { x, y }: SeenCell,
  unit: number,
): readonly [number, number, number, number] {
  const left = Math.round((x * unit - camera.x) * camera.zoom)
  const right = Math.max(left + 1, Math.round(((x + 1) * unit - camera.x) * camera.zoom))
  if (layout === 'timeline') {
    const [top, bottom] = barOf(camera, y * LANE_UNITS)
    return [left, top, right, bottom]
  }
  const top = Math.round((y * unit - camera.y) * camera.zoomY)
  const bottom = Math.max(top + 1, Math.round(((y + 1) * unit - camera.y) * camera.zoomY))
  return [left, top, right, bottom]
}
