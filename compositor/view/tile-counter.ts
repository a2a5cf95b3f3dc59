/** Counts the cells of tiles token by token: those that no sums are kept of. */
import type { CellWriter, EncodedContent } from '../../broadcast/protocol/tile-writers.ts'
import { type ColorName, TILE_SIDE } from '../../broadcast/protocol/view.ts'
import type { Engine } from '../engine.ts'
import { PAGE_CHUNKS } from '../tokens/record.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import { CELL_WORDS, cellValue } from './channels.ts'
import { type GenerationTable, generationTable } from './generation-table.ts'
import { GRIDS, tileRect } from './layout-grid.ts'
import { TileSums } from './tiles.ts'
import type { TilesRequest } from './tiles-request.ts'
import type { TokenFilter } from './view-filter.ts'
import type { TileRange } from './viewport.ts'
import type { WatchedLayout } from './watched-layout.ts'

export interface TileCounterOptions {
  store: TokenStore
  engine: Engine
  /** Side of a panel of `flow`, in units. */
  panelSide: number
}

/** Cells of a range of tiles. */
export interface CountedTiles {
  range: TileRange
  words: Uint32Array
  table: GenerationTable
  color: ColorName
}

export class TileCounter {
  readonly #store: TokenStore
  readonly #engine: Engine
  readonly #panelSide: number
  #words = new Uint32Array(0)

  constructor({ store, engine, panelSide }: TileCounterOptions) {
    this.#store = store
    this.#engine = engine
    this.#panelSide = panelSide
  }

  /**
   * Counts a range of tiles, which holds until the next call: fine ones from the chunks that lie there, coarse ones from all
   * pages, by the engine.
   */
  async count(
    { layout, index }: WatchedLayout,
    range: TileRange,
    color: ColorName,
    filter: TokenFilter,
  ): Promise<CountedTiles> {
    const table = generationTable(this.#store, filter.generations)
    const request: TilesRequest = {
      layout,
      color,
      z: range.z,
      left: range.left * TILE_SIDE,
      top: range.top * TILE_SIDE,
      width: (range.right - range.left) * TILE_SIDE,
      height: (range.bottom - range.top) * TILE_SIDE,
      t: filter.until,
      since: filter.since,
      kinds: filter.kinds,
      ...table,
      panelSide: this.#panelSide,
    }
    if (range.z >= GRIDS[layout].baseZ) {
      const words = await this.#engine.tiles(request, this.#store.pages.values())
      return { range, words, table, color }
    }
    const sums = new TileSums(request, this.#zeros(request.width * request.height * CELL_WORDS))
    const { left, top } = tileRect(layout, range.z, range.left, range.top)
    const { right, bottom } = tileRect(layout, range.z, range.right - 1, range.bottom - 1)
    index.chunksIn({ left, top, right, bottom }, chunk => {
      const page = this.#store.pages.get(Math.floor(chunk / PAGE_CHUNKS))
      if (page !== undefined) sums.addChunk(page, chunk % PAGE_CHUNKS)
    })
    return { range, words: sums.cells, table, color }
  }

  /** So many words, the same as the last time: to allocate megabytes for each question costs more than counting. */
  #zeros(words: number): Uint32Array<ArrayBuffer> {
    if (words > this.#words.length) this.#words = new Uint32Array(words)
    else this.#words.fill(0, 0, words)
    return this.#words
  }
}

/** The bytes of one of the tiles that were counted; `out` is empty before and after. */
export function encodeCounted(
  { range, words, table, color }: CountedTiles,
  x: number,
  y: number,
  out: CellWriter,
): EncodedContent {
  const stride = (range.right - range.left) * TILE_SIDE
  const corner = (y - range.top) * TILE_SIDE * stride + (x - range.left) * TILE_SIDE
  for (let row = 0; row < TILE_SIDE; row++) {
    let at = (corner + row * stride) * CELL_WORDS
    for (let column = 0; column < TILE_SIDE; column++, at += CELL_WORDS) {
      const count = words[at] as number
      if (count > 0) out.add(row * TILE_SIDE + column, count, cellValue(words, at, color, table.generations))
    }
  }
  return out.finish()
}
