import type { CellBounds } from '../../compositor/draw/cell.ts'

/** What the map shows: the world point (in cells) in the middle of the free area, and the size of a cell. */
export interface CameraPose {
  x: number
  y: number
  /** CSS pixels a cell. */
  scale: number
}

/** The view in CSS pixels, and how much of each edge is covered by something that floats. */
export interface Viewport {
  width: number
  height: number
  left: number
  top: number
  right: number
  bottom: number
}

export const SMALLEST_SCALE = 0.1
export const LARGEST_SCALE = 160

/** Cells from this size on are fitted in whole pixels. */
const WHOLE_FROM = 5

/** Holds a scale within what can be shown. */
function clampScale(scale: number): number {
  return Math.min(LARGEST_SCALE, Math.max(SMALLEST_SCALE, scale))
}

/** The middle of the area that nothing covers, in CSS pixels. */
export function viewCentre(view: Viewport): { x: number; y: number } {
  return {
    x: (view.left + view.width - view.right) / 2,
    y: (view.top + view.height - view.bottom) / 2,
  }
}

/** World (cells) to screen (CSS pixels). */
export function toScreen(pose: CameraPose, view: Viewport, x: number, y: number): { x: number; y: number } {
  const centre = viewCentre(view)
  return { x: centre.x + (x - pose.x) * pose.scale, y: centre.y + (y - pose.y) * pose.scale }
}

/** Screen (CSS pixels) to world (cells). */
export function toWorld(pose: CameraPose, view: Viewport, x: number, y: number): { x: number; y: number } {
  const centre = viewCentre(view)
  return { x: pose.x + (x - centre.x) / pose.scale, y: pose.y + (y - centre.y) / pose.scale }
}

/** The pose with another scale in which the world point under a screen point stays under it. */
export function zoomAbout(
  pose: CameraPose,
  view: Viewport,
  at: { x: number; y: number },
  scale: number,
): CameraPose {
  const next = clampScale(scale)
  const world = toWorld(pose, view, at.x, at.y)
  const centre = viewCentre(view)
  return {
    x: world.x - (at.x - centre.x) / next,
    y: world.y - (at.y - centre.y) / next,
    scale: next,
  }
}

/** The pose in which `bounds` fill the free area but a margin, and no cell is larger than `largest`. */
export function fitBounds(bounds: CellBounds, view: Viewport, margin: number, largest: number): CameraPose {
  const width = Math.max(1, view.width - view.left - view.right - 2 * margin)
  const height = Math.max(1, view.height - view.top - view.bottom - 2 * margin)
  const scale = Math.min(width / (bounds.right - bounds.left), height / (bounds.bottom - bounds.top), largest)
  return {
    x: (bounds.left + bounds.right) / 2,
    y: (bounds.top + bounds.bottom) / 2,
    // Whole pixels, so that all cells and the gaps between them are equal; small ones have no gaps.
    scale: clampScale(scale >= WHOLE_FROM ? Math.floor(scale) : scale),
  }
}

/** The part of the world that is in view, floating things disregarded. */
export function visibleBounds(pose: CameraPose, view: Viewport): CellBounds {
  const from = toWorld(pose, view, 0, 0)
  const to = toWorld(pose, view, view.width, view.height)
  return { left: from.x, top: from.y, right: to.x, bottom: to.y }
}

/** The smallest pan that brings `bounds` into the free area, if they fit; else the pose as it is. */
export function reveal(pose: CameraPose, view: Viewport, bounds: CellBounds, margin: number): CameraPose {
  const from = toScreen(pose, view, bounds.left, bounds.top)
  const to = toScreen(pose, view, bounds.right, bounds.bottom)
  const shift = (low: number, high: number, start: number, end: number) =>
    low < start ? low - start : high > end ? Math.min(high - end, low - start) : 0
  const dx = shift(from.x, to.x, view.left + margin, view.width - view.right - margin)
  const dy = shift(from.y, to.y, view.top + margin, view.height - view.bottom - margin)
  return dx === 0 && dy === 0
    ? pose
    : { x: pose.x + dx / pose.scale, y: pose.y + dy / pose.scale, scale: pose.scale }
}
