/**
 * The way back from a place on the map to its number: a block's number is that of its first cell along the
 * curve, divided by 256. Shaders get the number and place the block themselves (`map_place` in
 * shaders/hilbert.wgsl), so that layout and picture follow from the same text.
 */
import { BLOCK_SIDE, blockOrigin } from './cell.ts'

/** A cell's block takes the lowest eight bits of its number. */
const BLOCK_BITS = 8
/** Levels of the curve. */
const ORDER = 16

/**
 * The number of the cell at a place: the inverse of `mapPlace` in compositor/map.ts.
 *
 * One round a level, from the largest square to the smallest: which quarter the place lies in gives two bits,
 * and the quarter's own orientation is undone. Source: H. S. Warren, "Hacker's Delight", 2nd ed., §16.
 *
 * @param x column, an integer 0 … 65,535
 * @param y row, the same
 * @returns an integer 0 … 2^32 − 1
 */
export function mapCell(x: number, y: number): number {
  let cell = 0
  for (let level = ORDER - 1; level >= 0; level--) {
    const right = (x >>> level) & 1
    const low = (y >>> level) & 1
    cell = (cell << 2) | ((right * 3) ^ low)
    if (low === 0) {
      // Both axes swap; in the right quarter they are mirrored as well. Higher bits are looked at no more.
      const swapped = right === 1 ? ~x : x
      x = right === 1 ? ~y : y
      y = swapped
    }
  }
  return cell >>> 0
}

/** The number of the block with this key (see {@link blockOrigin}): 0 … 2^24 − 1. */
export function blockNumber(key: number): number {
  const [x, y] = blockOrigin(key)
  return mapCell(x + (BLOCK_SIDE >> 1), y + (BLOCK_SIDE >> 1)) >>> BLOCK_BITS
}
