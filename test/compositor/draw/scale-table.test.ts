import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cividisRgb } from '../../../compositor/draw/cividis.ts'
import { colourIn, type Rgb, scaleTable } from '../../../compositor/draw/scale-table.ts'
import { viridisRgb } from '../../../compositor/draw/viridis.ts'

const LETTERS = 'abcdefg'

describe('the table of a scale', () => {
  it('has the colours that its steps lead to', () => {
    const step = fc.integer({ min: -2, max: 4 })
    fc.assert(
      fc.property(fc.array(fc.tuple(step, step, step), { maxLength: 40 }), steps => {
        const letters = [0, 1, 2].map(channel =>
          steps.map(one => LETTERS[(one[channel] as number) + 2]).join(''),
        )
        const colours: Rgb[] = [[100, 110, 120]]
        for (const [red, green, blue] of steps) {
          const [r, g, b] = colours.at(-1) as Rgb
          colours.push([r + red, g + green, b + blue])
        }
        expect(scaleTable([100, 110, 120], letters as [string, string, string])).toEqual(colours)
      }),
    )
  })

  it('is looked up from end to end', () => {
    const table = scaleTable([0, 0, 0], ['dd', 'cc', 'ee'])
    expect([-1, 0, 0.34, 0.67, 1, 9, Number.NaN].map(t => colourIn(table, t)[2])).toEqual([
      0, 0, 2, 4, 4, 4, 0,
    ])
  })

  it.each([
    ['cividis', cividisRgb, 'd4c8b1cb933d5ed8c295486b3ca346bb67c905126d6a65ac9328f0c156848827'],
    ['viridis', viridisRgb, '72942e76104083026a0d8c47d0d67c9291e38a8b82b2735483d9689a85c42e97'],
  ])('of %s is the published one, all 256 entries', (_name, colour, sum) => {
    const entries = Array.from({ length: 256 }, (_, i) => colour((i + 0.5) / 256))
    const hex = entries.map(([red, green, blue]) =>
      ((red << 16) | (green << 8) | blue).toString(16).padStart(6, '0'),
    )
    expect(createHash('sha256').update(hex.join('')).digest('hex')).toBe(sum)
  })
})
