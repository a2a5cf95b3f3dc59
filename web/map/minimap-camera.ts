import type { LayoutName } from '../../broadcast/protocol/view.ts'

/** Left, top, right, bottom in units of a layout. */
export type Bounds = readonly [left: number, top: number, right: number, bottom: number]

/** Which part of a layout a small picture shows, and how large a unit is in it. */
export interface MinimapCamera {
  layout: LayoutName
  /** What lies in the left upper corner, in units. */
  x: number
  y: number
  /** CSS pixels of a unit. */
  zoom: number
  zoomY: number
}

/** CSS pixels of a unit at most: few tokens are not blown up. */
const LARGEST: Record<LayoutName, number> = { map: 12, flow: 4, timeline: 1 }
const LEAST_ZOOM = 1e-10
const MARGIN = 6

/** The camera with all that a layout has in the middle of a picture of this size, in CSS pixels. */
export function minimapCamera(
  layout: LayoutName,
  [left, top, right, bottom]: Bounds,
  width: number,
  height: number,
): MinimapCamera {
  const fitX = (width - 2 * MARGIN) / Math.max(1e-9, right - left)
  const fitY = (height - 2 * MARGIN) / Math.max(1e-9, bottom - top)
  const held = (fit: number) => Math.max(LEAST_ZOOM, Math.min(LARGEST[layout], fit))
  // Time and lanes have nothing to do with each other; elsewhere a unit is square.
  const [zoom, zoomY] =
    layout === 'timeline'
      ? [held(fitX), held(fitY)]
      : [held(Math.min(fitX, fitY)), held(Math.min(fitX, fitY))]
  return {
    layout,
    x: (left + right - width / zoom) / 2,
    y: (top + bottom - height / zoomY) / 2,
    zoom,
    zoomY,
  }
}

/** A part of a layout, in its units. */
export interface Seen {
  left: number
  top: number
  right: number
  bottom: number
}

/** Where `seen` lies in the picture, in CSS pixels: within it, and never too small to be found. */
export function minimapRect(camera: MinimapCamera, seen: Seen, width: number, height: number): Seen {
  const [left, right] = span(
    (seen.left - camera.x) * camera.zoom,
    (seen.right - camera.x) * camera.zoom,
    width,
  )
  const [top, bottom] = span(
    (seen.top - camera.y) * camera.zoomY,
    (seen.bottom - camera.y) * camera.zoomY,
    height,
  )
  return { left, top, right, bottom }
}

/**
 * Whether there is more than is seen.
 *
 * @param slack how much of what is seen may lie beyond its edges all the same, 0 … 1
 */
export function isMore([left, top, right, bottom]: Bounds, seen: Seen, slack: number): boolean {
  const [dx, dy] = [(seen.right - seen.left) * slack, (seen.bottom - seen.top) * slack]
  return left < seen.left - dx || top < seen.top - dy || right > seen.right + dx || bottom > seen.bottom + dy
}

const LEAST_SIDE = 6

/** In whole pixels, so that the frame's lines are sharp. */
function span(from: number, to: number, length: number): [number, number] {
  const spare = Math.max(0, LEAST_SIDE - (to - from)) / 2
  const low = Math.round(Math.max(0, Math.min(length - LEAST_SIDE, from - spare)))
  return [low, Math.max(low + LEAST_SIDE, Math.round(Math.min(length, to + spare)))]
}
