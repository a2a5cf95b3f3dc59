import type { Look } from '../view/view-feed.ts'
import type { MapCamera } from './map-camera.ts'
import type { MapViewOptions } from './map-view.ts'
import { plotOf } from './plot.ts'

/**
 * What is looked at: the layout and its colours as they are chosen, and the part of it that is on the canvas.
 *
 * @param ratio device pixels of a CSS pixel
 */
export function lookFrom(
  { pose, view, moving }: MapCamera,
  ratio: number,
  { look, playhead, canvas }: Pick<MapViewOptions, 'look' | 'playhead' | 'canvas'>,
): Look {
  const plot = plotOf(pose, view, ratio)
  return {
    layout: look.layout.peek(),
    color: look.color.peek(),
    filter: look.filter.peek(),
    t: playhead.at.peek(),
    left: plot.left / plot.zoom,
    top: plot.top / plot.zoomY,
    width: canvas.width,
    height: canvas.height,
    zoom: plot.zoom,
    zoomY: plot.zoomY,
    ratio: plot.ratio,
    moving,
  }
}
