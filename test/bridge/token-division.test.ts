import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ListedToken } from '../../bridge/dialects/dialect.ts'
import { allot, divide } from '../../bridge/token-division.ts'
import { codePoints } from '../support/code-points.ts'

const entry = (text: string, bytes: number[] | null = null): ListedToken => ({
  id: null,
  text,
  bytes,
  logprob: -1,
  top: [],
})

/** Cuts a text into tokens of bytes at places between 0 and 1. */
function tokensOf(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const cuts = places.map(place => Math.floor(place * (bytes.length + 1))).sort((a, b) => a - b)
  return [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length))
}

/** What is whole in the bytes up to each token's end, less what was whole before: by decoding, not by counting. */
function piecesOf(tokens: readonly Buffer[]): string[] {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return tokens.map(bytes => decoder.decode(bytes, { stream: true }))
}

const texts = codePoints({ maxLength: 12 }).filter(text => text.isWellFormed())
const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })

/** How servers write a token of these bytes: cut to what is valid, with replacements, or not at all. */
const WAYS: [string, (bytes: Buffer) => string][] = [
  ['with replacements', bytes => bytes.toString()],
  ['cut to what is valid', bytes => bytes.toString().split('\ufffd')[0] as string],
  ['as an id', () => 'token_id:7'],
]

describe('a text', () => {
  test.each(WAYS)('goes to its tokens by their bytes, written %s', (_way, write) => {
    fc.assert(
      fc.property(texts, places, (text, at) => {
        const tokens = tokensOf(text, at)
        const entries = tokens.map(bytes => entry(write(bytes), [...bytes]))
        // Tokens of one text that are written as they are need no bytes to be told apart.
        const spelt = entries.map(token => token.text)
        const expected = spelt.join('') === text ? spelt : piecesOf(tokens)
        expect(divide(text, entries)).toEqual(entries.length === 1 ? [text] : expected)
      }),
    )
  })

  test('is never changed, whatever is listed', () => {
    const bytes = fc.option(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 }))
    const entries = fc.array(
      fc.record({ text: codePoints({ maxLength: 3 }), bytes }).map(one => entry(one.text, one.bytes)),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(codePoints({ maxLength: 12 }), entries, (text, listed) => {
        const pieces = divide(text, listed)
        expect(pieces).toHaveLength(listed.length)
        expect(pieces.join('')).toBe(text)
      }),
    )
  })

  test.each<[string, string, ListedToken[], string[]]>([
    [
      'a character that two tokens make',
      'é!',
      [entry('', [195]), entry('', [169]), entry('!', [33])],
      ['', 'é', '!'],
    ],
    ['the same without bytes', 'é!', [entry(''), entry('\ufffd'), entry('!')], ['', 'é', '!']],
    [
      'a token that begins inside of a character',
      'é!?',
      [entry('', [195]), entry('\ufffd!', [169, 33]), entry('?', [63])],
      ['', 'é!', '?'],
    ],
    ['the same character twice', '!!', [entry('', [33]), entry('', [33])], ['!', '!']],
    [
      'tags that are not in the text',
      'Hm',
      [entry('<think>'), entry('H'), entry('m'), entry('</think>')],
      ['', 'H', 'm', ''],
    ],
    ['white space that was cut off', 'Hm', [entry('\n'), entry('H'), entry('m')], ['', 'H', 'm']],
    ['a missing entry', 'one two', [entry('one'), entry('two')], ['one', ' two']],
    ['ids', 'Hello', [entry('token_id:1'), entry('token_id:2')], ['', 'Hello']],
    ['an end that is not listed', 'Hello.', [entry('Hel'), entry('lo')], ['Hel', 'lo.']],
    ['no text', '', [entry(''), entry('')], ['', '']],
  ])('with %s', (_what, text, entries, expected) => {
    expect(divide(text, entries)).toEqual(expected)
  })
})

describe('entries of several texts', () => {
  const share = (parts: string[], listed: string[], otherwise = 0) =>
    allot(
      parts,
      listed.map(text => entry(text)),
      otherwise,
    ).map(of => of.map(({ text }) => text))

  test.each<[string, string[], string[], string[][]]>([
    ['follow each other', ['Hm.', 'Yes'], ['Hm', '.', 'Yes'], [['Hm', '.'], ['Yes']]],
    ['have tags between them', ['Hm', 'Yes'], ['<t>', 'Hm', '</t>', 'Yes'], [['<t>', 'Hm', '</t>'], ['Yes']]],
    ['are of the second alone', ['Hm', 'Yes!'], ['Yes', '!'], [[], ['Yes', '!']]],
    ['are of the first alone', ['Hm', 'Yes'], ['H', 'm'], [['H', 'm'], []]],
    ['are of the second, where the first is in it', ['e', 'Yes'], ['Y', 'e', 's'], [[], ['Y', 'e', 's']]],
    ['share a token', ['Hm.', 'Yes'], ['Hm', '.Y', 'es'], [['Hm'], ['.Y', 'es']]],
    [
      'spell nothing of them',
      ['Hm', 'Yes'],
      ['token_id:1', 'token_id:2'],
      [['token_id:1', 'token_id:2'], []],
    ],
  ])('that %s', (_what, parts, listed, expected) => {
    expect(share(parts, listed)).toEqual(expected)
  })

  test('are given to the one named where they spell none', () => {
    expect(share(['Hm', 'Yes'], ['x'], 1)).toEqual([[], ['x']])
  })

  test('are all given, once and in order', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 4 })
    const parts = fc.array(text, { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(parts, fc.array(text, { maxLength: 8 }), (said, listed) => {
        const entries = listed.map(one => entry(one))
        const shares = allot(said, entries, 0)
        expect(shares).toHaveLength(said.length)
        expect(shares.flat()).toEqual(entries)
      }),
    )
  })
})
