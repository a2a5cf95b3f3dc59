import type { Viewport, WholeView } from '../../broadcast/client.ts'
import { type LayoutName, TILE_SIDE, TOKEN_TILES } from '../../broadcast/protocol/view.ts'
import { type CellBounds, unite } from '../../compositor/draw/cell.ts'
import { LANE_UNITS } from '../../compositor/draw/timeline-look.ts'
import { rectsOf } from './token-index.ts'

/** Cells are looked at as in a picture of this size. */
const SIDE = 512
/** How often what there is is looked at more closely. */
const LOOKS = 3
/** A look that leaves more than this of what was looked at is close enough. */
const CLOSE = 0.6

/**
 * The part of a layout in which a generation lies; null where it has none.
 *
 * @param all all that the layout has
 */
export async function locate(
  layout: LayoutName,
  generation: string,
  all: CellBounds,
  t: number | null,
  view: (question: Viewport) => Promise<WholeView>,
): Promise<CellBounds | null> {
  let seen = all
  for (let look = 0; look < LOOKS; look++) {
    const width = Math.max(1, seen.right - seen.left)
    const height = Math.max(1, seen.bottom - seen.top)
    const zoomX = SIDE / width
    const zoomY = SIDE / height
    const timeline = layout === 'timeline'
    const zoom = timeline ? zoomX : Math.min(zoomX, zoomY)
    const found = boundsOf(
      await view({
        layout,
        x: seen.left,
        y: seen.top,
        w: SIDE,
        h: SIDE,
        zoom,
        zoom_y: timeline ? zoomY : zoom,
        t,
        filter: { generations: [generation] },
      }),
    )
    if (found === null) return null
    const share = Math.min((found.right - found.left) / width, (found.bottom - found.top) / height)
    seen = found
    if (share > CLOSE) break
  }
  return seen
}

/** What an answer has in it: its tokens, or its cells with a token. */
function boundsOf({ layout, tokens, tiles }: WholeView): CellBounds | null {
  let bounds: CellBounds | null = null
  const include = (x: number, y: number, width: number, height: number) => {
    bounds = unite(bounds, { left: x, top: y, right: x + width, bottom: y + height })
  }
  for (const list of [tokens, ...tiles.map(tile => tile.tokens ?? [])]) {
    for (const token of list) {
      for (const { x, y, width, height } of rectsOf(layout, token)) include(x, y, width, height)
    }
  }
  for (const { z, x, y, cells } of tiles) {
    if (z === TOKEN_TILES) continue
    const width = 2 ** z
    const height = layout === 'timeline' ? LANE_UNITS : width
    for (const [at] of cells ?? []) {
      const column = x * TILE_SIDE + (at % TILE_SIDE)
      const row = y * TILE_SIDE + Math.floor(at / TILE_SIDE)
      include(column * width, row * height, width, height)
    }
  }
  return bounds
}
