import { describe, expect, it } from 'vitest'
import { blockBounds, blockKey, blockOrigin, unite } from '../../compositor/draw/cell.ts'
import { cividisRgb } from '../../compositor/draw/cividis.ts'
import { cssOf, rgbOf } from '../../web/map/colour.ts'
import { graticuleOf } from '../../web/map/graticule.ts'
import { plotOf } from '../../web/map/plot.ts'

describe('cividis', () => {
  it('has the ends and the middle of the published table', () => {
    expect(cividisRgb(0)).toEqual([0, 34, 78])
    expect(cividisRgb(0.5)).toEqual([125, 124, 120])
    expect(cividisRgb(1)).toEqual([254, 232, 56])
  })

  it('holds what lies outside at the ends', () => {
    expect(cividisRgb(-1)).toEqual(cividisRgb(0))
    expect(cividisRgb(7)).toEqual(cividisRgb(1))
    expect(cividisRgb(Number.NaN)).toEqual(cividisRgb(0))
  })

  it('grows lighter all the way', () => {
    const light = (t: number) => {
      const [r, g, b] = cividisRgb(t).map(value => (value / 255) ** 2.2) as [number, number, number]
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    for (let i = 1; i < 64; i++) expect(light(i / 63)).toBeGreaterThan(light((i - 1) / 63))
  })
})

describe('cells', () => {
  it('know their block', () => {
    expect(blockOrigin(blockKey(35, 18))).toEqual([32, 16])
    expect(blockBounds(blockKey(0, 17))).toEqual({ left: 0, top: 16, right: 16, bottom: 32 })
    expect(blockKey(16 * 4095, 16 * 4095)).toBe(4096 * 4096 - 1)
  })

  it('unite bounds of which one may be missing', () => {
    const one = { left: 0, top: 0, right: 16, bottom: 16 }
    expect(unite(null, one)).toBe(one)
    expect(unite(one, { left: 32, top: 0, right: 48, bottom: 16 })).toEqual({ ...one, right: 48 })
  })
})

describe('colours of the stylesheet', () => {
  it('are read in both lengths, and written for a canvas', () => {
    expect(rgbOf('#ff0033')).toEqual([1, 0, 0.2])
    expect(rgbOf('#f03')).toEqual(rgbOf('#ff0033'))
    expect(rgbOf('')).toEqual([0, 0, 0])
    expect(cssOf([1, 0, 0.2], 0.5)).toBe('rgb(255 0 51 / 0.5)')
  })
})

describe('the graticule', () => {
  it('has a cross at each block corner in view', () => {
    const seen = { left: -3, top: 20, right: 40, bottom: 33 }
    expect(graticuleOf(10, seen)).toEqual({ left: -16, top: 16, step: 16, columns: 4, rows: 2 })
  })

  it('leaves out what would crowd', () => {
    expect(graticuleOf(3, { left: 0, top: 0, right: 100, bottom: 10 }).step).toBe(64)
    expect(graticuleOf(0.1, { left: 0, top: 0, right: 100, bottom: 10 }).step).toBe(1024)
  })
})

describe('the plot of a pose', () => {
  const view = { width: 1000, height: 600, left: 0, top: 0, right: 320, bottom: 44 }
  const plot = (zoom: number, x = 40_000.3) => plotOf({ x, y: 12.7, zoom, zoomY: zoom }, view, 1.25)

  it('has whole pixels, and the place in the middle in the middle', () => {
    for (const zoom of [0.4, 2, 3.3, 11.7, 60]) {
      const { x } = plot(zoom)
      expect(x(40_000)).toBe(Math.round(x(40_000)))
      expect(Math.abs(x(40_000) + 0.3 * zoom * 1.25 - 340 * 1.25)).toBeLessThanOrEqual(1.5)
    }
  })

  it('moves all places by the same when the pose moves', () => {
    const [before, after] = [plot(3.3), plot(3.3, 40_017.9)]
    const by = after.x(40_000) - before.x(40_000)
    for (let unit = 39_900; unit < 40_100; unit++) expect(after.x(unit) - before.x(unit)).toBe(by)
  })
})
