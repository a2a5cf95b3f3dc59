import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import type { WebgpuEngine } from '../../compositor/engine-webgpu.ts'
import { dispatchSize } from '../../compositor/gpu-kernels.ts'
import { CARRY_WORDS } from '../../compositor/layout/flow-words.ts'
import { readShader } from '../../compositor/shader-files.ts'
import { CHUNK_NEXT, CHUNK_WORDS, COLUMN_VALUES, PAGE_TOKENS } from '../../compositor/tokens/record.ts'
import { TokenPage } from '../../compositor/tokens/token-page.ts'
import { sumTiles } from '../../compositor/view/tiles.ts'
import { ALL_KINDS, NO_TIME, type TilesRequest } from '../../compositor/view/tiles-request.ts'
import { noGpu, useGpu } from '../support/gpu.ts'
import { randomFrom } from '../support/random.ts'
import { everyFragmentOf, placesOf, randomPage } from '../support/random-page.ts'
import { differences } from '../support/words.ts'

const SLOTS = 10
const LANES = new Uint32Array(SLOTS)

const REQUEST: TilesRequest = {
  layout: 'map',
  color: 'confidence',
  z: 2,
  left: 0,
  top: 0,
  width: 64,
  height: 64,
  t: NO_TIME,
  since: 0,
  kinds: ALL_KINDS,
  generations: Uint32Array.from({ length: SLOTS * 4 }, (_, i) => ((i & 3) === 1 ? 1 : 0)),
  panels: Uint32Array.of(0),
  panelSide: 96,
}

function smallPage(seed: number, number = 0): TokenPage {
  return randomPage(randomFrom(seed), { number, generations: SLOTS })
}

