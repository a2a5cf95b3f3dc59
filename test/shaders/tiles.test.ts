import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COLORS, LAYOUTS } from '../../broadcast/protocol/view.ts'
import {
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_INTERVAL,
  CHUNK_WORDS,
  COLUMN_TIMES,
  COLUMN_VALUES,
  PAGE_CHUNKS,
  PAGE_TOKENS,
} from '../../compositor/tokens/record.ts'
import { TokenPage } from '../../compositor/tokens/token-page.ts'
import { sumTiles } from '../../compositor/view/tiles.ts'
import { ALL_KINDS, NO_TIME, type TilesRequest } from '../../compositor/view/tiles-request.ts'
import { noGpu, useGpu } from '../support/gpu.ts'
import { randomFrom } from '../support/random.ts'
import { randomPage } from '../support/random-page.ts'
import { rounds } from '../support/rounds.ts'
import { borderPage, tilesPage, tilesRequestOf } from '../support/tiles-request.ts'
import { differences } from '../support/words.ts'

/** Pages that requests are about; each is made once. */
const PAGES = 10

/** All of a generation in one cell. */
const ALL: TilesRequest = {
  layout: 'map',
  color: 'confidence',
  z: 16,
  left: 0,
  top: 0,
  width: 1,
  height: 1,
  t: NO_TIME,
  since: 0,
  kinds: ALL_KINDS,
  generations: Uint32Array.of(0, 1, 1, 0),
  panels: Uint32Array.of(0),
  panelSide: 96,
}

describe.skipIf(noGpu)(`tiles.wgsl, against its twin, bit for bit ${noGpu ?? ''}`, () => {
  const gpu = useGpu()

  it('sums any part of any layout, with any filter', async () => {
    const engine = await gpu.engine()
    let filled = 0
    for (let seed = 0; seed < PAGES; seed++) {
      const page = tilesPage(seed)
      await fc.assert(
        fc.asyncProperty(tilesRequestOf(page), async request => {
          const expected = sumTiles(request, [page])
          if (expected.some(word => word > 0)) filled++
          expect(differences(await engine.tiles(request, [page]), expected)).toEqual([])
        }),
        { numRuns: rounds(10_000) / PAGES },
      )
      engine.release(page)
    }
    // That the parts are not of nothing.
    expect(filled).toBeGreaterThan(rounds(10_000) / 5)
  })

  it('sums several pages into one grid, every layout by every colour', async () => {
    const engine = await gpu.engine()
    const pages = [1, 2, 3].map(tilesPage)
    const generations = Uint32Array.from({ length: 48 }, (_, i) => [i >> 2, 1, i & 3, 0][i & 3] as number)
    const panels = Uint32Array.from({ length: 10 }, (_, i) => i)
    for (const layout of LAYOUTS) {
      for (const color of COLORS) {
        const z = { map: 8, flow: 4, timeline: 10 }[layout]
        const request = {
          ...ALL,
          layout,
          color,
          z,
          width: 256,
          height: 256,
          generations,
          panels,
          panelSide: 24,
        }
        const expected = sumTiles(request, pages)
        expect(expected.some(word => word > 0)).toBe(true)
        expect(differences(await engine.tiles(request, pages), expected), `${layout} ${color}`).toEqual([])
        expect(differences(sumTiles(request, pages.toReversed()), expected)).toEqual([])
      }
    }
  })

  it.each(['confidence', 'entropy', 'interval'] as const)(
    'carries a sum of %s beyond 32 bits',
    async color => {
      const page = fullPage()
      const [count, known, low, high] = sumTiles({ ...ALL, color }, [page]) as unknown as number[]
      // The page's first interval is not known.
      const values = color === 'interval' ? PAGE_TOKENS - 1 : PAGE_TOKENS
      expect([count, known]).toEqual([PAGE_TOKENS, values])
      expect((high as number) * 2 ** 32 + (low as number)).toBe(values * 65_534)
      expect(high).toBeGreaterThan(1)
      const engine = await gpu.engine()
      expect([...(await engine.tiles({ ...ALL, color }, [page]))]).toEqual([count, known, low, high])
    },
  )

  it('carries at the border of 32 bits and not before', async () => {
    const engine = await gpu.engine()
    for (const [color, low, high] of [
      ['confidence', 0xffff_ffff, 0],
      ['entropy', 0, 1],
    ] as const) {
      const request = { ...ALL, color }
      const expected = [65_540, 65_539, low, high]
      expect([...sumTiles(request, [borderPage()])]).toEqual(expected)
      expect([...(await engine.tiles(request, [borderPage()]))]).toEqual(expected)
    }
  })

  it('sums a million tokens', async () => {
    const page = randomPage(randomFrom(7), { generations: 1500, chunks: 6 })
    const generations = new Uint32Array(1500 * 4)
    for (let slot = 0; slot < 1500; slot++)
      generations.set([slot % 64, slot % 5 === 0 ? 0 : 1, 1, 0], slot * 4)
    const engine = await gpu.engine()
    for (const request of [
      { ...ALL, generations, z: 1, width: 512, height: 512 },
      { ...ALL, generations, layout: 'timeline' as const, z: 10, width: 200, height: 64, kinds: 5 },
    ]) {
      const expected = sumTiles(request, [page])
      expect(expected.some(word => word > 0)).toBe(true)
      expect(differences(await engine.tiles(request, [page]), expected)).toEqual([])
    }
  })

  it('goes through all of a page in more than one row of workgroups', async () => {
    const page = fullPage()
    const engine = await gpu.engine({ maxWorkgroups: 3 })
    const request = { ...ALL, z: 4, width: 64, height: 64 }
    expect(differences(await engine.tiles(request, [page]), sumTiles(request, [page]))).toEqual([])
  })

  it('has nothing where there is nothing', async () => {
    const engine = await gpu.engine()
    const page = new TokenPage(0)
    const request = { ...ALL, width: 3, height: 2 }
    expect([...(await engine.tiles(request, [page]))]).toEqual(Array(24).fill(0))
    expect([...(await engine.tiles(request, []))]).toEqual(Array(24).fill(0))
    expect([...(await engine.tiles({ ...request, layout: 'flow' }, [page]))]).toEqual(Array(24).fill(0))
    expect([...(await engine.tiles({ ...request, width: 0 }, [page]))]).toEqual([])
  })
})

/** A page of one generation whose values are all as large as they can be. */
function fullPage(): TokenPage {
  const page = new TokenPage(0)
  page.records.fill(0xfffe_fffe, COLUMN_VALUES * PAGE_TOKENS, (COLUMN_VALUES + 1) * PAGE_TOKENS)
  for (let i = 0; i < PAGE_TOKENS; i++) page.records[COLUMN_TIMES * PAGE_TOKENS + i] = (i & 255) * 70_000
  for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) {
    page.chunks[chunk * CHUNK_WORDS + CHUNK_END] = 256
    page.chunks[chunk * CHUNK_WORDS + CHUNK_FIRST] = 0
    page.chunks[chunk * CHUNK_WORDS + CHUNK_INTERVAL] = chunk === 0 ? 0xffff_ffff : 4e9
  }
  return page
}
