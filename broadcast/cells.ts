/** Cells in a block: an aligned run of the Hilbert curve, a square of 16 × 16 on the map. */
const BLOCK = 256
/** Blocks of the whole map: 65,536 × 65,536 cells, whose numbers are u32. */
const BLOCKS = 2 ** 24

/**
 * Gives every token its cell on the map, once.
 *
 * A generation gets aligned blocks of 256 cells, chained: the next one when the last is full. Blocks are
 * handed out in the order in which they are asked for, so the same log always gives the same map, and a
 * cell never moves afterwards. The map is round: after its last block comes the first one again, with cells
 * that 4.29 thousand million others lie behind; a block that a generation is still filling is left out.
 */
export class CellAllocator {
  #nextBlock: number
  readonly #open = new Map<string, { start: number; used: number }>()
  /** Where the blocks begin that are being filled. */
  readonly #filling = new Set<number>()

  /** @param nextBlock number of the first block to give; those before it were given by an earlier run */
  constructor(nextBlock = 0) {
    this.#nextBlock = nextBlock % BLOCKS
  }

  /** Number of the block that is given next, 0 … 2^24 − 1. */
  get nextBlock(): number {
    return this.#nextBlock
  }

  /** The cell of the next token of `generation`, an integer 0 … 2^32 − 1. */
  allocate(generation: string): number {
    let block = this.#open.get(generation)
    if (block === undefined || block.used === BLOCK) {
      if (block !== undefined) this.#filling.delete(block.start)
      block = { start: this.#take(), used: 0 }
      this.#open.set(generation, block)
    }
    return block.start + block.used++
  }

  /** Forgets `generation`, which will ask for no more cells. Its open block stays its own. */
  close(generation: string): void {
    const block = this.#open.get(generation)
    if (block === undefined) return
    this.#filling.delete(block.start)
    this.#open.delete(generation)
  }

  /** The first cell of the next block. */
  #take(): number {
    let start: number
    do {
      start = this.#nextBlock * BLOCK
      this.#nextBlock = (this.#nextBlock + 1) % BLOCKS
    } while (this.#filling.has(start))
    this.#filling.add(start)
    return start
  }
}
