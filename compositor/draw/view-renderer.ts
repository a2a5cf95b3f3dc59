/**
 * Draws views with WebGPU, in the page and on Dawn in Node alike: rectangles, and characters from an atlas.
 * Twin: ViewPainter.
 */
import { type ReadShader, stitch } from '../../shaders/stitch.ts'
import { AtlasTexture } from './atlas-texture.ts'
import { GlyphAtlas } from './glyph-atlas.ts'
import type { GlyphRasterizer } from './glyph-rasterizer.ts'
import { GpuStage } from './gpu-usage.ts'
import { compileShader } from './shader-compiler.ts'
import { whole } from './steps.ts'
import { type BrushParts, type BrushTarget, ViewBrush } from './view-brush.ts'
import type { SceneLayer, ViewScene } from './view-scene.ts'

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

/** Lines of text that are looked up in one step. */
const RUNS_A_STEP = 16
const OVER: GPUBlendComponent = { srcFactor: 'one', dstFactor: 'one-minus-src-alpha', operation: 'add' }

export class ViewRenderer {
  readonly #texture: AtlasTexture
  readonly #atlas: GlyphAtlas
  /** Of scenes, and of what is added to a picture while a scene is under way. */
  readonly #brush: ViewBrush
  readonly #adding: ViewBrush

  /**
   * Compiles the shaders. Resolves once nothing is left to be compiled while drawing.
   *
   * @throws Error with file and line where the device does not take a shader
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
    return new ViewRenderer(options, { layout, quads, glyphs })
  }

  private constructor(
    { device, rasterizer, atlasSide: side = 1024, atlasPages: pages = 8 }: ViewRendererOptions,
    pipelines: Pick<BrushParts, 'layout' | 'quads' | 'glyphs'>,
  ) {
    this.#texture = new AtlasTexture(device, side)
    this.#atlas = new GlyphAtlas({ rasterizer, store: this.#texture, side, pages })
    const parts = { device, texture: this.#texture, ...pipelines }
    this.#brush = new ViewBrush(parts)
    this.#adding = new ViewBrush(parts)
  }

  /** Draws a scene over whatever `target` held. */
  draw(target: GPUTextureView, scene: ViewScene): void {
    whole(this.steps(target, scene))
  }

  /** The same in steps of a millisecond or so. One scene is drawn at a time. */
  *steps(target: GPUTextureView, scene: ViewScene): Generator<void, void> {
    const brush = this.#brush
    brush.begin({ ...scene, view: target })
    brush.clear(scene.theme)
    for (const { quads, runs } of scene.layers) {
      brush.paintQuads(quads)
      for (const [i, run] of runs.entries()) {
        if (i % RUNS_A_STEP === RUNS_A_STEP - 1) yield
        // A full atlas is cleared only once all that has places on it is drawn.
        brush.addRun(run, this.#atlas, () => brush.flush())
      }
      yield
      brush.flush()
    }
  }

  /** Draws a layer over what `target` holds; also between the steps of a scene. */
  add(target: BrushTarget, { quads, runs }: SceneLayer): void {
    const brush = this.#adding
    const flush = () => {
      this.#brush.flush()
      brush.flush()
    }
    brush.begin(target)
    brush.paintQuads(quads)
    for (const run of runs) brush.addRun(run, this.#atlas, flush)
    brush.flush()
  }

  /** Frees the memory on the GPU; the device is its owner's. */
  destroy(): void {
    this.#brush.destroy()
    this.#adding.destroy()
    this.#texture.destroy()
  }
}
