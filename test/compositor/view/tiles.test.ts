import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mapPosition } from '../../../compositor/layout/map.ts'
import {
  CHUNK_BASE,
  CHUNK_END,
  CHUNK_FIRST,
  CHUNK_GENERATION,
  CHUNK_WORDS,
  COLUMN_SHAPES,
  COLUMN_TIMES,
  PAGE_CHUNKS,
  PAGE_TOKENS,
  UNKNOWN,
} from '../../../compositor/tokens/record.ts'
import type { TokenPage } from '../../../compositor/tokens/token-page.ts'
import { channelValue, isMeanChannel } from '../../../compositor/view/channels.ts'
import { sumTiles } from '../../../compositor/view/tiles.ts'
import type { TilesRequest } from '../../../compositor/view/tiles-request.ts'
import { rounds } from '../../support/rounds.ts'
import { tilesPage, tilesRequestOf } from '../../support/tiles-request.ts'
import { differences } from '../../support/words.ts'

/** What is known of a token, looked up one by one. */
interface Token {
  i: number
  slot: number
  time: number
  kind: number
}

function* tokensOf({ chunks, records }: TokenPage): Generator<Token> {
  for (let chunk = 0; chunk < PAGE_CHUNKS; chunk++) {
    const header = chunks.subarray(chunk * CHUNK_WORDS, (chunk + 1) * CHUNK_WORDS)
    for (let place = header[CHUNK_FIRST] as number; place < (header[CHUNK_END] as number); place++) {
      const i = chunk * 256 + place
      const ticks = records[COLUMN_TIMES * PAGE_TOKENS + i] as number
      const time = (header[CHUNK_BASE] as number) + Math.floor(ticks / 10)
      const kind = Math.floor((records[COLUMN_SHAPES * PAGE_TOKENS + i] as number) / 2 ** 28) % 4
      yield { i, slot: header[CHUNK_GENERATION] as number, time, kind }
    }
  }
}

/** Its place in units; null if it has none. */
function placeOf(page: TokenPage, token: Token, request: TilesRequest): [x: number, y: number] | null {
  const [lane, , , offset] = request.generations.subarray(token.slot * 4) as unknown as number[]
  switch (request.layout) {
    case 'map':
      return mapPosition(page.number * PAGE_TOKENS + token.i)
    case 'timeline':
      return lane === 0xffff_ffff ? null : [token.time, (lane as number) * 2 ** request.z]
    case 'flow': {
      const flow = page.flow as Uint32Array
      const lines = request.panelSide / 2
      const line = Math.floor((flow[token.i] as number) / 1024)
      const panel = request.panels[(offset as number) + Math.floor(line / lines)]
      if (panel === undefined) return null
      const [x, y] = mapPosition(panel)
      const within = (line % lines) * 2
      return [x * request.panelSide + ((flow[token.i] as number) % 1024), y * request.panelSide + within]
    }
  }
}

/** Token by token, on plain numbers. */
function sumByToken(request: TilesRequest, page: TokenPage): number[] {
  const { z, left, top, width, height, color, generations } = request
  const cells = Array.from({ length: width * height }, () => ({ count: 0, second: 0, sum: 0 }))
  for (const token of tokensOf(page)) {
    const { slot, time, kind, i } = token
    if (slot * 4 >= generations.length || generations[slot * 4 + 1] === 0) continue
    if (time > request.t || time < request.since || Math.floor(request.kinds / 2 ** kind) % 2 === 0) continue
    const place = placeOf(page, token, request)
    if (place === null) continue
    const [column, row] = [Math.floor(place[0] / 2 ** z) - left, Math.floor(place[1] / 2 ** z) - top]
    if (column < 0 || column >= width || row < 0 || row >= height) continue
    const cell = cells[row * width + column] as (typeof cells)[number]
    cell.count++
    if (isMeanChannel(color)) {
      const value = channelValue(page, i, color)
      if (value === UNKNOWN) continue
      cell.second++
      cell.sum += value
    } else if (color === 'kind') {
      if (kind === 1) cell.second++
      if (kind === 2) cell.sum++
    } else cell.second = Math.max(cell.second, (color === 'model' ? slot : time) + 1)
  }
  return cells.flatMap(({ count, second, sum }) => [count, second, sum % 2 ** 32, Math.floor(sum / 2 ** 32)])
}

describe('sumTiles', () => {
  it('sums what counting token by token sums', () => {
    for (let seed = 0; seed < 10; seed++) {
      const page = tilesPage(seed)
      fc.assert(
        fc.property(tilesRequestOf(page), request => {
          expect(differences(sumTiles(request, [page]), sumByToken(request, page))).toEqual([])
        }),
        { numRuns: rounds(4000) / 10 },
      )
    }
  })
})
