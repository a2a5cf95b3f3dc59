import { BLOCK_SIDE, blockKey, blockOrigin, type CellBounds } from '../../compositor/draw/cell.ts'
import { paintCell } from '../../compositor/draw/cell-paint.ts'
import type { Block, BlockIndex } from '../block-index.ts'
import type { Generation } from '../generation.ts'
import { type CameraPose, toScreen, type Viewport, visibleBounds } from './camera.ts'
import { createCellWriter, TEXT_FROM } from './cell-text.ts'
import type { Landing } from './landings.ts'
import { paintBeam, paintGlow, paintMark, paintTrace } from './overlay.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'
import { TileCache } from './tile-cache.ts'

/** Cells of this many device pixels are painted one by one; smaller ones come from the tiles. */
const DIRECT_FROM = 30
/** Milliseconds of a frame that may go into painting tiles of the right size. */
const TILE_BUDGET_MS = 5
/** Graticule marks are at least this many CSS pixels apart. */
const GRID_PITCH = 56

/** What is marked on the map. */
export interface Marks {
  hover: { generation: Generation; index: number } | null
  pinned: { generation: Generation; index: number | null } | null
}

/** What one frame shows. */
export interface Scene {
  pose: CameraPose
  view: Viewport
  ratio: number
  blocks: BlockIndex
  live: readonly Generation[]
  landings: readonly Landing[]
  marks: Marks
  now: number
  /** The camera is on its way: speed before sharpness. */
  moving: boolean
  glow: boolean
}

/** Draws frames of the map on a 2D canvas. */
export class MapPainter {
  readonly #ctx: CanvasRenderingContext2D
  readonly #tiles = new TileCache()
  #palette: MapPalette

  constructor(ctx: CanvasRenderingContext2D, palette: MapPalette) {
    this.#ctx = ctx
    this.#palette = palette
  }

  /** Changes the theme. */
  set palette(palette: MapPalette) {
    this.#palette = palette
    this.#tiles.clear()
  }

  /** Forgets cached pictures, of blocks that may be gone. */
  forget(): void {
    this.#tiles.clear()
  }

  /** Draws a frame; true if it must be drawn again to be sharp. */
  paint(scene: Scene): boolean {
    const ctx = this.#ctx
    const { width, height } = ctx.canvas
    ctx.globalCompositeOperation = 'source-over'
    ctx.globalAlpha = 1
    ctx.fillStyle = this.#palette.ground
    ctx.fillRect(0, 0, width, height)
    const plot = plotOf(scene)
    const seen = visibleBounds(scene.pose, scene.view)
    this.#grid(scene, plot, seen)
    const blocks = this.#visible(scene.blocks, seen)
    this.#frames(blocks, plot)
    const again =
      plot.cell >= DIRECT_FROM ? this.#direct(blocks, plot, seen, scene) : this.#copied(blocks, plot, scene)
    this.#overlay(scene, plot)
    return again
  }

