import { BLOCK_SIDE, blockOrigin, type CellBounds } from '../../compositor/draw/cell.ts'
import { paintCell } from '../../compositor/draw/cell-paint.ts'
import { LEAST_OUTLINED } from '../../compositor/draw/map-frame.ts'
import { type Block, visitCells } from '../block-index.ts'
import type { CellLayer } from './cell-layer.ts'
import { lightsOf, paintLights } from './glow.ts'
import { graticuleOf } from './graticule.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'
import type { Scene } from './scene.ts'
import { TileCache } from './tile-cache.ts'

/** Cells of this many device pixels are painted one by one; smaller ones come from the tiles. */
const DIRECT_FROM = 30
/** Milliseconds of a frame that may go into painting tiles of the right size. */
const TILE_BUDGET_MS = 5

/** Draws cells with Canvas 2D, on the same canvas as what lies above them. */
export class CanvasCellLayer implements CellLayer {
  readonly by = 'canvas2d'
  readonly #ctx: CanvasRenderingContext2D
  readonly #tiles = new TileCache()
  #palette: MapPalette | null = null

  constructor(ctx: CanvasRenderingContext2D) {
    this.#ctx = ctx
  }

  paint(scene: Scene, plot: Plot, seen: CellBounds, palette: MapPalette): boolean {
    const ctx = this.#ctx
    if (this.#palette !== palette) this.#tiles.clear()
    this.#palette = palette
    ctx.fillStyle = palette.ground
    ctx.fillRect(0, 0, scene.width, scene.height)
    this.#graticule(scene, plot, seen, palette)
    const blocks = scene.blocks.within(seen)
    this.#outlines(blocks, plot, palette)
    const again =
      plot.cell >= DIRECT_FROM
        ? this.#direct(blocks, plot, seen, palette)
        : this.#copied(blocks, plot, scene, palette)
    paintLights(ctx, lightsOf(scene, plot, palette))
    return again
  }

  stop(): void {
    this.#tiles.clear()
  }

  #graticule(scene: Scene, plot: Plot, seen: CellBounds, palette: MapPalette): void {
    const ctx = this.#ctx
    const { left, top, step, columns, rows } = graticuleOf(scene.pose.scale, seen)
    const thin = Math.max(1, Math.round(scene.ratio))
    const arm = 3 * thin
    ctx.fillStyle = palette.grid
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const x = plot.x(left + column * step)
        const y = plot.y(top + row * step)
        ctx.fillRect(x - arm, y, 2 * arm + thin, thin)
        ctx.fillRect(x, y - arm, thin, 2 * arm + thin)
      }
    }
  }

  #outlines(blocks: Block[], plot: Plot, palette: MapPalette): void {
    if (plot.cell * BLOCK_SIDE < LEAST_OUTLINED) return
    const ctx = this.#ctx
    const thin = Math.max(1, Math.round(plot.ratio))
    ctx.strokeStyle = palette.frame
    ctx.lineWidth = thin
    ctx.lineJoin = 'miter'
    ctx.beginPath()
    for (const block of blocks) {
      const [x, y] = blockOrigin(block.key)
      const left = plot.x(x) - thin / 2
      const top = plot.y(y) - thin / 2
      ctx.rect(left, top, plot.x(x + BLOCK_SIDE) - thin / 2 - left, plot.y(y + BLOCK_SIDE) - thin / 2 - top)
    }
    ctx.stroke()
  }

  #copied(blocks: Block[], plot: Plot, scene: Scene, palette: MapPalette): boolean {
    const ctx = this.#ctx
    const side = Math.max(BLOCK_SIDE, Math.round(plot.cell * BLOCK_SIDE))
    const until = performance.now() + TILE_BUDGET_MS
    let late = false
    this.#tiles.begin()
    ctx.imageSmoothingEnabled = true
    ctx.imageSmoothingQuality = plot.cell < 1 ? 'medium' : 'low'
    for (const block of blocks) {
      const [x, y] = blockOrigin(block.key)
      const left = plot.x(x)
      const top = plot.y(y)
      const fits = this.#tiles.fits(block, side)
      const wanted = !scene.moving || !this.#tiles.resembles(block, side)
      const exact = fits || (wanted && performance.now() < until)
      if (!exact) late = true
      const picture = this.#tiles.get(block, side, exact, palette)
      if (picture.width === plot.x(x + BLOCK_SIDE) - left) ctx.drawImage(picture, left, top)
      else {
        ctx.drawImage(picture, left, top, plot.x(x + BLOCK_SIDE) - left, plot.y(y + BLOCK_SIDE) - top)
      }
    }
    this.#tiles.end()
    return late
  }

  #direct(blocks: Block[], plot: Plot, seen: CellBounds, palette: MapPalette): boolean {
    const ctx = this.#ctx
    visitCells(blocks, seen, (block, index, x, y) => {
      const [column, row] = blockOrigin(block.key)
      // A hatch lies still on the map, not on the screen: it is painted as seen from the block's corner.
      const left = plot.x(column)
      const top = plot.y(row)
      ctx.setTransform(1, 0, 0, 1, left, top)
      const cellX = plot.x(x) - left
      const cellY = plot.y(y) - top
      const width = plot.x(x + 1) - left - cellX
      const height = plot.y(y + 1) - top - cellY
      const confidence = block.generation.tokens.confidence(index)
      paintCell(ctx, cellX, cellY, width, height, confidence, palette.hatch)
    })
    ctx.setTransform(1, 0, 0, 1, 0, 0)
    return false
  }
}
