import { describe, expect, it } from 'vitest'
import { columnOf, givenBy } from '../../web/compare/column.ts'
import { compare } from '../../web/compare/comparison.ts'
import { comparisonWords, partingWords } from '../../web/compare/comparison-words.ts'
import { Generation } from '../../web/generation.ts'

/** A generation that said these tokens; null is one that is not held. */
function said(
  id: string,
  tokens: readonly (string | null)[],
  state: 'done' | 'generating' = 'done',
): Generation {
  const generation = new Generation(id)
  generation.become({ state })
  for (const [index, token_text] of tokens.entries()) {
    if (token_text === null) continue
    generation.append({
      ...{ index, token_text, token_id: null, kind: 'message', timestamp: 1000 + index, position: null },
      ...{ logprob: null, confidence: null, entropy: null, top: [] },
    })
  }
  return generation
}

const words = (...generations: Generation[]) => comparisonWords(compare(generations))

describe('a comparison in words', () => {
  it('says where they part and how much is common', () => {
    const a = said('g_a', ['The', ' tea', ' is', ' hot'])
    expect(words(a, said('g_b', ['The', ' ale', ' is', ' cold']))).toBe(
      'They part at token 2. 50.0 % of all tokens are common.',
    )
    expect(words(a, said('g_b', ['Tea']))).toBe('They part at token 1. 0 % of all tokens are common.')
  })

  it('says that they are the same, throughout or so far', () => {
    const a = said('g_a', ['One', ' two'])
    expect(words(a, said('g_b', ['One', ' two']))).toBe('The same throughout: 2 tokens.')
    expect(words(a, said('g_b', ['One', ' two'], 'generating'))).toBe('The same so far: 2 tokens.')
  })

  it('says that one ends first, or is not there yet', () => {
    const a = said('g_a', ['One', ' two', ' three'])
    expect(partingWords(compare([a, said('g_b', ['One', ' two'])]))).toBe(
      'The same until B ends, after 2 tokens.',
    )
    expect(partingWords(compare([a, said('g_b', ['One'], 'generating')]))).toBe(
      'The same so far: B has 1 token.',
    )
    const both = [said('g_b', ['One']), said('g_c', ['One'])]
    expect(partingWords(compare([a, ...both]))).toBe('The same until B and C end, after 1 token.')
  })

  it('waits for tokens', () => {
    const nothing = said('g_a', [], 'generating')
    expect(words(nothing, said('g_b', [], 'generating'))).toBe('No tokens to compare yet.')
    expect(words(nothing, said('g_b', ['One']))).toBe('Not all of them have tokens yet.')
  })

  it('takes a token that is not held for no other', () => {
    const holed = said('g_a', ['One', null, ' three'])
    expect(words(holed, said('g_b', ['One', null, ' three']))).toMatch(/^They part at token 2\./)
  })
})

describe('what stands in a column', () => {
  const parent = said('g_parent', ['The', ' tea', ' is', ' hot'])
  const child = said('g_child', [' was', ' cold'])
  const column = (text: string, by: Generation | null = parent) =>
    columnOf(child, new Map([['g_child', { text, parent: by }]])).map(({ by, index, text, given }) => [
      by?.id ?? null,
      index,
      text,
      given,
    ])
  const own = [
    ['g_child', 0, ' was', false],
    ['g_child', 1, ' cold', false],
  ]

  it('is what it said, where it was given nothing', () => {
    expect(columnOf(child, new Map()).map(({ text }) => text)).toEqual([' was', ' cold'])
  })

  it('begins with what it was given, as tokens of the one that said it', () => {
    expect(column('The tea')).toEqual([['g_parent', 0, 'The', true], ['g_parent', 1, ' tea', true], ...own])
  })

  it('has what was put in instead of a token', () => {
    expect(column('The ale')).toEqual([['g_parent', 0, 'The', true], [null, -1, ' ale', true], ...own])
    expect(column('Anything', null)).toEqual([[null, -1, 'Anything', true], ...own])
  })

  it('goes back to the first of those that went on', () => {
    const grandchild = said('g_grandchild', ['!'])
    const givens = new Map([
      ['g_child', { text: 'The tea', parent }],
      ['g_grandchild', { text: 'The tea was', parent: child }],
    ])
    const pieces = columnOf(grandchild, givens)
    expect(pieces.map(({ by, given }) => [by?.id, given])).toEqual([
      ['g_parent', true],
      ['g_parent', true],
      ['g_child', true],
      ['g_grandchild', false],
    ])
    expect(pieces.map(({ text }) => text).join('')).toBe('The tea was!')
  })

  it('parts from its parent where it went on', () => {
    const givens = new Map([['g_child', { text: 'The tea', parent }]])
    expect(partingWords(compare([parent, child], givens))).toBe('They part at token 3.')
  })

  it.each([
    [
      {
        messages: [
          { role: 'user', content: 'Q' },
          { role: 'assistant', content: 'The tea' },
        ],
      },
      'The tea',
    ],
    [{ messages: [{ role: 'user', content: 'Q' }] }, null],
    [{ messages: [{ role: 'assistant', content: [{ type: 'text' }] }] }, null],
    [{ prompt: 'x' }, null],
    ['nonsense', null],
    [null, null],
  ])('is told by the request: %j', (body, given) => {
    expect(givenBy(JSON.stringify(body))).toBe(given)
  })

  it('is nothing where the request is no JSON, or is not known', () => {
    expect(givenBy('{')).toBeNull()
    expect(givenBy(null)).toBeNull()
  })
})
