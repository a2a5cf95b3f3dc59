import type { ColorName, ViewToken } from '../../broadcast/protocol/view.ts'
import { cividisRgb } from './cividis.ts'
import { type Rgba, rgba, rgbaOf } from './rgba.ts'
import { viridisRgb } from './viridis.ts'

export type ScaleName = 'cividis' | 'viridis'

/** What a value's colour depends on besides the value. */
export interface ColourContext {
  scale: ScaleName
  /** From when age is told; Unix seconds. */
  now: number
}

/** Entropy over 20 alternatives is at most this many nats. */
export const MOST_ENTROPY = Math.log(20)
/** Inter-token times, in milliseconds, that the scale begins and ends with; it is logarithmic. */
export const INTERVAL_ENDS: readonly [number, number] = [1, 10_000]
/** Ages, in seconds, that the scale ends and begins with: the newest is brightest. Logarithmic. */
export const AGE_ENDS: readonly [number, number] = [1, 3600]

/** Fixed-point steps of cells' values: of a confidence of 1, of a nat, of a millisecond. */
const CONFIDENCE_STEPS = 65_534
const ENTROPY_STEPS = 4096
const TICKS_PER_MS = 10

/**
 * Six of the eight colours that people with and without a colour vision deficiency tell apart, each to be seen
 * on both grounds.
 *
 * Source: M. Okabe, K. Ito (2002), "Color Universal Design".
 */
export const CATEGORIES: readonly Rgba[] = [
  '#0072b2',
  '#e69f00',
  '#cc79a7',
  '#009e73',
  '#56b4e9',
  '#d55e00',
].map(css => rgbaOf(css))
/** Of categories beyond those. */
export const REST: Rgba = rgbaOf('#858d98')

/** Kinds, as cells number them. */
export const KINDS = ['message', 'reasoning', 'tool_call'] as const

/**
 * The colour of a value; null for one that is not known, which is a hatch.
 *
 * @param value confidence 0 … 1; entropy in nats; interval in milliseconds; kind and model as numbers; age as
 *   the Unix seconds of the token
 */
export function colourOf(color: ColorName, value: number | null, context: ColourContext): Rgba | null {
  if (value === null || Number.isNaN(value)) return null
  if (color === 'kind' || color === 'model') return CATEGORIES[value] ?? REST
  return scaleColour(scalePosition(color, value, context.now), context.scale)
}

/** Where a value lies on its scale, 0 … 1; as for `colourOf`, without categories. */
export function scalePosition(color: ColorName, value: number, now: number): number {
  switch (color) {
    case 'entropy':
      return value / MOST_ENTROPY
    case 'interval':
      return logPosition(value, INTERVAL_ENDS)
    case 'age':
      return 1 - logPosition(now - value, AGE_ENDS)
    default:
      return value
  }
}

/** The colour at a place of the scale, 0 … 1. */
export function scaleColour(t: number, scale: ScaleName): Rgba {
  return rgba(scale === 'viridis' ? viridisRgb(t) : cividisRgb(t))
}

/** A token's value, as `colourOf` takes it. */
export function tokenValue(token: ViewToken, color: ColorName): number | null {
  switch (color) {
    case 'confidence':
      return token.confidence
    case 'entropy':
      return token.entropy
    case 'interval':
      return token.interval_ms
    case 'kind':
      return KINDS.indexOf(token.kind)
    case 'model':
      return token.model
    case 'age':
      return token.timestamp
  }
}

/**
 * A cell's value, as `colourOf` takes it.
 *
 * @param origin Unix seconds from which a view tells age
 */
export function cellValue(value: number | null, color: ColorName, origin: number | null): number | null {
  if (value === null) return null
  switch (color) {
    case 'confidence':
      return value / CONFIDENCE_STEPS
    case 'entropy':
      return value / ENTROPY_STEPS
    case 'interval':
      return value / TICKS_PER_MS
    case 'age':
      return origin === null ? null : origin + value / 1000
    default:
      return value
  }
}

function logPosition(value: number, [from, to]: readonly [number, number]): number {
  if (!(value > from)) return 0
  return Math.log(value / from) / Math.log(to / from)
}
