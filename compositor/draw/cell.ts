/**
 * The geometry of the map: integer cells, in blocks of 16 × 16 that each belong to one generation.
 * x grows to the right, y downward.
 */

/** Cells along the side of a block. */
export const BLOCK_SIDE = 16

// The map has at most 2^32 cells, which is 4096 blocks along a side.
const KEY_STRIDE = 4096

/** A rectangle of cells; `right` and `bottom` are the first ones outside. */
export interface CellBounds {
  left: number
  top: number
  right: number
  bottom: number
}

/** The block that holds a cell, as one number. */
export function blockKey(x: number, y: number): number {
  return Math.floor(y / BLOCK_SIDE) * KEY_STRIDE + Math.floor(x / BLOCK_SIDE)
}

/** The first cell, top left, of the block with this key. */
export function blockOrigin(key: number): [number, number] {
  return [(key % KEY_STRIDE) * BLOCK_SIDE, Math.floor(key / KEY_STRIDE) * BLOCK_SIDE]
}

/** The smallest rectangle around two, either of which may be missing. */
export function unite(a: CellBounds | null, b: CellBounds | null): CellBounds | null {
  if (a === null) return b
  if (b === null) return a
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  }
}

/** The rectangle of a block. */
export function blockBounds(key: number): CellBounds {
  const [left, top] = blockOrigin(key)
  return { left, top, right: left + BLOCK_SIDE, bottom: top + BLOCK_SIDE }
}
