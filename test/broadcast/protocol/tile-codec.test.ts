import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../../broadcast/protocol/byte-codec.ts'
import { decodeTile, encodeTile } from '../../../broadcast/protocol/tile-codec.ts'
import { CellWriter } from '../../../broadcast/protocol/tile-writers.ts'
import type { TileContent, ViewToken } from '../../../broadcast/protocol/view.ts'
import { rounds } from '../../support/rounds.ts'
import { anyContent } from '../../support/view-contents.ts'

const TOKEN: ViewToken = {
  id: 'g_a:150',
  text: ' hello',
  x: 100,
  y: 200,
  w: 6,
  kind: 'message',
  model: 0,
  confidence: 0.5,
  entropy: 1,
  interval_ms: 12.3,
  timestamp: 1_707_345_600.0123,
}

/** Decodes, or says that these are no tile's bytes; anything else thrown is a fault. */
function decoded(bytes: Uint8Array): TileContent | null {
  try {
    return decodeTile(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

describe('a tile', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(anyContent, content => {
        expect(decodeTile(encodeTile(content))).toEqual(content)
      }),
      { numRuns: rounds(4000) },
    )
  })

  it('of cells has the same bytes when they are told one by one', () => {
    const out = new CellWriter()
    fc.assert(
      fc.property(anyContent, ({ cells = [] }) => {
        for (const [at, count, value] of cells) out.add(at, count, value)
        const { content, count } = out.finish()
        expect(content).toEqual(encodeTile({ cells }))
        expect(count).toBe(cells.reduce((sum, cell) => sum + cell[1], 0))
      }),
      { numRuns: rounds(2000) },
    )
  })

  it.each<[string, TileContent]>([
    ['nothing', {}],
    ['no cells', { cells: [] }],
    ['no tokens', { tokens: [] }],
    [
      'its first and last cell',
      {
        cells: [
          [0, 1, 0],
          [4095, 2, null],
        ],
      },
    ],
    [
      'a generation whose model was told later',
      {
        tokens: [
          { ...TOKEN, model: null },
          { ...TOKEN, id: 'g_a:151' },
        ],
      },
    ],
    ['a place of minus zero', { tokens: [{ ...TOKEN, x: -0 }] }],
    ['a place without end', { tokens: [{ ...TOKEN, w: Number.POSITIVE_INFINITY }, TOKEN] }],
    ['a text of 100,000 units', { tokens: [{ ...TOKEN, text: 'ä🙂'.repeat(33_334) }] }],
  ])('may hold %s', (_what, content) => {
    expect(decodeTile(encodeTile(content))).toEqual(content)
  })

  it('takes a dozen bytes for a token that follows its neighbour, besides its text', () => {
    const tokens = Array.from({ length: 1000 }, (_, i) => ({
      ...TOKEN,
      id: `g_a:${i}`,
      x: 100 + (i % 64),
      timestamp: (17_073_456_000_000 + i * 123) / 10_000,
    }))
    expect(encodeTile({ tokens }).length).toBeLessThan(1000 * (15 + TOKEN.text.length))
    const cells = Array.from({ length: 4096 }, (_, at): [number, number, number] => [at, 16, at % 60_000])
    expect(encodeTile({ cells }).length).toBeLessThan(4096 * 5)
  })
})

describe('bytes that are no tile', () => {
  it('are refused where they are cut off or go on', () => {
    fc.assert(
      fc.property(anyContent, fc.nat(), (content, cut) => {
        const bytes = encodeTile(content)
        expect(decoded(bytes.subarray(0, cut % bytes.length))).toBeNull()
        expect(decoded(Uint8Array.of(...bytes, 0))).toBeNull()
      }),
      { numRuns: rounds(2000) },
    )
  })

  it('are refused or read, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        const content = decoded(bytes)
        // A token takes six bytes at least, a cell three.
        if (content !== null) {
          const { cells = [], tokens = [] } = content
          expect(3 * cells.length + 6 * tokens.length).toBeLessThanOrEqual(bytes.length)
        }
      }),
      { numRuns: rounds(20_000) },
    )
  })

  it('are refused or read where a byte was changed', () => {
    fc.assert(
      fc.property(anyContent, fc.nat(), fc.nat(255), (content, at, byte) => {
        const bytes = encodeTile(content)
        bytes[at % bytes.length] = byte
        decoded(bytes)
      }),
      { numRuns: rounds(10_000) },
    )
  })

  it.each<[string, number[]]>([
    ['no bytes', []],
    ['something unknown', [4]],
    ['more cells than bytes', [1, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a cell beyond the last', [1, 1, 0x80, 0x20, 1, 0]],
    ['more tokens than bytes', [2, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['an id that is longer than there are', [2, 1, 0x81, 0x02, ...Array(257).fill(65), 0, 0]],
    ['a token of no generation', [2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a token that follows none', [2, 1, 1, 65, 0, 1, 1, 0, 0, 0, 0, 0]],
    ['a token of no kind', [2, 1, 1, 65, 0, 1, 6, 0, 0, 0, 0, 0, 0, 0]],
  ])('are refused: %s', (_what, bytes) => {
    expect(() => decodeTile(Uint8Array.from(bytes))).toThrow(ProtocolError)
  })
})
