import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TokenscopeError } from '../../../events/errors.ts'
import type { ListQuestion } from '../../../store/recording.ts'
import { hostileText } from '../../support/any-recording.ts'
import { codePoints } from '../../support/code-points.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { RecordsShelf } from '../../support/records-shelf.ts'
import { rounds } from '../../support/rounds.ts'

const shelf = new RecordsShelf()
const all: ListQuestion = { limit: 100, cursor: null, state: null, model: null, q: null }

/** Ids of what a search finds, the oldest first. */
function found(q: string, more: Partial<ListQuestion> = {}): string {
  const { items } = shelf.reader.list({ ...all, ...more, q })
  return items
    .map(({ generation }) => generation)
    .reverse()
    .join(' ')
}

function refusal(q: string): TokenscopeError {
  try {
    shelf.reader.list({ ...all, q })
  } catch (error) {
    return error as TokenscopeError
  }
  throw new Error(`${q} was not refused`)
}

beforeAll(() => {
  const put = (id: string, text: string, state: 'done' | 'failed', model: string | null, more: object = {}) =>
    shelf.file.put({
      events: [tokenEvent(id, 0, text), stateEvent(id, state, { model })],
      startedAt: 1_700_000_000 + shelf.file.count('generations'),
      ...more,
    })
  put('g_1', 'Hello world, said the fox.', 'done', 'qwen2.5-7b')
  put('g_2', 'Bye, hello; the world ends', 'failed', 'llama', {
    name: 'Über things',
    tags: ['Red-Green', 'x'],
  })
  put('g_3', 'sdone AND text: NEAR(a b) "quoted" foo_bar', 'done', null, {
    note: 'kept for Ada',
    prompt: 'Tell me',
  })
  put('g_4', '今日は 🙂 wörld', 'done', 'llama')
})
afterAll(() => shelf[Symbol.dispose]())

describe('a search', () => {
  test('finds all its words, wherever each is', () => {
    expect(found('hello')).toBe('g_1 g_2')
    expect(found('HELLO Fox')).toBe('g_1')
    expect(found('things hello')).toBe('g_2')
    expect(found('ada tell sdone')).toBe('g_3')
    expect(found('uber')).toBe('g_2')
    expect(found('wörld')).toBe('g_1 g_2 g_4')
    expect(found('今日は')).toBe('g_4')
    expect(found('hello nowhere')).toBe('')
  })

  test('takes a phrase as it stands, and a word with an asterisk as a beginning', () => {
    expect(found('"hello world"')).toBe('g_1')
    expect(found('"the world')).toBe('g_2')
    expect(found('hel* fox*')).toBe('g_1')
    expect(found('worl')).toBe('')
    expect(found('worl*')).toBe('g_1 g_2 g_4')
    // With two letters nearly all is begun: that stands for the word.
    expect(found('he*')).toBe('')
    expect(found('"he* hel*')).toBe('')
    expect(found('hello the*')).toBe('g_1 g_2')
    // What is joined by signs is a phrase of its parts.
    expect(found('red-gre*')).toBe('g_2')
    expect(found('green-red')).toBe('')
    // Within quotes it is a sign like any other.
    expect(found('"worl*"')).toBe('')
  })

  test('takes everything else literally, and never looks into what only Tokenscope writes', () => {
    expect(found('hello OR fox')).toBe('')
    expect(found('NOT hello')).toBe('')
    expect(found('hello AND text')).toBe('')
    expect(found('AND text')).toBe('g_3')
    expect(found('NEAR(a b)')).toBe('g_3')
    expect(found('text:hello')).toBe('')
    expect(found('^bye')).toBe('g_2')
    expect(found('{name}:hello')).toBe('')
    expect(found('sdone')).toBe('g_3')
    expect(found('facets:sfailed')).toBe('')
    expect(found('hello\0world')).toBe('g_1 g_2')
    expect(found("hello'")).toBe('g_1 g_2')
    expect(found('hello -- fox')).toBe('g_1')
    expect(found('- hello ) (')).toBe('g_1 g_2')
  })

  test('goes with state and model', () => {
    expect(found('hello', { state: 'failed' })).toBe('g_2')
    expect(found('hello', { model: 'qwen2.5-7b' })).toBe('g_1')
    expect(found('world', { model: 'llama' })).toBe('g_2 g_4')
    expect(found('world', { model: 'llama', state: 'done' })).toBe('g_4')
    expect(found('world', { model: 'other' })).toBe('')
    expect(found('hello', { state: 'generating' })).toBe('')
  })

  test('is refused if there is no word in it, or too many', () => {
    for (const q of ['', '  ', '*', '""', '"', '-- ! ?', '🙂', '\0', '\ud800', '" * "']) {
      expect(refusal(q)).toMatchObject({ code: 'BAD_REQUEST', param: 'q' })
    }
    const words = Array.from({ length: 64 }, (_, i) => `w${i}`)
    expect(found(words.join(' '))).toBe('')
    expect(refusal([...words, 'more'].join(' ')).message).toContain('65 words')
    // The same ones count once.
    expect(found('hello '.repeat(1000))).toBe('g_1 g_2')
  })

  test('of anything is answered, or refused as no word', () => {
    const operators = fc.constantFrom(
      'AND',
      'OR',
      'NOT',
      'NEAR(',
      ')',
      '{',
      '}',
      ':',
      '^',
      '+',
      '*',
      '"',
      'facets',
      '-',
      ',',
      '\\',
      "'",
    )
    const anything = fc.oneof(
      hostileText,
      fc
        .array(fc.oneof(operators, hostileText, fc.constant('hello')), { maxLength: 12 })
        .map(parts => parts.join(' ')),
      fc.array(operators, { maxLength: 12 }).map(parts => parts.join('')),
      codePoints({ maxLength: 100 }),
    )
    fc.assert(
      fc.property(anything, q => {
        try {
          shelf.reader.list({ ...all, q, state: 'done', model: 'llama' })
        } catch (error) {
          expect(error).toBeInstanceOf(TokenscopeError)
          expect(error).toMatchObject({ code: 'BAD_REQUEST', param: 'q' })
        }
      }),
      { numRuns: rounds(20_000) },
    )
  })

  test('finds a text by any word of it', () => {
    using own = new RecordsShelf()
    const word = fc.string({
      unit: fc.constantFrom('a', 'Z', '7', 'é', 'ß', 'я', '漢', '𝒳', '٣'),
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), fc.nat(), (words, n) => {
        own.clear()
        own.put({
          exchange: null,
          recordings: [{ events: [tokenEvent('g_1', 0, words.join('\n, ')), stateEvent('g_1', 'done')] }],
        })
        const one = words[n % words.length] as string
        for (const q of [one, `${one}*`, `"${one}"`, words.join(' '), `"${words.join(' ')}"`]) {
          expect(own.reader.list({ ...all, q }).items).toHaveLength(1)
        }
      }),
      { numRuns: rounds(1000) },
    )
  })
})
