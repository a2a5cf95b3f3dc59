import { BLOCK_SIDE } from '../../compositor/draw/cell.ts'
import { paintCell } from '../../compositor/draw/cell-paint.ts'
import type { Block } from '../block-index.ts'
import type { MapPalette } from './palette.ts'

/** Pixels that cached pictures may hold before those out of view go: 24 million are 96 MB. */
const MOST_PIXELS = 24_000_000

interface Tile {
  block: Block
  canvas: OffscreenCanvas
  ctx: OffscreenCanvasRenderingContext2D
  /** Side in device pixels. */
  side: number
  /** The block's count when it was painted. */
  used: number
  frame: number
}

/**
 * A picture of each block, painted once and then only copied: a settled token costs nothing to draw again.
 * A tile is painted for the size in which it is shown; while the camera zooms the nearest one is stretched.
 */
export class TileCache {
  readonly #tiles = new Map<number, Tile>()
  #pixels = 0
  #frame = 0

  /** Begins a frame: tiles not asked for since are the first to go. */
  begin(): void {
    this.#frame++
  }

  /**
   * The picture of a block, `side` device pixels wide where `exact`, else of whatever size there is.
   */
  get(block: Block, side: number, exact: boolean, palette: MapPalette): OffscreenCanvas {
    let tile = this.#tiles.get(block.key)
    if (tile === undefined || tile.block !== block || (exact && tile.side !== side)) {
      tile = this.#paint(block, exact ? side : Math.min(side, 128), palette)
    } else if (tile.used !== block.used) {
      // A few cells more: painting all 256 anew is cheaper than finding out which.
      this.#fill(tile, palette)
    }
    tile.frame = this.#frame
    return tile.canvas
  }

  /** Whether the block's picture has this size already. */
  fits(block: Block, side: number): boolean {
    const tile = this.#tiles.get(block.key)
    return tile !== undefined && tile.block === block && tile.side === side
  }

  /** Whether stretching the block's picture to this size would not be seen much. */
  resembles(block: Block, side: number): boolean {
    const tile = this.#tiles.get(block.key)
    if (tile === undefined || tile.block !== block) return false
    return tile.side < side * 1.6 && tile.side > side * 0.7
  }

  /** Frees what is out of view if there is too much, ending the frame. */
  end(): void {
    if (this.#pixels <= MOST_PIXELS) return
    for (const [key, tile] of this.#tiles) {
      if (tile.frame === this.#frame) continue
      this.#pixels -= tile.side ** 2
      this.#tiles.delete(key)
    }
  }

  /** Forgets all pictures: the theme is another one, or blocks were dropped. */
  clear(): void {
    this.#tiles.clear()
    this.#pixels = 0
  }

  #paint(block: Block, side: number, palette: MapPalette): Tile {
    const old = this.#tiles.get(block.key)
    if (old) this.#pixels -= old.side ** 2
    const canvas = new OffscreenCanvas(side, side)
    const ctx = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
    const tile: Tile = { block, canvas, ctx, side, used: 0, frame: this.#frame }
    this.#tiles.set(block.key, tile)
    this.#pixels += side ** 2
    this.#fill(tile, palette)
    return tile
  }

  #fill(tile: Tile, palette: MapPalette): void {
    const { block, ctx, side } = tile
    const { tokens } = block.generation
    for (let slot = 0; slot < block.slots.length; slot++) {
      const index = block.slots[slot] as number
      if (index === -1) continue
      const column = slot % BLOCK_SIDE
      const row = (slot - column) / BLOCK_SIDE
      // Edges are rounded one by one, so that cells of a fractional size still fill the tile exactly.
      const x = Math.round((column * side) / BLOCK_SIDE)
      const y = Math.round((row * side) / BLOCK_SIDE)
      const right = Math.round(((column + 1) * side) / BLOCK_SIDE)
      const bottom = Math.round(((row + 1) * side) / BLOCK_SIDE)
      paintCell(ctx, x, y, right - x, bottom - y, tokens.confidence(index), palette.hatch)
    }
    tile.used = block.used
  }
}
