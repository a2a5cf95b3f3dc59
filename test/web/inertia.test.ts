import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Glide, Inertia } from '../../web/map/inertia.ts'
import { rounds } from '../support/rounds.ts'

/** Where it comes to rest, looked at every `each` milliseconds. */
function whole(glide: Glide, from: number, each: number): { dx: number; dy: number; ms: number } {
  let [dx, dy, now] = [0, 0, from]
  for (let step = glide.step(now); step !== null; step = glide.step(now)) {
    dx += step.dx
    dy += step.dy
    now += each
  }
  return { dx, dy, ms: now - from }
}

function thrown(speed: number, ms: number, angle = 0): Inertia {
  const inertia = new Inertia()
  for (let at = 0; at <= ms; at += 8) {
    inertia.move(Math.cos(angle) * speed * at, Math.sin(angle) * speed * at, at)
  }
  return inertia
}

describe('inertia', () => {
  test('what is thrown goes on the way it went, and comes to rest', () => {
    const glide = thrown(1, 80).release(80) as Glide
    const { dx, dy, ms } = whole(glide, 80, 16)
    expect(dy).toBe(0)
    // 1 px/ms that decays within 280 ms goes 280 px.
    expect(dx).toBeCloseTo(280, 6)
    expect(ms).toBeLessThan(2500)
  })

  test('how far it goes depends on no frame rate', () => {
    const angle = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true })
    const speed = fc.double({ min: 0.2, max: 7, noNaN: true })
    fc.assert(
      fc.property(angle, speed, fc.integer({ min: 1, max: 3000 }), (angle, speed, each) => {
        const { dx, dy } = whole(thrown(speed, 80, angle).release(80) as Glide, 80, each)
        expect(dx).toBeCloseTo(Math.cos(angle) * speed * 280, 6)
        expect(dy).toBeCloseTo(Math.sin(angle) * speed * 280, 6)
      }),
      { numRuns: rounds(400) },
    )
  })

  test('a page that hears of it late shows all of it still, from its first frame on', () => {
    const glide = thrown(1, 80).release(80) as Glide
    const first = glide.step(5080)?.dx ?? 0
    expect(first).toBeGreaterThan(5)
    expect(first).toBeLessThan(20)
    expect(first + whole(glide, 5096, 16).dx).toBeCloseTo(280, 6)
  })

  test('a hand that rests before it lets go throws nothing, nor does a slow one', () => {
    expect(thrown(1, 80).release(160)).toBeNull()
    expect(thrown(0.05, 80).release(80)).toBeNull()
    expect(new Inertia().release(0)).toBeNull()
    const pressed = new Inertia()
    pressed.move(5, 5, 10)
    expect(pressed.release(10)).toBeNull()
  })

  test('only the last moves count: one that turned round goes the new way', () => {
    const inertia = new Inertia()
    for (let at = 0; at < 400; at += 8) inertia.move(at, 0, at)
    for (let at = 400; at <= 520; at += 8) inertia.move(800 - at, 0, at)
    const moved = whole(inertia.release(520) as Glide, 520, 16)
    expect(moved.dx).toBeLessThan(-200)
  })

  test('after a reset the moves before it do not count', () => {
    const inertia = thrown(2, 80)
    inertia.reset()
    expect(inertia.release(80)).toBeNull()
  })

  test('a jump of the pointer is held within what a hand can do', () => {
    const inertia = new Inertia()
    inertia.move(0, 0, 0)
    inertia.move(5000, 0, 2)
    expect(whole(inertia.release(2) as Glide, 2, 16).dx).toBeLessThanOrEqual(8 * 280)
  })
})
