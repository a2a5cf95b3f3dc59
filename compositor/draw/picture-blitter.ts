/** Shows pictures on a target with WebGPU: moved, stretched, one over the other. */
import { type ReadShader, stitch } from '../../shaders/stitch.ts'
import { GpuUsage } from './gpu-usage.ts'
import { compileShader } from './shader-compiler.ts'

/** A picture and where it is shown, in pixels of the target. */
export interface Blit {
  texture: GPUTexture
  x: number
  y: number
  width: number
  height: number
  /** How much it covers, 0 … 1. */
  alpha: number
}

/** Words of a blit as shaders/view-blit.wgsl reads them. */
const BLIT_WORDS = 8

export class PictureBlitter {
  readonly #device: GPUDevice
  readonly #pipeline: GPURenderPipeline
  readonly #sampler: GPUSampler
  readonly #uniforms: GPUBuffer[] = []

  /**
   * Compiles the shader. Resolves once nothing is left to be compiled while drawing.
   *
   * @throws Error with file and line where the device does not take it
   */
  static async create(
    device: GPUDevice,
    format: GPUTextureFormat,
    read: ReadShader,
  ): Promise<PictureBlitter> {
    const module = await compileShader(device, stitch('view-blit.wgsl', read))
    const over: GPUBlendComponent = { srcFactor: 'one', dstFactor: 'one-minus-src-alpha', operation: 'add' }
    const pipeline = await device.createRenderPipelineAsync({
      layout: 'auto',
      vertex: { module, entryPoint: 'place_picture' },
      fragment: {
        module,
        entryPoint: 'paint_picture',
        targets: [{ format, blend: { color: over, alpha: over } }],
      },
      primitive: { topology: 'triangle-strip' },
    })
    return new PictureBlitter(device, pipeline)
  }

  private constructor(device: GPUDevice, pipeline: GPURenderPipeline) {
    this.#device = device
    this.#pipeline = pipeline
    this.#sampler = device.createSampler({ magFilter: 'linear', minFilter: 'linear' })
  }

  /** Shows these on a target of this size, in their order, on a ground of red, green, blue of 0 … 1. */
  draw(
    target: GPUTextureView,
    { width, height, ground }: { width: number; height: number; ground: readonly [number, number, number] },
    blits: readonly Blit[],
  ): void {
    const device = this.#device
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view: target, loadOp: 'clear', clearValue: [...ground, 1], storeOp: 'store' }],
    })
    pass.setPipeline(this.#pipeline)
    for (const [i, blit] of blits.entries()) {
      const uniform = this.#uniform(i)
      const words = [width, height, blit.x, blit.y, blit.width, blit.height, blit.alpha, 0]
      device.queue.writeBuffer(uniform, 0, new Float32Array(words))
      const group = device.createBindGroup({
        layout: this.#pipeline.getBindGroupLayout(0),
        entries: [
          { binding: 0, resource: { buffer: uniform } },
          { binding: 1, resource: blit.texture.createView() },
          { binding: 2, resource: this.#sampler },
        ],
      })
      pass.setBindGroup(0, group)
      pass.draw(4)
    }
    pass.end()
    device.queue.submit([encoder.finish()])
  }

  /** Frees the memory on the GPU; device and pictures are their owner's. */
  destroy(): void {
    for (const uniform of this.#uniforms) uniform.destroy()
  }

  #uniform(i: number): GPUBuffer {
    this.#uniforms[i] ??= this.#device.createBuffer({
      size: BLIT_WORDS * 4,
      usage: GpuUsage.uniform | GpuUsage.copyDst,
    })
    return this.#uniforms[i]
  }
}
