import type { LayoutName } from '../../broadcast/protocol/view.ts'
import { blockBounds, type CellBounds, unite } from '../../compositor/draw/cell.ts'
import { PANEL_COLUMNS, PANEL_SIDE } from '../../compositor/draw/flow-look.ts'
import { AXIS_HEIGHT } from '../../compositor/draw/time-axis.ts'
import type { BlockIndex } from '../block-index.ts'
import type { Generation } from '../generation.ts'
import {
  type CameraPose,
  fitBounds,
  middleOf,
  roomOf,
  toScreen,
  type Viewport,
  viewCentre,
  type ZoomRange,
} from './camera.ts'

/** The free space around what is fitted, in CSS pixels. */
const MARGIN = 28
/** CSS pixels of a unit: that fitting makes at most, and that a person may go to. */
const LARGEST_FIT: Record<LayoutName, number> = { map: 72, flow: 10, timeline: 2 }
const LARGEST: Record<LayoutName, number> = { map: 160, flow: 40, timeline: 8 }
/** While a unit stays at least this large, following shows everything and need not move. */
const READABLE: Record<LayoutName, number> = { map: 7, flow: 6, timeline: 0.05 }
/** What is written at the moment is shown with units of this many pixels at most. */
const CLOSE: Record<LayoutName, number> = { map: 24, flow: 9, timeline: 0.1 }
/** Pixels of a unit across the lanes of `timeline`, at most. */
const LANE_ZOOM = 1.5
/** Blocks of each live generation that following keeps in view: what is written and what was just before. */
const RECENT_BLOCKS = 3
/** A view in which what is written is this much smaller than it could be is worth a move. */
const WORTH_ZOOM = 1.7
/** Where on the free area the newest time lies while it is followed. */
const NEWEST_AT = 0.94

/** The pose that shows all that lies in `bounds`. */
export function fitAll(layout: LayoutName, bounds: CellBounds, view: Viewport): CameraPose {
  const margin = marginOf(view)
  const largest = LARGEST_FIT[layout]
  if (layout === 'map') return fitBounds(bounds, view, margin, largest)
  const { width, height } = roomOf(view, margin)
  if (layout === 'flow') {
    const pose = fitBounds(bounds, view, margin, largest)
    // Text is read from the top.
    return { ...pose, y: topAt(bounds.top, view, margin, pose.zoomY) }
  }
  const zoom = Math.min(largest, width / Math.max(1, bounds.right - bounds.left))
  const zoomY = Math.min(LANE_ZOOM, (height - AXIS_HEIGHT) / Math.max(1, bounds.bottom - bounds.top))
  const y = topAt(bounds.top, view, margin + AXIS_HEIGHT, zoomY)
  return { x: middleOf(bounds).x, y, zoom, zoomY }
}

/** How far in and out a person may go. */
export function zoomRange(layout: LayoutName, bounds: CellBounds | null, view: Viewport): ZoomRange {
  const fit = bounds === null ? null : fitAll(layout, bounds, view)
  const most = LARGEST[layout]
  // Farther out there is only emptiness to be seen, and the way back is hard to find.
  const least = Math.min(fit === null ? most / 16 : fit.zoom / 3, most)
  if (layout !== 'timeline') return { least, most, leastY: least, mostY: most }
  return { least, most, leastY: Math.min(LANE_ZOOM, fit?.zoomY ?? LANE_ZOOM), mostY: LANE_ZOOM }
}

/** What following is to keep in view: all there is, and what is being written. */
export interface Followed {
  /** All that the layout has; null: nothing. */
  bounds: CellBounds | null
  /** Where live generations write. */
  targets: readonly CellBounds[]
  /** On `timeline`: the time of now, while something is live. */
  newest: number | null
}

/**
 * Where the camera should go to follow what is live; null where it may stay.
 *
 * As long as everything fits in readable size it shows everything. Beyond that it keeps what is being written in
 * view, and moves only when that leaves it: a camera that creeps with every token makes one sick. The newest time is
 * kept at the right edge.
 */
