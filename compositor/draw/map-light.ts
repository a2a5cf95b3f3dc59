import type { Rgb } from './map-frame.ts'

/** A light over the map: a halo, or an even patch. In pixels of the target. */
export interface MapLight {
  left: number
  top: number
  width: number
  height: number
  ink: Rgb
  /** 0 … 1, where it is strongest. */
  alpha: number
  /** A halo fades from this distance of its middle to its edge; null: an even light. */
  inner: number | null
  /** Adds to what is there; else it covers it. */
  adds: boolean
}

const FLOATS = 10

/** Bytes of a light as shaders read it. */
export const LIGHT_BYTES = FLOATS * 4

/** Writes lights as `Light` of shaders/map-glow.wgsl has them, as many as fit; returns how many. */
export function writeLights(lights: readonly MapLight[], f32: Float32Array): number {
  const count = Math.min(lights.length, Math.floor(f32.length / FLOATS))
  for (let i = 0; i < count; i++) {
    const { left, top, width, height, ink, alpha, inner, adds } = lights[i] as MapLight
    let at = i * FLOATS
    for (const value of [left, top, width, height, ...ink, alpha, inner ?? -1, adds ? 1 : 0]) {
      f32[at++] = value
    }
  }
  return count
}
