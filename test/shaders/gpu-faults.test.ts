import { describe, expect, it } from 'vitest'
import { noGpu, useGpu } from '../support/gpu.ts'

// The other tests on a GPU rely on it.
describe.skipIf(noGpu)(`a test on the GPU ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  function makeMistake(device: GPUDevice): void {
    device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE })
  }

  it.fails('fails if an error is left that nobody caught', async () => {
    makeMistake(await gpu.device())
  })

  it('passes if there is none', async () => {
    const device = await gpu.device()
    device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE }).destroy()
    expect(await gpu.faults()).toEqual([])
  })

  it('passes if it expected the error', async () => {
    makeMistake(await gpu.device())
    expect(await gpu.faults()).toEqual([expect.stringMatching(/MapRead/)])
  })
})
