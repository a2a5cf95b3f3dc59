import { describe, expect, it } from 'vitest'
import { openDevice } from '../../compositor/gpu.ts'
import { GpuTimer } from '../../compositor/gpu-timer.ts'
import { TokenPage } from '../../compositor/tokens/token-page.ts'
import { noGpu, useGpu } from '../support/gpu.ts'

describe.skipIf(noGpu)(`the time that the GPU takes ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  it('is told of the last call, and of copies, where the device has timestamps', async () => {
    const { device } = await openDevice({ timestamps: true })
    expect(device.features.has('timestamp-query')).toBe(true)
    const timer = new GpuTimer(device)
    const engine = await gpu.engine({ device, timer })
    expect(timer.last).toBeNull()
    const page = new TokenPage(1)
    await engine.places('map', page, new Uint32Array(1), 0, 1000)
    expect(timer.last).toBeGreaterThanOrEqual(0)
    expect(await timer.copyBandwidth(1 << 24)).toBeGreaterThan(0)
    timer.destroy()
    await engine.stop()
  })

  it('is not to be had of a device without them', async () => {
    const device = await gpu.device()
    expect(() => new GpuTimer(device)).toThrow('the GPU device has no timestamps')
  })
})
