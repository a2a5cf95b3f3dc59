import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { ReadShader } from '../shaders/stitch.ts'
import { compileShader } from './draw/shader-compiler.ts'
import type { Engine, TokenPage } from './engine.ts'
import { loadShader, readShader } from './shader-files.ts'

/** Invocations in a workgroup of `map.wgsl`. */
const WORKGROUP = 256
/** Calls on their way at a time: one is uploaded, one runs, one is copied out. */
const RING_DEPTH = 3

export interface WebgpuEngineOptions {
  device: GPUDevice
  /** Tokens in a page. */
  pageTokens: number
  /** Folder that shaders are written to as they are compiled; null for none. */
  dump: string | null
  /**
   * Told what went wrong on the device: an error that no call of ours answers for, or the loss of it. What it
   * computes is not to be trusted from then on.
   */
  onFault: (reason: string) => void
  /** Where shaders are read; in `shaders/` if not given. */
  read?: ReadShader
  /** Workgroups along one dimension of a dispatch at most; the device's own limit if not given. */
  maxWorkgroups?: number
}

/** What a page has on the GPU. */
interface PageBuffers {
  readonly cells: GPUBuffer
  readonly places: GPUBuffer
  readonly group: GPUBindGroup
}

/** A buffer that results come back in, one call at a time. */
interface Slot {
  readonly buffer: GPUBuffer
  /** The last call that used it. */
  call: Promise<void>
}

/**
 * The engine on a GPU. The tokens of a page stay in its buffers there: a call uploads the new cells, runs the
 * shader over them alone, and has their places copied, in the same submit, into the next buffer of a ring,
 * since a buffer that is mapped or about to be may not be used by a submit. Everything is created once and
 * destroyed by hand; Dawn gives memory back late or never otherwise.
 */
export class WebgpuEngine implements Engine {
  readonly #device: GPUDevice
  readonly #pipeline: GPUComputePipeline
  readonly #maxWorkgroups: number
  readonly #range: GPUBuffer
  readonly #ring: Slot[]
  readonly #pages = new Map<TokenPage, PageBuffers>()
  #calls = 0
  #last: Promise<void> = Promise.resolve()
  #stopped = false

  /**
   * Compiles the shaders for `device`, which belongs to the engine from then on.
   *
   * @throws TokenscopeError INTERNAL if a shader does not compile
   */
  static async create(options: WebgpuEngineOptions): Promise<WebgpuEngine> {
    const { device, dump, read = readShader } = options
    const shader = loadShader('map.wgsl', read, dump)
    const module = await compileShader(device, shader)
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: shader.name,
        layout: 'auto',
        compute: { module, entryPoint: 'layout_map' },
      })
      return new WebgpuEngine(options, pipeline)
    } catch (cause) {
      const message = `The shader ${shader.name} makes no pipeline: ${reasonOf(cause)}`
      throw new TokenscopeError('INTERNAL', message, { cause })
    }
  }

  private constructor(options: WebgpuEngineOptions, pipeline: GPUComputePipeline) {
    const { device, pageTokens, onFault } = options
    this.#device = device
    this.#pipeline = pipeline
    this.#maxWorkgroups = options.maxWorkgroups ?? device.limits.maxComputeWorkgroupsPerDimension
    this.#range = device.createBuffer({ size: 8, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST })
    this.#ring = Array.from({ length: RING_DEPTH }, () => ({
      buffer: device.createBuffer({
        size: pageTokens * 4,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      }),
      call: Promise.resolve(),
    }))
    device.addEventListener('uncapturederror', event => onFault(`GPU error: ${event.error.message.trim()}`))
    void device.lost.then(({ message }) => {
      if (!this.#stopped) onFault(`the GPU device was lost: ${message}`)
    })
  }

  layOut(page: TokenPage, from: number, to: number): Promise<void> {
    const slot = this.#ring[this.#calls++ % RING_DEPTH] as Slot
    const call = this.#run(page, from, to, slot, slot.call, this.#last)
    // Whoever called is told; here it only keeps the order.
    call.catch(() => {})
    slot.call = call
    this.#last = call
    return call
  }

  release(page: TokenPage): void {
    const buffers = this.#pages.get(page)
    this.#pages.delete(page)
    buffers?.cells.destroy()
    buffers?.places.destroy()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await Promise.allSettled(this.#ring.map(({ call }) => call))
    for (const page of [...this.#pages.keys()]) this.release(page)
    for (const { buffer } of this.#ring) buffer.destroy()
    this.#range.destroy()
    this.#device.destroy()
  }

  /** One call, once its slot is `free`; done after the one `before` it. */
  async #run(
    page: TokenPage,
    from: number,
    to: number,
    { buffer }: Slot,
    free: Promise<void>,
    before: Promise<void>,
  ): Promise<void> {
    // Calls are done in order, so slots become free in order, and what is submitted is in order as well.
    await free
    if (this.#stopped) throw new TokenscopeError('INTERNAL', 'the engine was stopped')
    if (from < to) {
      this.#submit(page, from, to, buffer)
      const bytes = (to - from) * 4
      await buffer.mapAsync(GPUMapMode.READ, 0, bytes)
      // Copied before it is unmapped: the mapped range is gone then.
      page.places.set(new Uint32Array(buffer.getMappedRange(0, bytes)), from)
      buffer.unmap()
    }
    await before
  }

  #submit(page: TokenPage, from: number, to: number, result: GPUBuffer): void {
    const queue = this.#device.queue
    const { cells, places, group } = this.#buffersOf(page)
    queue.writeBuffer(cells, from * 4, page.cells, from, to - from)
    queue.writeBuffer(this.#range, 0, Uint32Array.of(from, to))
    const encoder = this.#device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(this.#pipeline)
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(...dispatchSize(to - from, this.#maxWorkgroups))
    pass.end()
    encoder.copyBufferToBuffer(places, from * 4, result, 0, (to - from) * 4)
    queue.submit([encoder.finish()])
  }

  #buffersOf(page: TokenPage): PageBuffers {
    const known = this.#pages.get(page)
    if (known !== undefined) return known
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage
    const cells = this.#device.createBuffer({ size: page.cells.byteLength, usage: STORAGE | COPY_DST })
    const places = this.#device.createBuffer({ size: page.places.byteLength, usage: STORAGE | COPY_SRC })
    const group = this.#device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [this.#range, cells, places].map((buffer, binding) => ({ binding, resource: { buffer } })),
    })
    const buffers = { cells, places, group }
    this.#pages.set(page, buffers)
    return buffers
  }
}

/**
 * Workgroups along x and y that hold an invocation for each of `tokens`, of which there is at least one.
 *
 * @param limit workgroups along one dimension at most
 */
export function dispatchSize(tokens: number, limit: number): [x: number, y: number] {
  const groups = Math.ceil(tokens / WORKGROUP)
  const x = Math.min(groups, limit)
  return [x, Math.ceil(groups / x)]
}
