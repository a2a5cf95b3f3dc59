import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LAYOUTS, TOKEN_TILES } from '../../../broadcast/protocol/view.ts'
import { GRIDS, tileRect } from '../../../compositor/view/layout-grid.ts'
import { VersionClock, Versions } from '../../../compositor/view/versions.ts'

const places = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 60_000 }),
    fc.integer({ min: 0, max: 3000 }).map(row => row * 24),
  ),
  { minLength: 1, maxLength: 20 },
)

test('at every z, a tile has the version of the last call that touched it, and no other changes', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...LAYOUTS),
      fc.array(places, { minLength: 1, maxLength: 4 }),
      (layout, calls) => {
        const { minZ, maxZ } = GRIDS[layout]
        const versions = new Versions(layout, 1)
        for (const [i, touched] of calls.entries()) for (const [x, y] of touched) versions.touch(x, y, i + 2)
        for (const z of [TOKEN_TILES, ...Array.from({ length: maxZ - minZ + 1 }, (_, i) => minZ + i)]) {
          for (const [x, y] of calls.flat()) {
            const { right, bottom } = tileRect(layout, z, 0, 0)
            const [column, row] = [Math.floor(x / right), Math.floor(y / bottom)]
            const isIn = ([atX, atY]: readonly [number, number]) =>
              Math.floor(atX / right) === column && Math.floor(atY / bottom) === row
            expect(versions.of(z, column, row)).toBe(calls.findLastIndex(touched => touched.some(isIn)) + 2)
            const beside = calls.flat().some(([atX, atY]) => isIn([atX - right, atY]))
            if (!beside) expect(versions.of(z, column + 1, row)).toBe(1)
          }
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('with more tiles than are remembered, versions still never fall behind', () => {
  const versions = new Versions('map', 1)
  // 160,000 tiles of one z, each of them touched once, in turns of a row.
  for (let y = 0; y < 400; y++) for (let x = 0; x < 400; x++) versions.touch(x * 64, y * 64, y + 2)
  for (let y = 0; y < 400; y++) {
    for (let x = 0; x < 400; x++) expect(versions.of(TOKEN_TILES, x, y)).toBeGreaterThanOrEqual(y + 2)
  }
})

test('a model that becomes known changes the tiles that tell models, and no other', () => {
  const versions = new Versions('map', 1)
  versions.touchModels(2)
  expect(versions.of(TOKEN_TILES, 0, 0)).toBe(2)
  expect(versions.of(3, 0, 0, true)).toBe(2)
  expect(versions.of(3, 0, 0)).toBe(1)
  versions.touch(0, 0, 3)
  expect(versions.of(3, 0, 0, true)).toBe(3)
  expect(versions.of(TOKEN_TILES, 9, 9)).toBe(2)
})

test('all tiles change at once', () => {
  const versions = new Versions('flow', 1)
  versions.touch(100, 100, 2)
  versions.touchAll(3)
  expect(versions.of(2, 0, 0)).toBe(3)
  expect(versions.of(2, 9, 9)).toBe(3)
})

test('versions begin with the clock and only grow', () => {
  const clock = new VersionClock()
  const before = Date.now()
  const given = Array.from({ length: 1000 }, () => clock.advance())
  expect(given[0]).toBeGreaterThanOrEqual(before)
  expect(new Set(given).size).toBe(1000)
  expect(given).toEqual(given.toSorted((a, b) => a - b))
})
