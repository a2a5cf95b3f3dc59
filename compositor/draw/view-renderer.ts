/**
 * Draws views with WebGPU, in the page and on Dawn in Node alike: rectangles, and characters from an atlas.
 * Twin: ViewPainter.
 */
import { type ReadShader, stitch } from '../../shaders/stitch.ts'
import { AtlasTexture } from './atlas-texture.ts'
import { GlyphAtlas } from './glyph-atlas.ts'
import { GlyphBuffer } from './glyph-buffer.ts'
import type { GlyphRasterizer } from './glyph-rasterizer.ts'
import { GpuStage, GpuUsage } from './gpu-usage.ts'
import { compileShader } from './shader-compiler.ts'
import { type SceneLayer, type ViewScene, whole } from './view-scene.ts'

export interface ViewRendererOptions {
  device: GPUDevice
  /** Of the targets that will be drawn to. */
  format: GPUTextureFormat
  /** Gives the text of the files in shaders/. */
  read: ReadShader
  rasterizer: GlyphRasterizer
  /** Side of an atlas page in pixels, and the most pages; 1024 and 8 if not given. */
  atlasSide?: number
  atlasPages?: number
}

const FRAME_WORDS = 4
/** Lines of text that are looked up in one step. */
const RUNS_A_STEP = 16
const OVER: GPUBlendComponent = { srcFactor: 'one', dstFactor: 'one-minus-src-alpha', operation: 'add' }

export class ViewRenderer {
  readonly #device: GPUDevice
  readonly #quads: GPURenderPipeline
  readonly #glyphs: GPURenderPipeline
  readonly #layout: GPUBindGroupLayout
  readonly #sampler: GPUSampler
  readonly #frame: GPUBuffer
  readonly #texture: AtlasTexture
  readonly #atlas: GlyphAtlas
  readonly #glyphBuffer = new GlyphBuffer()
  #items: GPUBuffer
  #group: GPUBindGroup | null = null
  #groupTexture: GPUTexture | null = null

  /**
   * Compiles the shaders. Resolves once nothing is left to be compiled while drawing.
   *
   * @throws TokenscopeError INTERNAL with file and line where the device does not take a shader
   */
  static async create(options: ViewRendererOptions): Promise<ViewRenderer> {
    const { device, format, read } = options
    const both = GpuStage.vertex | GpuStage.fragment
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: both, buffer: { type: 'uniform' } },
        { binding: 1, visibility: GpuStage.vertex, buffer: { type: 'read-only-storage' } },
        { binding: 2, visibility: GpuStage.fragment, texture: { viewDimension: '2d-array' } },
        { binding: 3, visibility: GpuStage.fragment, sampler: {} },
      ],
    })
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] })
    const pipeline = async (name: string, place: string, paint: string) => {
      const module = await compileShader(device, stitch(name, read))
      return device.createRenderPipelineAsync({
        layout: pipelineLayout,
        vertex: { module, entryPoint: place },
        fragment: { module, entryPoint: paint, targets: [{ format, blend: { color: OVER, alpha: OVER } }] },
        primitive: { topology: 'triangle-list' },
      })
    }
    const [quads, glyphs] = await Promise.all([
      pipeline('quads.wgsl', 'place_quad', 'paint_quad'),
      pipeline('glyphs.wgsl', 'place_glyph', 'paint_glyph'),
    ])
    return new ViewRenderer(options, layout, quads, glyphs)
  }

  private constructor(
    { device, rasterizer, atlasSide: side = 1024, atlasPages: pages = 8 }: ViewRendererOptions,
    layout: GPUBindGroupLayout,
    quads: GPURenderPipeline,
    glyphs: GPURenderPipeline,
  ) {
    this.#device = device
    this.#layout = layout
    this.#quads = quads
    this.#glyphs = glyphs
    this.#sampler = device.createSampler({ magFilter: 'linear', minFilter: 'linear' })
    this.#frame = device.createBuffer({ size: FRAME_WORDS * 4, usage: GpuUsage.uniform | GpuUsage.copyDst })
    this.#items = this.#createItems(64 * 1024)
    this.#texture = new AtlasTexture(device, side)
    this.#atlas = new GlyphAtlas({ rasterizer, store: this.#texture, side, pages })
  }

  /** Draws a scene over whatever `target` held. */
  draw(target: GPUTextureView, scene: ViewScene): void {
    whole(this.steps(target, scene))
  }

  /** The same in steps of a millisecond or so. One scene is drawn at a time. */
  *steps(target: GPUTextureView, scene: ViewScene): Generator<void, void> {
    const { theme } = scene
    const frame = new ArrayBuffer(FRAME_WORDS * 4)
    new Float32Array(frame).set([scene.width, scene.height])
    new Uint32Array(frame).set([theme.hatchGround, theme.hatchLine], 2)
    this.#device.queue.writeBuffer(this.#frame, 0, frame)
    const clear = [0, 8, 16].map(shift => ((theme.ground >>> shift) & 255) / 255)
    this.#pass(target, [...clear, 1], null, new Uint32Array(0), 0)
    for (const layer of scene.layers) yield* this.#layerSteps(target, layer)
  }

  /** Frees the memory on the GPU; the device is its owner's. */
  destroy(): void {
    this.#frame.destroy()
    this.#items.destroy()
    this.#texture.destroy()
  }

  *#layerSteps(target: GPUTextureView, { quads, runs }: SceneLayer): Generator<void, void> {
    this.#pass(target, null, this.#quads, quads.words, quads.count)
    const glyphs = this.#glyphBuffer
    const flush = () => {
      this.#pass(target, null, this.#glyphs, glyphs.words, glyphs.count)
      glyphs.clear()
    }
    // Of a scene that was given up something may be left.
    glyphs.clear()
    // A full atlas is cleared only once all that has places on it is drawn.
    for (const [i, run] of runs.entries()) {
      if (i % RUNS_A_STEP === RUNS_A_STEP - 1) yield
      glyphs.addRun(run, this.#atlas, flush)
    }
    yield
    flush()
  }

  /** One pass with its own submission, since a later one may write other characters to the same places. */
  #pass(
    target: GPUTextureView,
    clear: number[] | null,
    pipeline: GPURenderPipeline | null,
    words: Uint32Array<ArrayBuffer>,
    count: number,
  ): void {
    if (count === 0 && clear === null) return
    if (words.byteLength > this.#items.size) {
      this.#items.destroy()
      this.#items = this.#createItems(words.byteLength * 2)
      this.#group = null
    }
    if (count > 0) this.#device.queue.writeBuffer(this.#items, 0, words)
    const encoder = this.#device.createCommandEncoder()
    const pass = encoder.beginRenderPass({
      colorAttachments: [
        clear === null
          ? { view: target, loadOp: 'load', storeOp: 'store' }
          : { view: target, loadOp: 'clear', clearValue: clear, storeOp: 'store' },
      ],
    })
    if (pipeline !== null && count > 0) {
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, this.#bindGroup())
      pass.draw(6 * count)
    }
    pass.end()
    this.#device.queue.submit([encoder.finish()])
  }

  #bindGroup(): GPUBindGroup {
    const { texture } = this.#texture
    if (this.#group !== null && this.#groupTexture === texture) return this.#group
    this.#groupTexture = texture
    this.#group = this.#device.createBindGroup({
      layout: this.#layout,
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
    return this.#device.createBuffer({ size, usage: GpuUsage.storage | GpuUsage.copyDst })
  }
}
