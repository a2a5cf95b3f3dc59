import {
  BLOCK_CELLS,
  BLOCK_SIDE,
  blockBounds,
  blockKey,
  type CellBounds,
  slotOf,
  unite,
} from '../compositor/draw/cell.ts'
import type { Generation } from './generation.ts'

const QUARTER = BLOCK_SIDE / 2

/** A block of the map and what lies in it. */
export interface Block {
  readonly key: number
  readonly generation: Generation
  /** The token index in each cell, row by row; -1 where there is none. */
  readonly slots: Int32Array
  /** Cells in use; grows with each token, so that who keeps a picture of the block sees what is missing. */
  used: number
}

/** Which token lies in which cell. */
export class BlockIndex {
  readonly blocks = new Map<number, Block>()
  readonly #ofGeneration = new Map<Generation, number[]>()
  #bounds: CellBounds | null = null

  /** Everything in use, in whole quarters of blocks; null where nothing is. */
  get bounds(): CellBounds | null {
    return this.#bounds
  }

  /** Notes a token's cell. */
  put(generation: Generation, index: number): void {
    const x = generation.tokens.x(index)
    const y = generation.tokens.y(index)
    const key = blockKey(x, y)
    let block = this.blocks.get(key)
    if (block === undefined || block.generation !== generation) {
      block = { key, generation, slots: new Int32Array(BLOCK_CELLS).fill(-1), used: 0 }
      this.blocks.set(key, block)
      const keys = this.#ofGeneration.get(generation)
      if (keys) keys.push(key)
      else this.#ofGeneration.set(generation, [key])
    }
    const slot = slotOf(x, y)
    if (block.slots[slot] === -1) {
      block.used++
      this.#extend(x, y)
    }
    block.slots[slot] = index
  }

  /** The token in a cell; null where there is none. */
  at(x: number, y: number): { generation: Generation; index: number } | null {
    if (x < 0 || y < 0) return null
    const block = this.blocks.get(blockKey(x, y))
    const index = block?.slots[slotOf(x, y)] ?? -1
    return block === undefined || index === -1 ? null : { generation: block.generation, index }
  }

  /** The blocks of a generation, in the order in which it filled them. */
  blocksOf(generation: Generation): readonly number[] {
    return this.#ofGeneration.get(generation) ?? []
  }

  /** Forgets a generation. */
  drop(generation: Generation): void {
    for (const key of this.blocksOf(generation)) {
      if (this.blocks.get(key)?.generation === generation) this.blocks.delete(key)
    }
    this.#ofGeneration.delete(generation)
    this.#bounds = null
    for (const key of this.blocks.keys()) this.#bounds = unite(this.#bounds, blockBounds(key))
  }

  /** By quarters, since a curve fills one after the other: bounds by the token would change with each. */
  #extend(x: number, y: number): void {
    const known = this.#bounds
    if (known && x >= known.left && y >= known.top && x < known.right && y < known.bottom) return
    const left = Math.floor(x / QUARTER) * QUARTER
    const top = Math.floor(y / QUARTER) * QUARTER
    this.#bounds = unite(known, { left, top, right: left + QUARTER, bottom: top + QUARTER })
  }

  /** Forgets everything. */
  clear(): void {
    this.blocks.clear()
    this.#ofGeneration.clear()
    this.#bounds = null
  }
}
