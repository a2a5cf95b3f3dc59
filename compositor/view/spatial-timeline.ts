/** `timeline`: by lane, in it by generation, in that by time; nothing in a lane overlaps. */

import { LANE_UNITS } from '../layout/timeline.ts'
import {
  CHUNK_BASE,
  CHUNK_BITS,
  CHUNK_GENERATION,
  CHUNK_WORDS,
  COLUMN_TIMES,
  PAGE_CHUNKS,
  PAGE_TOKENS,
  TICKS_PER_MS,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import type { GenerationRow, TokenStore } from '../tokens/token-store.ts'
import type { LaneIndex } from './lane-index.ts'
import { MAX_TOKEN_MS, type WorldRect } from './layout-grid.ts'
import { lowest } from './lowest.ts'
import type { SpatialIndex } from './spatial.ts'

export class TimelineIndex implements SpatialIndex {
  readonly #store: TokenStore
  readonly #lanes: LaneIndex

  constructor(store: TokenStore, lanes: LaneIndex) {
    this.#store = store
    this.#lanes = lanes
  }

  locate(page: TokenPage, first: number, end: number, xs: Float64Array, ys: Float64Array): void {
    const header = (first >>> CHUNK_BITS) * CHUNK_WORDS
    const base = page.chunks[header + CHUNK_BASE] as number
    const y = this.#laneOf(page.chunks[header + CHUNK_GENERATION] as number) * LANE_UNITS
    for (let i = first; i < end; i++) {
      const ticks = page.records[COLUMN_TIMES * PAGE_TOKENS + i] as number
      xs[i - first] = base + Math.floor(ticks / TICKS_PER_MS)
      ys[i - first] = y
    }
  }

  /** Milliseconds until the generation's next token; where there is none, or that took long, a tenth of a second. */
  widthOf(n: number): number {
    const next = this.#store.next(n)
    if (next < 0) return MAX_TOKEN_MS
    return Math.min(this.#store.msOf(next) - this.#store.msOf(n), MAX_TOKEN_MS)
  }

  /** A generation's last token is as wide as one can be, and no other reaches further. */
  extent(x: number): readonly [from: number, to: number] {
    return [x, x + MAX_TOKEN_MS]
  }

  chunksIn({ left, top, right, bottom }: WorldRect, visit: (chunk: number) => void): void {
    if (right <= left || bottom <= top) return
    const from = Math.max(0, Math.ceil(top / LANE_UNITS))
    const to = Math.min(this.#lanes.lanes, Math.ceil(bottom / LANE_UNITS))
    for (let lane = from; lane < to; lane++) {
      const rows = this.#lanes.inLane(lane)
      let at = lowest(rows.length, i => (rows[i] as GenerationRow).lastMs >= left)
      for (; at < rows.length; at++) {
        const row = rows[at] as GenerationRow
        if (row.firstMs >= right) break
        this.#visitChunks(row.chunks, left, right, visit)
      }
    }
  }

  #visitChunks(list: readonly number[], left: number, right: number, visit: (chunk: number) => void): void {
    // The chunk before the first that begins within may reach into it.
    const within = lowest(list.length, i => this.#baseOf(list[i] as number) >= left)
    for (let i = Math.max(0, within - 1); i < list.length; i++) {
      if (this.#baseOf(list[i] as number) >= right) return
      visit(list[i] as number)
    }
  }

  /** Milliseconds of a chunk's first token, rounded down. */
  #baseOf(chunk: number): number {
    const page = this.#store.pages.get(Math.floor(chunk / PAGE_CHUNKS)) as TokenPage
    return page.chunks[(chunk % PAGE_CHUNKS) * CHUNK_WORDS + CHUNK_BASE] as number
  }

  #laneOf(slot: number): number {
    return this.#store.generations[slot]?.lane ?? 0
  }
}
