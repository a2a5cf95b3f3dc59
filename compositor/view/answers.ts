/** Answers to what is asked of one layout. */

import { CellWriter, type EncodedContent } from '../../broadcast/protocol/tile-writers.ts'
import {
  type ColorName,
  type PickQuestion,
  type TileAnswer,
  TOKEN_TILES,
  type ViewAnswer,
  type ViewQuestion,
  type ViewToken,
} from '../../broadcast/protocol/view.ts'
import type { Engine } from '../engine.ts'
import type { FlowLayout } from '../layout/flow-layout.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import { GRIDS, tileRect, type WorldRect } from './layout-grid.ts'
import { FlowIndex } from './spatial-flow.ts'
import { type EncodedTile, TileCache } from './tile-cache.ts'
import { encodeCounted, TileCounter } from './tile-counter.ts'
import { TokenTileEncoder } from './token-tile-encoder.ts'
import { TokenFilter } from './view-filter.ts'
import { goesOnAt, viewToken } from './view-tokens.ts'
import { farTiles, nearTiles, summedTiles, type TileRange, viewRect } from './viewport.ts'
import type { WatchedLayout } from './watched-layout.ts'

/** Tokens of an answer at most; where there are more, it is of cells. */
const MAX_TOKENS = 16_384
/** Tokens in the tiles of an answer at most. */
const MAX_TILE_TOKENS = 65_536
/** Tokens that are looked at at most to find those that a filter lets pass. */
const MAX_LOOKED_AT = 262_144

export interface AnswersOptions {
  store: TokenStore
  flow: FlowLayout
  engine: Engine
}

/** Tokens that a question is about. */
interface Found {
  count: number
  /** Empty where they are told in tiles. */
  numbers: number[]
  /** x and y each. */
  places: number[]
}

export class Answers {
  readonly #store: TokenStore
  readonly #flow: FlowLayout
  readonly #counter: TileCounter
  readonly #encoder: TokenTileEncoder
  readonly #cells = new CellWriter()
  readonly #cache = new TileCache()

  constructor({ store, flow, engine }: AnswersOptions) {
    this.#store = store
    this.#flow = flow
    this.#encoder = new TokenTileEncoder(store, flow)
    this.#counter = new TileCounter({ store, engine, panelSide: flow.panelSide })
  }

