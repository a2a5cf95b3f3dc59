import { describe, expect, it } from 'vitest'
import { type AdapterAnswer, adapterOf, backendFor } from '../../compositor/adapter.ts'
import { TokenscopeError } from '../../events/errors.ts'

const HARDWARE: AdapterAnswer = {
  adapter: { name: 'NVIDIA GeForce RTX 4060', software: false },
  failure: null,
}
const SOFTWARE: AdapterAnswer = { adapter: { name: 'SwiftShader', software: true }, failure: null }
const NONE: AdapterAnswer = { adapter: null, failure: null }
const FAILED: AdapterAnswer = { adapter: null, failure: 'WebGPU does not load on this system (no libc)' }

describe('backendFor', () => {
  it.each([
    ['auto', HARDWARE, 'webgpu', 'NVIDIA GeForce RTX 4060 (webgpu)'],
    ['auto', SOFTWARE, 'cpu', 'CPU: only a software adapter (SwiftShader); --gpu webgpu uses it'],
    ['auto', NONE, 'cpu', 'CPU: no GPU adapter on this machine'],
    ['auto', FAILED, 'cpu', 'CPU: WebGPU does not load on this system (no libc)'],
    ['webgpu', HARDWARE, 'webgpu', 'NVIDIA GeForce RTX 4060 (webgpu)'],
    ['webgpu', SOFTWARE, 'webgpu', 'SwiftShader, a software adapter, as --gpu webgpu asks'],
    ['cpu', HARDWARE, 'cpu', 'CPU, as --gpu cpu asks'],
    ['cpu', NONE, 'cpu', 'CPU, as --gpu cpu asks'],
  ] as const)('%s, %j: %s, "%s"', (choice, answer, name, detail) => {
    const backend = backendFor(choice, answer)
    expect(backend).toMatchObject({ name, detail })
    expect(backend.adapter).toBe(name === 'webgpu' ? answer.adapter?.name : null)
  })

  it.each([
    [NONE, '--gpu webgpu cannot be had: no GPU adapter on this machine. Install'],
    [FAILED, '--gpu webgpu cannot be had: WebGPU does not load on this system (no libc). Install'],
  ])('webgpu, %j: an error that says what to do', (answer, message) => {
    expect(() => backendFor('webgpu', answer)).toThrow(TokenscopeError)
    expect(() => backendFor('webgpu', answer)).toThrow(message)
    expect(() => backendFor('webgpu', answer)).toThrow(/or use --gpu auto\.$/)
  })
})

describe('adapterOf', () => {
  it.each([
    ['nvidia-geforce-rtx-4060-ti', 'NVIDIA GeForce RTX 4060 Ti'],
    ['nvidia-h200', 'NVIDIA H200'],
    ['amd-radeon-rx-7900-xtx-radv-navi31-', 'AMD Radeon RX 7900 XTX RADV NAVI31'],
    ['intel-r-uhd-graphics-770-adl-s-gt1-', 'Intel UHD Graphics 770 Adl S GT1'],
    ['apple-m1-max', 'Apple M1 Max'],
    ['swiftshader-device-subzero-', 'SwiftShader'],
    ['llvmpipe-llvm-15-0-7-256-bits-', 'llvmpipe'],
    ['microsoft-basic-render-driver', 'Microsoft Basic Render Driver'],
    ['', 'Ada'],
  ])('reads %j as "%s"', (device, name) => {
    expect(adapterOf(infoOf({ device })).name).toBe(name)
  })

  it('has words for one without any, and says what is software', () => {
    expect(adapterOf(infoOf({ architecture: '', vendor: '' }))).toEqual({
      name: 'a GPU without a name',
      software: false,
    })
    expect(adapterOf(infoOf({ isFallbackAdapter: true })).software).toBe(true)
  })
})

function infoOf(some: Partial<GPUAdapterInfo>): GPUAdapterInfo {
  const none = {
    vendor: 'nvidia',
    architecture: 'ada',
    device: '',
    description: '',
    isFallbackAdapter: false,
  }
  return { ...none, ...some } as GPUAdapterInfo
}
