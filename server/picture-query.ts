/** What pictures are asked for with. */
import Type, { type Static } from 'typebox'
import type { ColorName, LayoutName, ViewFilter } from '../broadcast/protocol/view.ts'
import type { FrameQuestion } from '../compositor/frame/frame-question.ts'
import { TokenscopeError } from '../events/errors.ts'
import { oneOf, text } from './api-schema.ts'
import { KindName } from './record-schema.ts'

const MAX_SIDE = 8192
/** Pixels of a picture: one of MAX_SIDE by half of it. */
const MAX_PIXELS = 8192 * 4096
/** What is asked for must be a size that pictures can have, not one that no number holds. */
const ZOOM = { minimum: 1e-12, maximum: 1e6 }
/** Names, in objects: so the compiler sees that none is missing. */
const LAYOUTS: Record<LayoutName, true> = { map: true, flow: true, timeline: true }
const COLORS: Record<ColorName, true> = {
  confidence: true,
  entropy: true,
  interval: true,
  kind: true,
  model: true,
  age: true,
}
const THEMES: Record<FrameQuestion['theme'], true> = { dark: true, light: true }
const SCALES: Record<FrameQuestion['scale'], true> = { cividis: true, viridis: true }

/** The parameters of a picture of all there is, but for its layout. */
export const pictureParameters = {
  color: nameOf(COLORS, { default: 'confidence', description: 'What the colours tell' }),
  x: number('Left end, in units of the layout; without it: in the middle of all there is'),
  y: number('Upper end, likewise'),
  zoom: number('Pixels of a unit, on `timeline` along x alone; without it: so that all can be seen', ZOOM),
  zoom_y: number('Pixels of a unit along y; without it: as the layout has it', ZOOM),
  w: side(1600, 'Width in pixels'),
  h: side(900, 'Height in pixels; w times h may be 33,554,432'),
  t: number('As it was at this time, in Unix seconds; without it: now'),
  model: Type.Optional(Type.Array(text('a name'), { description: 'Only these models' })),
  kind: Type.Optional(Type.Array(KindName, { description: 'Only these kinds of token' })),
  since: number('Only what came at this time or later, in Unix seconds'),
  until: number('Only what came at this time or earlier, in Unix seconds'),
  theme: nameOf(THEMES, { default: 'dark' }),
  scale: nameOf(SCALES, { default: 'cividis', description: 'Scale of the colours' }),
}

/** Which layout is drawn. */
export function layoutParameter(fallback: LayoutName) {
  return nameOf(LAYOUTS, { default: fallback })
}

/** Which generations are drawn. */
export const generationsParameter = Type.Optional(
  Type.Array(text('a name'), { description: 'Only these generations' }),
)

const PictureQuery = Type.Object({
  ...pictureParameters,
  layout: layoutParameter('map'),
  generation: generationsParameter,
})

/** @throws TokenscopeError BAD_REQUEST if it is too large as a whole */
export function frameQuestion(query: Static<typeof PictureQuery>): FrameQuestion {
  const {
    layout,
    color,
    x = null,
    y = null,
    zoom = null,
    zoom_y = null,
    w,
    h,
    t = null,
    theme,
    scale,
  } = query
  if (w * h > MAX_PIXELS) {
    const message = `A picture of ${w} by ${h} pixels is too large; it may have ${MAX_PIXELS} of them.`
    throw new TokenscopeError('BAD_REQUEST', message, { param: w > h ? 'w' : 'h' })
  }
  return { layout, color, x, y, zoom, zoom_y, w, h, t, filter: filterOf(query), theme, scale }
}

/** Null where nothing narrows. */
function filterOf({ generation, model, kind, since, until }: Static<typeof PictureQuery>): ViewFilter | null {
  const filter = {
    ...(generation === undefined ? {} : { generations: generation }),
    ...(model === undefined ? {} : { models: model }),
    ...(kind === undefined ? {} : { kinds: kind }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
  return Object.keys(filter).length === 0 ? null : filter
}

function nameOf<T extends string>(names: Record<T, true>, options: { default: T; description?: string }) {
  return oneOf(Object.keys(names) as T[], options)
}

function number(description: string, range: { minimum?: number; maximum?: number } = {}) {
  return Type.Optional(Type.Number({ ...range, description }))
}

function side(fallback: number, description: string) {
  return Type.Integer({ minimum: 1, maximum: MAX_SIDE, default: fallback, description })
}
