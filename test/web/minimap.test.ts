import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LAYOUTS } from '../../broadcast/protocol/view.ts'
import { type Bounds, isMore, minimapCamera, minimapRect } from '../../web/map/minimap-camera.ts'
import { MinimapSupply } from '../../web/map/minimap-supply.ts'
import { rounds } from '../support/rounds.ts'

const WIDTH = 176
const HEIGHT = 112

const place = fc.double({ min: -1e8, max: 1e8, noNaN: true })
const length = fc.double({ min: 0.01, max: 1e9, noNaN: true })
const anyBounds = fc
  .tuple(place, place, length, length)
  .map(([left, top, width, height]): Bounds => [left, top, left + width, top + height])

describe('what the minimap shows', () => {
  test('all there is, in the middle, whatever its size', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LAYOUTS), anyBounds, (layout, bounds) => {
        const camera = minimapCamera(layout, bounds, WIDTH, HEIGHT)
        const [left, top, right, bottom] = bounds
        const from = [(left - camera.x) * camera.zoom, (top - camera.y) * camera.zoomY] as const
        const to = [(right - camera.x) * camera.zoom, (bottom - camera.y) * camera.zoomY] as const
        for (const value of from) expect(value).toBeGreaterThanOrEqual(5.9)
        expect(to[0]).toBeLessThanOrEqual(WIDTH - 5.9)
        expect(to[1]).toBeLessThanOrEqual(HEIGHT - 5.9)
        expect(from[0] + to[0]).toBeCloseTo(WIDTH, 0)
        expect(from[1] + to[1]).toBeCloseTo(HEIGHT, 0)
        if (layout !== 'timeline') expect(camera.zoom).toBe(camera.zoomY)
      }),
      { numRuns: rounds(1000) },
    )
  })

  test('the frame around what is seen lies where that is', () => {
    const camera = minimapCamera('map', [0, 0, 1640, 1000], WIDTH, HEIGHT)
    expect(camera.zoom).toBeCloseTo(0.1, 9)
    const rect = minimapRect(camera, { left: 820, top: 500, right: 1220, bottom: 900 }, WIDTH, HEIGHT)
    expect(rect.left).toBeCloseTo(88, 6)
    expect(rect.top).toBeCloseTo(56, 6)
    expect(rect.right).toBeCloseTo(128, 6)
    expect(rect.bottom).toBeCloseTo(96, 6)
  })

  test('it is never out of the picture, nor too small to be found', () => {
    fc.assert(
      fc.property(anyBounds, anyBounds, (bounds, [left, top, right, bottom]) => {
        const camera = minimapCamera('map', bounds, WIDTH, HEIGHT)
        const rect = minimapRect(camera, { left, top, right, bottom }, WIDTH, HEIGHT)
        expect(rect.left).toBeGreaterThanOrEqual(0)
        expect(rect.top).toBeGreaterThanOrEqual(0)
        expect(rect.right).toBeLessThanOrEqual(WIDTH)
        expect(rect.bottom).toBeLessThanOrEqual(HEIGHT)
        expect(rect.right - rect.left).toBeGreaterThanOrEqual(6)
        expect(rect.bottom - rect.top).toBeGreaterThanOrEqual(6)
      }),
      { numRuns: rounds(1000) },
    )
  })
})

test('there is more than is seen where anything lies beyond an edge, and by how much may be left out', () => {
  const seen = { left: 0, top: 0, right: 100, bottom: 100 }
  expect(isMore([0, 0, 100, 100], seen, 0)).toBe(false)
  const beyond: Bounds[] = [
    [-2, 0, 50, 50],
    [0, -2, 50, 50],
    [0, 0, 102, 50],
    [0, 0, 50, 102],
  ]
  for (const bounds of beyond) {
    expect(isMore(bounds, seen, 0)).toBe(true)
    expect(isMore(bounds, seen, 0.03)).toBe(false)
    expect(isMore(bounds, seen, 0.01)).toBe(true)
  }
})

/** A supply with a clock and a server by hand. */
function stage() {
  let now = 0
  let timers: { at: number; callback: () => void }[] = []
  const asked: string[] = []
  const shown: string[] = []
  let answer: ((error?: Error) => void) | null = null
  const supply = new MinimapSupply<string, string>({
    draw: question => {
      asked.push(question)
      return new Promise((resolve, reject) => {
        answer = error => (error ? reject(error) : resolve(`picture of ${question}`))
      })
    },
    show: picture => void shown.push(picture),
    now: () => now,
    after: (callback, ms) => {
      const timer = { at: now + ms, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter(other => other !== timer)
      }
    },
  })
  const pass = (ms: number) => {
    now += ms
    const due = timers.filter(({ at }) => at <= now)
    timers = timers.filter(({ at }) => at > now)
    for (const { callback } of due) callback()
  }
  const settle = async (error?: Error) => {
    answer?.(error)
    answer = null
    await new Promise(resolve => setImmediate(resolve))
  }
  return { supply, asked, shown, pass, settle }
}

describe('when a minimap is drawn anew', () => {
  test('the first at once; more of the same after two seconds, and only the newest', async () => {
    const { supply, asked, shown, pass, settle } = stage()
    supply.want('1', 'map')
    expect(asked).toEqual(['1'])
    supply.want('2', 'map')
    await settle()
    expect(shown).toEqual(['picture of 1'])
    supply.want('3', 'map')
    pass(1990)
    expect(asked).toEqual(['1'])
    pass(10)
    expect(asked).toEqual(['1', '3'])
    await settle()
    pass(60_000)
    expect(asked).toEqual(['1', '3'])
  })

  test('another look does not wait, but for the picture that is being drawn', async () => {
    const { supply, asked, settle } = stage()
    supply.want('1', 'map')
    supply.want('2', 'flow')
    expect(asked).toEqual(['1'])
    await settle()
    expect(asked).toEqual(['1', '2'])
  })

  test('a slow server is asked less often', async () => {
    const { supply, asked, pass, settle } = stage()
    supply.want('1', 'map')
    pass(1000)
    await settle()
    supply.want('2', 'map')
    pass(3990)
    expect(asked).toEqual(['1'])
    pass(10)
    expect(asked).toEqual(['1', '2'])
  })

  test('one that fails leaves the picture, and is tried again later', async () => {
    const { supply, asked, shown, pass, settle } = stage()
    supply.want('1', 'map')
    await settle(new Error('503'))
    expect(shown).toEqual([])
    pass(4990)
    expect(asked).toEqual(['1'])
    pass(10)
    expect(asked).toEqual(['1', '1'])
    await settle()
    expect(shown).toEqual(['picture of 1'])
  })

  test('at rest nothing is asked', async () => {
    const { supply, asked, pass, settle } = stage()
    supply.want('1', 'map')
    await settle()
    supply.want('2', 'map')
    supply.rest()
    pass(60_000)
    expect(asked).toEqual(['1'])
  })
})
