/**
 * Which tiles answer a question. A pure function of the question, so that who keeps tiles knows which of them
 * to name without asking.
 */
import { type LayoutName, TOKEN_TILES, type ViewQuestion } from '../../broadcast/protocol/view.ts'
import { GRIDS, tileSize, type WorldRect } from './layout-grid.ts'

/** Pixels along a side of a picture at most; what is over that is not looked at. */
const MAX_PIXELS = 16_384
/** Tiles of an answer at most. */
const MAX_TILES = 1024
/** Pixels that a cell is wide at least. */
const MIN_CELL_PIXELS = 3

/** Tiles of one z: columns `left` … `right - 1`, rows `top` … `bottom - 1`. */
export interface TileRange {
  z: number
  left: number
  top: number
  right: number
  bottom: number
}

/**
 * The ranges of tiles that a question may be answered with, the likelier first: of tokens if its text can be
 * read, of cells, and of the cells whose sums are kept, where counting finer ones would take too long.
 */
export function tilesOf(question: ViewQuestion): TileRange[] {
  const near = nearTiles(question)
  const far = farTiles(question)
  const summed = summedTiles(question)
  const ranges = summed.z === far.z ? [far] : [far, summed]
  return near === null ? ranges : [near, ...ranges]
}

/** The part of the layout that a question is about, no larger than the layout can be; it may be empty. */
export function viewRect({ layout, x, y, w, h, zoom, zoom_y }: ViewQuestion): WorldRect {
  const { width, height } = GRIDS[layout]
  const zoomY = zoom_y ?? (layout === 'timeline' ? 1 : zoom)
  return {
    left: clamp(x, width),
    top: clamp(y, height),
    right: clamp(x + Math.min(w, MAX_PIXELS) / zoom, width),
    bottom: clamp(y + Math.min(h, MAX_PIXELS) / zoomY, height),
  }
}

/** Tiles of tokens, which hold every token that is seen; null where text is too small to be read. */
export function nearTiles(question: ViewQuestion): TileRange | null {
  const { layout, zoom } = question
  const { readableZoom, maxTokenWidth } = GRIDS[layout]
  if (!(zoom >= readableZoom)) return null
  const rect = viewRect(question)
  // A token lies in the tile where it begins, and is seen as far as it is wide.
  const isEmpty = rect.right <= rect.left
  const left = maxTokenWidth > 1 && !isEmpty ? Math.max(0, rect.left - maxTokenWidth) : rect.left
  const range = tilesIn(layout, TOKEN_TILES, { ...rect, left })
  return tileCount(range) > MAX_TILES ? null : range
}

/** Tiles of cells that are 3 to 6 pixels wide, or as wide as it takes for there not to be too many tiles. */
export function farTiles(question: ViewQuestion): TileRange {
  const { layout, zoom } = question
  return fitting(question, Math.ceil(Math.log2(MIN_CELL_PIXELS / zoom)), GRIDS[layout].minZ)
}

/** The same, of cells no finer than those whose sums are kept. */
export function summedTiles(question: ViewQuestion): TileRange {
  const { layout, zoom } = question
  return fitting(question, Math.ceil(Math.log2(MIN_CELL_PIXELS / zoom)), GRIDS[layout].baseZ)
}

/** How many tiles a range has. */
export function tileCount({ left, top, right, bottom }: TileRange): number {
  return (right - left) * (bottom - top)
}

function fitting(question: ViewQuestion, wanted: number, minZ: number): TileRange {
  const { layout } = question
  const { maxZ } = GRIDS[layout]
  const rect = viewRect(question)
  for (let z = Math.min(Math.max(wanted, minZ), maxZ); ; z++) {
    const range = tilesIn(layout, z, rect)
    // At the coarsest, no layout is more than a tile wide, or more than so many high.
    if (z === maxZ || tileCount(range) <= MAX_TILES) return range
  }
}

/** Every tile that a rectangle meets; none if it is empty. */
function tilesIn(layout: LayoutName, z: number, { left, top, right, bottom }: WorldRect): TileRange {
  const [width, height] = tileSize(layout, z)
  const x = Math.floor(left / width)
  const y = Math.floor(top / height)
  if (right <= left || bottom <= top) return { z, left: x, top: y, right: x, bottom: y }
  return { z, left: x, top: y, right: Math.ceil(right / width), bottom: Math.ceil(bottom / height) }
}

function clamp(value: number, end: number): number {
  return Math.min(Math.max(value, 0), end)
}
