/**
 * When each tile of a layout may have changed last, at every z.
 *
 * A version is a number that only grows: of the append that touched the tile, or a floor that all tiles have
 * at least. It begins with the clock, so that one process gives none that another gave before it.
 */
import { type LayoutName, TILE_SIDE, TOKEN_TILES } from '../../broadcast/protocol/view.ts'
import { LANE_UNITS } from '../layout/timeline.ts'
import { GRIDS } from './layout-grid.ts'

/** Tiles remembered of one z; with more, all of that z count as changed. */
const MAX_TILES = 65_536
/** More columns of tiles than any layout has. */
const STRIDE = 2 ** 26

/** Gives the versions; one for all layouts. */
export class VersionClock {
  #now = 0

  /** A new version, larger than any before. */
  advance(): number {
    this.#now = Math.max(this.#now + 1, Date.now())
    return this.#now
  }

  /** The last one given. */
  get now(): number {
    return this.#now
  }
}

export class Versions {
  readonly #layout: LayoutName
  readonly #first: number
  /** By z, from `#first` on: the tiles touched since the floor, by `x + y * STRIDE`. */
  readonly #levels: Map<number, number>[] = []
  readonly #floors: number[] = []
  /** What tiles that tell models have at least. */
  #models: number
  /** The finest tile that was touched last, and with what. */
  #lastKey = -1
  #lastVersion = 0

  /** @param version what all tiles begin with */
  constructor(layout: LayoutName, version: number) {
    const { minZ, maxZ, tokenZ } = GRIDS[layout]
    this.#layout = layout
    this.#models = version
    this.#first = Math.min(minZ, tokenZ)
    for (let z = this.#first; z <= maxZ; z++) {
      this.#levels.push(new Map())
      this.#floors.push(version)
    }
  }

  /**
   * The version of a tile.
   *
   * @param tellsModels whether models are among what it tells
   */
  of(z: number, x: number, y: number, tellsModels = z === TOKEN_TILES): number {
    const level = (z === TOKEN_TILES ? GRIDS[this.#layout].tokenZ : z) - this.#first
    const touched = Math.max(this.#levels[level]?.get(x + y * STRIDE) ?? 0, this.#floors[level] ?? 0)
    return tellsModels ? Math.max(touched, this.#models) : touched
  }

  /** A token at this place, in units, came, went or looks different. */
  touch(x: number, y: number, version: number): void {
    const isTimeline = this.#layout === 'timeline'
    const side = TILE_SIDE * 2 ** this.#first
    let column = Math.floor(x / side)
    let row = Math.floor(y / (isTimeline ? TILE_SIDE * LANE_UNITS : side))
    const first = column + row * STRIDE
    if (first === this.#lastKey && version === this.#lastVersion) return
    this.#lastKey = first
    this.#lastVersion = version
    for (let at = 0; at < this.#levels.length; at++) {
      const level = this.#levels[at] as Map<number, number>
      const key = column + row * STRIDE
      // What is above it was touched with it.
      if (level.get(key) === version) return
      if (level.size >= MAX_TILES && !level.has(key)) {
        level.clear()
        this.#floors[at] = version
      }
      level.set(key, version)
      column = Math.floor(column / 2)
      if (!isTimeline) row = Math.floor(row / 2)
    }
  }

  /** The model of a token may be another. */
  touchModels(version: number): void {
    this.#models = version
  }

  /** All tiles may have changed. */
  touchAll(version: number): void {
    for (const level of this.#levels) level.clear()
    this.#floors.fill(version)
  }
}
