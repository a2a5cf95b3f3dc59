import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTile } from '../../../broadcast/protocol/tile-codec.ts'
import { CellWriter } from '../../../broadcast/protocol/tile-writers.ts'
import { COLORS, LAYOUTS } from '../../../broadcast/protocol/view.ts'
import { GRIDS } from '../../../compositor/view/layout-grid.ts'
import { encodeCounted } from '../../../compositor/view/tile-counter.ts'
import { TokenFilter } from '../../../compositor/view/view-filter.ts'
import { laidOut } from '../../support/laid-out.ts'
import { rounds } from '../../support/rounds.ts'
import { entriesOf, hostileTexts } from '../../support/token-text.ts'

test('from the base on, sums are what the engine counts, at every z', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(hostileTexts, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...LAYOUTS),
      fc.constantFrom(...COLORS),
      fc.boolean(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (texts, layout, color, late, cut) => {
        const entries = entriesOf(texts)
        const at = Math.floor(entries.length * cut)
        const { store, watched, counter } = await laidOut(
          layout,
          [entries.slice(0, at), entries.slice(at)],
          late,
        )
        const { right = 0, bottom = 0 } = watched.bounds ?? {}
        const filter = new TokenFilter(store, {})
        const out = new CellWriter()
        const models = (slot: number) => (store.generations[slot]?.model ?? -1) + 1
        for (let z = GRIDS[layout].baseZ; z <= GRIDS[layout].maxZ; z++) {
          const height = (GRIDS[layout].cellHeight ?? 2 ** z) * 64
          const range = {
            z,
            left: 0,
            top: 0,
            right: Math.min(Math.ceil(right / (64 * 2 ** z)) + 1, 4),
            bottom: Math.min(Math.ceil(bottom / height) + 1, 4),
          }
          const counted = await counter.count(watched, range, color, filter)
          for (let y = 0; y < range.bottom; y++) {
            for (let x = 0; x < range.right; x++) {
              const tile = watched.pyramid.tile(z, x, y)
              const summed = tile?.encode(color, models, out) ?? out.finish()
              expect(decodeTile(summed.content).cells).toEqual(
                decodeTile(encodeCounted(counted, x, y, out).content).cells,
              )
            }
          }
        }
      },
    ),
    { numRuns: rounds(1000) },
  )
}, 300_000)

test('counts of base cells add up to what lies in a rectangle', async () => {
  const { watched } = await laidOut('map', [entriesOf([Array.from({ length: 4096 }, () => 'x')])], true)
  const { pyramid } = watched
  expect(pyramid.countIn({ left: 0, top: 0, right: 64, bottom: 64 }, 'met')).toBe(4096)
  expect(pyramid.countIn({ left: 0, top: 0, right: 64, bottom: 64 }, 'covered')).toBe(4096)
  expect(pyramid.countIn({ left: 1, top: 1, right: 16, bottom: 16 }, 'met')).toBe(256)
  expect(pyramid.countIn({ left: 1, top: 1, right: 16, bottom: 16 }, 'covered')).toBe(64)
  expect(pyramid.countIn({ left: 4, top: 4, right: 5, bottom: 5 }, 'covered')).toBe(0)
  expect(pyramid.countIn({ left: 1000, top: 0, right: 2000, bottom: 10 }, 'met')).toBe(0)
})

test('cells may have more tokens than their numbers had room for at first', async () => {
  // Tokens without a column lie upon each other: first one of them, then 255, 256, 65,535 and 65,536.
  const entries = entriesOf([Array.from({ length: 65_540 }, () => '')])
  const cuts = [2, 256, 257, 65_536, 65_537, entries.length]
  const parts = cuts.map((end, i) => entries.slice(cuts[i - 1] ?? 0, end))
  const { store, watched, counter } = await laidOut('flow', parts, false)
  const out = new CellWriter()
  const models = (slot: number) => (store.generations[slot]?.model ?? -1) + 1
  for (const color of COLORS) {
    for (const z of [5, 6, 10]) {
      const range = { z, left: 0, top: 0, right: 1, bottom: 1 }
      const counted = await counter.count(watched, range, color, new TokenFilter(store, {}))
      const { content, count } = encodeCounted(counted, 0, 0, out)
      expect(count).toBe(65_540)
      expect(watched.pyramid.tile(z, 0, 0)?.encode(color, models, out)).toEqual({ content, count })
    }
  }
})
