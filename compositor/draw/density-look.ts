import type { LayoutName } from '../../broadcast/protocol/view.ts'
import { cellGap } from './cell-paint.ts'
import { PanelSet } from './flow-look.ts'
import { LOOK_HATCH } from './quad-list.ts'
import { mixed, type Rgba } from './rgba.ts'
import { barOf, LANE_UNITS } from './timeline-look.ts'
import type { Easel, SeenCell } from './view-scene.ts'

/** How strong the colour of a cell with one token is, where another has many. */
const FAINTEST = 0.5

/**
 * Paints cells of many tokens: the colour of their mean, the stronger the more there are (logarithmic). So many cells
 * a step.
 *
 * @returns tokens in the fullest cell that is seen
 */
export function* densitySteps(
  easel: Easel,
  cells: readonly SeenCell[],
  aStep: number,
): Generator<void, number> {
  const { quads, camera, theme, ink, answer } = easel
  const unit = 2 ** answer.z
  const seen: SeenCell[] = []
  const panels = new PanelSet()
  let most = 0
  for (const [i, cell] of cells.entries()) {
    if (i % aStep === aStep - 1) yield
    const rect = rectOf(easel, answer.layout, cell, unit)
    if (rect[2] <= 0 || rect[3] <= 0 || rect[0] >= camera.width || rect[1] >= camera.height) continue
    seen.push(cell)
    most = Math.max(most, cell.count)
    if (answer.layout === 'flow') panels.add(cell.x * unit, cell.y * unit)
  }
  panels.paint(easel)
  for (const [i, cell] of seen.entries()) {
    if (i % aStep === aStep - 1) yield
    const [left, top, right, bottom] = rectOf(easel, answer.layout, cell, unit)
    const share = strength(cell.count, most)
    const colour: Rgba | null = ink.ofCell(cell.value)
    if (colour !== null) quads.add(left, top, right, bottom, mixed(theme.ground, colour, share))
    else quads.add(left, top, right, bottom, (Math.round(share * 255) << 24) >>> 0, LOOK_HATCH)
  }
  return most
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
  // Cells of a single token look as tokens do.
  const gap = layout === 'map' && unit === 1 ? cellGap(camera.zoom) : 0
  return [left, top, right - gap, bottom - gap]
}