  #visible(index: BlockIndex, seen: CellBounds): Block[] {
    const found: Block[] = []
    const left = Math.max(0, Math.floor(seen.left / BLOCK_SIDE))
    const top = Math.max(0, Math.floor(seen.top / BLOCK_SIDE))
    const right = Math.floor(seen.right / BLOCK_SIDE)
    const bottom = Math.floor(seen.bottom / BLOCK_SIDE)
    // Zoomed far out the view holds more places for blocks than there are blocks.
    if ((right - left) * (bottom - top) > index.blocks.size) {
      for (const block of index.blocks.values()) {
        const [x, y] = blockOrigin(block.key)
        const inside = x < seen.right && y < seen.bottom && x + BLOCK_SIDE > seen.left
        if (inside && y + BLOCK_SIDE > seen.top) found.push(block)
      }
      return found
    }
    for (let by = top; by <= bottom; by++) {
      for (let bx = left; bx <= right; bx++) {
        const block = index.blocks.get(blockKey(bx * BLOCK_SIDE, by * BLOCK_SIDE))
        if (block) found.push(block)
      }
    }
    return found
  }

  /** The graticule: a small cross at each block corner, or at every fourth where they would crowd. */
  #grid(scene: Scene, plot: Plot, seen: CellBounds): void {
    const ctx = this.#ctx
    let step = BLOCK_SIDE
    while (step * scene.pose.scale < GRID_PITCH) step *= 4
    const thin = Math.max(1, Math.round(scene.ratio))
    const arm = 3 * thin
    ctx.fillStyle = this.#palette.grid
    for (let y = Math.floor(seen.top / step) * step; y <= seen.bottom; y += step) {
      for (let x = Math.floor(seen.left / step) * step; x <= seen.right; x += step) {
        const px = plot.x(x)
        const py = plot.y(y)
        ctx.fillRect(px - arm, py, 2 * arm + thin, thin)
        ctx.fillRect(px, py - arm, thin, 2 * arm + thin)
      }
    }
  }

  #frames(blocks: Block[], plot: Plot): void {
    if (plot.cell * BLOCK_SIDE < 24) return
    const ctx = this.#ctx
    const thin = Math.max(1, Math.round(plot.ratio))
    ctx.strokeStyle = this.#palette.frame
    ctx.lineWidth = thin
    ctx.beginPath()
    for (const block of blocks) {
      const [x, y] = blockOrigin(block.key)
      const left = plot.x(x) - thin / 2
      const top = plot.y(y) - thin / 2
      ctx.rect(left, top, plot.x(x + BLOCK_SIDE) - thin / 2 - left, plot.y(y + BLOCK_SIDE) - thin / 2 - top)
    }
    ctx.stroke()
  }

  #copied(blocks: Block[], plot: Plot, scene: Scene): boolean {
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
      const picture = this.#tiles.get(block, side, exact, this.#palette)
      if (picture.width === plot.x(x + BLOCK_SIDE) - left) ctx.drawImage(picture, left, top)
      else {
        ctx.drawImage(picture, left, top, plot.x(x + BLOCK_SIDE) - left, plot.y(y + BLOCK_SIDE) - top)
      }
    }
    this.#tiles.end()
    return late
  }

  #direct(blocks: Block[], plot: Plot, seen: CellBounds, scene: Scene): boolean {
    const withText = scene.pose.scale >= TEXT_FROM
    const size = Math.round(plot.cell)
    const write = withText ? createCellWriter(this.#ctx, size, plot.ratio, this.#palette) : null
    for (const block of blocks) {
      const [bx, by] = blockOrigin(block.key)
      const { tokens } = block.generation
      for (let slot = 0; slot < block.slots.length; slot++) {
        const index = block.slots[slot] as number
        if (index === -1) continue
        const x = bx + (slot % BLOCK_SIDE)
        const y = by + Math.floor(slot / BLOCK_SIDE)
        if (x + 1 < seen.left || y + 1 < seen.top || x > seen.right || y > seen.bottom) continue
        const left = plot.x(x)
        const top = plot.y(y)
        const confidence = tokens.confidence(index)
        const width = plot.x(x + 1) - left
        paintCell(this.#ctx, left, top, width, plot.y(y + 1) - top, confidence, this.#palette.hatch)
        write?.(tokens.text(index), left, top, confidence)
      }
    }
    return false
  }

  #overlay(scene: Scene, plot: Plot): void {
    const ctx = this.#ctx
    const palette = this.#palette
    const { hover, pinned } = scene.marks
    const traced = hover?.generation ?? pinned?.generation
    if (traced) paintTrace(ctx, plot, palette, traced, scene.blocks)
    for (const generation of scene.live) paintBeam(ctx, plot, palette, generation)
    if (scene.glow) {
      for (const landing of scene.landings) paintGlow(ctx, plot, palette, landing, scene.now)
    }
    if (hover) paintMark(ctx, plot, palette, hover.generation, hover.index, 1)
    if (pinned && pinned.index !== null) paintMark(ctx, plot, palette, pinned.generation, pinned.index, 2)
  }
}

function plotOf(scene: Scene): Plot {
  const { pose, view, ratio } = scene
  const origin = toScreen(pose, view, 0, 0)
  const cell = pose.scale * ratio
  // At rest tiles have whole sides, and their places are whole: what is copied is copied, not resampled.
  const pitch = scene.moving || cell < 2 ? cell : Math.round(cell * BLOCK_SIDE) / BLOCK_SIDE
  // The middle of the view stays where it is, whatever the rounding of the pitch does far from it.
  const drift = pitch - cell
  const left = origin.x * ratio - pose.x * drift
  const top = origin.y * ratio - pose.y * drift
  const shiftX = Math.round(left)
  const shiftY = Math.round(top)
  return {
    x: column => shiftX + Math.round(column * pitch),
    y: row => shiftY + Math.round(row * pitch),
    cell: pitch,
    ratio,
  }
}