  /** What a viewport shows. */
  async view(layout: WatchedLayout, question: ViewQuestion): Promise<ViewAnswer> {
    const filter = new TokenFilter(this.#store, question)
    const color = question.color ?? 'confidence'
    const have = heldBy(question)
    const near = nearTiles(question)
    const found =
      near === null ? null : this.#readable(layout, viewRect(question), near, filter, have !== null)
    if (near !== null && found !== null) {
      const answer = this.#answer(layout, color, TOKEN_TILES, found.count)
      if (have === null) answer.tokens = this.#viewTokens(layout, found)
      else answer.tiles = this.#tokenTiles(layout, near, filter, have)
      return answer
    }
    const range = this.#cellRange(layout, question)
    const tiles = await this.#cellTiles(layout, range, color, filter, have)
    const answer = this.#answer(layout, color, range.z, 0)
    answer.tiles = tiles
    for (const { count } of tiles) answer.count += count
    return answer
  }

  /** The token at a place: of several the last one that begins there; none if there is none. */
  pick(layout: WatchedLayout, question: PickQuestion): ViewAnswer {
    const filter = new TokenFilter(this.#store, question)
    const { x, y } = question
    const answer = this.#answer(layout, 'confidence', TOKEN_TILES, 0)
    const best = { n: -1, x: 0, y: 0 }
    const rect = { left: x, top: y, right: Math.floor(x) + 1, bottom: Math.floor(y) + 1 }
    layout.tokensIn(rect, (n, atX, atY) => {
      if (atX + layout.index.widthOf(n) <= x || !filter.passes(n)) return
      if (best.n >= 0 && (atX < best.x || (atX === best.x && n < best.n))) return
      best.n = n
      best.x = atX
      best.y = atY
    })
    if (best.n < 0) {
      const { index } = layout
      const before = index instanceof FlowIndex ? index.lastBefore(x, y) : -1
      if (before < 0 || !filter.passes(before) || !goesOnAt(this.#store, this.#flow, before, x, y))
        return answer
      best.n = before
      ;[best.x, best.y] = layout.placeOf(before)
    }
    answer.count = 1
    answer.tokens = [this.#viewToken(layout, best.n, best.x, best.y)]
    return answer
  }

  #answer(layout: WatchedLayout, color: ColorName, z: number, count: number): ViewAnswer {
    const { bounds } = layout
    return {
      layout: layout.layout,
      color,
      upto: this.#store.upto,
      z,
      count,
      origin: this.#store.origin,
      models: [...this.#store.models],
      bounds: bounds === null ? null : [bounds.left, bounds.top, bounds.right, bounds.bottom],
      tokens: [],
      tiles: [],
    }
  }

  /** The tokens that a viewport shows; null if they, or those in its tiles, are too many. */
  #readable(
    layout: WatchedLayout,
    rect: WorldRect,
    range: TileRange,
    filter: TokenFilter,
    inTiles: boolean,
  ): Found | null {
    const { pyramid } = layout
    const { isOpen } = filter
    if (inTiles && pyramid.countIn(rangeRect(layout, range), 'met') > MAX_TILE_TOKENS) return null
    if (pyramid.countIn(rect, 'met') > MAX_LOOKED_AT) return null
    if (isOpen && pyramid.countIn(rect, 'covered') > MAX_TOKENS) return null
    const found: Found = { count: 0, numbers: [], places: [] }
    layout.tokensIn(rect, (n, x, y) => {
      if (!isOpen && !filter.passes(n)) return
      found.count++
      if (inTiles || found.count > MAX_TOKENS) return
      found.numbers.push(n)
      found.places.push(x, y)
    })
    return found.count > MAX_TOKENS ? null : found
  }

  #viewTokens(layout: WatchedLayout, { numbers, places }: Found): ViewToken[] {
    return numbers.map((n, i) =>
      this.#viewToken(layout, n, places[2 * i] as number, places[2 * i + 1] as number),
    )
  }

  #viewToken(layout: WatchedLayout, n: number, x: number, y: number): ViewToken {
    return viewToken(this.#store, this.#flow, layout, n, x, y)
  }

  #tokenTiles(layout: WatchedLayout, range: TileRange, filter: TokenFilter, have: Held): TileAnswer[] {
    const tiles: TileAnswer[] = []
    for (const [x, y] of tilesOfRange(range)) {
      const key = `${layout.layout} tokens ${x} ${y} ${filter.key}`
      const version = layout.versions.of(TOKEN_TILES, x, y)
      const tile = this.#cache.get(key, version) ?? this.#tokenTile(layout, x, y, filter, version)
      this.#cache.set(key, tile)
      tiles.push(tileAnswer(TOKEN_TILES, x, y, tile, have))
    }
    return tiles
  }

  #tokenTile(layout: WatchedLayout, x: number, y: number, filter: TokenFilter, version: number): EncodedTile {
    const rect = tileRect(layout.layout, TOKEN_TILES, x, y)
    return { version, ...this.#encoder.encode(layout, rect, filter) }
  }

  /** Cells of 3 to 6 pixels, or coarser ones if it takes too long to count them. */
  #cellRange(watched: WatchedLayout, question: ViewQuestion): TileRange {
    const { layout, pyramid } = watched
    const range = farTiles(question)
    const { baseZ, maxCounted } = GRIDS[layout]
    if (range.z >= baseZ) return range
    return pyramid.countIn(rangeRect(watched, range), 'met') > maxCounted ? summedTiles(question) : range
  }

  async #cellTiles(
    layout: WatchedLayout,
    range: TileRange,
    color: ColorName,
    filter: TokenFilter,
    have: Held | null,
  ): Promise<TileAnswer[]> {
    const { z } = range
    const kept = new Map<string, EncodedTile>()
    const missing: [x: number, y: number, key: string][] = []
    for (const [x, y] of tilesOfRange(range)) {
      const key = `${layout.layout} ${color} ${z} ${x} ${y} ${filter.key}`
      const tile = this.#cache.get(key, layout.versions.of(z, x, y, color === 'model'))
      if (tile === null) missing.push([x, y, key])
      else kept.set(`${x} ${y}`, tile)
    }
    const encoded = await this.#encoded(layout, z, missing, color, filter)
    for (const [x, y, key] of missing) {
      const tile = { version: layout.versions.of(z, x, y, color === 'model'), ...encoded(x, y) }
      this.#cache.set(key, tile)
      kept.set(`${x} ${y}`, tile)
    }
    const tiles: TileAnswer[] = []
    for (const [x, y] of tilesOfRange(range)) {
      tiles.push(tileAnswer(z, x, y, kept.get(`${x} ${y}`) as EncodedTile, have))
    }
    return tiles
  }

  /** The bytes of tiles of cells: from the sums where those are kept and are of all tokens, else counted. */
  async #encoded(
    layout: WatchedLayout,
    z: number,
    tiles: readonly [x: number, y: number, key: string][],
    color: ColorName,
    filter: TokenFilter,
  ): Promise<(x: number, y: number) => EncodedContent> {
    const out = this.#cells
    if (tiles.length === 0) return () => out.finish()
    if (filter.isOpen && z >= GRIDS[layout.layout].baseZ) {
      const models = (slot: number) => (this.#store.generations[slot]?.model ?? -1) + 1
      return (x, y) => layout.pyramid.tile(z, x, y)?.encode(color, models, out) ?? out.finish()
    }
    const range = { z, left: Infinity, top: Infinity, right: 0, bottom: 0 }
    for (const [x, y] of tiles) {
      range.left = Math.min(range.left, x)
      range.top = Math.min(range.top, y)
      range.right = Math.max(range.right, x + 1)
      range.bottom = Math.max(range.bottom, y + 1)
    }
    const counted = await this.#counter.count(layout, range, color, filter)
    return (x, y) => encodeCounted(counted, x, y, out)
  }
}

/** The versions that an asker holds, by tile. */
type Held = Map<string, number>

function heldBy({ have }: ViewQuestion): Held | null {
  return have === undefined ? null : new Map(have.map(([z, x, y, version]) => [`${z} ${x} ${y}`, version]))
}

function tileAnswer(z: number, x: number, y: number, tile: EncodedTile, have: Held | null): TileAnswer {
  const { version, count, content } = tile
  return { z, x, y, version, count, content: have?.get(`${z} ${x} ${y}`) === version ? null : content }
}

function* tilesOfRange({ left, top, right, bottom }: TileRange): Generator<[x: number, y: number]> {
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) yield [x, y]
  }
}

function rangeRect({ layout }: WatchedLayout, { z, left, top, right, bottom }: TileRange): WorldRect {
  const first = tileRect(layout, z, left, top)
  const last = tileRect(layout, z, right - 1, bottom - 1)
  return { left: first.left, top: first.top, right: last.right, bottom: last.bottom }
}
