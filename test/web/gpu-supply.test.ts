import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GpuSupply } from '../../web/map/gpu-supply.ts'
import type { PictureLayer } from '../../web/view/picture-layer.ts'

/** A device that can be lost, or refuse a command, at will. */
class FakeDevice extends EventTarget {
  lose: (message: string) => void = () => {}
  destroyed = false
  readonly lost = new Promise<{ message: string }>(resolve => {
    this.lose = message => resolve({ message })
  })

  destroy(): void {
    this.destroyed = true
    this.lose('destroyed')
  }

  refuse(message: string): void {
    this.dispatchEvent(Object.assign(new Event('uncapturederror'), { error: { message } }))
  }
}

/** What an adapter is asked for: a device, no adapter at all, or the error of a device that is refused. */
type Answer = FakeDevice | null | Error

interface More {
  prepare?: (device: GPUDevice) => Promise<PictureLayer>
  gpu?: undefined
  secure?: boolean
  software?: boolean
  /** Whether the adapter is a program; null for a browser that does not describe it. */
  fallback?: boolean | null
}

function make(answers: Answer[], { fallback = false, ...more }: More = {}) {
  const said: string[] = []
  const reported: string[] = []
  const layer = { by: 'webgpu', stop: () => said.push('stop') } as unknown as PictureLayer
  const gpu = {
    requestAdapter: async () => {
      const answer = answers.shift() ?? null
      if (answer === null) return null
      return {
        info: fallback === null ? undefined : { isFallbackAdapter: fallback },
        requestDevice: async () => {
          if (answer instanceof Error) throw answer
          return answer
        },
      }
    },
  }
  let now = 0
  const supply = new GpuSupply({
    gpu: gpu as never,
    secure: true,
    software: false,
    prepare: async () => layer,
    drawWith: layer => said.push(layer === null ? 'leave' : 'take'),
    without: reason => said.push(`without: ${reason}`),
    report: error => reported.push(error.message),
    now: () => now,
    ...more,
  })
  supply.start()
  const pass = (ms: number) => {
    now += ms
    return vi.advanceTimersByTimeAsync(ms)
  }
  return { supply, layer, said, reported, pass }
}

describe('the supply of a GPU', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['this browser offers no WebGPU', { gpu: undefined }],
    ['this page is not in a secure context (https or localhost)', { gpu: undefined, secure: false }],
  ])('says that %s', async (reason, more) => {
    const { said, pass } = make([], more)
    await pass(0)
    expect(said).toEqual([`without: ${reason}`])
  })

  it('says that there is no adapter, or that it gives no device', async () => {
    const none = make([null])
    await none.pass(0)
    expect(none.said).toEqual(['without: this browser offers no GPU for WebGPU'])
    const refusing = make([new Error('too many')])
    await refusing.pass(0)
    expect(refusing.said).toEqual(['without: the GPU gives no device (too many)'])
  })

  it('takes a GPU that is a program only where that is asked for', async () => {
    const refusing = make([new FakeDevice()], { fallback: true })
    await refusing.pass(0)
    expect(refusing.said).toEqual(['without: this browser has only a software GPU; ?draw=webgpu uses it'])
    const asked = make([new FakeDevice()], { fallback: true, software: true })
    const undescribed = make([new FakeDevice()], { fallback: null })
    await asked.pass(0)
    expect([asked.said, undescribed.said]).toEqual([['take'], ['take']])
  })

  it('does not draw with a device that was lost while its shaders compiled', async () => {
    const [first, second] = [new FakeDevice(), new FakeDevice()]
    const compiled: (() => void)[] = []
    const prepare = () => new Promise<PictureLayer>(resolve => compiled.push(() => resolve(layer)))
    const { said, layer, pass } = make([first, second], { prepare })
    await pass(0)
    first.lose('driver reset')
    await pass(10)
    compiled[1]?.()
    await pass(0)
    expect(said).toEqual(['leave', 'take'])
    compiled[0]?.()
    await pass(0)
    expect(said).toEqual(['leave', 'take', 'stop'])
  })

  it('gives up devices that are lost before they draw, however long an earlier one served', async () => {
    const devices = Array.from({ length: 6 }, () => new FakeDevice())
    const prepare = async (device: GPUDevice) => {
      if (device !== (devices[0] as unknown)) (device as unknown as FakeDevice).lose('again')
      await Promise.resolve()
      return layer
    }
    const { said, layer, pass } = make([...devices], { prepare })
    await pass(0)
    await pass(120_000)
    devices[0]?.lose('driver reset')
    await pass(10_000)
    expect(said.filter(word => word !== 'stop')).toEqual([
      'take',
      ...Array(3).fill('leave'),
      'without: the GPU device was lost: again',
    ])
  })

  it('says why nothing can be drawn with the device, and gives it back', async () => {
    const device = new FakeDevice()
    const prepare = () => Promise.reject(new Error('map-cells.wgsl:3: no such type\nand more'))
    const { said, reported, pass } = make([device], { prepare })
    await pass(0)
    expect(said).toEqual(['leave', 'without: WebGPU does not work here (map-cells.wgsl:3: no such type)'])
    expect(reported).toHaveLength(1)
    expect(device.destroyed).toBe(true)
  })

  it('takes another device when one is lost', async () => {
    const [first, second] = [new FakeDevice(), new FakeDevice()]
    const { said, pass } = make([first, second])
    await pass(0)
    first.lose('driver reset')
    await pass(10)
    expect(said).toEqual(['take', 'leave', 'take'])
    expect(second.destroyed).toBe(false)
  })

  it('tries twice, then says what happened to the one that it had', async () => {
    const device = new FakeDevice()
    const { said, pass } = make([device, null, null])
    await pass(0)
    device.lose('The GPU process crashed.')
    await pass(100)
    expect(said).toEqual(['take', 'leave'])
    await pass(3000)
    expect(said.slice(2)).toEqual(['without: the GPU device was lost: The GPU process crashed'])
    await pass(60_000)
    expect(said).toHaveLength(3)
  })

  it('bears one loss after another only if the devices served for a while', async () => {
    const devices = Array.from({ length: 8 }, () => new FakeDevice())
    const { said, pass } = make([...devices])
    for (const device of devices.slice(0, 4)) {
      await pass(120_000)
      device.lose('')
      await pass(2000)
    }
    expect(said.filter(word => word === 'take')).toHaveLength(5)
    for (const device of devices.slice(4)) {
      device.lose('again')
      await pass(2000)
    }
    expect(said.at(-1)).toBe('without: the GPU device was lost: again')
    expect(said.filter(word => word === 'take')).toHaveLength(6)
  })

  it('leaves a device that refuses a command, and says so once', async () => {
    const device = new FakeDevice()
    const { said, reported, pass } = make([device])
    await pass(0)
    device.refuse('the buffer is too small')
    device.refuse('the buffer is too small')
    await pass(5000)
    expect(said).toEqual(['take', 'leave', 'without: the GPU refused a command'])
    expect(reported).toEqual(['the buffer is too small'])
    expect(device.destroyed).toBe(true)
  })

  it('asks for nothing any more once it is stopped', async () => {
    const [first, second] = [new FakeDevice(), new FakeDevice()]
    const { supply, said, pass } = make([first, second])
    await pass(0)
    supply.stop()
    await pass(5000)
    expect(said).toEqual(['take', 'leave'])
    expect([first.destroyed, second.destroyed]).toEqual([true, false])
  })
})
