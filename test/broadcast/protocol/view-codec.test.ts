import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter, ProtocolError } from '../../../broadcast/protocol/byte-codec.ts'
import { readViewPart, writePartHead, writePartTile } from '../../../broadcast/protocol/view-codec.ts'
import { codePoints } from '../../support/code-points.ts'
import { rounds } from '../../support/rounds.ts'

const anyBytes = fc.uint8Array({ maxLength: 200 })
const anyTile = fc
  .record({
    z: fc.integer({ min: -1, max: 30 }),
    x: fc.integer(),
    y: fc.integer(),
    version: fc.nat({ max: 2 ** 50 }),
    count: fc.nat(),
    content: fc.option(fc.tuple(anyBytes, fc.nat(1000), fc.nat(1000))),
  })
  .map(({ content, ...tile }) => {
    if (content === null) return { ...tile, content }
    const [bytes, from, more] = content
    return { ...tile, content: { total: from + bytes.length + more, from, bytes } }
  })
const anyHead = fc.record({
  layout: fc.constant('flow' as const),
  color: fc.constant('age' as const),
  upto: fc.nat(),
  z: fc.nat(),
  count: fc.nat(),
  origin: fc.option(fc.nat()),
  models: fc.array(codePoints({ maxLength: 100 }), { maxLength: 4 }),
  bounds: fc.constant(null),
})
const anyPart = fc.record({
  id: fc.maxSafeInteger().map(Math.abs),
  part: fc.nat(),
  last: fc.boolean(),
  head: fc.option(anyHead),
  tokens: fc.option(fc.uint8Array({ minLength: 1, maxLength: 200 })),
  tiles: fc.array(anyTile, { maxLength: 5 }),
})

function written({
  id,
  tiles,
  ...head
}: typeof anyPart extends fc.Arbitrary<infer P> ? P : never): Uint8Array {
  const out = new ByteWriter()
  out.varint(id)
  writePartHead(out, head)
  for (const { content, ...tile } of tiles) writePartTile(out, tile, content)
  return out.written
}

describe('a part of an answer', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(anyPart, part => {
        expect(readViewPart(new ByteReader(written(part)))).toEqual(part)
      }),
      { numRuns: rounds(4000) },
    )
  })

  it('is refused or read, whatever its bytes are', () => {
    const anyChanged = fc.tuple(anyPart, fc.nat(), fc.nat(255)).map(([part, at, byte]) => {
      const bytes = written(part)
      bytes[at % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(anyBytes, anyChanged), bytes => {
        try {
          const { tiles } = readViewPart(new ByteReader(bytes))
          expect(tiles.length * 6).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: rounds(20_000) },
    )
  })
})
