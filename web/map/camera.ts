import type { CellBounds } from '../../compositor/draw/cell.ts'

/** What is shown of a layout: the place in the middle of the free area, in its units, and the size of a unit. */
export interface CameraPose {
  x: number
  y: number
  /** CSS pixels of a unit; of `timeline` along x only. */
  zoom: number
  /** The same along y. */
  zoomY: number
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

/** The part of the window that floats over the map, by edge. */
export type Insets = Pick<Viewport, 'left' | 'top' | 'right' | 'bottom'>

/** How small and how large a unit may be shown, in CSS pixels. */
export interface ZoomRange {
  least: number
  most: number
  leastY: number
  mostY: number
}

/** Squares from this size on are fitted in whole pixels. */
const WHOLE_FROM = 2

/** The middle of the area that nothing covers, in CSS pixels. */
export function viewCentre(view: Viewport): { x: number; y: number } {
  return {
    x: (view.left + view.width - view.right) / 2,
    y: (view.top + view.height - view.bottom) / 2,
  }
}

/** Layout (units) to screen (CSS pixels). */
export function toScreen(pose: CameraPose, view: Viewport, x: number, y: number): { x: number; y: number } {
  const centre = viewCentre(view)
  return { x: centre.x + (x - pose.x) * pose.zoom, y: centre.y + (y - pose.y) * pose.zoomY }
}

/** Screen (CSS pixels) to layout (units). */
export function toWorld(pose: CameraPose, view: Viewport, x: number, y: number): { x: number; y: number } {
  const centre = viewCentre(view)
  return { x: pose.x + (x - centre.x) / pose.zoom, y: pose.y + (y - centre.y) / pose.zoomY }
}

/** The pose moved by so many CSS pixels: what is shown goes along. */
export function panned(pose: CameraPose, dx: number, dy: number): CameraPose {
  return { ...pose, x: pose.x - dx / pose.zoom, y: pose.y - dy / pose.zoomY }
}

/** The pose zoomed by a factor, within a range, in which the place under a screen point stays under it. */
export function zoomAbout(
  pose: CameraPose,
  view: Viewport,
  at: { x: number; y: number },
  factor: number,
  range: ZoomRange,
): CameraPose {
  const zoom = clamp(pose.zoom * factor, range.least, range.most)
  const zoomY = clamp(pose.zoomY * factor, range.leastY, range.mostY)
  const place = toWorld(pose, view, at.x, at.y)
  const centre = viewCentre(view)
  return { x: place.x - (at.x - centre.x) / zoom, y: place.y - (at.y - centre.y) / zoomY, zoom, zoomY }
}

/** The pose in which `bounds` fill the free area but a margin, squares stay squares, and no unit is larger than `largest`. */
export function fitBounds(bounds: CellBounds, view: Viewport, margin: number, largest: number): CameraPose {
  const { width, height } = roomOf(view, margin)
  const zoom = Math.min(width / (bounds.right - bounds.left), height / (bounds.bottom - bounds.top), largest)
  // Whole pixels, so that all cells and the gaps between them are equal; small ones have no gaps.
  const whole = zoom >= WHOLE_FROM ? Math.floor(zoom) : zoom
  const { x, y } = middleOf(bounds)
  return { x, y, zoom: whole, zoomY: whole }
}

/** The room for what is fitted, in CSS pixels. */
export function roomOf(view: Viewport, margin: number): { width: number; height: number } {
  return {
    width: Math.max(1, view.width - view.left - view.right - 2 * margin),
    height: Math.max(1, view.height - view.top - view.bottom - 2 * margin),
  }
}

export function middleOf(bounds: CellBounds): { x: number; y: number } {
  return { x: (bounds.left + bounds.right) / 2, y: (bounds.top + bounds.bottom) / 2 }
}

/** The part of the layout that is in view, floating things disregarded. */
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
  return dx === 0 && dy === 0 ? pose : panned(pose, -dx, -dy)
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
