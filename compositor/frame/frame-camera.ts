import type { LayoutName } from '../../broadcast/protocol/view.ts'
import { AXIS_HEIGHT } from '../draw/time-axis.ts'
import { LEGEND_HEIGHT, LEGEND_LEAST } from '../draw/view-legend.ts'
import type { ViewCamera } from '../draw/view-scene.ts'
import type { FrameQuestion } from './frame-question.ts'

/** Pixels of a unit that few tokens are shown with at most: large enough to read their text. */
const LARGEST: Record<LayoutName, number> = { map: 64, flow: 9, timeline: 2 }
/** And of a lane's unit. */
const HIGHEST = 1.5
const LEAST_ZOOM = 2 ** -24
/** Free pixels around what is there. */
const MARGIN = 20

/** Left, top, right, bottom in units. */
type Bounds = readonly [number, number, number, number]

/** The camera of a picture: as asked for, and where that leaves it open so that all there is can be seen. */
export function frameCamera(question: FrameQuestion, bounds: Bounds | null): ViewCamera {
  const { layout, w: width, h: height } = question
  const [left, top, right, bottom] = bounds ?? [0, 0, 1, 1]
  const timeline = layout === 'timeline'
  const hasLegend = width >= LEGEND_LEAST[0] && height >= LEGEND_LEAST[1]
  const head = hasLegend && timeline ? AXIS_HEIGHT : 0
  const foot = hasLegend ? LEGEND_HEIGHT : 0
  const margin = Math.min(MARGIN, width / 10, height / 10)
  const roomX = Math.max(1, width - 2 * margin)
  const roomY = Math.max(1, height - head - foot - 2 * margin)
  const fitX = roomX / Math.max(1e-9, right - left)
  const fitY = roomY / Math.max(1e-9, bottom - top)
  const fit = Math.min(LARGEST[layout], timeline ? fitX : Math.min(fitX, fitY))
  const zoom = question.zoom ?? Math.max(LEAST_ZOOM, tidy(layout, fit))
  const zoomY = question.zoom_y ?? (timeline ? Math.max(LEAST_ZOOM, Math.min(HIGHEST, fitY)) : zoom)
  const spareX = roomX - (right - left) * zoom
  const spareY = roomY - (bottom - top) * zoomY
  // Lanes and lines are read from the upper left; cells of the map lie in the middle.
  const [shareX, shareY] = layout === 'map' ? [0.5, 0.5] : layout === 'flow' ? [0.5, 0] : [0, 0]
  return {
    x: question.x ?? left - (margin + spareX * shareX) / zoom,
    y: question.y ?? top - (head + margin + spareY * shareY) / zoomY,
    zoom,
    zoomY,
    width,
    height,
  }
}

/** The largest size not above `zoom` in which cells and columns are all of the same whole pixels. */
function tidy(layout: LayoutName, zoom: number): number {
  return layout !== 'timeline' && zoom >= 2 ? Math.floor(zoom) : zoom
}
