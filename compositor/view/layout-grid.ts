/** How each layout's plane is cut into tiles and cells; see compositor/draw for how it is drawn. */
import { type LayoutName, TILE_SIDE, TOKEN_TILES } from '../../broadcast/protocol/view.ts'
import { LANE_UNITS } from '../layout/timeline.ts'

/** A rectangle in units of a layout; `right` and `bottom` lie outside of it. */
export interface WorldRect {
  left: number
  top: number
  right: number
  bottom: number
}

export interface LayoutGrid {
  /** No layout has anything beyond, in units. */
  readonly width: number
  readonly height: number
  /** Height of a token, in units. */
  readonly rowHeight: number
  /** Height of a cell in units where it is the same at every z; null where cells are squares. */
  readonly cellHeight: number | null
  /** The finest and the coarsest cells: `2^z` units. */
  readonly minZ: number
  readonly maxZ: number
  /** From which z on sums of the cells are kept. */
  readonly baseZ: number
  /** Tokens that are counted one by one at most; where there are more, cells are as coarse as the sums kept. */
  readonly maxCounted: number
  /** Tiles of tokens are as large as tiles of cells of this z would be. */
  readonly tokenZ: number
  /** Pixels of a unit from which on text can be read. */
  readonly readableZoom: number
  /** A token's width at most, in units. */
  readonly maxTokenWidth: number
}

/** Milliseconds that a token of `timeline` is wide at most, so that a stall is seen as a hole. */
export const MAX_TOKEN_MS = 100

export const GRIDS: Readonly<Record<LayoutName, LayoutGrid>> = {
  map: {
    width: 65_536,
    height: 65_536,
    rowHeight: 1,
    cellHeight: null,
    minZ: 0,
    maxZ: 10,
    baseZ: 3,
    maxCounted: 1_500_000,
    tokenZ: 0,
    readableZoom: 8,
    maxTokenWidth: 1,
  },
  flow: {
    width: 2 ** 23,
    height: 2 ** 23,
    rowHeight: 2,
    cellHeight: null,
    minZ: 2,
    maxZ: 17,
    baseZ: 5,
    maxCounted: 800_000,
    tokenZ: 1,
    readableZoom: 2,
    maxTokenWidth: 80,
  },
  timeline: {
    width: 2 ** 32,
    height: 65_536 * LANE_UNITS,
    rowHeight: LANE_UNITS,
    cellHeight: LANE_UNITS,
    minZ: 0,
    maxZ: 26,
    baseZ: 12,
    maxCounted: 1_000_000,
    tokenZ: 6,
    readableZoom: 0.05,
    maxTokenWidth: MAX_TOKEN_MS,
  },
}

/** Width and height of a tile in units. */
export function tileSize(layout: LayoutName, z: number): [width: number, height: number] {
  const { tokenZ, cellHeight } = GRIDS[layout]
  const width = TILE_SIDE * 2 ** (z === TOKEN_TILES ? tokenZ : z)
  return [width, cellHeight === null ? width : TILE_SIDE * cellHeight]
}

/** The units that a tile covers. */
export function tileRect(layout: LayoutName, z: number, x: number, y: number): WorldRect {
  const [width, height] = tileSize(layout, z)
  return { left: x * width, top: y * height, right: (x + 1) * width, bottom: (y + 1) * height }
}
