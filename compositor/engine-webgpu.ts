import { TokenscopeError } from '../events/errors.ts'
import type { ReadShader } from '../shaders/stitch.ts'
import type { Engine } from './engine.ts'
import { CpuEngine } from './engine-cpu.ts'
import { dispatchSize, Kernels } from './gpu-kernels.ts'
import { GpuPage } from './gpu-page.ts'
import type { GpuTimer } from './gpu-timer.ts'
import { FRAGMENT_WORDS, JOB_WORDS } from './layout/flow-words.ts'
import { type Readback, ReadbackRing } from './readback-ring.ts'
import { ScratchBuffer } from './scratch-buffer.ts'
import { readShader } from './shader-files.ts'
import { CHUNK_TOKENS, PAGE_TOKENS } from './tokens/record.ts'
import type { TokenPage } from './tokens/token-page.ts'
import { CELL_WORDS, GENERATION_WORDS } from './view/channels.ts'
import type { TilesRequest } from './view/tiles-request.ts'

/** Invocations that go through a chunk in tiles.wgsl. */
const TILES_STEP = 16

export interface WebgpuEngineOptions {
  device: GPUDevice
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
  /** Bytes of each buffer that results come back in. */
  slotBytes?: number
  /** Takes the time that the GPU works on each call. */
  timer?: GpuTimer
}

/** A dispatch: a kernel, for as many invocations. */
type Step = [pipeline: GPUComputePipeline, invocations: number]

/**
 * The engine on a GPU. The tokens of a page stay in its buffers there: a call uploads what was written since it
 * was last used, runs its shaders, and has what they made copied, in the same submit, into buffers of a ring.
 * Everything is created once and destroyed by hand; Dawn gives memory back late or never otherwise.
 */
export class WebgpuEngine implements Engine {
  readonly backend = 'webgpu'
  readonly #device: GPUDevice
  readonly #kernels: Kernels
  readonly #maxWorkgroups: number
  readonly #timer: GpuTimer | null
  readonly #ring: ReadbackRing
  readonly #pages = new Map<TokenPage, GpuPage>()
  /** Does what is too large for the device. */
  readonly #twin = new CpuEngine()
  /** What a call is told, in few words. */
  readonly #facts: ScratchBuffer
  /** Generations, or lanes. */
  readonly #rows: ScratchBuffer
  readonly #panels: ScratchBuffer
  /** Jobs or fragments. */
  readonly #parts: ScratchBuffer
  readonly #carries: ScratchBuffer
  /** Cells or places. */
  readonly #results: ScratchBuffer
  /** The last call, whatever becomes of it. */
  #last: Promise<unknown> = Promise.resolve()
  /** Makes the running call reject. */
  #abort: ((error: Error) => void) | null = null
  #fault: string | null = null
  #stopped = false

  /**
   * Compiles the shaders for `device`, which belongs to the engine from then on.
   *
   * @throws Error if a shader does not compile
   */
  static async create(options: WebgpuEngineOptions): Promise<WebgpuEngine> {
    return new WebgpuEngine(options, await Kernels.create({ read: readShader, ...options }))
  }

