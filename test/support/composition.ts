/** What a composition must answer, found the long way: from a list of all tokens. */
import { expect } from 'vitest'
import { decodeTile } from '../../broadcast/protocol/tile-codec.ts'
import {
  type ColorName,
  type LayoutName,
  type PickQuestion,
  TILE_SIDE,
  type TileCell,
  TOKEN_TILES,
  type ViewAnswer,
  type ViewFilter,
  type ViewQuestion,
} from '../../broadcast/protocol/view.ts'
import { CpuEngine } from '../../compositor/engine-cpu.ts'
import { FlowLayout } from '../../compositor/layout/flow-layout.ts'
import { wrapsOf } from '../../compositor/layout/flow-runs.ts'
import { CHUNK_TOKENS } from '../../compositor/tokens/record.ts'
import { TextShaper } from '../../compositor/tokens/shape.ts'
import { TokenStore } from '../../compositor/tokens/token-store.ts'
import { FlowIndex } from '../../compositor/view/spatial-flow.ts'
import type { LogEntry, TokenKind } from '../../events/generation.ts'

/** A token with all that a view can depend on. */
export interface ListedToken {
  n: number
  id: string
  generation: string
  slot: number
  model: string | null
  text: string
  kind: TokenKind
  ms: number
  /** In the channel's fixed point; null where it is not known. */
  confidence: number | null
  entropy: number | null
  interval: number | null
  x: number
  y: number
  w: number
}

const KINDS: readonly TokenKind[] = ['message', 'reasoning', 'tool_call']
const ROW_HEIGHTS: Record<LayoutName, number> = { map: 1, flow: 2, timeline: 24 }
const TOKEN_TILE: Record<LayoutName, [number, number]> = {
  map: [64, 64],
  flow: [128, 128],
  timeline: [4096, 64 * 24],
}

/** A second store of the same entries, which is read token by token. */
export class TokenList {
  readonly store: TokenStore
  readonly #flow: FlowLayout
  #flows: boolean

  /** @param flows whether `flow` is laid out from the beginning */
  constructor({ maxPages, flows, flowWidth = 80 }: { maxPages: number; flows: boolean; flowWidth?: number }) {
    this.store = new TokenStore({ maxPages })
    this.#flow = new FlowLayout({ store: this.store, engine: new CpuEngine(), width: flowWidth })
    this.#flows = flows
  }

