import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TimeView } from '../../../web/time/time-view.ts'
import { rounds } from '../../support/rounds.ts'

const NOW = 100_000

describe('the stretch that the time line shows', () => {
  it('is the session, to now and on with it', () => {
    const view = new TimeView()
    expect(view.span(NOW, NOW - 500)).toEqual({ from: NOW - 500, to: NOW })
    expect(view.span(NOW + 60, NOW - 500)).toEqual({ from: NOW - 500, to: NOW + 60 })
  })

  it('is a minute at least, so that what has just begun does not race', () => {
    const view = new TimeView()
    expect(view.span(NOW, NOW - 1)).toEqual({ from: NOW - 60, to: NOW })
    expect(view.span(NOW, null)).toEqual({ from: NOW - 60, to: NOW })
  })

  it('keeps what is under the pointer in its place, and never shows what is to come', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        fc.nat({ max: 5000 }),
        (share, factor, ago) => {
          const view = new TimeView()
          view.show({ from: NOW - ago - 1000, to: NOW - ago }, NOW)
          const before = view.span(NOW, null)
          const at = before.from + share * (before.to - before.from)
          view.zoom(factor, at, before, NOW)
          const after = view.span(NOW, null)
          expect(after.to - after.from).toBeCloseTo(1000 * factor, 6)
          expect(after.to).toBeLessThanOrEqual(NOW)
          const place = (at - after.from) / (after.to - after.from)
          if (after.to < NOW) expect(place).toBeCloseTo(share, 6)
        },
      ),
      { numRuns: rounds(2000) },
    )
  })

  it('goes on with now where its right edge is zoomed or moved to now', () => {
    const view = new TimeView()
    view.zoom(0.1, NOW - 1, view.span(NOW, NOW - 1000), NOW)
    expect(view.span(NOW + 5, NOW - 1000)).toEqual({ from: NOW + 5 - 100, to: NOW + 5 })
    view.pan(-50, view.span(NOW, null), NOW)
    expect(view.span(NOW + 5, null)).toEqual({ from: NOW - 150, to: NOW - 50 })
    view.pan(1000, view.span(NOW, null), NOW)
    expect(view.span(NOW + 5, null)).toEqual({ from: NOW + 5 - 100, to: NOW + 5 })
    view.whole()
    expect(view.span(NOW, NOW - 1000)).toEqual({ from: NOW - 1000, to: NOW })
  })

  it('moves to where the moment is that is shown, as long as before', () => {
    const view = new TimeView()
    view.show({ from: NOW - 300, to: NOW - 200 }, NOW)
    for (const at of [NOW - 1000, NOW - 150, NOW - 250]) {
      view.keepIn(at, view.span(NOW, null), NOW)
      const { from, to } = view.span(NOW, null)
      expect([from <= at && at <= to, to - from]).toEqual([true, 100])
    }
  })
})
