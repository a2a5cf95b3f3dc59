import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeTile } from '../../broadcast/protocol/tile-codec.ts'
import { TileTexts } from '../../broadcast/tile-texts.ts'
import { rounds } from '../support/rounds.ts'
import { anyContent } from '../support/view-contents.ts'
import { tokensOf } from '../support/views-stand-in.ts'

/** All pieces of a tile, put together. */
function whole(texts: TileTexts, content: Uint8Array): Record<string, unknown[]> {
  const items: unknown[] = []
  for (let index = 0; ; index++) {
    const { field, bytes, more } = texts.piece(content, index)
    expect(bytes.length).toBeLessThanOrEqual(32 * 1024)
    items.push(...(JSON.parse(`[${bytes}]`) as unknown[]))
    if (!more) return { [field]: items }
  }
}

describe('a tile as JSON', () => {
  it('is all of it, in pieces, however little is kept', () => {
    const texts = new TileTexts(500)
    fc.assert(
      fc.property(anyContent, content => {
        expect(whole(texts, encodeTile(content))).toEqual(content)
      }),
      { numRuns: rounds(1000) },
    )
    const tokens = tokensOf(3, 5)
    expect(whole(texts, encodeTile({ tokens }))).toEqual({ tokens })
  })

  it('is read only as far as it is asked for', () => {
    const content = encodeTile({ tokens: tokensOf(3, 5) })
    const cut = content.subarray(0, content.length - 1)
    const texts = new TileTexts()
    expect(texts.piece(cut, 0)).toMatchObject({ field: 'tokens', more: true })
    expect(() => whole(texts, cut)).toThrow()
  })

  it('is made once for the same bytes, until others have taken its place', () => {
    const [a, b, c] = [0, 1, 2].map(x => encodeTile({ tokens: tokensOf(x, 0).slice(0, 10) })) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const texts = new TileTexts(8 * (b.length + c.length))
    const first = texts.piece(a, 0)
    expect(texts.piece(a, 0)).toBe(first)
    const second = texts.piece(b, 0)
    expect(texts.piece(a, 0)).toBe(first)
    texts.piece(c, 0)
    expect(texts.piece(b, 0)).toBe(second)
    expect(texts.piece(a, 0)).not.toBe(first)
    expect(texts.piece(a, 0)).toEqual(first)
  })
})
