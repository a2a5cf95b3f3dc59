/**
 * Encodes tiles of tokens straight from where they are kept, as `encodeTile` does from a list of them: a tile
 * may have thousands, and a viewport many tiles.
 */
import { type EncodedContent, TokenWriter } from '../../broadcast/protocol/tile-writers.ts'
import type { FlowLayout } from '../layout/flow-layout.ts'
import { wrapsOf } from '../layout/flow-runs.ts'
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_INDEX,
  CHUNK_INTERVAL,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  COLUMN_TIMES,
  COLUMN_VALUES,
  FLOW_COLUMN_MASK,
  NO_INTERVAL,
  PAGE_TOKENS,
  SHAPE_COMPLEX,
  SHAPE_KIND_MASK,
  SHAPE_KIND_SHIFT,
  SHAPE_WIDTH_MASK,
  TICKS_PER_MS,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import type { GenerationRow, TokenStore } from '../tokens/token-store.ts'
import { MAX_TOKEN_MS, type WorldRect } from './layout-grid.ts'
import type { TokenFilter } from './view-filter.ts'
import type { WatchedLayout } from './watched-layout.ts'

const TICKS_PER_SECOND = 1000 * TICKS_PER_MS

export class TokenTileEncoder {
  readonly #store: TokenStore
  readonly #flow: FlowLayout
  readonly #out = new TokenWriter()
  /** Ticks since 1970 at the store's origin. */
  #origin = 0

  constructor(store: TokenStore, flow: FlowLayout) {
    this.#store = store
    this.#flow = flow
  }

  /** The tile of the tokens whose places are in a rectangle. */
  encode(layout: WatchedLayout, rect: WorldRect, filter: TokenFilter): EncodedContent {
    const { isOpen } = filter
    this.#origin = Math.round((this.#store.origin ?? 0) * TICKS_PER_SECOND)
    layout.locatedIn(rect, (page, first, end, xs, ys) => {
      const row = this.#rowOf(page, first)
      if (!filter.passesSlot(row.slot)) return
      let generation = -1
      for (let i = first; i < end; i++) {
        const x = xs[i - first] as number
        const y = ys[i - first] as number
        if (x < rect.left || x >= rect.right || y < rect.top || y >= rect.bottom) continue
        if (!isOpen && !filter.passes(page.number * PAGE_TOKENS + i)) continue
        if (generation < 0) {
          generation = this.#out.generation(row.slot, row.id, row.model < 0 ? null : row.model)
        }
        this.#write(layout, page, i, generation, x, y)
      }
    })
    return this.#out.finish()
  }

  #write(
    { layout, index }: WatchedLayout,
    page: TokenPage,
    i: number,
    generation: number,
    x: number,
    y: number,
  ): void {
    const { records, chunks } = page
    const header = (i >>> CHUNK_BITS) * CHUNK_WORDS
    const place = i & (CHUNK_TOKENS - 1)
    const ticks = records[COLUMN_TIMES * PAGE_TOKENS + i] as number
    const values = records[COLUMN_VALUES * PAGE_TOKENS + i] as number
    const shape = records[COLUMN_SHAPES * PAGE_TOKENS + i] as number
    const base = chunks[header + CHUNK_BASE] as number
    const n = page.number * PAGE_TOKENS + i
    let interval: number
    if (place > (chunks[header + CHUNK_FIRST] as number)) {
      interval = ticks - (records[COLUMN_TIMES * PAGE_TOKENS + i - 1] as number)
    } else {
      interval = chunks[header + CHUNK_INTERVAL] as number
      if (interval === NO_INTERVAL) interval = -1
    }
    let width = 1
    let wraps: [at: number, x: number, y: number][] | null = null
    if (layout === 'timeline') {
      if (place + 1 < (chunks[header + CHUNK_END] as number)) {
        const next = records[COLUMN_TIMES * PAGE_TOKENS + i + 1] as number
        width = Math.floor(next / TICKS_PER_MS) - Math.floor(ticks / TICKS_PER_MS)
        if (width > MAX_TOKEN_MS) width = MAX_TOKEN_MS
      } else width = index.widthOf(n)
    } else if (layout === 'flow') {
      width = index.widthOf(n)
      const column = ((page.flow as Uint32Array)[i] as number) & FLOW_COLUMN_MASK
      // What fits and has nothing but a word after spaces in it goes on nowhere.
      if ((shape & SHAPE_COMPLEX) !== 0 || column + (shape & SHAPE_WIDTH_MASK) > this.#flow.width) {
        const found = wrapsOf(this.#store, this.#flow, n)
        if (found.length > 0) wraps = found
      }
    }
    const out = this.#out
    out.token(
      generation,
      ((chunks[header + CHUNK_INDEX] as number) + place) >>> 0,
      (shape >>> SHAPE_KIND_SHIFT) & SHAPE_KIND_MASK,
      wraps !== null,
    )
    out.place(x, y, width)
    out.values(values & 0xffff, values >>> 16, interval)
    out.time(this.#origin + base * TICKS_PER_MS + ticks)
    out.at = page.copyText(i, out.room(page.encodedTextBytes(i)), out.at)
    if (wraps !== null) out.wraps(wraps)
  }

  #rowOf({ chunks }: TokenPage, place: number): GenerationRow {
    const slot = chunks[(place >>> CHUNK_BITS) * CHUNK_WORDS + CHUNK_GENERATION] as number
    return this.#store.generations[slot] as GenerationRow
  }
}
