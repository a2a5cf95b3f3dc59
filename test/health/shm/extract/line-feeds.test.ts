import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineCounter } from '../../../../health/shm/extract/line-counter.ts'
import { lineFeeds } from '../../../../health/shm/extract/line-feeds.ts'

describe('lineFeeds', () => {
  it('counts as one does byte by byte, wherever in memory the bytes lie', () => {
    const byte = fc.oneof(fc.constantFrom(10, 9, 11, 0, 0x8a, 0x0b, 255), fc.nat(255))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), fc.nat(9), (bytes, offset) => {
        const memory = Uint8Array.from([...new Array<number>(offset).fill(10), ...bytes, 10, 10])
        const part = memory.subarray(offset, offset + bytes.length)
        expect(lineFeeds(part)).toBe(bytes.filter(one => one === 10).length)
      }),
    )
  })

  it('counts more of them than a byte can hold, in each place of a word', () => {
    for (const length of [255, 256, 1020, 1024, 4096, 100_003])
      expect(lineFeeds(new Uint8Array(length).fill(10))).toBe(length)
  })
})

describe('LineCounter', () => {
  it('tells lines for offsets in any order', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a\n\r]*$/), fc.array(fc.nat(40)), (text, offsets) => {
        const lines = new LineCounter(text)
        for (const offset of offsets.map(one => Math.min(one, text.length)))
          expect(lines.lineAt(offset)).toBe(text.slice(0, offset).split('\n').length)
      }),
    )
  })
})
