import type { TokenPage } from '../../compositor/engine.ts'

/** A page that holds `cells` and whose places are all `unset`. */
export function pageOf(cells: Uint32Array, unset = 7): TokenPage {
  const seqs = new Float64Array(cells.length)
  for (let i = 0; i < seqs.length; i++) seqs[i] = i + 1
  return {
    seqs,
    cells,
    places: new Uint32Array(cells.length).fill(unset),
    used: cells.length,
    laidOut: 0,
  }
}

/** As many cells, from anywhere, the same for the same seed. */
export function randomCells(count: number, seed: number): Uint32Array {
  const cells = new Uint32Array(count)
  let state = seed >>> 0
  for (let i = 0; i < count; i++) {
    // Knuth's linear congruence, with its high bits mixed down: a generator for tests, no more.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    cells[i] = (state ^ Math.imul(state >>> 15, 0x2c1b_3c6d)) >>> 0
  }
  return cells
}
