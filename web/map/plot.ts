import { type CameraPose, type Viewport, viewCentre } from './camera.ts'

/** Places on the canvas, in device pixels. */
export interface Plot {
  /** A place along x, y (units of the layout), on a whole pixel, as pictures have it. */
  x(unit: number): number
  y(unit: number): number
  /** What lies in the left upper corner, in pixels from the layout's own corner, not rounded. */
  left: number
  top: number
  /** Device pixels of a unit. */
  zoom: number
  zoomY: number
  /** Device pixels of a CSS pixel. */
  ratio: number
}

/** Where a pose puts what it shows. */
export function plotOf(pose: CameraPose, view: Viewport, ratio: number): Plot {
  const centre = viewCentre(view)
  const zoom = pose.zoom * ratio
  const zoomY = pose.zoomY * ratio
  const left = pose.x * zoom - centre.x * ratio
  const top = pose.y * zoomY - centre.y * ratio
  // Pictures begin on whole pixels of the layout: marks on them must be rounded the same way.
  const fromX = Math.floor(left)
  const fromY = Math.floor(top)
  return {
    x: unit => Math.round(unit * zoom) - fromX,
    y: unit => Math.round(unit * zoomY) - fromY,
    left,
    top,
    zoom,
    zoomY,
    ratio,
  }
}
