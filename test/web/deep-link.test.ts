import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COLORS, LAYOUTS } from '../../broadcast/protocol/view.ts'
import { type LinkedPlace, readPlace, writePlace } from '../../web/map/deep-link.ts'
import { SCALES } from '../../web/map/map-look.ts'
import { rounds } from '../support/rounds.ts'

const NOWHERE: LinkedPlace = {
  generation: null,
  index: null,
  layout: null,
  color: null,
  scale: null,
  since: null,
  until: null,
  pose: null,
  t: null,
}

const scale = fc.double({ min: -11, max: 5.9, noNaN: true }).map(exponent => 10 ** exponent)
const anyPose = fc.record({
  x: fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  y: fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  zoom: scale,
  zoomY: fc.option(scale),
})
const anyTime = fc.double({ min: 1, max: 4e9, noNaN: true })
const anyPlace: fc.Arbitrary<LinkedPlace> = fc.record({
  generation: fc.option(fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme-ascii' })),
  index: fc.option(fc.nat()),
  layout: fc.option(fc.constantFrom(...LAYOUTS)),
  color: fc.option(fc.constantFrom(...COLORS)),
  scale: fc.option(fc.constantFrom(...SCALES)),
  since: fc.option(anyTime),
  until: fc.option(anyTime),
  pose: fc.option(anyPose),
  t: fc.option(anyTime),
})

describe('links to what is looked at', () => {
  test('lead where they were made, to a tenth of a pixel and a millisecond', () => {
    fc.assert(
      fc.property(anyPlace, place => {
        const read = readPlace(`#${writePlace(place)}`)
        const { pose, t, since, until, ...plain } = place
        expect(read).toMatchObject({ ...plain, index: place.generation === null ? null : place.index })
        for (const name of ['t', 'since', 'until'] as const) {
          const [told, was] = [read[name], { t, since, until }[name]]
          if (was === null) expect(told).toBeNull()
          else expect(Math.abs((told as number) - was)).toBeLessThanOrEqual(0.0006)
        }
        if (pose === null) {
          expect(read.pose).toBeNull()
          return
        }
        const back = read.pose as NonNullable<LinkedPlace['pose']>
        expect(back.zoom / pose.zoom).toBeCloseTo(1, 4)
        const most = (value: number, zoom: number) =>
          Math.max(0.1 / zoom, 1e-9, Math.abs(value) * 1e-12) * (1 + 1e-6)
        expect(Math.abs(back.x - pose.x)).toBeLessThanOrEqual(most(pose.x, pose.zoom))
        expect(Math.abs(back.y - pose.y)).toBeLessThanOrEqual(most(pose.y, pose.zoomY ?? pose.zoom))
        if (pose.zoomY === null) expect(back.zoomY).toBeNull()
        else expect((back.zoomY as number) / pose.zoomY).toBeCloseTo(1, 4)
      }),
      { numRuns: rounds(2000) },
    )
  })

  test('read as people share them', () => {
    const link =
      '#g=7f00&i=12&layout=flow&x=10.5&y=-3&z=8&t=1790000000.25&color=entropy&scale=viridis&since=1789999990'
    expect(readPlace(link)).toEqual({
      generation: '7f00',
      index: 12,
      layout: 'flow',
      color: 'entropy',
      scale: 'viridis',
      since: 1_789_999_990,
      until: null,
      pose: { x: 10.5, y: -3, zoom: 8, zoomY: null },
      t: 1_790_000_000.25,
    })
  })

  test('what cannot be is left out, and breaks nothing', () => {
    expect(readPlace('')).toEqual(NOWHERE)
    expect(readPlace('#')).toEqual(NOWHERE)
    expect(readPlace('#layout=globe&color=mood&scale=jet&since=now&x=1&y=2&z=0&t=-5&i=3')).toEqual(NOWHERE)
    expect(readPlace('#x=&y=2&z=1&t=NaN&g=')).toEqual(NOWHERE)
    expect(readPlace('#x=1&y=Infinity&z=1')).toEqual(NOWHERE)
    expect(readPlace(`#g=${'a'.repeat(201)}&i=1`)).toEqual(NOWHERE)
    expect(readPlace('#g=a&i=1.5')).toEqual({ ...NOWHERE, generation: 'a' })
    fc.assert(
      fc.property(fc.string(), text => void readPlace(text)),
      { numRuns: rounds(1000) },
    )
  })

  test('a place without anything is no fragment', () => {
    expect(writePlace(NOWHERE)).toBe('')
  })
})
