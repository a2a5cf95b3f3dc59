import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCorpus } from '../../../../bridge/demo/model/corpus.ts'
import { Tokenizer } from '../../../../bridge/demo/model/tokenizer.ts'
import { codePoints } from '../../../support/code-points.ts'

const texts = readCorpus().map(({ text }) => text)
const tokenizer = Tokenizer.train(texts, 400)

describe('tokenizer', () => {
  it('gives every text back', () => {
    fc.assert(
      fc.property(codePoints({ maxLength: 200 }), text => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
      }),
    )
  })

  it('gives the essays back, in fewer tokens than half their bytes', () => {
    for (const text of texts) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    const all = texts.join('')
    expect(tokenizer.encode(all).length).toBeLessThan(all.length / 2)
  })

  it('turns lone surrogates into U+FFFD', () => {
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb')
  })

  it('learns the joins that can be worked out by hand', () => {
    // Words: "ab" ×3, " ab" ×1, " b" ×1. Pairs: a·b 4, ␣·a 1, ␣·b 1. After the join: ␣·ab 1 and ␣·b 1.
    const small = Tokenizer.train(['ab', 'ab', 'ab ab b'], 10)
    expect(small.size).toBe(256 + 1 + 1)
    expect(small.encode('ab ab b')).toEqual([256, 32, 256, 32, 98])
    expect(small.end).toBe(257)
    expect(small.bytes(256)).toEqual(Uint8Array.of(97, 98))
  })

  it('keeps a byte order mark and knows tokens that are no whole character', () => {
    expect(tokenizer.decode(tokenizer.encode('\ufeffx'))).toBe('\ufeffx')
    expect(tokenizer.text(0xe2)).toBeNull()
    expect(tokenizer.text(0x41)).toBe('A')
    expect(tokenizer.text(tokenizer.end)).toBe('')
    expect(() => tokenizer.bytes(tokenizer.size)).toThrow(RangeError)
  })
})
