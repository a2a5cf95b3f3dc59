import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createNdjsonFraming } from '../../bridge/ndjson-framing.ts'
import { referenceLines } from '../support/reference-framing.ts'
import { rounds } from '../support/rounds.ts'
import { byteByByte, cutAt, cutInTwo } from '../support/stream-corpus.ts'

const MEBI = 1024 * 1024

/** The lines of a body that comes in pieces, and how often it was said to be too long. */
function framed(pieces: Iterable<Buffer>): { lines: string[]; oversized: number } {
  const lines: string[] = []
  let oversized = 0
  const framing = createNdjsonFraming(
    line => lines.push(line),
    () => {
      oversized++
    },
  )
  for (const piece of pieces) framing.feed(piece)
  framing.end()
  return { lines, oversized }
}

describe('lines', () => {
  test.each([
    ['of one end each', '{"a":1}\n{"a":2}\n', ['{"a":1}', '{"a":2}']],
    ['that end with CR LF', '{"a":1}\r\n{"a":2}\r\n', ['{"a":1}', '{"a":2}']],
    ['with nothing between', '\n{"a":1}\n\r\n \t\n{"a":2}\n\n', ['{"a":1}', '{"a":2}']],
    ['of which the last is whole without an end', '{"a":1}\n{"a":2}', ['{"a":1}', '{"a":2}']],
    ['of which the last is not whole', '{"a":1}\n{"a":2', ['{"a":1}']],
    ['that are no JSON', 'a\n:\n', ['a', ':']],
    ['after a byte order mark', '\ufeff{"a":1}\n', ['{"a":1}']],
    ['of many bytes a character', '{"a":"Ā漢🦉"}\n', ['{"a":"Ā漢🦉"}']],
    ['with a CR inside', '{"a":\r1}\n', ['{"a":\r1}']],
  ])('%s', (_name, text, lines) => {
    const bytes = Buffer.from(text)
    expect(framed([bytes])).toEqual({ lines, oversized: 0 })
    expect(framed(byteByByte(bytes))).toEqual({ lines, oversized: 0 })
    for (const pieces of cutInTwo(bytes)) expect(framed(pieces).lines).toEqual(lines)
    expect(referenceLines(bytes)).toEqual(lines)
  })

  test('of any bytes are the same however they are divided', () => {
    const part = fc.oneof(
      ...['{"a":1}', '{"a":', '[', '1', '"…🦉"', '\ufeff', '\r', '\n', '\r\n', ' '].map(text =>
        fc.constant<Uint8Array>(Buffer.from(text)),
      ),
      fc.uint8Array({ maxLength: 4 }),
    )
    const body = fc.array(part, { maxLength: 30 }).map(parts => Buffer.concat(parts))
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 8 })
    fc.assert(
      fc.property(body, places, (bytes, at) => {
        const lines = referenceLines(bytes)
        expect(framed([bytes]).lines).toEqual(lines)
        expect(framed(cutAt(bytes, at)).lines).toEqual(lines)
        expect(framed(byteByByte(bytes)).lines).toEqual(lines)
      }),
      { numRuns: rounds(20_000) },
    )
  })
})

describe('a line beyond 1 Mi characters', () => {
  const before = Buffer.from('{"a":1}\n')
  const after = Buffer.from('\n{"a":2}\n')

  test.each([
    ['in one piece', [Buffer.from(`"${'x'.repeat(MEBI)}"\n`)]],
    ['in pieces of 64 KiB', Array.from({ length: 17 }, () => Buffer.alloc(65_536, 'x'))],
    ['byte by byte', byteByByte(Buffer.alloc(MEBI + 1, 'x'))],
  ])('is the end of it: %s', (_name, pieces) => {
    expect(framed([before, ...pieces, after])).toEqual({ lines: ['{"a":1}'], oversized: 1 })
  })

  test('may be as long as that', () => {
    const line = `"${'x'.repeat(MEBI - 2)}"`
    expect(framed(byteByByte(Buffer.from(`${line}\n`)))).toEqual({ lines: [line], oversized: 0 })
    expect(framed([Buffer.from(line)])).toEqual({ lines: [line], oversized: 0 })
  })
})
