/**
 * The `map` layout: a token's cell number becomes a place on a Hilbert curve of order 16.
 *
 * The curve fills a square of 65,536 × 65,536 cells from its corner (0, 0), y downward; neighbours in
 * the text are neighbours on the map, and an aligned block of 256 cells is a square of 16 × 16. A place
 * is a pure function of the cell, so nothing has to be stored or read back. This is the CPU twin: the
 * same integer steps, in the same order, as a compute shader would take.
 */

import { CHUNK_TOKENS, PAGE_TOKENS } from '../tokens/record.ts'

/** Every other bit of `x` (bits 0, 2, 4, …), moved together into the low 16. */
function deinterleave(x: number): number {
  let bits = x & 0x5555_5555
  bits = (bits | (bits >>> 1)) & 0x3333_3333
  bits = (bits | (bits >>> 2)) & 0x0f0f_0f0f
  bits = (bits | (bits >>> 4)) & 0x00ff_00ff
  return (bits | (bits >>> 8)) & 0xffff
}

/** For each of 16 bits, the parity of itself and all bits above it. */
function parityAbove(x: number): number {
  let parity = x ^ (x >>> 8)
  parity ^= parity >>> 4
  parity ^= parity >>> 2
  return parity ^ (parity >>> 1)
}

/**
 * Where a cell lies on the map.
 *
 * Branch-free form of the curve's state machine: the orientation of each level is the parity of the
 * levels above it that swapped or flipped, so two prefix parities replace sixteen dependent rounds.
 * Source: D. Hilbert, "Über die stetige Abbildung einer Linie auf ein Flächenstück", 1891; the
 * parallel-prefix form after H. S. Warren, "Hacker's Delight", 2nd ed., §16.
 *
 * @param cell number of the cell, an integer 0 … 2^32 − 1
 * @returns x in the low and y in the high 16 bits, unsigned
 */
export function mapPlace(cell: number): number {
  const low = deinterleave(cell)
  const high = deinterleave(cell >>> 1)
  const swaps = parityAbove(~(low | high) & 0xffff)
  const flips = parityAbove(low & high)
  const turn = (~low & flips) | (low & swaps)
  const x = (turn ^ high) & 0xffff
  const y = (turn ^ low ^ high) & 0xffff
  return ((y << 16) | x) >>> 0
}

/** Where a cell lies, as `[x, y]` in cells. */
export function mapPosition(cell: number): [number, number] {
  const place = mapPlace(cell)
  return [place & 0xffff, place >>> 16]
}

/**
 * The places of a block's 256 cells within its square, row of 256 by {@link blockTurn}: the curve runs through a
 * block in one of four ways.
 */
const IN_BLOCK = new Uint32Array(4 * CHUNK_TOKENS)
// The first block and its neighbours go through all four.
for (let cell = 0; cell < 16 * CHUNK_TOKENS; cell += CHUNK_TOKENS) {
  const row = blockTurn(cell) * CHUNK_TOKENS
  for (let i = 0; i < CHUNK_TOKENS; i++) IN_BLOCK[row + i] = mapPlace(cell + i) & 0x000f_000f
}

/** In which of four ways the curve runs through the block that begins with `cell`: 0 … 3. */
function blockTurn(cell: number): number {
  const begin = mapPlace(cell) & 15
  const end = mapPlace(cell + CHUNK_TOKENS - 1) & 15
  return (begin === 0 ? 0 : 2) + (begin === end ? 1 : 0)
}

/**
 * Lays out a part of a page: `places[i - first]` becomes the place of the token at `i`, for `first <= i < end`.
 * Block by block, from a table: what the curve does above a block it does to all of its cells.
 *
 * @param places receives packed places (see {@link mapPlace})
 */
export function layoutMap(
  { number }: { readonly number: number },
  places: Uint32Array,
  first: number,
  end: number,
): void {
  const base = number * PAGE_TOKENS
  for (let i = first; i < end; ) {
    const block = i & -CHUNK_TOKENS
    const origin = mapPlace(base + block) & 0xfff0_fff0
    const row = blockTurn(base + block) * CHUNK_TOKENS - block
    const stop = Math.min(end, block + CHUNK_TOKENS)
    for (; i < stop; i++) places[i - first] = origin | (IN_BLOCK[row + i] as number)
  }
}
