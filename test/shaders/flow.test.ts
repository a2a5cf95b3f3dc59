import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import type { WebgpuEngine } from '../../compositor/engine-webgpu.ts'
import { FlowLayout, fragmentsOf } from '../../compositor/layout/flow-layout.ts'
import { CARRY_WORDS, FRAGMENT_WORDS } from '../../compositor/layout/flow-words.ts'
import { PAGE_TOKENS } from '../../compositor/tokens/record.ts'
import type { TokenPage } from '../../compositor/tokens/token-page.ts'
import { TokenStore } from '../../compositor/tokens/token-store.ts'
import { noGpu, useGpu } from '../support/gpu.ts'
import { between, oneOf, randomFrom } from '../support/random.ts'
import { everyFragmentOf, placesOf, randomPage, TEXT_MANNERS } from '../support/random-page.ts'
import { rounds } from '../support/rounds.ts'
import { entriesOf, hostileTexts } from '../support/token-text.ts'
import { differences } from '../support/words.ts'

/** Generations that are compared in one call. */
const BATCH = 20
const WIDTHS = [2, 3, 7, 8, 9, 20, 79, 80, 81, 120, 1000]

describe.skipIf(noGpu)(`flow.wgsl, against its twin, bit for bit ${noGpu ?? ''}`, () => {
  const gpu = useGpu()
  const cpu = new CpuEngine()

  /** Has both engines lay out pages that follow each other, and says where they differ. */
  async function reflowDifferences(
    engine: WebgpuEngine,
    pages: readonly TokenPage[],
    slots: number,
    width: number,
    fragmentsIn: (page: TokenPage) => Uint32Array = fragmentsOf,
  ): Promise<string[]> {
    const carries = new Uint32Array(slots * CARRY_WORDS)
    const expectedCarries = carries.slice()
    const told: string[] = []
    for (const page of pages) {
      const fragments = fragmentsIn(page)
      const expected = fragments.slice()
      page.flow = new Uint32Array(PAGE_TOKENS)
      await cpu.reflow(page, expected, expectedCarries, width)
      const expectedFlow = page.flow
      page.flow = new Uint32Array(PAGE_TOKENS)
      await engine.reflow(page, fragments, carries, width)
      told.push(...differences(page.flow, expectedFlow).map(word => `flow ${word}`))
      told.push(...differences(carries, expectedCarries).map(word => `carry ${word}`))
      told.push(...differences(fragments, expected).map(word => `fragment ${word}`))
      engine.release(page)
    }
    return told
  }

  it('lays out any text anew, within a page and over the border of two', async () => {
    const engine = await gpu.engine()
    const texts = fc.array(hostileTexts, { minLength: BATCH, maxLength: BATCH })
    const firstBlock = fc.constantFrom(0, 4090, 4094, 4095)
    await fc.assert(
      fc.asyncProperty(texts, firstBlock, fc.constantFrom(...WIDTHS), async (texts, firstBlock, width) => {
        const store = new TokenStore({ maxPages: 3 })
        store.append(entriesOf(texts, { firstBlock }))
        const pages = [...store.pages.values()]
        expect(await reflowDifferences(engine, pages, BATCH, width)).toEqual([])
      }),
      { numRuns: Math.ceil(rounds(4000) / BATCH) },
    )
  })

  it('lays out any shapes anew, cut at every line feed', async () => {
    const engine = await gpu.engine()
    const slots = 40
    for (let seed = 0; seed < rounds(4000) / slots; seed++) {
      const random = randomFrom(seed)
      const manner = oneOf(random, [...TEXT_MANNERS, undefined])
      const firstChunk = oneOf(random, [0, 1, 4000])
      const page = randomPage(random, {
        number: 3,
        generations: slots,
        firstChunk,
        ...(manner && { manner }),
      })
      const cut = (page: TokenPage) => everyFragmentOf(page, slots)
      expect(
        await reflowDifferences(engine, [page], slots, oneOf(random, WIDTHS), cut),
        `seed ${seed}`,
      ).toEqual([])
    }
  })

  it('lays out what is added, from wherever its generations were left', async () => {
    const engine = await gpu.engine()
    const slots = 40
    for (let seed = 1000; seed < 1000 + rounds(2000) / slots; seed++) {
      const random = randomFrom(seed)
      const width = oneOf(random, WIDTHS)
      const page = randomPage(random, { generations: slots })
      page.flow = new Uint32Array(PAGE_TOKENS)
      const carries = new Uint32Array(slots * CARRY_WORDS)
      const [head, tail]: [number[], number[]] = [[], []]
      for (let slot = 0; slot < slots; slot++) {
        const places = placesOf(page, slot)
        const cut = between(random, 0, places.length + 1)
        if (cut > 0) head.push(slot, places[0] as number, cut, 7)
        if (cut < places.length) tail.push(slot, places[cut] as number, places.length - cut, 7)
      }
      for (const jobs of [Uint32Array.from(head), Uint32Array.from(tail)]) {
        const [expectedJobs, expectedCarries] = [jobs.slice(), carries.slice()]
        const twin = Object.assign(Object.create(page), { flow: page.flow.slice() }) as TokenPage
        await cpu.flowAppend(twin, expectedJobs, expectedCarries, width)
        await engine.flowAppend(page, jobs, carries, width)
        expect(differences(page.flow, twin.flow as Uint32Array), `flow, seed ${seed}`).toEqual([])
        expect(differences(carries, expectedCarries), `carries, seed ${seed}`).toEqual([])
        expect(differences(jobs, expectedJobs), `jobs, seed ${seed}`).toEqual([])
      }
      engine.release(page)
    }
  })

  it('lays out a page that is full, of a million tokens', async () => {
    const page = randomPage(randomFrom(5), { number: 1, generations: 1500, chunks: 6 })
    expect(await reflowDifferences(await gpu.engine(), [page], 1500, 80)).toEqual([])
  })

  it('lays out more fragments than a row of workgroups holds', async () => {
    const page = randomPage(randomFrom(6), { generations: 30, chunks: 8, manner: 'newlines' })
    const fragments = everyFragmentOf(page, 30)
    expect(fragments.length / FRAGMENT_WORDS).toBeGreaterThan(2 * 3 * 256)
    const engine = await gpu.engine({ maxWorkgroups: 3 })
    expect(await reflowDifferences(engine, [page], 30, 80, () => fragments.slice())).toEqual([])
  })

  it('leaves the layout on either engine with the same places, whether it grows or is made anew', async () => {
    const engine = await gpu.engine()
    await fc.assert(
      fc.asyncProperty(
        fc.array(hostileTexts, { minLength: BATCH, maxLength: BATCH }),
        fc.constantFrom(0, 4090),
        async (texts, firstBlock) => {
          const entries = entriesOf(texts, { firstBlock })
          const stores = [cpu, engine].map(engine => {
            const store = new TokenStore({ maxPages: 3 })
            return { store, flow: new FlowLayout({ store, engine, width: 40 }) }
          })
          const half = Math.floor(entries.length / 2)
          const places: [number, number][][] = []
          for (const { store, flow } of stores) {
            store.append(entries.slice(0, half))
            await flow.reflow()
            const runs = store.append(entries.slice(half))
            for (const { page, first, count } of runs) engine.wrote(page, first, count)
            await flow.append(runs)
            const numbers = store.generations.flatMap(({ slot, tokens }) =>
              Array.from({ length: tokens }, (_, index) => store.tokenAt(slot, index)),
            )
            places.push(numbers.map(n => flow.placeOf(n)))
            await flow.reflow()
            places.push(numbers.map(n => flow.placeOf(n)))
            for (const page of store.pages.values()) engine.release(page)
          }
          for (const other of places.slice(1)) expect(other).toEqual(places[0])
        },
      ),
      { numRuns: rounds(100) },
    )
  })
})
