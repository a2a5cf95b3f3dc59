import { decodeTile } from '../../broadcast/protocol/tile-codec.ts'
import { TILE_SIDE, type ViewAnswer, type ViewQuestion } from '../../broadcast/protocol/view.ts'
import { GRIDS, tileRect } from '../view/layout-grid.ts'

/** Left, top, right, bottom in units. */
type Bounds = NonNullable<ViewAnswer['bounds']>

/** Cells are looked at as in a picture of this size. */
const SIDE = 512
/** How often what there is is looked at more closely. */
const LOOKS = 4
/** A look that leaves more than this of what was looked at is close enough. */
const CLOSE = 0.8

/**
 * The part of a layout that a question's filter and time leave, to a cell of a few hundredths of it.
 *
 * @param bounds all that the layout has
 * @returns null if nothing is left
 */
export async function filteredBounds(
  question: ViewQuestion,
  bounds: Bounds,
  view: (question: ViewQuestion) => Promise<ViewAnswer>,
): Promise<Bounds | null> {
  const { layout } = question
  let seen = bounds
  for (let look = 0; look < LOOKS; look++) {
    const [left, top, right, bottom] = seen
    const zooms = [SIDE / Math.max(1, right - left), SIDE / Math.max(1, bottom - top)] as const
    const zoom = layout === 'timeline' ? zooms[0] : Math.min(...zooms)
    const zoomY = layout === 'timeline' ? zooms[1] : zoom
    const at = { x: left, y: top, w: SIDE, h: SIDE, zoom, zoom_y: zoomY }
    const narrower = boundsOf(await view({ ...question, ...at }))
    if (narrower === null) return null
    const share = Math.min(
      (narrower[2] - narrower[0]) / (right - left),
      (narrower[3] - narrower[1]) / (bottom - top),
    )
    seen = narrower
    if (share > CLOSE) break
  }
  return seen
}

/** What an answer has in it: its tokens, or its cells with a token. */
function boundsOf({ layout, tokens, tiles }: ViewAnswer): Bounds | null {
  const { rowHeight, cellHeight } = GRIDS[layout]
  const bounds: Bounds = [Infinity, Infinity, -Infinity, -Infinity]
  const include = (x: number, y: number, width: number, height: number) => {
    bounds[0] = Math.min(bounds[0], x)
    bounds[1] = Math.min(bounds[1], y)
    bounds[2] = Math.max(bounds[2], x + width)
    bounds[3] = Math.max(bounds[3], y + height)
  }
  for (const { x, y, w, wraps = [] } of tokens) {
    include(x, y, w, rowHeight)
    for (const [, wrapX, wrapY] of wraps) include(wrapX, wrapY, 1, rowHeight)
  }
  for (const { z, x, y, content } of tiles) {
    if (content === null) continue
    const { left, top } = tileRect(layout, z, x, y)
    const [width, height] = [2 ** z, cellHeight ?? 2 ** z]
    for (const [at] of decodeTile(content).cells ?? []) {
      include(left + (at % TILE_SIDE) * width, top + Math.floor(at / TILE_SIDE) * height, width, height)
    }
  }
  return bounds[0] === Infinity ? null : bounds
}
