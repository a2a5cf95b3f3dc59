import { blockNumber } from '../../compositor/draw/block-number.ts'
import { BlockSlots, type SlotChanges } from '../../compositor/draw/block-slots.ts'
import { BLOCK_SIDE, type CellBounds } from '../../compositor/draw/cell.ts'
import { cellEntry, EMPTY_CELL } from '../../compositor/draw/cell-entry.ts'
import type { MapFrame, MapInks } from '../../compositor/draw/map-frame.ts'
import { MapRenderer } from '../../compositor/draw/map-renderer.ts'
import type { Block } from '../block-index.ts'
import type { CellLayer } from './cell-layer.ts'
import { rgbOf } from './colour.ts'
import { lightsOf } from './glow.ts'
import { graticuleOf } from './graticule.ts'
import type { MapPalette } from './palette.ts'
import type { Plot } from './plot.ts'
import type { Scene } from './scene.ts'
import { readShader } from './shader-texts.ts'

/** Cells from this many device pixels on end on whole pixels: at rest, and while the camera moves. */
const SNAPPED_FROM = 2
const SNAPPED_MOVING_FROM = 8

/** Draws cells with WebGPU, on a canvas of its own below the one of letters and marks. */
export class WebgpuCellLayer implements CellLayer {
  readonly by = 'webgpu'
  readonly #canvas: HTMLCanvasElement
  readonly #context: GPUCanvasContext
  readonly #renderer: MapRenderer
  readonly #slots = new BlockSlots<Block>()
  readonly #changes: SlotChanges<Block>
  #palette: MapPalette | null = null
  #inks: MapInks | null = null

  /**
   * Puts its canvas into `host` once everything is compiled: until then nothing is to be seen of it.
   *
   * @throws Error where the device does not take the shaders, or the browser gives no canvas for it
   */
  static async create(device: GPUDevice, gpu: GPU, host: HTMLElement): Promise<WebgpuCellLayer> {
    const canvas = document.createElement('canvas')
    canvas.className = 'map-cells'
    const context = canvas.getContext('webgpu') as GPUCanvasContext | null
    if (context === null) throw new Error('the browser gives no canvas for WebGPU')
    const format = gpu.getPreferredCanvasFormat()
    context.configure({ device, format, alphaMode: 'opaque' })
    const renderer = await MapRenderer.create(device, format, readShader)
    host.append(canvas)
    return new WebgpuCellLayer(canvas, context, renderer)
  }

  private constructor(canvas: HTMLCanvasElement, context: GPUCanvasContext, renderer: MapRenderer) {
    this.#canvas = canvas
    this.#context = context
    this.#renderer = renderer
    this.#changes = {
      fill: (slot, block) => writeCells(block, renderer.blocks.fill(slot, blockNumber(block.key))),
      empty: slot => renderer.blocks.empty(slot),
    }
  }

  paint(scene: Scene, plot: Plot, seen: CellBounds, palette: MapPalette): boolean {
    const canvas = this.#canvas
    if (canvas.width !== scene.width) canvas.width = scene.width
    if (canvas.height !== scene.height) canvas.height = scene.height
    if (this.#palette !== palette || this.#inks === null) this.#inks = inksOf(palette)
    this.#palette = palette
    this.#slots.follow(scene.blocks.blocks, this.#changes)
    const target = this.#context.getCurrentTexture().createView()
    this.#renderer.draw(target, frameOf(scene, plot, seen, this.#inks), lightsOf(scene, plot, palette))
    return false
  }

  stop(): void {
    this.#canvas.remove()
    this.#context.unconfigure()
    this.#renderer.destroy()
  }
}

function writeCells({ slots, generation }: Block, entries: Uint16Array): void {
  for (let slot = 0; slot < slots.length; slot++) {
    const index = slots[slot] as number
    entries[slot] = index === -1 ? EMPTY_CELL : cellEntry(generation.tokens.confidence(index))
  }
}

/** A scene as the renderer wants it: relative to the block in the middle of the view. */
function frameOf(scene: Scene, plot: Plot, seen: CellBounds, inks: MapInks): MapFrame {
  const snapped = plot.cell >= (scene.moving ? SNAPPED_MOVING_FROM : SNAPPED_FROM)
  // At rest the map as a whole lies on whole pixels, however small its cells: panned, it stays as sharp.
  const whole = (edge: number) => (snapped || !scene.moving ? Math.round(edge) : edge)
  const anchorColumn = Math.floor(scene.pose.x / BLOCK_SIDE)
  const anchorRow = Math.floor(scene.pose.y / BLOCK_SIDE)
  const side = plot.cell * BLOCK_SIDE
  const graticule = graticuleOf(scene.pose.scale, seen)
  return {
    width: scene.width,
    height: scene.height,
    anchorColumn,
    anchorRow,
    originX: whole(plot.left) + anchorColumn * side,
    originY: whole(plot.top) + anchorRow * side,
    cell: plot.cell,
    snapped,
    gridColumn: graticule.left / BLOCK_SIDE,
    gridRow: graticule.top / BLOCK_SIDE,
    gridStep: graticule.step / BLOCK_SIDE,
    gridColumns: graticule.columns,
    gridRows: graticule.rows,
    hairline: Math.max(1, Math.round(scene.ratio)),
    inks,
  }
}

function inksOf({ ground, grid, frame, hatch }: MapPalette): MapInks {
  return {
    ground: rgbOf(ground),
    grid: rgbOf(grid),
    outline: rgbOf(frame),
    hatchGround: rgbOf(hatch.ground),
    hatchLine: rgbOf(hatch.line),
  }
}
