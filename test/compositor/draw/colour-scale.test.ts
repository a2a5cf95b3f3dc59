import { describe, expect, it } from 'vitest'
import type { ColorName } from '../../../broadcast/protocol/view.ts'
import {
  CATEGORIES,
  type ColourContext,
  cellValue,
  colourOf,
  KINDS,
  MOST_ENTROPY,
  REST,
  scalePosition,
} from '../../../compositor/draw/colour-scale.ts'
import { luminance, mixed, rgbaOf, toneOf } from '../../../compositor/draw/rgba.ts'
import { viewTheme } from '../../../compositor/draw/view-theme.ts'
import { viridisRgb } from '../../../compositor/draw/viridis.ts'
import { CONFIDENCE_STEPS, ENTROPY_STEPS, TICKS_PER_MS } from '../../../compositor/tokens/record.ts'

const NOW = 1_770_000_000
const CIVIDIS: ColourContext = { scale: 'cividis', now: NOW }
const hex = ([red, green, blue]: readonly number[]) =>
  `#${[red, green, blue].map(value => (value as number).toString(16).padStart(2, '0')).join('')}`

describe('viridis', () => {
  it.each([
    [0, '#440154'],
    [127, '#21908d'],
    [128, '#21918c'],
    [255, '#fde725'],
  ])('has entry %d as it was published', (entry, expected) => {
    expect(hex(viridisRgb((entry + 0.5) / 256))).toBe(expected)
  })

  it('is held at its ends', () => {
    expect(viridisRgb(-3)).toEqual(viridisRgb(0))
    expect(viridisRgb(7)).toEqual(viridisRgb(1))
  })

  it('grows lighter from entry to entry', () => {
    const light = Array.from({ length: 256 }, (_, i) => viridisRgb((i + 0.5) / 256)).map(
      ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue,
    )
    for (let i = 1; i < 256; i++) expect(light[i]).toBeGreaterThan((light[i - 1] as number) - 0.7)
    expect((light[255] as number) - (light[0] as number)).toBeGreaterThan(180)
  })
})

describe('the colour of a value', () => {
  it('goes from the first to the last of the scale', () => {
    const ends: [ColorName, from: number, to: number][] = [
      ['confidence', 0, 1],
      ['entropy', 0, MOST_ENTROPY],
      ['interval', 1, 10_000],
      ['age', NOW - 3600, NOW],
    ]
    for (const [color, from, to] of ends) {
      expect(colourOf(color, from, CIVIDIS), color).toBe(rgbaOf('#00224e'))
      expect(colourOf(color, to, CIVIDIS), color).toBe(rgbaOf('#fee838'))
      expect(colourOf(color, to, { ...CIVIDIS, scale: 'viridis' }), color).toBe(rgbaOf('#fde725'))
    }
  })

  it('puts what is between in its place: linear, or by its logarithm', () => {
    expect(scalePosition('confidence', 0.25, NOW)).toBe(0.25)
    expect(scalePosition('entropy', Math.log(20) / 2, NOW)).toBeCloseTo(0.5, 12)
    expect(scalePosition('interval', 100, NOW)).toBeCloseTo(0.5, 12)
    expect(scalePosition('interval', 0, NOW)).toBe(0)
    expect(scalePosition('age', NOW - 60, NOW)).toBeCloseTo(0.5, 12)
    // A token from later than the picture is the newest there is.
    expect(scalePosition('age', NOW + 5, NOW)).toBe(1)
  })

  it('is no colour where the value is not known', () => {
    for (const color of ['confidence', 'entropy', 'interval', 'kind', 'model', 'age'] as const) {
      expect(colourOf(color, null, CIVIDIS)).toBeNull()
      expect(colourOf(color, Number.NaN, CIVIDIS)).toBeNull()
    }
  })

  it('is one of its own for each kind and the first models, and one for the rest', () => {
    const kinds = KINDS.map((_, i) => colourOf('kind', i, CIVIDIS))
    expect(new Set(kinds).size).toBe(3)
    expect(colourOf('model', CATEGORIES.length - 1, CIVIDIS)).toBe(CATEGORIES.at(-1))
    expect(colourOf('model', CATEGORIES.length, CIVIDIS)).toBe(REST)
    expect(colourOf('model', 4000, CIVIDIS)).toBe(REST)
  })

  it.each(['dark', 'light'] as const)('is to be seen on the %s ground, whichever category it is', name => {
    const ground = luminance(viewTheme(name).ground)
    for (const colour of [...CATEGORIES, REST]) {
      const [high, low] = [Math.max(ground, luminance(colour)), Math.min(ground, luminance(colour))]
      expect((high + 0.05) / (low + 0.05)).toBeGreaterThan(1.9)
    }
  })

  it('reads the values of cells as they are kept', () => {
    expect(cellValue(CONFIDENCE_STEPS, 'confidence', null)).toBe(1)
    expect(cellValue(2 * ENTROPY_STEPS, 'entropy', null)).toBe(2)
    expect(cellValue(25 * TICKS_PER_MS, 'interval', null)).toBe(25)
    expect(cellValue(2, 'kind', null)).toBe(2)
    expect(cellValue(1500, 'age', NOW)).toBe(NOW + 1.5)
    expect(cellValue(1500, 'age', null)).toBeNull()
    expect(cellValue(null, 'confidence', NOW)).toBeNull()
  })
})

describe('colours', () => {
  it('mix by their share', () => {
    const [black, white] = [rgbaOf('#000000'), rgbaOf('#ffffff')]
    expect(mixed(black, white, 0)).toBe(black)
    expect(mixed(black, white, 1)).toBe(white)
    expect(mixed(black, rgbaOf('#ff8000'), 0.5)).toBe(rgbaOf('#804000'))
  })

  it('are light or dark', () => {
    expect(toneOf(rgbaOf('#ffffff'))).toBe('light')
    expect(toneOf(rgbaOf('#00224e'))).toBe('dark')
  })
})
