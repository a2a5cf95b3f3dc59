import { COLORS, type ColorName, type LayoutName } from '../broadcast/protocol/view.ts'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import type { ReadShader, StitchedShader } from '../shaders/stitch.ts'
import { compileShader } from './draw/shader-compiler.ts'
import { loadShader } from './shader-files.ts'

/** Invocations in a workgroup of every kernel. */
export const WORKGROUP = 256

export interface KernelOptions {
  device: GPUDevice
  /** Where shaders are read. */
  read: ReadShader
  /** Folder that shaders are written to as they are compiled; null for none. */
  dump: string | null
}

/** What a shader needs beside a page. */
type Needs = 'places' | 'tiles' | 'flow'

/** A shader and the layout of what is bound to it. */
interface Program {
  readonly shader: StitchedShader
  readonly module: GPUShaderModule
  readonly layout: GPUPipelineLayout
}

const SHADERS: readonly [name: string, needs: Needs][] = [
  ['map.wgsl', 'places'],
  ['timeline.wgsl', 'places'],
  ['tiles.wgsl', 'tiles'],
  ['flow.wgsl', 'flow'],
]

/** Numbers of layouts in tiles.wgsl; colours are numbered as in COLORS. */
const TILES_LAYOUTS: Record<LayoutName, number> = { map: 0, flow: 1, timeline: 2 }

/** Entry points of flow.wgsl that lay out whole pages. */
const FLOW_STAGES = ['flow_fragments', 'flow_number', 'flow_shift']

const UNIFORM: GPUBufferBindingType = 'uniform'
const READ: GPUBufferBindingType = 'read-only-storage'
const WRITE: GPUBufferBindingType = 'storage'

/**
 * The shaders of the engine, and how buffers are bound to them. They are compiled at once, so that what is wrong
 * with one is known; a kernel is made of them when it is first asked for, which takes a while on some devices.
 */
export class Kernels {
  /** Group 0 where a page is only read: its number, records, chunks, flow. */
  readonly page: GPUBindGroupLayout
  /** Group 0 where flow is written: the same, and pieces. */
  readonly flowPage: GPUBindGroupLayout
  /** Group 1, by what a kernel needs. */
  readonly groups: Readonly<Record<Needs, GPUBindGroupLayout>>
  readonly #device: GPUDevice
  readonly #programs: ReadonlyMap<string, Program>
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>()

  /**
   * Compiles them.
   *
   * @throws Error if a shader does not compile
   */
  static async create(options: KernelOptions): Promise<Kernels> {
    const { device, read, dump } = options
    const layoutOf = (...types: GPUBufferBindingType[]) =>
      device.createBindGroupLayout({
        entries: types.map((type, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type },
        })),
      })
    const page = layoutOf(UNIFORM, READ, READ, READ)
    const flowPage = layoutOf(UNIFORM, READ, READ, WRITE, READ)
    const groups = {
      places: layoutOf(UNIFORM, READ, WRITE),
      tiles: layoutOf(UNIFORM, READ, READ, WRITE),
      flow: layoutOf(UNIFORM, WRITE, WRITE),
    }
    const programs = SHADERS.map(async ([name, needs]): Promise<[string, Program]> => {
      const shader = loadShader(name, read, dump)
      const module = await compileShader(device, shader)
      const bindGroupLayouts = [needs === 'flow' ? flowPage : page, groups[needs]]
      return [name, { shader, module, layout: device.createPipelineLayout({ bindGroupLayouts }) }]
    })
    return new Kernels(device, { page, flowPage, groups }, new Map(await Promise.all(programs)))
  }

  private constructor(
    device: GPUDevice,
    { page, flowPage, groups }: Pick<Kernels, 'page' | 'flowPage' | 'groups'>,
    programs: ReadonlyMap<string, Program>,
  ) {
    this.page = page
    this.flowPage = flowPage
    this.groups = groups
    this.#device = device
    this.#programs = programs
    // The first thing a restarted process does is to lay out all texts anew; who asks is told what went wrong.
    for (const stage of FLOW_STAGES) this.flow(stage).catch(() => {})
  }

  /** The kernel that places tokens on a layout. */
  places(layout: 'map' | 'timeline'): Promise<GPUComputePipeline> {
    return this.#pipeline(`${layout}.wgsl`, `layout_${layout}`)
  }

  /** The kernel that sums a layout's tokens for a colour. */
  tiles(layout: LayoutName, color: ColorName): Promise<GPUComputePipeline> {
    const constants = { LAYOUT: TILES_LAYOUTS[layout], COLOR: COLORS.indexOf(color) }
    return this.#pipeline('tiles.wgsl', 'sum_tiles', constants)
  }

  /** A kernel of flow.wgsl. */
  flow(entryPoint: string): Promise<GPUComputePipeline> {
    return this.#pipeline('flow.wgsl', entryPoint)
  }

  #pipeline(
    name: string,
    entryPoint: string,
    constants: Record<string, number> = {},
  ): Promise<GPUComputePipeline> {
    const key = `${entryPoint} ${Object.values(constants)}`
    let made = this.#pipelines.get(key)
    if (made === undefined) {
      made = makePipeline(this.#device, this.#programs.get(name) as Program, entryPoint, constants)
      this.#pipelines.set(key, made)
    }
    return made
  }
}

/**
 * Workgroups along x and y that hold as many invocations; there is at least one.
 *
 * @param limit workgroups along one dimension at most
 */
export function dispatchSize(invocations: number, limit: number): [x: number, y: number] {
  const groups = Math.ceil(invocations / WORKGROUP)
  const x = Math.min(groups, limit)
  return [x, Math.ceil(groups / x)]
}

async function makePipeline(
  device: GPUDevice,
  { shader: { name }, module, layout }: Program,
  entryPoint: string,
  constants: Record<string, number>,
): Promise<GPUComputePipeline> {
  try {
    const compute = { module, entryPoint, constants }
    return await device.createComputePipelineAsync({ label: name, layout, compute })
  } catch (cause) {
    const message = `The shader ${name} makes no pipeline: ${reasonOf(cause)}`
    throw new TokenscopeError('INTERNAL', message, { cause })
  }
}
