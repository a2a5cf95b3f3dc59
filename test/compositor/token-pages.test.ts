import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Engine, TokenPage } from '../../compositor/engine.ts'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import { mapPlace } from '../../compositor/map.ts'
import { TokenPages } from '../../compositor/token-pages.ts'
import { noGpu, useGpu } from '../support/gpu.ts'

/** Seqs and cells of as many tokens, of which the first has seq `first`. */
function tokens(count: number, first: number) {
  const seqs = Float64Array.from({ length: count }, (_, i) => first + i)
  return { seqs, cells: Uint32Array.from(seqs, seq => seq * 1000 + 1) }
}

/** An engine that does its calls one by one, when it is told. */
class SlowEngine extends CpuEngine {
  readonly released: TokenPage[] = []
  readonly #calls: (() => void)[] = []

  override async layOut(page: TokenPage, from: number, to: number): Promise<void> {
    await new Promise<void>(resolve => this.#calls.push(resolve))
    await super.layOut(page, from, to)
  }

  override release(page?: TokenPage): void {
    if (page) this.released.push(page)
  }

  next(): void {
    this.#calls.shift()?.()
  }
}

describe.each(['cpu', 'webgpu'] as const)('pages of tokens, %s', backend => {
  const gpu = useGpu()
  const engine = (pageTokens: number): Promise<Engine> =>
    backend === 'cpu' ? Promise.resolve(new CpuEngine()) : gpu.engine(pageTokens)

  it.skipIf(backend === 'webgpu' && noGpu)(
    'keep the newest, in whole pages, where the twin lays them',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat({ max: 40 }), { maxLength: 12 }),
          fc.integer({ min: 1, max: 16 }),
          fc.integer({ min: 1, max: 4 }),
          async (batches, pageTokens, maxPages) => {
            const pages = new TokenPages({ engine: await engine(pageTokens), pageTokens, maxPages })
            let count = 0
            const appends = batches.map(size => {
              const batch = pages.append(tokens(size, count + 1))
              count += size
              return batch
            })
            await Promise.all(appends)
            const gone = Math.max(0, Math.ceil(count / pageTokens) - maxPages) * pageTokens
            const kept = Array.from({ length: count - gone }, (_, i) => gone + i + 1)
            expect(pages.size).toBe(kept.length)
            const { seqs, places } = pages.placesOf(1, count)
            expect([...seqs]).toEqual(kept)
            expect([...places]).toEqual(kept.map(seq => mapPlace(seq * 1000 + 1)))
          },
        ),
        { numRuns: backend === 'cpu' ? 200 : 30 },
      )
    },
  )
})

describe('pages of tokens', () => {
  it('give what is asked for, both ends included', async () => {
    const pages = new TokenPages({ engine: new CpuEngine(), pageTokens: 4, maxPages: 3 })
    await pages.append(tokens(10, 1))
    expect([...pages.placesOf(4, 6).seqs]).toEqual([4, 5, 6])
    expect([...pages.placesOf(11, 20).seqs]).toEqual([])
  })

  it('give nothing that is not laid out yet', async () => {
    const engine = new SlowEngine()
    const pages = new TokenPages({ engine, pageTokens: 4, maxPages: 3 })
    const [first, second] = [pages.append(tokens(2, 1)), pages.append(tokens(1, 3))]
    expect(pages.placesOf(1, 9).seqs.length).toBe(0)
    engine.next()
    await first
    expect([...pages.placesOf(1, 9).seqs]).toEqual([1, 2])
    engine.next()
    await second
    expect([...pages.placesOf(1, 9).seqs]).toEqual([1, 2, 3])
  })

  it('are released only when the engine is done with them', async () => {
    const engine = new SlowEngine()
    const pages = new TokenPages({ engine, pageTokens: 2, maxPages: 1 })
    const all = pages.append(tokens(5, 1))
    engine.next()
    engine.next()
    await Promise.resolve()
    expect(engine.released.length).toBe(0)
    engine.next()
    await all
    expect(engine.released.map(({ seqs }) => seqs[0])).toEqual([1, 3])
  })

  it('fail as the engine does, then and from then on', async () => {
    const engine = new CpuEngine()
    engine.layOut = () => Promise.reject(new Error('no more'))
    const pages = new TokenPages({ engine, pageTokens: 2, maxPages: 1 })
    await expect(pages.append(tokens(5, 1))).rejects.toThrow('no more')
    engine.layOut = async () => {}
    await expect(pages.append(tokens(1, 6))).rejects.toThrow('no more')
  })
})
