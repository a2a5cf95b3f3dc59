/**
 * Draws the map's cells with WebGPU, in the page and on Dawn in Node alike: ground, graticule, outlines of
 * blocks, cells and the light of landings. Letters and marks are not its business.
 *
 * One render pass: the cells first, onto nothing and adding up, then what lies under them where nothing is
 * yet, then the light over all. Adding is what makes blocks that share a pixel come out right; painted over
 * each other they would let the ground through at every seam.
 */
import { type ReadShader, stitch } from '../../shaders/stitch.ts'
import { BlockBuffer } from './block-buffer.ts'
import { BLOCK_SIDE } from './cell.ts'
import { CIVIDIS_SIZE, cividisRgb } from './cividis.ts'
import { GpuStage, GpuUsage } from './gpu-usage.ts'
import { FRAME_BYTES, LEAST_OUTLINED, type MapFrame, writeFrame } from './map-frame.ts'
import { LIGHT_BYTES, type MapLight, writeLights } from './map-light.ts'
import { compileShader } from './shader-compiler.ts'

/** More lights than this at once are not drawn. */
const MOST_LIGHTS = 128

const ADDING: GPUBlendComponent = { srcFactor: 'one', dstFactor: 'one', operation: 'add' }
const UNDER: GPUBlendComponent = { srcFactor: 'one-minus-dst-alpha', dstFactor: 'one', operation: 'add' }
const OVER: GPUBlendComponent = { srcFactor: 'one', dstFactor: 'one-minus-src-alpha', operation: 'add' }

const NUMBERS: GPUVertexBufferLayout = {
  arrayStride: 4,
  stepMode: 'instance',
  attributes: [{ shaderLocation: 0, offset: 0, format: 'uint32' }],
}
const LIGHTS: GPUVertexBufferLayout = {
  arrayStride: LIGHT_BYTES,
  stepMode: 'instance',
  attributes: [
    { shaderLocation: 0, offset: 0, format: 'float32x4' },
    { shaderLocation: 1, offset: 16, format: 'float32x4' },
    { shaderLocation: 2, offset: 32, format: 'float32' },
    { shaderLocation: 3, offset: 36, format: 'float32' },
  ],
}

/** The passes, in the order in which they are drawn. */
interface Passes {
  /** Cells that end on whole pixels. One shader for both kinds would be slow at either. */
  snapped: GPURenderPipeline
  /** Cells that share pixels. */
  mixed: GPURenderPipeline
  outlines: GPURenderPipeline
  crosses: GPURenderPipeline
  ground: GPURenderPipeline
  lights: GPURenderPipeline
}

export class MapRenderer {
  /** What is drawn, block by block. */
  readonly blocks: BlockBuffer
  readonly #device: GPUDevice
  readonly #layout: GPUBindGroupLayout
  readonly #passes: Passes
  readonly #frameBytes = new ArrayBuffer(FRAME_BYTES)
  readonly #lightFloats = new Float32Array((MOST_LIGHTS * LIGHT_BYTES) / 4)
  readonly #frame: GPUBuffer
  readonly #scale: GPUBuffer
  readonly #lights: GPUBuffer
  #group: GPUBindGroup | null = null
  #groupEntries: GPUBuffer | null = null