export function followPose(
  layout: LayoutName,
  { bounds, targets, newest }: Followed,
  view: Viewport,
  now: CameraPose,
): CameraPose | null {
  if (bounds === null) return null
  const all = fitAll(layout, bounds, view)
  if (all.zoom >= READABLE[layout] && newest === null) return differs(all, now) ? all : null
  if (layout === 'timeline') return newest === null ? null : newestAtEdge(newest, bounds, view, now)
  const target = targets.reduce<CellBounds | null>(unite, null)
  if (target === null) return null
  const pose = fitBounds(target, view, marginOf(view), CLOSE[layout])
  return holds(target, view, now) && now.zoom * WORTH_ZOOM > pose.zoom ? null : pose
}

/** The pose with the newest time near the right edge, in the zoom that a person chose. */
function newestAtEdge(newest: number, bounds: CellBounds, view: Viewport, now: CameraPose): CameraPose {
  const free = view.width - view.left - view.right
  const centre = viewCentre(view).x
  const edge = view.left + free * NEWEST_AT
  return { ...now, x: newest - (edge - centre) / now.zoom, y: keptY(bounds, view, now) }
}

/** Lanes stay where they are, unless the last ones are not seen. */
function keptY(bounds: CellBounds, view: Viewport, now: CameraPose): number {
  const bottom = toScreen(now, view, 0, bounds.bottom).y
  const over = bottom - (view.height - view.bottom)
  return over > 0 ? now.y + over / now.zoomY : now.y
}

/** The first look at a layout: everything if it can be read, else what was last. */
export function firstPose(layout: LayoutName, bounds: CellBounds, view: Viewport): CameraPose {
  const all = fitAll(layout, bounds, view)
  if (layout !== 'timeline' || all.zoom >= READABLE.timeline) return all
  const { width, height } = roomOf(view, marginOf(view))
  const zoomY = Math.min(LANE_ZOOM, Math.max(all.zoomY, (height - AXIS_HEIGHT) / (12 * 24)))
  const y = topAt(bounds.top, view, marginOf(view) + AXIS_HEIGHT, zoomY)
  return { x: bounds.right - width / 2 / CLOSE.timeline, y, zoom: CLOSE.timeline, zoomY }
}

/** The blocks of the map that live generations write in. */
export function blockTargets(blocks: BlockIndex, live: readonly Generation[]): CellBounds[] {
  return live.flatMap(generation => blocks.blocksOf(generation).slice(-RECENT_BLOCKS).map(blockBounds))
}

/** The panel of `flow` that a place is on. */
export function panelTarget({ x, y }: { x: number; y: number }): CellBounds {
  const left = Math.floor(x / PANEL_SIDE) * PANEL_SIDE
  const top = Math.floor(y / PANEL_SIDE) * PANEL_SIDE
  return { left, top, right: left + PANEL_COLUMNS, bottom: top + PANEL_SIDE }
}

/** A generation's blocks, fitted; null where none are held. */
export function fitGeneration(blocks: BlockIndex, generation: Generation, view: Viewport): CameraPose | null {
  let bounds: CellBounds | null = null
  for (const key of blocks.blocksOf(generation)) bounds = unite(bounds, blockBounds(key))
  return bounds && fitAll('map', bounds, view)
}

/** The y in the middle of a view at whose top, but a margin, `top` lies. */
function topAt(top: number, view: Viewport, margin: number, zoomY: number): number {
  return top + (viewCentre(view).y - view.top - margin) / zoomY
}

function marginOf(view: Viewport): number {
  return Math.min(MARGIN, view.width * 0.03)
}

function differs(a: CameraPose, b: CameraPose): boolean {
  const off = Math.max(Math.abs(a.x - b.x) * a.zoom, Math.abs(a.y - b.y) * a.zoomY)
  return off > 1 || Math.abs(Math.log(a.zoom / b.zoom)) > 0.01
}

function holds(bounds: CellBounds, view: Viewport, pose: CameraPose): boolean {
  const from = toScreen(pose, view, bounds.left, bounds.top)
  const to = toScreen(pose, view, bounds.right, bounds.bottom)
  return (
    from.x >= view.left &&
    from.y >= view.top &&
    to.x <= view.width - view.right &&
    to.y <= view.height - view.bottom
  )
}
