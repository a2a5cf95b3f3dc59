import {
  BLOCK_CELLS,
  BLOCK_SIDE,
  blockBounds,
  blockKey,
  blockOrigin,
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

  /** The blocks that lie in `bounds`, in cells, in part at least. */
  within(bounds: CellBounds): Block[] {
    const found: Block[] = []
    const left = Math.max(0, Math.floor(bounds.left / BLOCK_SIDE))
    const top = Math.max(0, Math.floor(bounds.top / BLOCK_SIDE))
    const right = Math.floor(bounds.right / BLOCK_SIDE)
    const bottom = Math.floor(bounds.bottom / BLOCK_SIDE)
    // Zoomed far out the view holds more places for blocks than there are blocks.
    if ((right - left) * (bottom - top) > this.blocks.size) {
      for (const block of this.blocks.values()) {
        const [x, y] = blockOrigin(block.key)
        const inside = x < bounds.right && y < bounds.bottom && x + BLOCK_SIDE > bounds.left
        if (inside && y + BLOCK_SIDE > bounds.top) found.push(block)
      }
      return found
    }
    for (let by = top; by <= bottom; by++) {
      for (let bx = left; bx <= right; bx++) {
        const block = this.blocks.get(blockKey(bx * BLOCK_SIDE, by * BLOCK_SIDE))
        if (block) found.push(block)
      }
    }
    return found
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

/** Calls `visit` for each token of these blocks whose cell lies in `bounds`, with its index and its cell. */
export function visitCells(
  blocks: readonly Block[],
  bounds: CellBounds,
  visit: (block: Block, index: number, x: number, y: number) => void,
): void {
  for (const block of blocks) {
    const [left, top] = blockOrigin(block.key)
    for (let slot = 0; slot < block.slots.length; slot++) {
      const index = block.slots[slot] as number
      if (index === -1) continue
      const x = left + (slot % BLOCK_SIDE)
      const y = top + Math.floor(slot / BLOCK_SIDE)
      if (x + 1 < bounds.left || y + 1 < bounds.top || x > bounds.right || y > bounds.bottom) continue
      visit(block, index, x, y)
    }
  }
}
