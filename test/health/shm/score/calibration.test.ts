import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CALIBRATION, CALIBRATION_ID, calibrate } from '../../../../health/shm/score/calibration.ts'

describe('cal-1', () => {
  test('is what was published', () => {
    expect(CALIBRATION_ID).toBe('cal-1')
    expect(CALIBRATION).toEqual({
      evenness: [
        [0, 0],
        [0.45, 0.25],
        [0.65, 0.6],
        [0.8, 0.9],
        [0.9, 1],
      ],
      coupling: [
        [0, 1],
        [0.05, 0.92],
        [0.2, 0.6],
        [0.5, 0.2],
        [1, 0],
      ],
      modularity: [
        [0, 0],
        [0.2, 0.4],
        [0.4, 0.7],
        [0.7, 0.95],
        [1, 1],
      ],
      consistency: [
        [0, 0],
        [0.5, 0.3],
        [0.8, 0.8],
        [0.95, 1],
      ],
      stability: [
        [0, 0.3],
        [0.5, 0.5],
        [0.8, 0.9],
        [1, 1],
      ],
    })
  })

  describe.each(Object.entries(CALIBRATION))('%s', (name, knots) => {
    const number = fc.double({ min: 0, max: 1, noNaN: true })

    test('goes through its knots', () => {
      for (const [x, y] of knots) expect(calibrate(knots, x)).toBe(y)
    })

    test('never turns round', () => {
      fc.assert(
        fc.property(number, number, (one, other) => {
          const [low, high] = [calibrate(knots, Math.min(one, other)), calibrate(knots, Math.max(one, other))]
          if (name === 'coupling') expect(low).toBeGreaterThanOrEqual(high - 1e-15)
          else expect(low).toBeLessThanOrEqual(high + 1e-15)
        }),
      )
    })

    test('stays in [0, 1]', () => {
      fc.assert(
        fc.property(number, x => {
          expect(calibrate(knots, x)).toBeGreaterThanOrEqual(0)
          expect(calibrate(knots, x)).toBeLessThanOrEqual(1)
        }),
      )
    })
  })

  test('is straight between knots and level behind the last one', () => {
    expect(calibrate(CALIBRATION.evenness, 0.55)).toBeCloseTo(0.425, 12)
    expect(calibrate(CALIBRATION.coupling, 0.35)).toBeCloseTo(0.4, 12)
    expect(calibrate(CALIBRATION.evenness, 0.93)).toBe(1)
    expect(calibrate(CALIBRATION.consistency, 0.99)).toBe(1)
    expect(calibrate(CALIBRATION.stability, 0)).toBe(0.3)
  })
})
