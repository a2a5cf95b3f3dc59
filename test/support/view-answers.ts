import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTile } from '../../broadcast/protocol/tile-codec.ts'
import {
  type ColorName,
  TILE_SIDE,
  type TileCell,
  TOKEN_TILES,
  type ViewAnswer,
  type ViewQuestion,
  type ViewToken,
} from '../../broadcast/protocol/view.ts'
import { cellValue, KINDS, tokenValue } from '../../compositor/draw/colour-scale.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { between, randomFrom } from './random.ts'

/** Unix seconds of the first token. */
export const ORIGIN = 1_770_000_000
export const MODELS = ['qwen2.5-7b', 'llama3.1:8b']
const COLUMNS = 80
const SIDE = 96
const LANE = 24
const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

export interface StreamOptions {
  generations: number
  tokens: number
  seed?: number
  /** Each so many-th token has no probabilities. */
  unknownEach?: number
  /** Text to cut into tokens. */
  prose?: string
}

/** A token, and its place in each layout. */
export interface MadeToken {
  token: ViewToken
  map: [number, number]
  flow: [number, number, ViewToken['wraps']]
  timeline: [number, number, number]
}

/** Tokens as a model gives them, from this project's own prose: the same ones for the same seed. */
export function makeStreams({
  generations,
  tokens,
  seed = 1,
  unknownEach = 0,
  prose = README,
}: StreamOptions) {
  const random = randomFrom(seed)
  const pieces = prose.match(/ ?[\p{L}\p{N}]{1,6}|\n+|[^\S\n]+(?=\s)|\s|[^\s\p{L}\p{N}]{1,3}/gu) ?? []
  const made: MadeToken[] = []
  let block = 0
  let line = 0
  const laneEnds: number[] = []
  for (let generation = 0; generation < generations; generation++) {
    const count = between(random, Math.ceil(tokens / 2), tokens + 1)
    const from = between(random, 0, Math.max(1, pieces.length - count))
    const pace = 12 + random() * 30
    const start = generation * 1700 * random() + generation * 400
    let lane = laneEnds.findIndex(end => end + 250 < start)
    if (lane === -1) lane = laneEnds.length
    let ms = start
    let mood = 0.8
    let column = 0
    for (let index = 0; index < count; index++) {
      const text = pieces[(from + index) % pieces.length] as string
      mood = Math.min(0.99, Math.max(0.1, mood + (random() - 0.47) * 0.3))
      const confidence = Math.round(mood ** (1 + random() * 2) * 65_534) / 65_534
      const gap =
        index === 0 ? null : pace * (0.6 + random() * 0.8) + (random() < 0.01 ? 400 + random() * 900 : 0)
      ms += gap ?? 0
      const unknown = unknownEach > 0 && (index + generation) % unknownEach === 0
      const word = text.trimStart()
      const spaces = text.length - word.length
      if (word !== '' && column + spaces + word.length > COLUMNS) {
        line++
        column = 0
      }
      const x = column + (word === '' ? 0 : spaces)
      const at = generation * 0 + line
      const [px, py] = mapPosition(Math.floor(at / (SIDE / 2)))
      const flow: MadeToken['flow'] = [px * SIDE + x, py * SIDE + (at % (SIDE / 2)) * 2, undefined]
      if (text.includes('\n')) {
        line += text.length
        column = 0
      } else column = Math.min(COLUMNS, column + spaces + word.length)
      const cell = (block + Math.floor(index / 256)) * 256 + (index % 256)
      const kind =
        generation % 3 === 1 && index < count / 3
          ? 'reasoning'
          : generation % 5 === 4
            ? 'tool_call'
            : 'message'
      const token: ViewToken = {
        id: `g${generation}:${index}`,
        text,
        x: 0,
        y: 0,
        w: 1,
        kind,
        model: generation % MODELS.length,
        confidence: unknown ? null : confidence,
        entropy: unknown ? null : Math.round((1 - confidence) ** 1.3 * 2.9 * 4096) / 4096,
        interval_ms: gap,
        timestamp: ORIGIN + ms / 1000,
      }
      made.push({
        token,
        map: mapPosition(cell),
        flow,
        timeline: [Math.floor(ms), lane * LANE, Math.min(pace * 0.9, 40)],
      })
    }
    laneEnds[lane] = ms
    block += Math.ceil(count / 256)
    line += 2
  }
  return made
}

