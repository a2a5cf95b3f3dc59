/** The way to the GPU in Node: Dawn, by the package `webgpu`. */
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import { type Adapter, adapterOf } from './adapter.ts'

/**
 * What Dawn's `create()` gave. Once it is collected while a device lives, the process dies or hangs (seen in 8
 * of 8 runs with webgpu 0.6.2, and in none of 8 where it was kept), so it is kept as long as the process is:
 * the one state of a module here.
 */
let instance: GPU | null = null

/** A device, and the adapter that it is of. */
export interface OpenDevice {
  readonly adapter: Adapter
  readonly device: GPUDevice
}

/**
 * Opens the way. Names of the standard (`GPUBufferUsage`, …) are global afterwards, as they are in a browser.
 *
 * @throws TokenscopeError GPU_UNAVAILABLE where the package does not load: it has binaries for glibc Linux,
 *   macOS and Windows only
 */
export async function openGpu(): Promise<GPU> {
  if (instance !== null) return instance
  try {
    // Not at the top: a platform that has no binary is to get a reason, not a crash.
    const { create, globals } = await import('webgpu')
    Object.assign(globalThis, globals)
    instance ??= create([])
    return instance
  } catch (cause) {
    const [line] = reasonOf(cause).split('\n')
    throw new TokenscopeError('GPU_UNAVAILABLE', `WebGPU does not load on this system (${line})`, { cause })
  }
}

/**
 * The adapter that the system gives first; null if there is none.
 *
 * @throws TokenscopeError GPU_UNAVAILABLE, see {@link openGpu}
 */
export async function requestAdapter(): Promise<GPUAdapter | null> {
  const gpu = await openGpu()
  return gpu.requestAdapter({ powerPreference: 'high-performance' })
}

/**
 * Opens a device with the default limits, so that the same shaders run in browsers.
 *
 * @param timestamps whether it is to tell how long passes take, if the adapter can
 * @throws TokenscopeError GPU_UNAVAILABLE if there is no adapter or it gives no device
 */
export async function openDevice({ timestamps = false } = {}): Promise<OpenDevice> {
  const adapter = await requestAdapter()
  if (adapter === null) throw new TokenscopeError('GPU_UNAVAILABLE', 'no GPU adapter on this machine')
  try {
    const tells = timestamps && adapter.features.has('timestamp-query')
    const device = await adapter.requestDevice({ requiredFeatures: tells ? ['timestamp-query'] : [] })
    return { adapter: adapterOf(adapter.info), device }
  } catch (cause) {
    throw new TokenscopeError('GPU_UNAVAILABLE', `the GPU gives no device: ${reasonOf(cause)}`, { cause })
  }
}
