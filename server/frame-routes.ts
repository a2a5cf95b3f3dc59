import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ColorName, LayoutName, ViewFilter } from '../broadcast/protocol/view.ts'
import type { FrameQuestion } from '../compositor/frame/frame-question.ts'
import { TokenscopeError } from '../events/errors.ts'
import type { TokenKind } from '../events/generation.ts'
import { FramePlaces } from './frame-places.ts'

const SIZE = { w: 1600, h: 900 }
const MAX_SIDE = 8192
/** Pixels of a picture: one of MAX_SIDE by half of it. */
const MAX_PIXELS = 8192 * 4096
const NUMBER = /^-?\d{1,16}(\.\d{1,20})?(e[+-]?\d{1,2})?$/i
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
const KINDS: Record<TokenKind, true> = { message: true, reasoning: true, tool_call: true }
const THEMES: Record<FrameQuestion['theme'], true> = { dark: true, light: true }
const SCALES: Record<FrameQuestion['scale'], true> = { cividis: true, viridis: true }

/** What is asked of the compositor. */
export interface Frames {
  /** The bytes of a PNG file. */
  frame(question: FrameQuestion): Promise<Uint8Array>
  /** Whether tokens of a generation are in a layout. */
  shows(generation: string, layout: LayoutName): Promise<boolean>
}

/** `/scope/v1/frame.png` and `/scope/v1/generations/:id/export`: pictures of what is laid out. */
export function frameRoutes(app: FastifyInstance, frames: Frames): void {
  const places = new FramePlaces()
  const draw = (reply: FastifyReply, work: () => Promise<Uint8Array>) => places.with(work, goneSignal(reply))

  app.get('/scope/v1/frame.png', async (request, reply) => {
    const question = readQuestion(request.query as Query, 'map')
    return sendPng(reply, await draw(reply, () => frames.frame(question)))
  })

  app.get('/scope/v1/generations/:id/export', async (request, reply) => {
    const { id } = request.params as { id: string }
    const { format, ...query } = request.query as Query
    if (format !== 'png') throw bad('format', format, 'png')
    const question = readQuestion({ ...query, generation: id }, 'flow')
    const png = await draw(reply, async () => {
      if (await frames.shows(id, question.layout)) return frames.frame(question)
      throw new TokenscopeError('NOT_FOUND', `There are no tokens of a generation ${id.slice(0, 100)}.`)
    })
    // Who saves it may find a name in it that no file system minds.
    const name = id.replace(/[^\w-]/g, '_').slice(0, 100)
    void reply.header('content-disposition', `attachment; filename="${name}.png"`)
    return sendPng(reply, png)
  })
}

/** Aborted once who asked has gone. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  if (raw.destroyed) gone.abort()
  else raw.once('close', () => gone.abort())
  return gone.signal
}

type Query = Record<string, unknown>

function sendPng(reply: FastifyReply, png: Uint8Array): FastifyReply {
  void reply.header('cache-control', 'no-store').type('image/png')
  return reply.send(Buffer.from(png.buffer, png.byteOffset, png.byteLength))
}

/** @throws TokenscopeError BAD_REQUEST naming the parameter */
function readQuestion(query: Query, layout: LayoutName): FrameQuestion {
  const w = readSide(query, 'w') ?? SIZE.w
  const h = readSide(query, 'h') ?? SIZE.h
  if (w * h > MAX_PIXELS) {
    const message = `A picture of ${w} by ${h} pixels is too large; it may have ${MAX_PIXELS} of them.`
    throw new TokenscopeError('BAD_REQUEST', message, { param: w > h ? 'w' : 'h' })
  }
  return {
    layout: readName(query, 'layout', LAYOUTS) ?? layout,
    color: readName(query, 'color', COLORS) ?? 'confidence',
    x: readNumber(query, 'x'),
    y: readNumber(query, 'y'),
    zoom: readZoom(query, 'zoom'),
    zoom_y: readZoom(query, 'zoom_y'),
    w,
    h,
    t: readNumber(query, 't'),
    filter: readFilter(query),
    theme: readName(query, 'theme', THEMES) ?? 'dark',
    scale: readName(query, 'scale', SCALES) ?? 'cividis',
  }
}

function readName<T extends string>(query: Query, param: string, names: Record<T, true>): T | undefined {
  const value = query[param]
  return value === undefined ? undefined : nameOf(param, value, names)
}

function nameOf<T extends string>(param: string, value: unknown, names: Record<T, true>): T {
  if (typeof value === 'string' && Object.hasOwn(names, value)) return value as T
  throw bad(param, value, `one of ${Object.keys(names).join(', ')}`)
}

function readNumber(query: Query, param: string): number | null {
  const value = query[param]
  if (value === undefined) return null
  if (typeof value !== 'string' || !NUMBER.test(value)) throw bad(param, value, 'a number')
  return Number(value)
}

function readZoom(query: Query, param: string): number | null {
  const zoom = readNumber(query, param)
  // What is asked for must be a size that pictures can have, not one that no number holds.
  if (zoom !== null && !(zoom >= 1e-12 && zoom <= 1e6)) {
    throw bad(param, query[param], 'a number from 1e-12 to 1e6')
  }
  return zoom
}

function readSide(query: Query, param: string): number | undefined {
  const value = query[param]
  if (value === undefined) return undefined
  const side = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : 0
  if (side < 1 || side > MAX_SIDE) throw bad(param, value, `a whole number from 1 to ${MAX_SIDE}`)
  return side
}

/** Null where nothing narrows. */
function readFilter(query: Query): ViewFilter | null {
  const generations = readList(query, 'generation')
  const models = readList(query, 'model')
  const kinds = readList(query, 'kind').map(kind => nameOf('kind', kind, KINDS))
  if (generations.length + models.length + kinds.length === 0) return null
  return {
    ...(generations.length === 0 ? {} : { generations }),
    ...(models.length === 0 ? {} : { models }),
    ...(kinds.length === 0 ? {} : { kinds }),
  }
}

/** What a parameter that may be repeated says. */
function readList(query: Query, param: string): string[] {
  const value = query[param] ?? []
  const list = Array.isArray(value) ? value : [value]
  if (list.some(entry => typeof entry !== 'string' || entry === '')) throw bad(param, value, 'a name')
  return list
}

function bad(param: string, value: unknown, words: string): TokenscopeError {
  const given = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 100)
  return new TokenscopeError('BAD_REQUEST', `"${param}" is ${given}; it must be ${words}.`, { param })
}
