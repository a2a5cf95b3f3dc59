import { encodeTile } from '../../broadcast/protocol/tile-codec.ts'
import {
  type LayoutName,
  type PickQuestion,
  type Placed,
  TILE_SIDE,
  type TileAnswer,
  TOKEN_TILES,
  type ViewAnswer,
  type ViewQuestion,
  type ViewToken,
} from '../../broadcast/protocol/view.ts'
import type { Views } from '../../broadcast/views.ts'

/** Tokens along the side of the square that is laid out. */
export const SIDE = 1024
const WORDS = [' the', ' quick', ' "brown"', ' föx', ' jumps', '\n', ' 🙂', ' over']

/** Answers about a square of a million tokens, one in each unit, in every layout. */
export class StandInViews implements Views {
  readonly asked: ViewQuestion[] = []
  readonly picked: PickQuestion[] = []
  /** What it was told to watch, each time. */
  readonly watched: LayoutName[][] = []
  /** Thrown instead of an answer. */
  fault: Error | null = null
  readonly #listeners: ((placed: Placed) => void)[] = []
  readonly #versions = new Map<string, number>()
  readonly #contents = new Map<string, Uint8Array>()
  readonly #waiting = new Map<string, Promise<ViewAnswer>>()
  #held: PromiseWithResolvers<void> | null = null

  /** Equal questions that wait share an answer. */
  view(question: ViewQuestion): Promise<ViewAnswer> {
    this.asked.push(question)
    const key = JSON.stringify(question)
    let answer = this.#waiting.get(key)
    if (answer === undefined) {
      answer = this.#answer(question)
      this.#waiting.set(key, answer)
      const forget = () => this.#waiting.delete(key)
      answer.then(forget, forget)
    }
    return answer
  }

  async pick(question: PickQuestion): Promise<ViewAnswer> {
    this.picked.push(question)
    await this.#held?.promise
    if (this.fault !== null) throw this.fault
    const x = Math.floor(question.x)
    const y = Math.floor(question.y)
    const there = x >= 0 && y >= 0 && x < SIDE && y < SIDE
    return { ...headOf(question.layout), z: TOKEN_TILES, tokens: there ? [tokenAt(x, y)] : [], tiles: [] }
  }

  async #answer(question: ViewQuestion): Promise<ViewAnswer> {
    await this.#held?.promise
    if (this.fault !== null) throw this.fault
    return viewOf(question, this)
  }

  watch(layouts: ReadonlySet<LayoutName>): void {
    this.watched.push([...layouts].sort())
  }

  onPlaced(listener: (placed: Placed) => void): void {
    this.#listeners.push(listener)
  }

  /** Something was laid out. */
  place(placed: Placed): void {
    for (const listener of this.#listeners) listener(placed)
  }

  /** Gives no answer until `release`. */
  hold(): void {
    this.#held ??= Promise.withResolvers()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = null
  }

  /** A tile changes. */
  change(z: number, x: number, y: number): void {
    this.#versions.set(`${z} ${x} ${y}`, this.version(z, x, y) + 1)
  }

  version(z: number, x: number, y: number): number {
    return this.#versions.get(`${z} ${x} ${y}`) ?? 1_763_728_000_000
  }

  /** A tile with its content, the same bytes each time. */
  tile(z: number, x: number, y: number): TileAnswer {
    const version = this.version(z, x, y)
    const key = `${z} ${x} ${y} ${version}`
    let content = this.#contents.get(key)
    if (content === undefined) {
      content =
        z === TOKEN_TILES
          ? encodeTile({ tokens: tokensOf(x, y) })
          : encodeTile({ cells: cellsOf(x, y, version) })
      this.#contents.set(key, content)
    }
    return { z, x, y, version, count: TILE_SIDE * TILE_SIDE * (z === TOKEN_TILES ? 1 : 4 ** z), content }
  }
}

/** The tokens of a tile with tokens. */
export function tokensOf(tileX: number, tileY: number): ViewToken[] {
  return Array.from({ length: TILE_SIDE * TILE_SIDE }, (_, i) =>
    tokenAt(tileX * TILE_SIDE + (i % TILE_SIDE), tileY * TILE_SIDE + Math.floor(i / TILE_SIDE)),
  )
}

function tokenAt(x: number, y: number): ViewToken {
  const index = y * SIDE + x
  return {
    id: `g_01HP2Q3R4S5T6V7W8X9YZABCDE:${index}`,
    text: WORDS[index % WORDS.length] as string,
    x,
    y,
    w: 1,
    kind: 'message',
    model: 0,
    confidence: (index % 65_535) / 65_534,
    entropy: null,
    interval_ms: (index % 977) / 10,
    timestamp: (17_073_456_000_000 + index * 37) / 10_000,
  }
}

function cellsOf(x: number, y: number, version: number): [number, number, number | null][] {
  return Array.from({ length: TILE_SIDE * TILE_SIDE }, (_, at) => [
    at,
    1 + ((at * 7 + x + y) % 300),
    at % 5 === 0 ? null : (at * 31 + version) % 65_534,
  ])
}

function headOf(layout: LayoutName): Omit<ViewAnswer, 'z' | 'tokens' | 'tiles'> {
  return {
    layout,
    color: 'confidence',
    upto: 1042,
    count: SIDE * SIDE,
    origin: 1_707_345_600,
    models: ['qwen2.5-7b', 'llama "3"'],
    bounds: [0, 0, SIDE, SIDE],
  }
}

/** Tiles with tokens from 8 pixels a unit on; the finest cells that are two pixels, else. */
function viewOf(question: ViewQuestion, views: StandInViews): ViewAnswer {
  const { layout, x, y, w, h, zoom, color, have } = question
  const z = zoom >= 8 ? TOKEN_TILES : Math.max(0, Math.ceil(Math.log2(2 / zoom)))
  const side = z === TOKEN_TILES ? TILE_SIDE : TILE_SIDE * 2 ** z
  const had = new Set(have?.map(String))
  const tiles: TileAnswer[] = []
  const last = (to: number) => Math.min(SIDE / side, Math.ceil(to / side))
  for (let row = Math.max(0, Math.floor(y / side)); row < last(y + h / zoom); row++) {
    for (let column = Math.max(0, Math.floor(x / side)); column < last(x + w / zoom); column++) {
      const tile = views.tile(z, column, row)
      const isHad = had.has(String([z, column, row, tile.version]))
      tiles.push(isHad ? { ...tile, content: null } : tile)
    }
  }
  const head = { ...headOf(layout), color: color ?? 'confidence', z }
  if (z !== TOKEN_TILES || have !== undefined) return { ...head, tokens: [], tiles }
  const tokens = tiles.flatMap(tile => tokensOf(tile.x, tile.y))
  return { ...head, count: tokens.length, tokens, tiles: [] }
}
