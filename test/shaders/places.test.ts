import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import type { WebgpuEngine } from '../../compositor/engine-webgpu.ts'
import { PAGE_TOKENS } from '../../compositor/tokens/record.ts'
import { TokenPage } from '../../compositor/tokens/token-page.ts'
import { noGpu, useGpu } from '../support/gpu.ts'
import { randomFrom } from '../support/random.ts'
import { randomPage } from '../support/random-page.ts'
import { rounds } from '../support/rounds.ts'
import { differences } from '../support/words.ts'

const SLOTS = 300
/** Lengths around a workgroup, and around a row of three. */
const LENGTHS = [0, 1, 255, 256, 257, 511, 512, 513, 767, 768, 769, 1535, 1536, 1537, 2304, 2305]

describe.skipIf(noGpu)(`map.wgsl and timeline.wgsl, against their twins, bit for bit ${noGpu ?? ''}`, () => {
  const gpu = useGpu()
  const cpu = new CpuEngine()
  const lanes = Uint32Array.from({ length: SLOTS }, (_, slot) => (slot * 7) % 100)

  async function placeDifferences(engine: WebgpuEngine, page: TokenPage, first: number, end: number) {
    const told: string[] = []
    for (const layout of ['map', 'timeline'] as const) {
      const places = await engine.places(layout, page, lanes, first, end)
      const expected = await cpu.places(layout, page, lanes, first, end)
      told.push(...differences(places, expected).map(word => `${layout} ${word}`))
    }
    return told
  }

  it('any part of a page', async () => {
    const engine = await gpu.engine()
    const page = randomPage(randomFrom(1), { number: 2049, generations: SLOTS, chunks: 4 })
    const place = fc.oneof(fc.integer({ min: 0, max: PAGE_TOKENS }), fc.constantFrom(0, PAGE_TOKENS))
    const count = fc.oneof(fc.nat(600), fc.constantFrom(...LENGTHS))
    await fc.assert(
      fc.asyncProperty(place, count, async (place, count) => {
        const first = Math.min(place, PAGE_TOKENS - count)
        expect(await placeDifferences(engine, page, first, first + count)).toEqual([])
      }),
      { numRuns: rounds(2000) },
    )
  })

  it.each([1, 4095])('a million tokens, of page %d', async number => {
    const page = randomPage(randomFrom(number), { number, generations: SLOTS, chunks: 26 })
    expect(await placeDifferences(await gpu.engine(), page, 0, PAGE_TOKENS)).toEqual([])
  })

  it('in rows of workgroups, if one cannot hold them', async () => {
    const engine = await gpu.engine({ maxWorkgroups: 3 })
    const page = randomPage(randomFrom(2), { generations: SLOTS })
    for (const length of LENGTHS) {
      expect(await placeDifferences(engine, page, 0, length)).toEqual([])
      expect(await placeDifferences(engine, page, 70_000 - length, 70_000)).toEqual([])
    }
  })

  it('puts consecutive cells side by side', async () => {
    const engine = await gpu.engine()
    const places = await engine.places('map', new TokenPage(4095), lanes, PAGE_TOKENS - 65_536, PAGE_TOKENS)
    const steps = new Set<number>()
    for (let i = 1; i < places.length; i++) {
      const [place, next] = [places[i - 1] as number, places[i] as number]
      steps.add(Math.abs((place & 0xffff) - (next & 0xffff)) + Math.abs((place >>> 16) - (next >>> 16)))
    }
    expect([...steps]).toEqual([1])
  })
})
