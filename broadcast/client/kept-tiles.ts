import {
  type LayoutName,
  TILE_SIDE,
  type TileCell,
  TOKEN_TILES,
  type ViewQuestion,
  type ViewToken,
} from '../protocol/view.ts'
import type { TileHead } from '../protocol/view-codec.ts'

/** A tile with what is in it: cells, or tokens. */
export interface WholeTile extends TileHead {
  cells?: TileCell[]
  tokens?: ViewToken[]
}

/** What is kept at most, counted in cells: some 20 MB. */
const KEPT_CELLS = 400_000
/** A token takes as much as so many cells. */
const TOKEN_CELLS = 4
/** Units of a lane, and of a tile with tokens along x and y. */
const LANE_UNITS = 24
const TOKEN_TILE: Record<LayoutName, readonly [width: number, height: number]> = {
  map: [64, 64],
  flow: [128, 128],
  timeline: [4096, 64 * LANE_UNITS],
}

/** Tokens may reach so many units into a viewport from the tile to its left. */
const WIDEST_TOKEN = 128

/** Which tiles are the same: of one layout, colour, filter and time. */
export function scopeOf({ layout, color, filter, t }: ViewQuestion): string {
  return JSON.stringify([layout, color ?? 'confidence', filter ?? null, t ?? null])
}

/** Where a tile stands among those of its scope. */
export function placeOf({ z, x, y }: Pick<TileHead, 'z' | 'x' | 'y'>): string {
  return `${z} ${x} ${y}`
}

/** The tiles that came, those of the longest past forgotten first. */
export class KeptTiles {
  readonly #tiles = new Map<string, { scope: string; tile: WholeTile }>()
  readonly #mostCells: number
  #cells = 0

  /** @param mostCells what is kept at most, counted in cells; a token counts as four */
  constructor(mostCells = KEPT_CELLS) {
    this.#mostCells = mostCells
  }

  /** Keeps a tile, instead of what was in its place. */
  set(scope: string, tile: WholeTile): void {
    const key = `${scope} ${placeOf(tile)}`
    this.#delete(key)
    this.#tiles.set(key, { scope, tile })
    this.#cells += cellsOf(tile)
    for (const oldest of this.#tiles.keys()) {
      if (this.#cells <= this.#mostCells) return
      this.#delete(oldest)
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#tiles.clear()
    this.#cells = 0
  }

  /** The tiles that a viewport shows a part of, the latest first, at most so many. */
  seen(question: ViewQuestion, most: number): WholeTile[] {
    const scope = scopeOf(question)
    const tiles: WholeTile[] = []
    for (const kept of this.#tiles.values()) {
      if (kept.scope === scope && shows(question, kept.tile)) tiles.push(kept.tile)
    }
    return tiles.slice(-most).reverse()
  }

  #delete(key: string): void {
    const kept = this.#tiles.get(key)
    if (kept === undefined) return
    this.#tiles.delete(key)
    this.#cells -= cellsOf(kept.tile)
  }
}

function cellsOf({ cells, tokens }: WholeTile): number {
  return 16 + (cells?.length ?? 0) + TOKEN_CELLS * (tokens?.length ?? 0)
}

/** Whether a viewport shows a part of a tile. */
function shows({ layout, x, y, w, h, zoom, zoom_y }: ViewQuestion, tile: WholeTile): boolean {
  const [width, height] = tile.z === TOKEN_TILES ? TOKEN_TILE[layout] : sizeOf(layout, tile.z)
  const right = x + w / zoom
  const bottom = y + h / (zoom_y ?? (layout === 'timeline' ? 1 : zoom))
  return (
    tile.x * width < right &&
    (tile.x + 1) * width > x - WIDEST_TOKEN &&
    tile.y * height < bottom &&
    (tile.y + 1) * height > y
  )
}

/** Units of a tile with cells along x and y. */
function sizeOf(layout: LayoutName, z: number): readonly [width: number, height: number] {
  const side = TILE_SIDE * 2 ** z
  return layout === 'timeline' ? [side, TILE_SIDE * LANE_UNITS] : [side, side]
}
