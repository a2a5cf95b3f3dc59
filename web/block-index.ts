import { BLOCK_SIDE, blockBounds, blockKey, type CellBounds, unite } from '../compositor/draw/cell.ts'
import type { Generation } from './generation.ts'

const QUARTER = BLOCK_SIDE / 2

/** Which blocks of the map the generations have filled that the page holds. */
export class BlockIndex {
  /** Whose each block is. */
  readonly #owners = new Map<number, Generation>()
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
    if (this.#owners.get(key) !== generation) {
      this.#owners.set(key, generation)
      const keys = this.#ofGeneration.get(generation)
      if (keys) keys.push(key)
      else this.#ofGeneration.set(generation, [key])
    }
    this.#extend(x, y)
  }

  /** The blocks of a generation, by their keys, in the order in which it filled them. */
  blocksOf(generation: Generation): readonly number[] {
    return this.#ofGeneration.get(generation) ?? []
  }

  /** Forgets a generation. */
  drop(generation: Generation): void {
    for (const key of this.blocksOf(generation)) {
      if (this.#owners.get(key) === generation) this.#owners.delete(key)
    }
    this.#ofGeneration.delete(generation)
    this.#bounds = null
    for (const key of this.#owners.keys()) this.#bounds = unite(this.#bounds, blockBounds(key))
  }

  /** Forgets everything. */
  clear(): void {
    this.#owners.clear()
    this.#ofGeneration.clear()
    this.#bounds = null
  }

  /** By quarters, since a curve fills one after the other: bounds by the token would change with each. */
  #extend(x: number, y: number): void {
    const known = this.#bounds
    if (known && x >= known.left && y >= known.top && x < known.right && y < known.bottom) return
    const left = Math.floor(x / QUARTER) * QUARTER
    const top = Math.floor(y / QUARTER) * QUARTER
    this.#bounds = unite(known, { left, top, right: left + QUARTER, bottom: top + QUARTER })
  }
}
