import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LAYOUTS, TOKEN_TILES, type ViewQuestion } from '../../../broadcast/protocol/view.ts'
import { GRIDS, tileRect } from '../../../compositor/view/layout-grid.ts'
import { farTiles, nearTiles, tileCount, tilesOf, viewRect } from '../../../compositor/view/viewport.ts'

const coordinate = fc.oneof(
  fc.double({ min: -1e5, max: 1e7, noNaN: true }),
  fc.constantFrom(0, -0, -1e300, 1e300, 65_535.5, 2 ** 32, Number.MAX_VALUE),
)
const zoom = fc.oneof(
  fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
  fc.integer({ min: -30, max: 30 }).map(z => 2 ** z),
)
const question: fc.Arbitrary<ViewQuestion> = fc.record({
  layout: fc.constantFrom(...LAYOUTS),
  x: coordinate,
  y: coordinate,
  w: fc.integer({ min: 1, max: 16_384 }),
  h: fc.integer({ min: 1, max: 16_384 }),
  zoom,
})

test('whatever is asked, there are at most 1,024 tiles, and they cover the viewport', () => {
  fc.assert(
    fc.property(question, fc.option(zoom), (asked, zoomY) => {
      const whole = zoomY === null ? asked : { ...asked, zoom_y: zoomY }
      const rect = viewRect(whole)
      for (const range of tilesOf(whole)) {
        expect(tileCount(range)).toBeLessThanOrEqual(1024)
        expect(range.left).toBeGreaterThanOrEqual(0)
        expect(range.top).toBeGreaterThanOrEqual(0)
        if (rect.right <= rect.left || rect.bottom <= rect.top) {
          expect(tileCount(range)).toBe(0)
          continue
        }
        const first = tileRect(asked.layout, range.z, range.left, range.top)
        const last = tileRect(asked.layout, range.z, range.right - 1, range.bottom - 1)
        expect(first.left).toBeLessThanOrEqual(rect.left)
        expect(first.top).toBeLessThanOrEqual(rect.top)
        expect(last.right).toBeGreaterThanOrEqual(rect.right)
        expect(last.bottom).toBeGreaterThanOrEqual(rect.bottom)
      }
    }),
    { numRuns: 2000 },
  )
})

test('cells are 3 to 6 pixels wide where the layout has such cells', () => {
  for (const layout of LAYOUTS) {
    const { minZ, maxZ } = GRIDS[layout]
    for (let zoom = 3 / 2 ** minZ; zoom > 3 / 2 ** maxZ; zoom *= 0.7) {
      const pixels = 2 ** farTiles({ layout, x: 0, y: 0, w: 800, h: 600, zoom }).z * zoom
      expect(pixels).toBeGreaterThanOrEqual(3)
      expect(pixels).toBeLessThan(6)
    }
  }
})

test('tokens are told where text can be read, and only there', () => {
  const at = { x: 0, y: 0, w: 1600, h: 900 }
  expect(nearTiles({ ...at, layout: 'map', zoom: 8 })?.z).toBe(TOKEN_TILES)
  expect(nearTiles({ ...at, layout: 'map', zoom: 7.9 })).toBeNull()
  expect(nearTiles({ ...at, layout: 'flow', zoom: 2 })?.z).toBe(TOKEN_TILES)
  expect(nearTiles({ ...at, layout: 'flow', zoom: 1.9 })).toBeNull()
  expect(nearTiles({ ...at, layout: 'timeline', zoom: 0.05 })?.z).toBe(TOKEN_TILES)
  expect(nearTiles({ ...at, layout: 'timeline', zoom: 0.049 })).toBeNull()
})

test('tiles of tokens hold those that begin left of the viewport and reach into it', () => {
  const flow = nearTiles({ layout: 'flow', x: 128, y: 0, w: 64, h: 64, zoom: 2 })
  expect(flow).toEqual({ z: TOKEN_TILES, left: 0, top: 0, right: 2, bottom: 1 })
  const timeline = nearTiles({ layout: 'timeline', x: 4150, y: 0, w: 64, h: 64, zoom: 1 })
  expect(timeline).toEqual({ z: TOKEN_TILES, left: 0, top: 0, right: 2, bottom: 1 })
})

test('a viewport beside the layout has no tiles', () => {
  for (const layout of LAYOUTS) {
    for (const [x, y] of [
      [-1000, 0],
      [0, -1000],
      [2 ** 40, 0],
      [0, 2 ** 40],
    ] as const) {
      const ranges = tilesOf({ layout, x, y, w: 100, h: 100, zoom: 10 })
      expect(ranges.map(tileCount)).toEqual(ranges.map(() => 0))
    }
  }
})
