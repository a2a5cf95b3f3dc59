/** The GPU adapter of this machine, and which engine lays out because of it. */
import { TokenscopeError } from '../events/errors.ts'

/** What `--gpu` can ask for. */
export type GpuChoice = 'auto' | 'webgpu' | 'cpu'

/** What layout can run on. */
export type BackendName = 'webgpu' | 'cpu'

/** An adapter as a person would call it. */
export interface Adapter {
  readonly name: string
  /** Whether it is a program that plays a GPU, which is slower at layout than plain code on the same CPU. */
  readonly software: boolean
}

/** What asking for an adapter gave. */
export interface AdapterAnswer {
  /** Null if there is none, or if it could not be asked. */
  readonly adapter: Adapter | null
  /** Why it could not be asked; null if it could. */
  readonly failure: string | null
}

/** Which engine lays out, and why. */
export interface Backend {
  readonly name: BackendName
  /** The adapter in use; null on the CPU. */
  readonly adapter: string | null
  /** Why this one, as half a sentence for a program's log. */
  readonly reason: string
  /** The same for a person. */
  readonly detail: string
}

/**
 * Which engine `choice` and what the machine has lead to: a software adapter is used only by name.
 *
 * @param answer what asking for an adapter gave; with `cpu` nobody asks
 * @throws TokenscopeError GPU_UNAVAILABLE if `webgpu` is asked for and there is no adapter
 */
export function backendFor(choice: GpuChoice, answer: AdapterAnswer): Backend {
  const { adapter, failure } = answer
  if (choice === 'cpu') return onCpu('as --gpu cpu asks', 'CPU, as --gpu cpu asks')
  if (adapter === null) {
    const missing = failure ?? 'no GPU adapter on this machine'
    if (choice === 'auto') return onCpu(missing)
    throw new TokenscopeError(
      'GPU_UNAVAILABLE',
      `--gpu webgpu cannot be had: ${missing}. Install the GPU's driver (on Linux one with Vulkan), or use --gpu auto.`,
      { param: '--gpu' },
    )
  }
  const { name, software } = adapter
  if (!software) return onGpu(name, 'a hardware adapter', `${name} (webgpu)`)
  if (choice === 'auto') return onCpu(`only a software adapter (${name}); --gpu webgpu uses it`)
  const reason = 'a software adapter, as --gpu webgpu asks'
  return onGpu(name, reason, `${name}, ${reason}`)
}

function onCpu(reason: string, detail = `CPU: ${reason}`): Backend {
  return { name: 'cpu', adapter: null, reason, detail }
}

function onGpu(adapter: string, reason: string, detail: string): Backend {
  return { name: 'webgpu', adapter, reason, detail }
}

/** Words of adapters' names that are not written with one capital. */
const SPELLINGS: Readonly<Record<string, string>> = {
  nvidia: 'NVIDIA',
  geforce: 'GeForce',
  rtx: 'RTX',
  gtx: 'GTX',
  amd: 'AMD',
  radv: 'RADV',
  rx: 'RX',
  xt: 'XT',
  xtx: 'XTX',
  uhd: 'UHD',
  hd: 'HD',
  pcie: 'PCIe',
  llvmpipe: 'llvmpipe',
  swiftshader: 'SwiftShader',
}

/**
 * The adapter that `info` describes. WebGPU gives names as identifiers (`nvidia-geforce-rtx-4060`): what a
 * person reads on the box is made of them again.
 */
export function adapterOf(info: GPUAdapterInfo): Adapter {
  const words = (info.device || info.architecture || info.vendor).split('-').filter(Boolean)
  const name = words
    // What is left of (R) and (TM).
    .filter(word => word !== 'r' && word !== 'tm')
    .map(word => SPELLINGS[word] ?? (/\d/.test(word) ? word.toUpperCase() : capitalised(word)))
    .join(' ')
  // Behind the names of software adapters stand versions and widths that say nothing to anybody.
  const known = /^(SwiftShader|llvmpipe)\b/.exec(name)?.[1]
  return { name: known ?? (name || 'a GPU without a name'), software: info.isFallbackAdapter }
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