  /**
   * Compiles the shaders. Resolves once nothing is left to be compiled while drawing.
   *
   * @param format of the targets that will be drawn to
   * @param read gives the text of the files in shaders/
   * @throws TokenscopeError INTERNAL with file and line where the device does not take a shader
   */
  static async create(device: GPUDevice, format: GPUTextureFormat, read: ReadShader): Promise<MapRenderer> {
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: GpuStage.vertex | GpuStage.fragment, buffer: { type: 'uniform' } },
        { binding: 1, visibility: GpuStage.fragment, buffer: { type: 'read-only-storage' } },
        { binding: 2, visibility: GpuStage.fragment, buffer: { type: 'read-only-storage' } },
      ],
    })
    const [cells, ground, glow] = await Promise.all(
      ['map-cells.wgsl', 'map-ground.wgsl', 'map-glow.wgsl'].map(name =>
        compileShader(device, stitch(name, read)),
      ),
    )
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] })
    const pipeline = (
      module: GPUShaderModule | undefined,
      [place, paint]: [string, string],
      blend: GPUBlendComponent,
      topology: GPUPrimitiveTopology,
      buffer?: GPUVertexBufferLayout,
    ) =>
      device.createRenderPipelineAsync({
        layout: pipelineLayout,
        vertex: { module: module as GPUShaderModule, entryPoint: place, buffers: buffer ? [buffer] : [] },
        fragment: {
          module: module as GPUShaderModule,
          entryPoint: paint,
          targets: [{ format, blend: { color: blend, alpha: blend } }],
        },
        primitive: { topology },
      })
    const passes = await Promise.all([
      pipeline(cells, ['place_block', 'paint_snapped'], ADDING, 'triangle-strip', NUMBERS),
      pipeline(cells, ['place_block', 'paint_mixed'], ADDING, 'triangle-strip', NUMBERS),
      pipeline(ground, ['place_outline', 'paint_ink'], UNDER, 'triangle-strip', NUMBERS),
      pipeline(ground, ['place_cross', 'paint_ink'], UNDER, 'triangle-list'),
      pipeline(ground, ['place_ground', 'paint_ink'], UNDER, 'triangle-list'),
      pipeline(glow, ['place_light', 'paint_light'], OVER, 'triangle-strip', LIGHTS),
    ])
    const [snapped, mixed, outlines, crosses, whole, lights] = passes
    return new MapRenderer(device, layout, { snapped, mixed, outlines, crosses, ground: whole, lights })
  }

  private constructor(device: GPUDevice, layout: GPUBindGroupLayout, passes: Passes) {
    this.#device = device
    this.#layout = layout
    this.#passes = passes
    this.blocks = new BlockBuffer(device)
    const buffer = (size: number, usage: number) =>
      device.createBuffer({ size, usage: usage | GpuUsage.copyDst })
    this.#frame = buffer(FRAME_BYTES, GpuUsage.uniform)
    this.#lights = buffer(this.#lightFloats.byteLength, GpuUsage.vertex)
    const scale = scaleColours()
    this.#scale = buffer(scale.byteLength, GpuUsage.storage)
    device.queue.writeBuffer(this.#scale, 0, scale)
  }

  /** Draws all blocks as `frame` shows them, over whatever `target` held. */
  draw(target: GPUTextureView, frame: MapFrame, lights: readonly MapLight[] = []): void {
    const { queue } = this.#device
    this.blocks.upload()
    writeFrame(frame, this.#frameBytes)
    queue.writeBuffer(this.#frame, 0, this.#frameBytes)
    const shining = writeLights(lights, this.#lightFloats)
    if (shining > 0) queue.writeBuffer(this.#lights, 0, this.#lightFloats, 0, (shining * LIGHT_BYTES) / 4)

    const encoder = this.#device.createCommandEncoder()
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view: target, loadOp: 'clear', clearValue: [0, 0, 0, 0], storeOp: 'store' }],
    })
    pass.setBindGroup(0, this.#bindGroup())
    const { snapped, mixed, outlines, crosses, ground, lights: glow } = this.#passes
    const { count, numbers } = this.blocks
    if (count > 0) {
      pass.setVertexBuffer(0, numbers)
      pass.setPipeline(frame.snapped ? snapped : mixed)
      pass.draw(4, count)
      if (frame.cell * BLOCK_SIDE >= LEAST_OUTLINED) {
        pass.setPipeline(outlines)
        pass.draw(10, count)
      }
    }
    if (frame.gridColumns * frame.gridRows > 0) {
      pass.setPipeline(crosses)
      pass.draw(12, frame.gridColumns * frame.gridRows)
    }
    pass.setPipeline(ground)
    pass.draw(3)
    if (shining > 0) {
      pass.setVertexBuffer(0, this.#lights)
      pass.setPipeline(glow)
      pass.draw(4, shining)
    }
    pass.end()
    queue.submit([encoder.finish()])
  }

  /** Frees the memory on the GPU; the device is its owner's. */
  destroy(): void {
    this.blocks.destroy()
    for (const buffer of [this.#frame, this.#scale, this.#lights]) buffer.destroy()
  }

  #bindGroup(): GPUBindGroup {
    const { entries } = this.blocks
    if (this.#group !== null && this.#groupEntries === entries) return this.#group
    this.#groupEntries = entries
    this.#group = this.#device.createBindGroup({
      layout: this.#layout,
      entries: [this.#frame, this.#scale, entries].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    })
    return this.#group
  }
}

/** The colour scale as shaders read it: red in the lowest byte. */
function scaleColours(): Uint32Array<ArrayBuffer> {
  const colours = new Uint32Array(CIVIDIS_SIZE)
  for (let i = 0; i < CIVIDIS_SIZE; i++) {
    const [red, green, blue] = cividisRgb((i + 0.5) / CIVIDIS_SIZE)
    colours[i] = red | (green << 8) | (blue << 16)
  }
  return colours
}
