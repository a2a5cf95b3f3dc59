import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitBounds, reveal, toScreen, toWorld, type Viewport, zoomAbout } from '../../web/map/camera.ts'
import { CameraSpring } from '../../web/map/spring.ts'

const VIEW: Viewport = { width: 1000, height: 600, left: 0, top: 0, right: 320, bottom: 44 }
const POSE = { x: 8, y: 8, zoom: 20, zoomY: 10 }
const RANGE = { least: 0.5, most: 160, leastY: 0.25, mostY: 80 }
const coordinate = fc.double({ min: -5000, max: 5000, noNaN: true })

describe('the camera', () => {
  it('maps the world to the screen and back', () => {
    fc.assert(
      fc.property(coordinate, coordinate, (x, y) => {
        const at = toScreen(POSE, VIEW, x, y)
        const back = toWorld(POSE, VIEW, at.x, at.y)
        expect(back.x).toBeCloseTo(x, 6)
        expect(back.y).toBeCloseTo(y, 6)
      }),
    )
  })

  it('keeps the point under the pointer when it zooms', () => {
    const screen = fc.integer({ min: 0, max: 600 })
    fc.assert(
      fc.property(screen, screen, fc.double({ min: 0.001, max: 50, noNaN: true }), (x, y, factor) => {
        const before = toWorld(POSE, VIEW, x, y)
        const zoomed = zoomAbout(POSE, VIEW, { x, y }, factor, RANGE)
        const after = toWorld(zoomed, VIEW, x, y)
        expect(after.x).toBeCloseTo(before.x, 6)
        expect(after.y).toBeCloseTo(before.y, 6)
        expect(zoomed.zoom).toBeGreaterThanOrEqual(RANGE.least)
        expect(zoomed.zoom).toBeLessThanOrEqual(RANGE.most)
        expect(zoomed.zoomY).toBeCloseTo(zoomed.zoom / 2)
      }),
    )
  })

  it('fits bounds into the part of the view that nothing covers', () => {
    const pose = fitBounds({ left: 0, top: 0, right: 32, bottom: 16 }, VIEW, 20, 64)
    const from = toScreen(pose, VIEW, 0, 0)
    const to = toScreen(pose, VIEW, 32, 16)
    expect(from.x).toBeCloseTo(20)
    expect(to.x).toBeCloseTo(1000 - 320 - 20)
    expect(from.y).toBeGreaterThanOrEqual(20)
    expect(to.y).toBeLessThanOrEqual(600 - 44 - 20)
  })

  it('reveals a cell with the smallest pan, and stays where it is seen already', () => {
    expect(reveal(POSE, VIEW, { left: 8, top: 8, right: 9, bottom: 9 }, 40)).toBe(POSE)
    const cell = { left: 100, top: 8, right: 101, bottom: 9 }
    const pose = reveal(POSE, VIEW, cell, 40)
    expect(toScreen(pose, VIEW, 101, 9).x).toBeCloseTo(1000 - 320 - 40)
    expect(pose.y).toBe(POSE.y)
  })
})

describe('the spring', () => {
  it('arrives without passing its target, in steps of any length', () => {
    for (const dt of [0.001, 0.016, 0.1, 1]) {
      const spring = new CameraSpring({ x: 0, y: 0, zoom: 10, zoomY: 1 })
      spring.aim({ x: 100, y: -50, zoom: 40, zoomY: 2 }, false)
      let furthest = 0
      for (let t = 0; t < 5 && spring.step(dt); t += dt) furthest = Math.max(furthest, spring.pose.x)
      expect(furthest).toBeLessThanOrEqual(100)
      expect(spring.pose).toEqual({ x: 100, y: -50, zoom: 40, zoomY: 2 })
      expect(spring.moving).toBe(false)
    }
  })

  it('cuts where asked to', () => {
    const spring = new CameraSpring({ x: 0, y: 0, zoom: 10, zoomY: 1 })
    spring.aim({ x: 1, y: 1, zoom: 1, zoomY: 1 }, true)
    expect(spring.pose).toEqual({ x: 1, y: 1, zoom: 1, zoomY: 1 })
    expect(spring.step(0.016)).toBe(false)
  })
})
