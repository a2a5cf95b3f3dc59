import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeptTiles, scopeOf, type WholeTile } from '../../../broadcast/client/kept-tiles.ts'
import type { ViewQuestion } from '../../../broadcast/protocol/view.ts'
import { rounds } from '../../support/rounds.ts'

const VIEW: ViewQuestion = { layout: 'flow', x: 0, y: 0, w: 1000, h: 1000, zoom: 1 }

function tileAt(x: number, more: Partial<WholeTile> = {}): WholeTile {
  return { z: 0, x, y: 0, version: 1, count: 1, cells: [], ...more }
}

describe('the tiles that are kept', () => {
  it('are those that came last, up to their measure, the last one whatever it is', () => {
    const anyTile = fc.record({ x: fc.nat(12), cells: fc.nat(60), version: fc.nat() })
    fc.assert(
      fc.property(fc.array(anyTile, { maxLength: 60 }), tiles => {
        const kept = new KeptTiles(300)
        let expected: WholeTile[] = []
        for (const { x, cells, version } of tiles) {
          const tile = tileAt(x, { version, cells: Array(cells).fill([0, 1, 2]) })
          kept.set(scopeOf(VIEW), tile)
          expected = [tile, ...expected.filter(other => other.x !== x)]
          const sizes = expected.map(other => 16 + (other.cells?.length ?? 0))
          while (sizes.reduce((sum, size) => sum + size, 0) > 300) sizes.pop()
          expected.length = sizes.length
          expect(kept.seen(VIEW, 100)).toEqual(expected)
          expect(kept.seen(VIEW, 2)).toEqual(expected.slice(0, 2))
        }
      }),
      { numRuns: rounds(1000) },
    )
  })

  it.each<[string, Partial<ViewQuestion>, Partial<WholeTile>, boolean]>([
    ['beside it', { x: 64 + 128 }, {}, false],
    ['whose tokens may reach into it', { x: 64 + 127 }, {}, true],
    ['to its right', { w: 64 }, { x: 1 }, false],
    ['that it just reaches', { w: 65 }, { x: 1 }, true],
    ['above it', { y: 64 }, {}, false],
    ['below it', { h: 64 }, { y: 1 }, false],
    ['below it by its zoom along y', { h: 640, zoom_y: 10 }, { y: 1 }, false],
    ['of cells of 8 units', { x: 500, y: 500 }, { z: 3 }, true],
    ['of tokens', { y: 100 }, { z: -1 }, true],
    ['of tokens of the map', { layout: 'map', y: 100 }, { z: -1 }, false],
    ['of lanes', { layout: 'timeline', y: 1535 }, {}, true],
    ['of other lanes', { layout: 'timeline', y: 1536 }, {}, false],
    ['of tokens of lanes', { layout: 'timeline', x: 4095 }, { z: -1 }, true],
  ])('are seen by a viewport or not: %s', (_what, question, tile, seen) => {
    const kept = new KeptTiles()
    const asked = { ...VIEW, ...question }
    kept.set(scopeOf(asked), tileAt(0, tile))
    expect(kept.seen(asked, 10).length).toBe(seen ? 1 : 0)
  })
})
