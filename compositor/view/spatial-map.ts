/** `map`: a chunk is an aligned square of 16 × 16, a page one of 1024 × 1024. */

import { mapCell } from '../draw/block-number.ts'
import { BLOCK_SIDE } from '../draw/cell.ts'
import { layoutMap, mapPlace } from '../layout/map.ts'
import {
  CHUNK_BITS,
  CHUNK_END,
  CHUNK_TOKENS,
  CHUNK_WORDS,
  PAGE_BITS,
  PAGE_CHUNKS,
  PAGE_TOKENS,
} from '../tokens/record.ts'
import type { TokenPage } from '../tokens/token-page.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import type { WorldRect } from './layout-grid.ts'
import type { SpatialIndex } from './spatial.ts'

const PAGE_SIDE = 1 << (PAGE_BITS / 2)

export class MapIndex implements SpatialIndex {
  readonly #store: TokenStore
  readonly #places = new Uint32Array(CHUNK_TOKENS)

  constructor(store: TokenStore) {
    this.#store = store
  }

  locate(page: TokenPage, first: number, end: number, xs: Float64Array, ys: Float64Array): void {
    const places = this.#places
    layoutMap(page, places, first, end)
    for (let i = 0; i < end - first; i++) {
      const place = places[i] as number
      xs[i] = place & 0xffff
      ys[i] = place >>> 16
    }
  }

  widthOf(): number {
    return 1
  }

  extent(x: number): readonly [from: number, to: number] {
    return [x, x + 1]
  }

  chunksIn(rect: WorldRect, visit: (chunk: number) => void): void {
    for (const page of this.#store.pages.values()) {
      const place = mapPlace(page.number * PAGE_TOKENS)
      const x = place & 0xffff & -PAGE_SIDE
      const y = (place >>> 16) & -PAGE_SIDE
      const left = Math.max(x, alignDown(rect.left))
      const right = Math.min(x + PAGE_SIDE, rect.right)
      const top = Math.max(y, alignDown(rect.top))
      const bottom = Math.min(y + PAGE_SIDE, rect.bottom)
      if (left === x && top === y && right === x + PAGE_SIDE && bottom === y + PAGE_SIDE) {
        for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) offer(page, chunk, visit)
        continue
      }
      for (let row = top; row < bottom; row += BLOCK_SIDE) {
        for (let column = left; column < right; column += BLOCK_SIDE) {
          offer(page, (mapCell(column, row) >>> CHUNK_BITS) & (PAGE_CHUNKS - 1), visit)
        }
      }
    }
  }
}

function offer(page: TokenPage, chunk: number, visit: (chunk: number) => void): void {
  if (page.chunks[chunk * CHUNK_WORDS + CHUNK_END] !== 0) visit(page.number * PAGE_CHUNKS + chunk)
}

function alignDown(value: number): number {
  return Math.floor(value / BLOCK_SIDE) * BLOCK_SIDE
}
