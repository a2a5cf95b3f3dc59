import { describe, expect, test } from 'vitest'
import { type WheelMove, WheelReader } from '../../web/map/wheel.ts'

const event = (fields: Partial<WheelMove>): WheelMove => ({
  ctrlKey: false,
  deltaMode: 0,
  deltaX: 0,
  deltaY: 0,
  timeStamp: 1000,
  ...fields,
})
const read = (fields: Partial<WheelMove>) => new WheelReader().read(event(fields))

describe('wheels and trackpads', () => {
  test.each([
    ['Chromium on Windows', { deltaY: 100, wheelDeltaY: -120 }],
    ['Chromium on Linux', { deltaY: 120, wheelDeltaY: -120 }],
    ['Chromium on a Mac, slowed down', { deltaY: 4.000244140625, wheelDeltaY: -120 }],
    ['Firefox, in lines', { deltaMode: 1, deltaY: 3 }],
  ])('a notch of a wheel zooms out, turned back zooms in by the same: %s', (_, fields) => {
    const out = read(fields) as { zoom: number }
    const back = read({
      ...fields,
      deltaY: -(fields.deltaY as number),
      ...('wheelDeltaY' in fields ? { wheelDeltaY: 120 } : {}),
    }) as { zoom: number }
    expect(out.zoom).toBeLessThan(1)
    expect(out.zoom).toBeGreaterThan(0.8)
    expect(out.zoom * back.zoom).toBeCloseTo(1, 12)
  })

  test('two fingers on a trackpad pan, by as much as they move', () => {
    expect(read({ deltaX: 3, deltaY: -7.5, wheelDeltaY: 22 })).toEqual({ dx: -3, dy: 7.5 })
    expect(read({ deltaY: 12, wheelDeltaY: -36 })).toEqual({ dx: -0, dy: -12 })
    // The older unit looks like a notch by chance.
    expect(read({ deltaY: 40, wheelDeltaY: -120 })).toEqual({ dx: -0, dy: -40 })
  })

  test('a wheel with Shift goes sideways', () => {
    expect(read({ deltaX: 100 })).toEqual({ dx: -100, dy: -0 })
  })

  test('a pinch zooms by far more than the same number of pixels of a wheel', () => {
    const pinch = read({ ctrlKey: true, deltaY: -4, wheelDeltaY: 12 }) as { zoom: number }
    expect(pinch.zoom).toBeCloseTo(Math.exp(0.04), 12)
    const notch = read({ ctrlKey: true, deltaY: -100, wheelDeltaY: 120 }) as { zoom: number }
    expect(notch.zoom).toBeLessThan(1.3)
  })

  test('a movement stays what it began as, however fast it becomes', () => {
    const reader = new WheelReader()
    const at = (timeStamp: number, deltaY: number) => reader.read(event({ timeStamp, deltaY }))
    expect(at(0, 4)).toHaveProperty('dy')
    expect(at(16, 180)).toEqual({ dx: -0, dy: -180 })
    expect(at(32, 90)).toHaveProperty('dy')
    // After a while another one begins.
    expect(at(2000, 100)).toHaveProperty('zoom')
    expect(at(2016, 9)).toHaveProperty('zoom')
  })

  test('a wheel that spins freely moves by a bounded step', () => {
    expect((read({ deltaY: 100_000 }) as { zoom: number }).zoom).toBeGreaterThan(0.6)
    expect(read({ deltaX: 9000, deltaY: 3 })).toEqual({ dx: -240, dy: -3 })
  })
})
