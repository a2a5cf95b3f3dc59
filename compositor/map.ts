/**
 * The `map` layout: a token's cell number becomes a place on a Hilbert curve of order 16.
 *
 * The curve fills a square of 65,536 × 65,536 cells from its corner (0, 0), y downward; neighbours in
 * the text are neighbours on the map, and an aligned block of 256 cells is a square of 16 × 16. A place
 * is a pure function of the cell, so nothing has to be stored or read back. This is the CPU twin: the
 * same integer steps, in the same order, as a compute shader would take.
 */

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
 * Lays out a run of tokens: `places[i] = mapPlace(cells[i])` for `from <= i < to`.
 *
 * @param cells cell numbers, one u32 per token
 * @param places receives packed places (see {@link mapPlace}), at least as long as `cells`
 */
export function layoutMap(cells: Uint32Array, places: Uint32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) places[i] = mapPlace(cells[i] as number)
}