/** Answers questions about those tokens as a composition would: tokens near, tiles of cells far. */
export function answererOf(made: readonly MadeToken[], models: string[] = MODELS) {
  return async (question: ViewQuestion): Promise<ViewAnswer> => answer(made, question, models)
}

function answer(made: readonly MadeToken[], question: ViewQuestion, models: string[]): ViewAnswer {
  const { layout, x, y, w, h, zoom } = question
  const color = question.color ?? 'confidence'
  const zoomY = question.zoom_y ?? (layout === 'timeline' ? 1 : zoom)
  const placed = made.map(({ token, map, flow, timeline }): ViewToken => {
    if (layout === 'map') return { ...token, x: map[0], y: map[1] }
    if (layout === 'timeline') return { ...token, x: timeline[0], y: timeline[1], w: timeline[2] }
    return { ...token, x: flow[0], y: flow[1], w: Math.max(1, token.text.trim().length) }
  })
  const high = layout === 'map' ? 1 : layout === 'flow' ? 2 : LANE
  const bounds: ViewAnswer['bounds'] =
    placed.length === 0
      ? null
      : [
          extreme(Math.min, placed, token => token.x),
          extreme(Math.min, placed, token => token.y),
          extreme(Math.max, placed, token => token.x + token.w),
          extreme(Math.max, placed, token => token.y + high),
        ]
  const inView = placed.filter(
    token => token.x + token.w > x && token.x < x + w / zoom && token.y + high > y && token.y < y + h / zoomY,
  )
  const near = zoom >= { map: 8, flow: 2, timeline: 0.05 }[layout] && inView.length <= 16_384
  const common = {
    layout,
    color,
    upto: made.length,
    origin: made.length === 0 ? null : ORIGIN,
    models,
    bounds,
    count: inView.length,
  }
  if (near) return { ...common, z: TOKEN_TILES, tokens: inView, tiles: [] }
  const z = Math.max({ map: 0, flow: 2, timeline: 0 }[layout], Math.ceil(Math.log2(2 / zoom)))
  return { ...common, z, tokens: [], tiles: tilesOf(placed, color, layout === 'timeline', z) }
}

/** There may be more of them than a call takes arguments. */
function extreme(
  choose: (a: number, b: number) => number,
  tokens: readonly ViewToken[],
  of: (token: ViewToken) => number,
): number {
  return tokens.reduce((best, token) => choose(best, of(token)), of(tokens[0] as ViewToken))
}

function tilesOf(tokens: readonly ViewToken[], color: ColorName, lanes: boolean, z: number) {
  const cells = new Map<string, ViewToken[]>()
  for (const token of tokens) {
    const [x, y] = [Math.floor(token.x / 2 ** z), lanes ? token.y / LANE : Math.floor(token.y / 2 ** z)]
    const key = `${x} ${y}`
    const inside = cells.get(key)
    if (inside === undefined) cells.set(key, [token])
    else inside.push(token)
  }
  const tiles = new Map<string, TileCell[]>()
  for (const [key, inside] of cells) {
    const [x, y] = key.split(' ').map(Number) as [number, number]
    const tile = `${Math.floor(x / TILE_SIDE)} ${Math.floor(y / TILE_SIDE)}`
    const list = tiles.get(tile) ?? []
    list.push([(y % TILE_SIDE) * TILE_SIDE + (x % TILE_SIDE), inside.length, wireOf(inside, color)])
    tiles.set(tile, list)
  }
  return Array.from(tiles, ([key, list]) => {
    const [x, y] = key.split(' ').map(Number) as [number, number]
    list.sort((a, b) => a[0] - b[0])
    const count = list.reduce((sum, cell) => sum + cell[1], 0)
    return { z, x, y, version: 1, count, content: encodeTile({ cells: list }) }
  })
}

/** The value of a cell with these tokens, as tiles have it. */
function wireOf(tokens: readonly ViewToken[], color: ColorName): number | null {
  const known = tokens.map(token => tokenValue(token, color)).filter(value => value !== null)
  if (known.length === 0) return null
  if (color === 'age') return Math.floor((Math.max(...known) - ORIGIN) * 1000)
  if (color === 'kind' || color === 'model') {
    const most = Math.max(KINDS.length, MODELS.length)
    const counts = Array.from({ length: most }, (_, i) => known.filter(value => value === i).length)
    return counts.indexOf(Math.max(...counts))
  }
  const one = cellValue(1, color, ORIGIN) as number
  return Math.floor(known.reduce((sum, value) => sum + value, 0) / known.length / one)
}
