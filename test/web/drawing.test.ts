import { describe, expect, it } from 'vitest'
import { blockBounds, blockKey, blockOrigin, slotOf, unite } from '../../compositor/draw/cell.ts'
import { paintCell } from '../../compositor/draw/cell-paint.ts'
import { cividisCss, cividisRgb, wantsDarkInk } from '../../compositor/draw/cividis.ts'

describe('cividis', () => {
  it('has the ends and the middle of the published table', () => {
    expect(cividisCss(0)).toBe('#00224e')
    expect(cividisCss(0.5)).toBe('#7d7c78')
    expect(cividisCss(1)).toBe('#fee838')
    expect(cividisRgb(1)).toEqual([254, 232, 56])
  })

  it('holds what lies outside at the ends', () => {
    expect(cividisCss(-1)).toBe(cividisCss(0))
    expect(cividisCss(7)).toBe(cividisCss(1))
    expect(cividisCss(Number.NaN)).toBe(cividisCss(0))
  })

  it('grows lighter all the way', () => {
    const light = (t: number) => {
      const [r, g, b] = cividisRgb(t).map(value => (value / 255) ** 2.2) as [number, number, number]
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    for (let i = 1; i < 64; i++) expect(light(i / 63)).toBeGreaterThan(light((i - 1) / 63))
  })

  it('chooses the ink that is easier to read', () => {
    const light = (t: number) => {
      const [r, g, b] = cividisRgb(t).map(value => {
        const part = value / 255
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      }) as [number, number, number]
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    for (let i = 0; i <= 50; i++) {
      const l = light(i / 50)
      const contrast = wantsDarkInk(i / 50) ? (l + 0.05) / 0.0554 : 0.95 / (l + 0.05)
      expect(contrast).toBeGreaterThan(4)
    }
  })
})

describe('cells', () => {
  it('know their block and their place in it', () => {
    expect(blockOrigin(blockKey(35, 18))).toEqual([32, 16])
    expect(slotOf(35, 18)).toBe(2 * 16 + 3)
    expect(blockBounds(blockKey(0, 17))).toEqual({ left: 0, top: 16, right: 16, bottom: 32 })
    expect(blockKey(16 * 4095, 16 * 4095)).toBe(4096 * 4096 - 1)
  })

  it('unite bounds of which one may be missing', () => {
    const one = { left: 0, top: 0, right: 16, bottom: 16 }
    expect(unite(null, one)).toBe(one)
    expect(unite(one, { left: 32, top: 0, right: 48, bottom: 16 })).toEqual({ ...one, right: 48 })
  })
})

describe('a painted cell', () => {
  const paint = (confidence: number, size = 20) => {
    const calls: string[] = []
    const ctx = {
      fillStyle: '',
      strokeStyle: '',
      lineWidth: 1,
      beginPath: () => {},
      moveTo: () => {},
      lineTo: () => calls.push('line'),
      stroke: () => {},
      fillRect: (x: number, y: number, w: number, h: number) =>
        calls.push(`${ctx.fillStyle} ${[x, y, w, h].join()}`),
    }
    paintCell(ctx as never, 0, 0, size, size, confidence, { ground: 'ground', line: 'ink' })
    return calls
  }

  it('has the colour of its confidence', () => {
    expect(paint(1)).toEqual(['#fee838 0,0,18,18'])
  })

  it('is hatched where the confidence is unknown, and has no colour of the scale', () => {
    const calls = paint(Number.NaN)
    expect(calls[0]).toBe('ground 0,0,18,18')
    expect(calls.slice(1).every(call => call === 'line')).toBe(true)
    expect(calls.length).toBeGreaterThan(3)
    expect(paint(Number.NaN, 2).join()).not.toContain('#')
  })
})
