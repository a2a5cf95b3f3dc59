/** The way back from a place on the map to its number: the inverse of `map_place` in shaders/hilbert.wgsl. */

/** Levels of the curve. */
const ORDER = 16

/** Levels that are gone down at once. */
const STEP = 4
/** Ways in which the curve can lie in a square: bit 0 with its axes swapped, bit 1 mirrored. */
const TURNS = 4
/**
 * By turn, 4 bits of a column and 4 of a row: 8 bits of a cell's number, and above them the turn of the square that
 * these have led to.
 */
const STEPS = new Uint16Array(TURNS << (2 * STEP))
for (let turn = 0; turn < TURNS; turn++) {
  for (let place = 0; place < 1 << (2 * STEP); place++) {
    STEPS[(turn << (2 * STEP)) | place] = stepDown(turn, place >>> STEP, place & ((1 << STEP) - 1))
  }
}

/**
 * One round a level, from the largest square to the smallest: which quarter the place lies in gives two bits, and
 * the quarter's own orientation is undone. Source: H. S. Warren, "Hacker's Delight", 2nd ed., §16.
 */
function stepDown(turn: number, column: number, row: number): number {
  const mirror = turn & 2 ? (1 << STEP) - 1 : 0
  let x = (turn & 1 ? row : column) ^ mirror
  let y = (turn & 1 ? column : row) ^ mirror
  let after = turn
  let cell = 0
  for (let level = STEP - 1; level >= 0; level--) {
    const right = (x >>> level) & 1
    const low = (y >>> level) & 1
    cell = (cell << 2) | ((right * 3) ^ low)
    if (low === 1) continue
    // Both axes swap; in the right quarter they are mirrored as well. Higher bits are looked at no more.
    const swapped = right === 1 ? ~x : x
    x = right === 1 ? ~y : y
    y = swapped
    after ^= 1 | (right << 1)
  }
  return (after << (2 * STEP)) | cell
}

/**
 * The number of the cell at a place: the inverse of `mapPlace` in compositor/layout/map.ts.
 *
 * @param x column, an integer 0 … 65,535
 * @param y row, the same
 * @returns an integer 0 … 2^32 − 1
 */
export function mapCell(x: number, y: number): number {
  let cell = 0
  let turn = 0
  for (let level = ORDER - STEP; level >= 0; level -= STEP) {
    const step = STEPS[turn | (((x >>> level) & 15) << STEP) | ((y >>> level) & 15)] as number
    cell = (cell << (2 * STEP)) | (step & 0xff)
    turn = step & 0x300
  }
  return cell >>> 0
}
