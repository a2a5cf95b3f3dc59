/** Cells in a block: an aligned run of the Hilbert curve, a square of 16 × 16 on the map. */
const BLOCK = 256

/**
 * Gives every token its cell on the map, once.
 *
 * A generation gets aligned blocks of 256 cells, chained: the next one when the last is full. Blocks are
 * handed out in the order in which they are asked for, so the same log always gives the same map, and a
 * cell never moves afterwards.
 */
export class CellAllocator {
  #nextBlock = 0
  readonly #open = new Map<string, { start: number; used: number }>()

  /** The cell of the next token of `generation`, an integer 0 … 2^32 − 1. */
  allocate(generation: string): number {
    let block = this.#open.get(generation)
    if (block === undefined || block.used === BLOCK) {
      block = { start: this.#nextBlock++ * BLOCK, used: 0 }
      this.#open.set(generation, block)
    }
    return block.start + block.used++
  }

  /** Forgets `generation`, which will ask for no more cells. Its open block stays its own. */
  close(generation: string): void {
    this.#open.delete(generation)
  }
}