describe.skipIf(noGpu)(`the engine on a GPU ${noGpu ?? ''}`, () => {
  const gpu = useGpu()
  afterEach(() => void vi.restoreAllMocks())

  async function tileDifferences(engine: WebgpuEngine, page: TokenPage, request = REQUEST) {
    const expected = sumTiles(request, [page])
    expect(expected.some(word => word > 0)).toBe(true)
    return differences(await engine.tiles(request, [page]), expected)
  }

  it('takes any number of calls at once and answers them in their order', async () => {
    const engine = await gpu.engine()
    const page = smallPage(1)
    const order: number[] = []
    const calls = Array.from({ length: 20 }, async (_, i) => {
      const places = await engine.places('map', page, LANES, i, i + 100)
      order.push(i)
      return places
    })
    for (const [i, places] of (await Promise.all(calls)).entries()) {
      expect(places).toEqual(await new CpuEngine().places('map', page, LANES, i, i + 100))
    }
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  it('uploads what was written and nothing else', async () => {
    const engine = await gpu.engine()
    const page = smallPage(1)
    const places = placesOf(page, 3)
    await engine.tiles(REQUEST, [page])
    const [first, last] = [places[0] as number, places.at(-1) as number]
    page.records[COLUMN_VALUES * PAGE_TOKENS + first] = 17
    page.records[COLUMN_VALUES * PAGE_TOKENS + last] = 18
    engine.wrote(page, first, 1)
    engine.wrote(page, last, 1)
    const write = vi.spyOn(GPUQueue.prototype, 'writeBuffer')
    expect(await tileDifferences(engine, page)).toEqual([])
    const records = write.mock.calls.filter(([, , data]) => data === page.records)
    // One range of each column: what lies between the two is not worth a write of its own.
    expect(records.map(([, , , at, size]) => [at, size])).toEqual(
      [0, 1, 2].map(column => [column * PAGE_TOKENS + first, last + 1 - first]),
    )
    write.mockClear()
    expect(await tileDifferences(engine, page)).toEqual([])
    expect(write.mock.calls.filter(([, , data]) => data === page.records || data === page.chunks)).toEqual([])
  })

  it('finds parts of a page that were written far from each other, in any order', async () => {
    const engine = await gpu.engine()
    const page = randomPage(randomFrom(3), { generations: SLOTS, chunks: 300 })
    const request = { ...REQUEST, width: 256, height: 256 }
    await engine.tiles(request, [page])
    const random = randomFrom(4)
    const places = placesOf(page, 0)
    for (let i = 0; i < 1000; i++) {
      const place = places[Math.floor(random() * places.length)] as number
      page.records[COLUMN_VALUES * PAGE_TOKENS + place] = i
      engine.wrote(page, place, 1)
    }
    expect(await tileDifferences(engine, page, request)).toEqual([])
  })

  it('finds headers that changed because another chunk was begun', async () => {
    const engine = await gpu.engine()
    const page = smallPage(1)
    await engine.tiles(REQUEST, [page])
    const jobs = Uint32Array.of(0, placesOf(page, 0)[0] as number, 256 + 1, 0)
    // A generation of two full chunks, the second of which was not there at first.
    for (const chunk of [0, 4000]) page.chunks.set([0, 256, 0, 0, 0, 0, 0, 0], chunk * CHUNK_WORDS)
    page.chunks[CHUNK_NEXT] = 4001
    page.records.fill(3, 2 * PAGE_TOKENS, 2 * PAGE_TOKENS + 256)
    page.records.fill(5, 2 * PAGE_TOKENS + 4000 * 256, 2 * PAGE_TOKENS + 4001 * 256)
    engine.wrote(page, 0, 256)
    await engine.tiles(REQUEST, [page])
    page.flow = new Uint32Array(PAGE_TOKENS)
    engine.wrote(page, 4000 * 256, 256)
    jobs[1] = 0
    await engine.flowAppend(page, jobs, new Uint32Array(CARRY_WORDS), 1 << 20)
    expect(page.flow[255]).toBe(255 * 3)
    expect(page.flow[4000 * 256]).toBe(256 * 3)
  })

  it('takes in pieces as there come to be more of them', async () => {
    const engine = await gpu.engine()
    const cpu = new CpuEngine()
    const random = randomFrom(9)
    for (const generations of [1, 5, 40]) {
      const page = randomPage(random, { generations, manner: 'hostile' })
      const more = randomPage(random, { generations, firstChunk: 1000, manner: 'hostile' })
      const carries = new Uint32Array(generations * CARRY_WORDS)
      page.flow = new Uint32Array(PAGE_TOKENS)
      await engine.reflow(page, everyFragmentOf(page, generations), carries.slice(), 80)
      // The other page's tokens take the place of this one's, with pieces of their own behind those.
      const offset = page.piecesUsed
      page.addPieces(more.pieces, more.piecesUsed - 1)
      for (let i = offset; i < page.piecesUsed; i++) page.pieces[i] = more.pieces[i - offset] as number
      page.records.set(more.records)
      page.chunks.set(more.chunks)
      page.newlines.set(more.newlines)
      for (let i = 2 * PAGE_TOKENS; i < 3 * PAGE_TOKENS; i++) {
        const shape = page.records[i] as number
        if (shape >= 2 ** 31) page.records[i] = shape + offset
      }
      engine.wrote(page, 0, PAGE_TOKENS)
      page.flow = new Uint32Array(PAGE_TOKENS)
      await cpu.reflow(page, everyFragmentOf(page, generations), carries.slice(), 80)
      const expected = page.flow
      page.flow = new Uint32Array(PAGE_TOKENS)
      await engine.reflow(page, everyFragmentOf(page, generations), carries.slice(), 80)
      expect(differences(page.flow, expected)).toEqual([])
    }
  })

  it('follows flow as it comes, is written to, is replaced and goes', async () => {
    const engine = await gpu.engine()
    const page = smallPage(5)
    const request = { ...REQUEST, layout: 'flow' as const, z: 3 }
    const none = new Uint32Array(request.width * request.height * 4)
    expect(await engine.tiles(request, [page])).toEqual(none)
    page.flow = new Uint32Array(PAGE_TOKENS).fill(5)
    expect(await tileDifferences(engine, page, request)).toEqual([])
    const [first] = placesOf(page, 2) as [number]
    page.flow[first] = 33 + 20 * 1024
    engine.wroteFlow(page, first, 1)
    expect(await tileDifferences(engine, page, request)).toEqual([])
    page.flow = new Uint32Array(PAGE_TOKENS).fill(9)
    expect(await tileDifferences(engine, page, request)).toEqual([])
    page.flow = null
    expect(await engine.tiles(request, [page])).toEqual(none)
    expect(await tileDifferences(engine, page)).toEqual([])
  })

  it.each([16, 64, 1024, 4096])('brings results back in buffers of %d bytes, in turn', async slotBytes => {
    const engine = await gpu.engine({ slotBytes })
    const page = smallPage(6)
    expect(await tileDifferences(engine, page, { ...REQUEST, width: 31, height: 9 })).toEqual([])
    const fragments = everyFragmentOf(page, SLOTS)
    const carries = new Uint32Array(SLOTS * CARRY_WORDS)
    page.flow = new Uint32Array(PAGE_TOKENS)
    await new CpuEngine().reflow(page, fragments.slice(), carries.slice(), 80)
    const expected = page.flow
    page.flow = new Uint32Array(PAGE_TOKENS)
    await engine.reflow(page, fragments, carries, 80)
    expect(differences(page.flow, expected)).toEqual([])
  })

  it('has nothing to do where there is nothing', async () => {
    const engine = await gpu.engine()
    const page = new TokenPage(0)
    page.flow = new Uint32Array(PAGE_TOKENS)
    await engine.flowAppend(page, new Uint32Array(0), new Uint32Array(0), 80)
    await engine.reflow(page, new Uint32Array(0), new Uint32Array(0), 80)
    expect(await engine.places('map', page, LANES, 7, 7)).toEqual(new Uint32Array(0))
  })

  it('destroys the buffers of a page that is released, and all of them when it stops', async () => {
    const create = vi.spyOn(GPUDevice.prototype, 'createBuffer')
    const destroy = vi.spyOn(GPUBuffer.prototype, 'destroy')
    const engine = await gpu.engine()
    const pages = [smallPage(1), smallPage(2)] as const
    for (const page of pages) {
      page.flow = new Uint32Array(PAGE_TOKENS)
      await engine.reflow(page, everyFragmentOf(page, SLOTS), new Uint32Array(SLOTS * CARRY_WORDS), 80)
      await engine.tiles(REQUEST, [page])
    }
    const before = destroy.mock.calls.length
    engine.release(pages[0])
    engine.release(pages[0])
    await engine.places('map', pages[1], LANES, 0, 1)
    expect(destroy.mock.calls.length - before).toBe(5)
    await engine.stop()
    await engine.stop()
    const created = create.mock.results.map(({ value }) => value)
    expect(new Set(destroy.mock.contexts)).toEqual(new Set(created))
  })

  it('keeps nothing of a page that is released while calls wait that need it', async () => {
    const create = vi.spyOn(GPUDevice.prototype, 'createBuffer')
    const destroy = vi.spyOn(GPUBuffer.prototype, 'destroy')
    const engine = await gpu.engine()
    const pages = [smallPage(1), smallPage(2)] as const
    await engine.tiles(REQUEST, [pages[0]])
    const kept = () => create.mock.calls.length - new Set(destroy.mock.contexts).size
    const before = kept()
    for (let i = 0; i < 3; i++) {
      const waiting = [engine.tiles(REQUEST, pages), engine.tiles(REQUEST, [pages[1]])]
      engine.release(pages[1])
      expect(differences(await (waiting[0] as Promise<Uint32Array>), sumTiles(REQUEST, pages))).toEqual([])
      await Promise.all([...waiting, engine.tiles(REQUEST, [pages[0]])])
      expect(kept()).toBe(before)
    }
  })

  it('brings back what it laid out of a page whose flow is let go of or replaced meanwhile', async () => {
    const engine = await gpu.engine({ slotBytes: 256 })
    for (const next of [null, new Uint32Array(PAGE_TOKENS)]) {
      const page = smallPage(6)
      const fragments = everyFragmentOf(page, SLOTS)
      const carries = new Uint32Array(SLOTS * CARRY_WORDS)
      const expected = new Uint32Array(PAGE_TOKENS)
      page.flow = expected
      await new CpuEngine().reflow(page, fragments.slice(), carries.slice(), 80)
      const laidOut = new Uint32Array(PAGE_TOKENS)
      page.flow = laidOut
      const running = engine.reflow(page, fragments, carries, 80)
      // Some of it is on its way, and some is not yet asked for.
      while (laidOut.every(word => word === 0)) await new Promise(setImmediate)
      page.flow = next
      engine.wroteFlow(page, 0, 1)
      await running
      expect(differences(laidOut, expected)).toEqual([])
    }
  })

  it('works on where a page has more pieces than a shader can be given', async () => {
    const onFault = vi.fn<(reason: string) => void>()
    const device = await gpu.device()
    const engine = await gpu.engine({ device, onFault })
    const page = randomPage(randomFrom(9), { generations: SLOTS, manner: 'hostile' })
    const pieces = new Uint32Array(device.limits.maxStorageBufferBindingSize / 4 + 1)
    pieces.set(page.pieces)
    page.pieces = pieces
    page.piecesUsed = pieces.length
    const carries = new Uint32Array(SLOTS * CARRY_WORDS)
    const expected = new Uint32Array(PAGE_TOKENS)
    page.flow = expected
    await new CpuEngine().reflow(page, everyFragmentOf(page, SLOTS), carries.slice(), 80)
    page.flow = new Uint32Array(PAGE_TOKENS)
    const request = { ...REQUEST, layout: 'flow' as const, z: 3 }
    await engine.tiles(request, [page])
    await engine.reflow(page, everyFragmentOf(page, SLOTS), carries, 80)
    expect(differences(page.flow, expected)).toEqual([])
    expect(await tileDifferences(engine, page, request)).toEqual([])
    expect(onFault).not.toHaveBeenCalled()
  })

  it('does what runs when it is stopped, and refuses what comes later', async () => {
    const engine = await gpu.engine()
    const page = smallPage(1)
    const running = engine.tiles(REQUEST, [page])
    await Promise.resolve()
    await engine.stop()
    await running
    await expect(engine.tiles(REQUEST, [page])).rejects.toThrow('the engine was stopped')
    engine.wrote(page, 0, 1)
    engine.wroteFlow(page, 0, 1)
  })

  it('does not begin with a shader that does not compile', async () => {
    const read = (name: string) => (name === 'record.wgsl' ? 'fn half() -> other {}' : readShader(name))
    await expect(gpu.engine({ read })).rejects.toThrow(
      /^The shader \w+\.wgsl does not compile: record\.wgsl:1: /,
    )
  })

  it('refuses what needs an entry point that a shader has not, and nothing else', async () => {
    const other = '@compute @workgroup_size(1) fn other() {}'
    const engine = await gpu.engine({ read: name => (name === 'map.wgsl' ? other : readShader(name)) })
    const page = smallPage(1)
    const refused = engine.places('map', page, LANES, 0, 1)
    await expect(refused).rejects.toThrow(/^The shader map\.wgsl makes no pipeline: /)
    expect(await tileDifferences(engine, page)).toEqual([])
  })

  describe('tells of its device', () => {
    const onFault = vi.fn<(reason: string) => void>()
    beforeEach(() => void onFault.mockReset())

    it('that it was lost, to whoever waits and to whoever comes', async () => {
      const device = await gpu.device()
      const engine = await gpu.engine({ device, onFault })
      const page = smallPage(1)
      const waiting = [1, 2, 3].map(() => engine.tiles(REQUEST, [page]))
      const settled = Promise.allSettled(waiting)
      await Promise.resolve()
      device.destroy()
      for (const { status } of await settled) expect(status).toBe('rejected')
      await expect(engine.tiles(REQUEST, [page])).rejects.toThrow('the GPU device was lost')
      expect(onFault.mock.calls).toEqual([['the GPU device was lost: device was destroyed']])
      await engine.stop()
    })

    it('nothing when it is stopped', async () => {
      const device = await gpu.device()
      const engine = await gpu.engine({ device, onFault })
      await engine.stop()
      await device.lost
      expect(onFault).not.toHaveBeenCalled()
    })

    it('an error that no call answers for, and answers no more', async () => {
      const device = await gpu.device()
      const engine = await gpu.engine({ device, onFault })
      device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE })
      expect(await gpu.faults()).toHaveLength(1)
      expect(onFault.mock.calls).toEqual([[expect.stringMatching(/^GPU error: .*MapRead/)]])
      await expect(engine.tiles(REQUEST, [smallPage(1)])).rejects.toThrow('GPU error')
    })
  })
})

describe('dispatchSize', () => {
  it('holds every invocation, within the limit, and wastes less than a row', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 3000, max: 65_535 }),
        (invocations, limit) => {
          const [x, y] = dispatchSize(invocations, limit)
          expect(Math.max(x, y)).toBeLessThanOrEqual(limit)
          expect(x * y * 256).toBeGreaterThanOrEqual(invocations)
          expect(x * (y - 1) * 256).toBeLessThan(invocations)
        },
      ),
    )
  })
})
