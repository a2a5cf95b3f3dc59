import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { dispatchSize, type WebgpuEngine } from '../../compositor/engine-webgpu.ts'
import { layoutMap } from '../../compositor/map.ts'
import { noGpu, useGpu } from '../support/gpu.ts'
import { pageOf, randomCells } from '../support/pages.ts'

const BORDERS = [
  0,
  1,
  255,
  256,
  ...Array.from({ length: 33 }, (_, bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]).flat(),
].filter(cell => cell < 2 ** 32)

/** Has the engine lay out `cells[from … to)`, and says where what is in the page is not what the twin puts there. */
async function differences(engine: WebgpuEngine, cells: Uint32Array, from = 0, to = cells.length) {
  const page = pageOf(cells)
  await engine.layOut(page, from, to)
  engine.release(page)
  const expected = new Uint32Array(cells.length).fill(7)
  layoutMap(cells, expected, from, to)
  const found: string[] = []
  for (let i = 0; i < cells.length && found.length < 5; i++) {
    if (page.places[i] !== expected[i]) found.push(`${i}: ${page.places[i]}, not ${expected[i]}`)
  }
  return found
}

describe.skipIf(noGpu)(`the engine on a GPU, against its twin, bit for bit ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  it('cells at every border of the curve', async () => {
    const cells = Uint32Array.from(BORDERS)
    expect(await differences(await gpu.engine(cells.length), cells)).toEqual([])
  })

  it('a million cells from anywhere', async () => {
    const cells = randomCells(1_000_000, 1)
    expect(await differences(await gpu.engine(cells.length), cells)).toEqual([])
  })

  it('any cells, any part of a page, and no place beside it', async () => {
    const engine = await gpu.engine(1024)
    const cell = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(...BORDERS))
    await fc.assert(
      fc.asyncProperty(
        fc.array(cell, { minLength: 1, maxLength: 1024, size: 'max' }),
        fc.nat(),
        fc.nat(),
        async (list, a, b) => {
          const [from, to] = [a % (list.length + 1), b % (list.length + 1)].sort((p, q) => p - q)
          expect(await differences(engine, Uint32Array.from(list), from, to)).toEqual([])
        },
      ),
      { numRuns: 200 },
    )
  })

  it('lengths around a workgroup, and none', async () => {
    const cells = randomCells(1024, 2)
    const engine = await gpu.engine(cells.length)
    for (const length of [0, 1, 255, 256, 257, 511, 512, 513, 1023, 1024]) {
      expect(await differences(engine, cells, 0, length)).toEqual([])
      expect(await differences(engine, cells, 1024 - length)).toEqual([])
    }
  })

  it('lengths around what one row of workgroups holds', async () => {
    const cells = randomCells(4096, 3)
    const engine = await gpu.engine(cells.length, { maxWorkgroups: 3 })
    for (const length of [767, 768, 769, 1535, 1536, 1537, 2304, 2305]) {
      expect(await differences(engine, cells, 0, length)).toEqual([])
      expect(await differences(engine, cells, 4096 - length)).toEqual([])
    }
  })

  it('more than one row of workgroups of a real device holds', async () => {
    const cells = randomCells(65_535 * 256 + 1, 4)
    expect(await differences(await gpu.engine(cells.length), cells)).toEqual([])
  })

  it('consecutive cells lie side by side', async () => {
    const page = pageOf(Uint32Array.from({ length: 65_536 }, (_, i) => 2 ** 32 - 65_536 + i))
    await (await gpu.engine(65_536)).layOut(page, 0, 65_536)
    const steps = new Set<number>()
    for (let i = 1; i < 65_536; i++) {
      const [place, next] = [page.places[i - 1] as number, page.places[i] as number]
      steps.add(Math.abs((place & 0xffff) - (next & 0xffff)) + Math.abs((place >>> 16) - (next >>> 16)))
    }
    expect([...steps]).toEqual([1])
  })
})

describe.skipIf(noGpu)(`the engine on a GPU ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  it('takes any number of calls at once and answers them in their order', async () => {
    const engine = await gpu.engine(256)
    const pages = Array.from({ length: 20 }, (_, i) => pageOf(randomCells(256, i)))
    const order: number[] = []
    const calls = pages.flatMap((page, i) => [
      engine.layOut(page, 0, 100).then(() => order.push(2 * i)),
      engine.layOut(page, 100, 256).then(() => order.push(2 * i + 1)),
    ])
    await Promise.all(calls)
    expect(order).toEqual(Array.from({ length: 40 }, (_, i) => i))
    for (const page of pages) {
      const expected = new Uint32Array(256)
      layoutMap(page.cells, expected, 0, 256)
      expect(page.places).toEqual(expected)
    }
  })

  it('destroys the buffers of a page that is released, and all of them when it stops', async () => {
    const engine = await gpu.engine(256)
    const destroy = vi.spyOn(GPUBuffer.prototype, 'destroy')
    const pages = [pageOf(randomCells(256, 1)), pageOf(randomCells(256, 2))] as const
    for (const page of pages) await engine.layOut(page, 0, 256)
    engine.release(pages[0])
    engine.release(pages[0])
    expect(destroy).toHaveBeenCalledTimes(2)
    await engine.stop()
    await engine.stop()
    // The other page's two, the ring's three, the range.
    expect(destroy).toHaveBeenCalledTimes(2 + 2 + 3 + 1)
    destroy.mockRestore()
  })

  it('does what runs when it is stopped, and refuses what comes later', async () => {
    const engine = await gpu.engine(256)
    const page = pageOf(randomCells(256, 1))
    const running = engine.layOut(page, 0, 256)
    await Promise.resolve()
    await engine.stop()
    await running
    await expect(engine.layOut(page, 0, 256)).rejects.toThrow('the engine was stopped')
  })

  it('does not begin where the shader has no such entry point', async () => {
    const read = () => '@compute @workgroup_size(1) fn other() {}'
    await expect(gpu.engine(256, { read })).rejects.toThrow(/^The shader map\.wgsl makes no pipeline: /)
  })

  describe('tells of its device', () => {
    const onFault = vi.fn<(reason: string) => void>()
    beforeEach(() => void onFault.mockReset())

    it('that it was lost', async () => {
      const device = await gpu.device()
      const engine = await gpu.engine(256, { device, onFault })
      const page = pageOf(randomCells(256, 1))
      await engine.layOut(page, 0, 256)
      device.destroy()
      await expect(engine.layOut(page, 0, 256)).rejects.toThrow()
      expect(onFault.mock.calls).toEqual([['the GPU device was lost: device was destroyed']])
    })

    it('nothing when it is stopped', async () => {
      const device = await gpu.device()
      const engine = await gpu.engine(256, { device, onFault })
      await engine.stop()
      await device.lost
      expect(onFault).not.toHaveBeenCalled()
    })

    it('an error that no call answers for', async () => {
      const device = await gpu.device()
      await gpu.engine(256, { device, onFault })
      device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE })
      expect(await gpu.faults()).toHaveLength(1)
      expect(onFault.mock.calls).toEqual([[expect.stringMatching(/^GPU error: .*MapRead/)]])
    })
  })
})

describe('dispatchSize', () => {
  it('holds every token, within the limit, and wastes less than a row', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 3000, max: 65_535 }),
        (tokens, limit) => {
          const [x, y] = dispatchSize(tokens, limit)
          expect(Math.max(x, y)).toBeLessThanOrEqual(limit)
          expect(x * y * 256).toBeGreaterThanOrEqual(tokens)
          expect(x * (y - 1) * 256).toBeLessThan(tokens)
        },
      ),
    )
  })
})