  private constructor(options: WebgpuEngineOptions, kernels: Kernels) {
    const { device, onFault } = options
    const { UNIFORM, STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage
    this.#device = device
    this.#kernels = kernels
    this.#maxWorkgroups = options.maxWorkgroups ?? device.limits.maxComputeWorkgroupsPerDimension
    this.#timer = options.timer ?? null
    this.#ring = new ReadbackRing(device, options.slotBytes)
    this.#facts = new ScratchBuffer(device, UNIFORM | COPY_DST)
    this.#rows = new ScratchBuffer(device, STORAGE | COPY_DST)
    this.#panels = new ScratchBuffer(device, STORAGE | COPY_DST)
    this.#parts = new ScratchBuffer(device, STORAGE | COPY_DST | COPY_SRC)
    this.#carries = new ScratchBuffer(device, STORAGE | COPY_DST | COPY_SRC)
    this.#results = new ScratchBuffer(device, STORAGE | COPY_DST | COPY_SRC)
    const fail = (reason: string) => {
      this.#fault ??= reason
      this.#abort?.(broken(reason))
      onFault(reason)
    }
    device.addEventListener('uncapturederror', event => fail(`GPU error: ${event.error.message.trim()}`))
    void device.lost.then(({ message }) => {
      if (!this.#stopped) fail(`the GPU device was lost: ${message}`)
    })
  }

  wrote(page: TokenPage, first: number, count: number): void {
    // A page without buffers gets all that it has with them.
    this.#pages.get(page)?.wrote(first, first + count)
  }

  wroteFlow(page: TokenPage, first: number, count: number): void {
    this.#pages.get(page)?.wroteFlow(first, first + count)
  }

  flowAppend(page: TokenPage, jobs: Uint32Array, carries: Uint32Array, width: number): Promise<void> {
    return this.#flow(page, jobs, carries, width, jobs.length / JOB_WORDS, ['flow_append'])
  }

  reflow(page: TokenPage, fragments: Uint32Array, carries: Uint32Array, width: number): Promise<void> {
    const count = fragments.length / FRAGMENT_WORDS
    return this.#flow(page, fragments, carries, width, count, ['flow_fragments', 'flow_number', 'flow_shift'])
  }

  places(
    layout: 'map' | 'timeline',
    page: TokenPage,
    lanes: Uint32Array,
    first: number,
    end: number,
  ): Promise<Uint32Array> {
    return this.#call(async () => {
      const places = new Uint32Array((end - first) * (layout === 'map' ? 1 : 2))
      if (first === end) return places
      const onGpu = this.#pageOf(page)
      onGpu.upload()
      const facts = this.#facts.filled(Uint32Array.of(first, end))
      const results = this.#results.sized(places.length)
      const group = this.#group('places', [facts, this.#rows.filled(lanes), results])
      const step: Step = [await this.#kernels.places(layout), end - first]
      const encoder = this.#device.createCommandEncoder()
      this.#record(encoder, pass => this.#dispatch(pass, onGpu.readGroup, group, [step]))
      await this.#submit(encoder, [wholeOf(results, places)])
      return places
    })
  }

  tiles(request: TilesRequest, pages: Iterable<TokenPage>): Promise<Uint32Array> {
    const all = [...pages]
    return this.#call(async () => {
      const cells = new Uint32Array(request.width * request.height * CELL_WORDS)
      if (cells.length === 0) return cells
      const { generations, panels } = request
      if (!this.#canBind(cells.length, generations.length, panels.length))
        return this.#twin.tiles(request, all)
      const pipeline = await this.#kernels.tiles(request.layout, request.color)
      const results = this.#results.sized(cells.length)
      const group = this.#group('tiles', [
        this.#facts.filled(tilesFacts(request)),
        this.#rows.filled(generations),
        this.#panels.filled(panels),
        results,
      ])
      const encoder = this.#device.createCommandEncoder()
      encoder.clearBuffer(results, 0, cells.byteLength)
      const counted = request.layout === 'flow' ? all.filter(({ flow }) => flow !== null) : all
      const onGpu = counted.map(page => this.#pageOf(page))
      for (const page of onGpu) page.upload()
      this.#record(encoder, pass => {
        for (const { readGroup, used } of onGpu) {
          const invocations = (used[1] - used[0]) * TILES_STEP
          this.#dispatch(pass, readGroup, group, [[pipeline, invocations]])
        }
      })
      await this.#submit(encoder, [wholeOf(results, cells)])
      return cells
    })
  }

  release(page: TokenPage): void {
    // In turn: calls that wait may need the page, and would make its buffers anew if it had none.
    this.#last = this.#last.then(() => this.#drop(page))
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await this.#last
    for (const page of [...this.#pages.keys()]) this.#drop(page)
    for (const buffer of [this.#facts, this.#rows, this.#panels, this.#parts, this.#carries, this.#results]) {
      buffer.destroy()
    }
    this.#ring.destroy()
    this.#device.destroy()
  }

  #flow(
    page: TokenPage,
    parts: Uint32Array,
    carries: Uint32Array,
    width: number,
    count: number,
    entryPoints: readonly string[],
  ): Promise<void> {
    return this.#call(async () => {
      if (count === 0 || page.flow === null) return
      if (!this.#canBind(page.piecesUsed, parts.length, carries.length)) {
        if (entryPoints.length === 1) await this.#twin.flowAppend(page, parts, carries, width)
        else await this.#twin.reflow(page, parts, carries, width)
        return this.wroteFlow(page, 0, PAGE_TOKENS)
      }
      const kernels = await Promise.all(entryPoints.map(entryPoint => this.#kernels.flow(entryPoint)))
      const onGpu = this.#pageOf(page)
      onGpu.upload()
      onGpu.uploadPieces()
      const [partsOnGpu, carriesOnGpu] = [this.#parts.filled(parts), this.#carries.filled(carries)]
      const facts = this.#facts.filled(Uint32Array.of(count, width))
      const group = this.#group('flow', [facts, partsOnGpu, carriesOnGpu])
      const encoder = this.#device.createCommandEncoder()
      const steps = kernels.map((kernel): Step => [kernel, count])
      this.#record(encoder, pass => this.#dispatch(pass, onGpu.flowGroup, group, steps))
      const [first, end] = onGpu.used.map(chunk => chunk * CHUNK_TOKENS) as [number, number]
      const places = { source: onGpu.flow, from: first, words: end - first, target: page.flow, at: first }
      const told = [wholeOf(partsOnGpu, parts), wholeOf(carriesOnGpu, carries)]
      await this.#submit(encoder, [...told, places])
    })
  }

  /** Runs `work` when all calls before it are done. */
  #call<T>(work: () => Promise<T>): Promise<T> {
    const call = this.#last.then(() => {
      if (this.#stopped) throw new TokenscopeError('INTERNAL', 'the engine was stopped')
      if (this.#fault !== null) throw broken(this.#fault)
      return new Promise<T>((resolve, reject) => {
        // Whatever the device does when it is lost, nobody is left waiting.
        this.#abort = reject
        work().then(resolve, reject)
      })
    })
    // Whoever called is told; here it only keeps the order.
    this.#last = call.then(
      () => {},
      () => {},
    )
    return call
  }

  #drop(page: TokenPage): void {
    this.#pages.get(page)?.destroy()
    this.#pages.delete(page)
  }

  /** Whether shaders can be given buffers of so many words each. */
  #canBind(...words: number[]): boolean {
    return Math.max(...words) * 4 <= this.#device.limits.maxStorageBufferBindingSize
  }

  #pageOf(page: TokenPage): GpuPage {
    let known = this.#pages.get(page)
    if (known === undefined) {
      known = new GpuPage(this.#device, this.#kernels, page)
      this.#pages.set(page, known)
    }
    return known
  }

  #group(needs: keyof Kernels['groups'], buffers: GPUBuffer[]): GPUBindGroup {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }))
    return this.#device.createBindGroup({ layout: this.#kernels.groups[needs], entries })
  }

  #record(encoder: GPUCommandEncoder, work: (pass: GPUComputePassEncoder) => void): void {
    const timer = this.#timer
    const pass = encoder.beginComputePass(timer === null ? {} : { timestampWrites: timer.writes })
    work(pass)
    pass.end()
    timer?.record(encoder)
  }

  #dispatch(
    pass: GPUComputePassEncoder,
    page: GPUBindGroup,
    group: GPUBindGroup,
    steps: readonly Step[],
  ): void {
    pass.setBindGroup(0, page)
    pass.setBindGroup(1, group)
    for (const [pipeline, invocations] of steps) {
      if (invocations === 0) continue
      pass.setPipeline(pipeline)
      pass.dispatchWorkgroups(...dispatchSize(invocations, this.#maxWorkgroups))
    }
  }

  async #submit(encoder: GPUCommandEncoder, results: readonly Readback[]): Promise<void> {
    await this.#ring.submit(encoder, results)
    await this.#timer?.read()
    if (this.#fault !== null) throw broken(this.#fault)
  }
}

function broken(reason: string): TokenscopeError {
  return new TokenscopeError('INTERNAL', `The engine does not work any more: ${reason}`)
}

function wholeOf(source: GPUBuffer, target: Uint32Array): Readback {
  return { source, from: 0, words: target.length, target, at: 0 }
}

/** As Request in tiles.wgsl. */
function tilesFacts(request: TilesRequest): Uint32Array {
  return Uint32Array.of(
    request.z,
    request.left,
    request.top,
    request.width,
    request.height,
    request.t,
    request.since,
    request.kinds,
    request.generations.length / GENERATION_WORDS,
    request.panels.length,
    request.panelSide,
  )
}
