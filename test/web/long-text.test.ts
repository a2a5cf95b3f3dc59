import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginningOf } from '../../web/long-text.ts'
import { rounds } from '../support/rounds.ts'

test('what is short is shown whole, and of what is long the beginning', () => {
  expect(beginningOf('tea', 3)).toEqual({ shown: 'tea', rest: null })
  expect(beginningOf('W'.repeat(5000), 1000)).toEqual({
    shown: 'W'.repeat(1000),
    rest: '… and 4\u2009000 characters more',
  })
  // A pair is no two characters.
  expect(beginningOf('a😀b', 2).shown).toBe('a')
})

test('marks are stacked as scripts do it and no higher', () => {
  const zalgo = `e${'\u0301'.repeat(40)}`
  expect(beginningOf(zalgo, 1000).rest).toBeNull()
  const { shown, rest } = beginningOf(`A e${'\u0301'.repeat(100_000)}`, 1000)
  expect(shown).toBe(`A e${'\u0301'.repeat(64)}`)
  expect(rest).toBe('… and 99\u2009936 characters more')
})

test('whatever the text, what is shown is its beginning, and how much is left is said', () => {
  const pieces = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('\u0301'.repeat(70), '\ud800', '😀'),
  )
  const texts = fc.array(pieces, { maxLength: 6 }).map(parts => parts.join(''))
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 100 }), (text, most) => {
      const { shown, rest } = beginningOf(text, most)
      expect(text.startsWith(shown)).toBe(true)
      expect(shown.length).toBeLessThanOrEqual(most)
      expect(Number(rest?.replace(/\D/g, '') ?? 0)).toBe(text.length - shown.length)
    }),
    { numRuns: rounds(2000) },
  )
})
