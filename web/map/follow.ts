import { blockBounds, type CellBounds, unite } from '../../compositor/draw/cell.ts'
import type { BlockIndex } from '../block-index.ts'
import type { Generation } from '../generation.ts'
import { type CameraPose, fitBounds, toScreen, type Viewport } from './camera.ts'

/** The free space around what is fitted, in CSS pixels, and the largest cell that fitting makes. */
const MARGIN = 28
const LARGEST_FIT = 72
/** While cells stay at least this large, following shows everything and need not move. */
const READABLE = 7
/** Blocks of each live generation that following keeps in view: what is written and what was just before. */
const RECENT_BLOCKS = 3
/** A view in which the blocks are this much smaller than they could be is worth a move. */
const WORTH_ZOOM = 1.7

/** The pose that shows all tokens; null where there are none. */
export function fitAll(blocks: BlockIndex, view: Viewport): CameraPose | null {
  return blocks.bounds && fitBounds(blocks.bounds, view, margin(view), LARGEST_FIT)
}

/**
 * Where the camera should go to follow what is live; null where it may stay.
 *
 * As long as everything fits in readable cells it shows everything. Beyond that it keeps the blocks being
 * written in view, and moves only when they leave it: a camera that creeps with every token makes one sick.
 */
export function followPose(
  blocks: BlockIndex,
  live: readonly Generation[],
  view: Viewport,
  now: CameraPose,
): CameraPose | null {
  const all = fitAll(blocks, view)
  if (all === null) return null
  if (all.scale >= READABLE) return differs(all, now) ? all : null
  let target: CellBounds | null = null
  for (const generation of live) {
    for (const key of blocks.blocksOf(generation).slice(-RECENT_BLOCKS)) {
      target = unite(target, blockBounds(key))
    }
  }
  if (target === null) return null
  const pose = fitBounds(target, view, margin(view), 24)
  const inView = holds(target, view, now)
  return inView && now.scale * WORTH_ZOOM > pose.scale ? null : pose
}

/** A generation's blocks, fitted; null where none are held. */
export function fitGeneration(blocks: BlockIndex, generation: Generation, view: Viewport): CameraPose | null {
  let bounds: CellBounds | null = null
  for (const key of blocks.blocksOf(generation)) bounds = unite(bounds, blockBounds(key))
  return bounds && fitBounds(bounds, view, margin(view), LARGEST_FIT)
}

function margin(view: Viewport): number {
  return Math.min(MARGIN, view.width * 0.03)
}

function differs(a: CameraPose, b: CameraPose): boolean {
  const off = Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) * a.scale
  return off > 1 || Math.abs(Math.log(a.scale / b.scale)) > 0.01
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