  async append(entries: readonly LogEntry[]): Promise<void> {
    const runs = this.store.append(entries)
    if (this.#flows) await this.#flow.append(runs)
  }

  /** Lays `flow` out, if it was not. */
  async beginFlow(): Promise<void> {
    if (!this.#flows) await this.#flow.reflow()
    this.#flows = true
  }

  /** All tokens where a layout has them. */
  tokens(layout: LayoutName): ListedToken[] {
    const { store } = this
    const index = new FlowIndex(store, this.#flow)
    const tokens: ListedToken[] = []
    for (const row of store.generations) {
      const numbers = row.chunks.flatMap(chunk =>
        Array.from({ length: CHUNK_TOKENS }, (_, i) => chunk * CHUNK_TOKENS + i).filter(n => store.has(n)),
      )
      for (const [i, n] of numbers.entries()) {
        const ms = store.msOf(n)
        const next = numbers[i + 1]
        const confidence = store.confidenceOf(n)
        const entropy = store.entropyOf(n)
        const interval = store.intervalOf(n)
        const place = {
          map: () => mapPlaceOf(n),
          flow: () => this.#flow.placeOf(n),
          timeline: () => [ms, row.lane * 24],
        }
        const [x, y] = place[layout]() as [number, number]
        const widths = {
          map: () => 1,
          flow: () => index.widthOf(n),
          timeline: () => (next === undefined ? 100 : Math.min(100, store.msOf(next) - ms)),
        }
        tokens.push({
          n,
          id: store.idOf(n),
          generation: row.id,
          slot: row.slot,
          model: store.models[row.model] ?? null,
          text: store.textOf(n),
          kind: store.kindOf(n),
          ms,
          confidence: confidence === null ? null : Math.round(confidence * 65_534),
          entropy: entropy === null ? null : Math.round(entropy * 4096),
          interval: interval < 0 ? null : Math.min(interval, 65_534),
          x,
          y,
          w: widths[layout](),
        })
      }
    }
    return tokens
  }

  /** Those that a filter and a time let pass. */
  passing(
    layout: LayoutName,
    { t, filter }: { t?: number | null; filter?: ViewFilter | null },
  ): ListedToken[] {
    const ms = (seconds: number) => Math.floor(Math.round((seconds - (this.store.origin ?? 0)) * 10_000) / 10)
    return this.tokens(layout).filter(
      token =>
        (t === undefined || t === null || token.ms <= ms(t)) &&
        (filter?.since === undefined || token.ms >= ms(filter.since)) &&
        (filter?.until === undefined || token.ms <= ms(filter.until)) &&
        (filter?.kinds?.includes(token.kind) ?? true) &&
        (filter?.generations?.includes(token.generation) ?? true) &&
        (filter?.models === undefined || (token.model !== null && filter.models.includes(token.model))),
    )
  }

  /** Fails unless an answer is the right one to a question whose tiles were all not held. */
  expectView(answer: ViewAnswer, question: ViewQuestion): void {
    const { layout } = question
    const tokens = this.passing(layout, question)
    expect(answer.layout).toBe(layout)
    expect(answer.origin).toBe(this.store.origin)
    expect(answer.models).toEqual(this.store.models)
    expect(answer.bounds).toEqual(boundsOf(layout, this.tokens(layout), this.#flow.width))
    const rect = rectOf(question)
    if (answer.z === TOKEN_TILES) {
      const seen = tokens.filter(token => meets(layout, token, rect))
      expect(answer.count).toBe(seen.length)
      if (question.have === undefined)
        expect(answer.tokens.map(({ id }) => id).toSorted()).toEqual(idsOf(seen))
    }
    if (answer.z !== TOKEN_TILES || question.have !== undefined) this.#expectTiles(answer, question, tokens)
  }

  /** Fails unless this is the token at a place. */
  expectPick(answer: ViewAnswer, question: PickQuestion): void {
    const { layout, x, y } = question
    const height = ROW_HEIGHTS[layout]
    const hits = this.passing(layout, question)
      .filter(token => token.x <= x && x < token.x + token.w && token.y <= y && y < token.y + height)
      .toSorted((a, b) => a.x - b.x || a.n - b.n)
    const hit = hits.at(-1) ?? (layout === 'flow' ? this.#goingOnAt(question) : undefined)
    expect(answer.tokens.map(({ id }) => id)).toEqual(hit === undefined ? [] : [hit.id])
    expect(answer.count).toBe(answer.tokens.length)
  }

  /** The token whose text goes on at a place. */
  #goingOnAt(question: PickQuestion): ListedToken | undefined {
    const { x, y } = question
    return this.passing('flow', question).find(({ n, text }) => {
      const wraps = wrapsOf(this.store, this.#flow, n)
      return wraps.some(([at, left, top], i) => {
        const columns = new TextShaper().clusters(text.slice(at, wraps[i + 1]?.[0]), 0).map(cluster => {
          const rest = text.slice(at + cluster.at)
          if (/^[\n\r\v\f\t\u0085\u2028\u2029]/.test(rest)) return 0
          return rest.startsWith(' ') ? 1 : cluster.columns
        })
        return left <= x && x < left + columns.reduce((sum, each) => sum + each, 0) && top <= y && y < top + 2
      })
    })
  }

  #expectTiles(answer: ViewAnswer, question: ViewQuestion, tokens: readonly ListedToken[]): void {
    const { layout } = question
    const [width, height] = sizeOfTile(layout, answer.z)
    const rect = rectOf(question)
    // Every place of the viewport at which something can be is in a tile.
    for (const token of tokens.filter(token => meets(layout, token, rect))) {
      const [x, y] = [Math.floor(token.x / width), Math.floor(token.y / height)]
      expect(answer.tiles.some(tile => tile.x === x && tile.y === y)).toBe(true)
    }
    expect(new Set(answer.tiles.map(({ x, y }) => `${x} ${y}`)).size).toBe(answer.tiles.length)
    expect(answer.tiles.length).toBeLessThanOrEqual(1024)
    let count = 0
    for (const tile of answer.tiles) {
      expect(tile.z).toBe(answer.z)
      const inside = tokens.filter(
        token => Math.floor(token.x / width) === tile.x && Math.floor(token.y / height) === tile.y,
      )
      expect(tile.count).toBe(inside.length)
      count += tile.count
      const content = decodeTile(tile.content as Uint8Array)
      if (answer.z === TOKEN_TILES) {
        expect(content.tokens?.map(({ id }) => id).toSorted()).toEqual(idsOf(inside))
        for (const token of content.tokens ?? []) {
          const same = inside.find(({ id }) => id === token.id) as ListedToken
          expect(token).toMatchObject({
            x: same.x,
            y: same.y,
            w: same.w,
            text: same.text.toWellFormed(),
            kind: same.kind,
          })
        }
      } else {
        const models = this.store.models
        expect(content.cells).toEqual(cellsOf(layout, tile, inside, answer.color, models))
      }
    }
    if (answer.z !== TOKEN_TILES) expect(answer.count).toBe(count)
  }
}

/** The part of the layout that a question is about. */
function rectOf({ layout, x, y, w, h, zoom, zoom_y }: ViewQuestion): {
  left: number
  top: number
  right: number
  bottom: number
} {
  const zoomY = zoom_y ?? (layout === 'timeline' ? 1 : zoom)
  const from = (value: number) => Math.max(0, value)
  return { left: from(x), top: from(y), right: x + w / zoom, bottom: y + h / zoomY }
}

function meets(layout: LayoutName, token: ListedToken, rect: ReturnType<typeof rectOf>): boolean {
  if (rect.right <= rect.left || rect.bottom <= rect.top) return false
  if (token.y >= rect.bottom || token.y + ROW_HEIGHTS[layout] <= rect.top || token.x >= rect.right)
    return false
  // What takes no width is met where it begins.
  return token.x >= rect.left || token.x + token.w > rect.left
}

function sizeOfTile(layout: LayoutName, z: number): [number, number] {
  if (z === TOKEN_TILES) return TOKEN_TILE[layout]
  return [TILE_SIDE * 2 ** z, TILE_SIDE * (layout === 'timeline' ? 24 : 2 ** z)]
}

function cellsOf(
  layout: LayoutName,
  tile: { x: number; y: number; z: number },
  tokens: readonly ListedToken[],
  color: ColorName,
  models: readonly string[],
): TileCell[] {
  const [width, height] = sizeOfTile(layout, tile.z)
  const cells = new Map<number, ListedToken[]>()
  for (const token of tokens) {
    const column = Math.floor((token.x - tile.x * width) / (width / TILE_SIDE))
    const row = Math.floor((token.y - tile.y * height) / (height / TILE_SIDE))
    const at = row * TILE_SIDE + column
    cells.set(at, [...(cells.get(at) ?? []), token])
  }
  return [...cells]
    .toSorted(([a], [b]) => a - b)
    .map(([at, inside]) => [at, inside.length, valueAmong(inside, color, models)])
}

function valueAmong(
  tokens: readonly ListedToken[],
  color: ColorName,
  models: readonly string[],
): number | null {
  switch (color) {
    case 'kind': {
      const counts = KINDS.map(kind => tokens.filter(token => token.kind === kind).length)
      return counts.indexOf(Math.max(...counts))
    }
    case 'model': {
      const youngest = tokens.toSorted((a, b) => b.slot - a.slot)[0]
      return youngest === undefined || youngest.model === null ? null : models.indexOf(youngest.model)
    }
    case 'age':
      return Math.max(...tokens.map(({ ms }) => ms))
    default: {
      const known = tokens.map(token => token[color]).filter(value => value !== null)
      return known.length === 0
        ? null
        : Math.floor(known.reduce((sum, value) => sum + value, 0) / known.length)
    }
  }
}

function boundsOf(
  layout: LayoutName,
  tokens: readonly ListedToken[],
  flowWidth: number,
): ViewAnswer['bounds'] {
  if (tokens.length === 0) return null
  const lefts = tokens.map(({ x }) =>
    layout === 'flow' ? Math.floor(x / (flowWidth + 16)) * (flowWidth + 16) : x,
  )
  const width = { map: 1, flow: flowWidth, timeline: 100 }[layout]
  const tops = tokens.map(({ y }) => y)
  return [
    Math.min(...lefts),
    Math.min(...tops),
    Math.max(...lefts) + width,
    Math.max(...tops) + ROW_HEIGHTS[layout],
  ]
}

function idsOf(tokens: readonly ListedToken[]): string[] {
  return tokens.map(({ id }) => id).toSorted()
}

/** The place of a cell on the map, from the curve's definition: quarter by quarter, from the smallest on. */
function mapPlaceOf(n: number): [x: number, y: number] {
  let x = 0
  let y = 0
  let rest = n
  for (let side = 1; side < 65_536; side *= 2) {
    const right = (rest >>> 1) & 1
    const low = (rest ^ right) & 1
    if (low === 0) {
      if (right === 1) {
        x = side - 1 - x
        y = side - 1 - y
      }
      const swapped = x
      x = y
      y = swapped
    }
    x += side * right
    y += side * low
    rest >>>= 2
  }
  return [x, y]
}
