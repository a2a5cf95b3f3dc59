import type { AtlasTexture } from './atlas-texture.ts'
import type { GlyphAtlas } from './glyph-atlas.ts'
import { GlyphBuffer } from './glyph-buffer.ts'
import type { GlyphRun } from './glyph-run.ts'
import { GpuUsage } from './gpu-usage.ts'
import type { QuadList } from './quad-list.ts'
import type { ViewTheme } from './view-theme.ts'

/** What all brushes of a renderer paint with. */
export interface BrushParts {
  device: GPUDevice
  quads: GPURenderPipeline
  glyphs: GPURenderPipeline
  layout: GPUBindGroupLayout
  texture: AtlasTexture
}

/** Where a brush paints. */
export interface BrushTarget {
  view: GPUTextureView
  width: number
  height: number
  theme: ViewTheme
}

const FRAME_WORDS = 4

/** Paints rectangles and characters on one target at a time, with buffers of its own. */
export class ViewBrush {
  readonly #parts: BrushParts
  readonly #sampler: GPUSampler
  readonly #frame: GPUBuffer
  readonly #waiting = new GlyphBuffer()
  #items: GPUBuffer
  #group: GPUBindGroup | null = null
  #groupTexture: GPUTexture | null = null
  #view: GPUTextureView | null = null

  constructor(parts: BrushParts) {
    const { device } = parts
    this.#parts = parts
    this.#sampler = device.createSampler({ magFilter: 'linear', minFilter: 'linear' })
    this.#frame = device.createBuffer({ size: FRAME_WORDS * 4, usage: GpuUsage.uniform | GpuUsage.copyDst })
    this.#items = this.#createItems(64 * 1024)
  }

  /** Paints here from now on. What waits to be painted elsewhere is forgotten: that was given up. */
  begin({ view, width, height, theme }: BrushTarget): void {
    this.#waiting.clear()
    this.#view = view
    const frame = new ArrayBuffer(FRAME_WORDS * 4)
    new Float32Array(frame).set([width, height])
    new Uint32Array(frame).set([theme.hatchGround, theme.hatchLine], 2)
    this.#parts.device.queue.writeBuffer(this.#frame, 0, frame)
  }

  /** Fills the target with the ground. */
  clear({ ground }: ViewTheme): void {
    const [r = 0, g = 0, b = 0] = [0, 8, 16].map(shift => ((ground >>> shift) & 255) / 255)
    this.#pass({ clear: { r, g, b, a: 1 } })
  }

  paintQuads({ words, count }: QuadList): void {
    this.#pass({ pipeline: this.#parts.quads, words, count })
  }

  /** Has the characters of a line painted with the next `flush`; `full` is called where the atlas must be cleared. */
  addRun(run: GlyphRun, atlas: GlyphAtlas, full: () => void): void {
    this.#waiting.addRun(run, atlas, full)
  }

  /** Paints the characters that wait. */
  flush(): void {
    const { words, count } = this.#waiting
    this.#pass({ pipeline: this.#parts.glyphs, words, count })
    this.#waiting.clear()
  }

  /** Frees its memory on the GPU. */
  destroy(): void {
    this.#frame.destroy()
    this.#items.destroy()
  }

  /** One pass with its own submission, since a later one may write other characters to the same places. */
  #pass(paint: { clear: GPUColor } | { pipeline: GPURenderPipeline; words: Words; count: number }): void {
    const view = this.#view
    if (view === null || (!('clear' in paint) && paint.count === 0)) return
    const { device } = this.#parts
    if (!('clear' in paint)) this.#write(paint.words)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginRenderPass({
      colorAttachments: [
        'clear' in paint
          ? { view, loadOp: 'clear', clearValue: paint.clear, storeOp: 'store' }
          : { view, loadOp: 'load', storeOp: 'store' },
      ],
    })
    if (!('clear' in paint)) {
      pass.setPipeline(paint.pipeline)
      pass.setBindGroup(0, this.#bindGroup())
      pass.draw(6 * paint.count)
    }
    pass.end()
    device.queue.submit([encoder.finish()])
  }

  #write(words: Words): void {
    if (words.byteLength > this.#items.size) {
      this.#items.destroy()
      this.#items = this.#createItems(words.byteLength * 2)
      this.#group = null
    }
    this.#parts.device.queue.writeBuffer(this.#items, 0, words)
  }

  #bindGroup(): GPUBindGroup {
    const { device, layout, texture: atlas } = this.#parts
    const { texture } = atlas
    if (this.#group !== null && this.#groupTexture === texture) return this.#group
    this.#groupTexture = texture
    this.#group = device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.#frame } },
        { binding: 1, resource: { buffer: this.#items } },
        { binding: 2, resource: texture.createView({ dimension: '2d-array' }) },
        { binding: 3, resource: this.#sampler },
      ],
    })
    return this.#group
  }

  #createItems(size: number): GPUBuffer {
    return this.#parts.device.createBuffer({ size, usage: GpuUsage.storage | GpuUsage.copyDst })
  }
}

type Words = Uint32Array<ArrayBuffer>
