import { describe, expect, it } from 'vitest'
import type { WholeView } from '../../broadcast/client.ts'
import type { LayoutName, ViewToken } from '../../broadcast/protocol/view.ts'
import type { TokenEvent } from '../../events/generation.ts'
import { Generation } from '../../web/generation.ts'
import { FreshTokens, passes } from '../../web/view/fresh-tokens.ts'
import { TokenIndex } from '../../web/view/token-index.ts'

const TOKEN: ViewToken = {
  id: 'g_1:0',
  text: ' word',
  x: 0,
  y: 0,
  w: 4,
  kind: 'message',
  model: 0,
  confidence: 0.5,
  entropy: null,
  interval_ms: null,
  timestamp: 1000,
}

function indexOf(layout: LayoutName, tokens: ViewToken[], inTile: ViewToken[] = []): TokenIndex {
  const tile = { z: -1, x: 0, y: 0, version: 1, count: inTile.length, tokens: inTile }
  return new TokenIndex({ layout, tokens, tiles: [tile] } as unknown as WholeView)
}

describe('the tokens of an answer', () => {
  it('are found by place and by id, in tiles and beside them', () => {
    const index = indexOf('map', [TOKEN], [{ ...TOKEN, id: 'g_1:1', x: 5, y: 7 }])
    expect(index.at(0.9, 0.9)?.id).toBe('g_1:0')
    expect(index.at(5, 7)?.id).toBe('g_1:1')
    expect(index.at(6, 7)).toBeNull()
    expect(index.at(1, 0)).toBeNull()
    expect(index.get('g_1:1')?.x).toBe(5)
    expect(index.get('g_2:0')).toBeUndefined()
    expect(index.nearest(4, 6, 10, 10)?.id).toBe('g_1:1')
  })

  it('of flow are found on each line that they are wrapped over, and not between', () => {
    const wrapped = { ...TOKEN, text: ' abcdef', x: 76, y: 2, w: 4, wraps: [[5, 0, 4]] } as ViewToken
    const index = indexOf('flow', [wrapped])
    expect(index.at(77, 3)?.id).toBe('g_1:0')
    expect(index.at(1, 5)?.id).toBe('g_1:0')
    expect(index.at(40, 3)).toBeNull()
    expect(index.at(3, 5)).toBeNull()
  })

  it('of the timeline are as wide as they are long', () => {
    const index = indexOf('timeline', [{ ...TOKEN, x: 500, y: 24, w: 40 }])
    expect(index.at(539, 47)?.id).toBe('g_1:0')
    expect(index.at(540, 47)).toBeNull()
    expect(index.at(510, 48)).toBeNull()
  })
})

/** A generation that holds so many tokens, 30 ms apart. */
function generationOf(count: number): Generation {
  const generation = new Generation('g_1')
  generation.model = 'b'
  for (let index = 0; index < count; index++) {
    generation.append({
      seq: index + 1,
      type: 'token_activation',
      generation: 'g_1',
      index,
      token_id: null,
      token_text: ' word',
      kind: 'message',
      timestamp: 1000 + index * 0.03,
      position: [index, 0],
      logprob: -1,
      confidence: 0.37,
      entropy: 1,
      top: [],
    } as TokenEvent as never)
  }
  return generation
}

describe('tokens that no answer has yet', () => {
  it('are told as an answer would, until one has them', () => {
    const fresh = new FreshTokens('map')
    const generation = generationOf(3)
    for (let index = 0; index < 3; index++)
      expect(fresh.add(generation, index, index, 0, index + 1)).toBe(true)
    const told = [...fresh.told(['a', 'b'], null)]
    expect(told.map(({ id }) => id)).toEqual(['g_1:0', 'g_1:1', 'g_1:2'])
    expect(told[1]).toMatchObject({ x: 1, y: 0, w: 1, model: 1, confidence: expect.closeTo(0.37) })
    expect(told[1]?.interval_ms).toBeCloseTo(30)
    fresh.answered(2)
    expect([...fresh.told([], null)].map(({ id }) => id)).toEqual(['g_1:2'])
    // Told again, it is no news, wherever it lies now.
    expect(fresh.add(generation, 2, 9, 9, 3)).toBe(false)
    expect([...fresh.told([], null)][0]).toMatchObject({ x: 9, y: 9 })
  })

  it('of the timeline reach to the next one, and no farther than a stall allows', () => {
    const fresh = new FreshTokens('timeline')
    const generation = generationOf(3)
    for (const [index, x] of [0, 30, 900].entries()) fresh.add(generation, index, x, 0, index + 1)
    expect([...fresh.told([], null)].map(({ w }) => w)).toEqual([30, 100, 20])
    expect(fresh.endOf(generation)?.id).toBe('g_1:2')
  })

  it('are left out while the page does not hold them, and where the filter does', () => {
    const fresh = new FreshTokens('map')
    const generation = generationOf(1)
    fresh.add(generation, 0, 0, 0, 1)
    fresh.add(generation, 1, 1, 0, 2)
    expect([...fresh.told([], null)]).toHaveLength(1)
    expect([...fresh.told([], { kinds: ['reasoning'] })]).toHaveLength(0)
  })

  it.each([
    [{ generations: ['g_2'] }, false],
    [{ generations: ['g_1'], models: ['b'] }, true],
    [{ models: ['a'] }, false],
    [{ since: 1000.5 }, false],
    [{ since: 999, until: 1000 }, true],
  ])('pass the filter %j: %s', (filter, expected) => {
    expect(passes(filter, TOKEN, generationOf(1))).toBe(expected)
  })

  it('are forgotten with their generation', () => {
    let held = true
    const fresh = new FreshTokens('map', () => held)
    fresh.add(generationOf(1), 0, 0, 0, 1)
    expect([...fresh.told([], null)]).toHaveLength(1)
    held = false
    expect([...fresh.told([], null)]).toHaveLength(0)
    held = true
    expect([...fresh.told([], null)]).toHaveLength(0)
  })

  it('are bounded in number, and the newest are never left out', () => {
    const fresh = new FreshTokens('map')
    const generation = generationOf(9000)
    for (let index = 0; index < 9000; index++) fresh.add(generation, index, index, 0, index + 1)
    const told = [...fresh.told([], null)]
    expect(told.length).toBeLessThanOrEqual(2000)
    expect(told.at(-1)?.id).toBe('g_1:8999')
    const { tokens, next } = fresh.since(0, 0, [], null, 10_000)
    expect(tokens.length).toBeLessThan(5000)
    expect(tokens.at(-1)?.id).toBe('g_1:8999')
    expect(next).toBe(9000)
  })
})

describe('what is added to a picture', () => {
  const ids = ({ tokens }: { tokens: { id: string }[] }) => tokens.map(({ id }) => id)

  it('is what came since the last time and the answer lacks, so many at a time', () => {
    const fresh = new FreshTokens('map')
    const generation = generationOf(6)
    for (let index = 0; index < 4; index++) fresh.add(generation, index, index, 0, index + 1)
    const first = fresh.since(0, 1, [], null, 2)
    expect(ids(first)).toEqual(['g_1:1', 'g_1:2'])
    const second = fresh.since(first.next, 1, [], null, 2)
    expect(ids(second)).toEqual(['g_1:3'])
    expect(ids(fresh.since(second.next, 1, [], null, 2))).toEqual([])
    fresh.add(generation, 4, 4, 0, 5)
    expect(ids(fresh.since(second.next, 1, [], null, 2))).toEqual(['g_1:4'])
    // A picture that is begun anew is told of all that its answer lacks.
    expect(ids(fresh.since(0, 3, [], null, 9))).toEqual(['g_1:3', 'g_1:4'])
    expect(ids(fresh.since(0, 3, [], { generations: ['g_2'] }, 9))).toEqual([])
  })

  it('of the timeline is also the token before, which only now is known to be as long as it is', () => {
    const fresh = new FreshTokens('timeline')
    const generation = generationOf(2)
    fresh.add(generation, 0, 0, 0, 1)
    const first = fresh.since(0, 0, [], null, 9)
    expect(first.tokens.map(({ w }) => w)).toEqual([20])
    fresh.add(generation, 1, 60, 0, 2)
    const second = fresh.since(first.next, 0, [], null, 9)
    expect(second.tokens.map(({ id, w }) => [id, w])).toEqual([
      ['g_1:0', 60],
      ['g_1:1', 20],
    ])
  })

  it('is nothing of what was forgotten', () => {
    const fresh = new FreshTokens('flow')
    fresh.add(generationOf(1), 0, 0, 0, 1)
    const { next } = fresh.since(0, 0, [], null, 9)
    fresh.add(generationOf(1), 0, 5, 0, 2)
    fresh.clear()
    expect(ids(fresh.since(next, 0, [], null, 9))).toEqual([])
    fresh.add(generationOf(1), 0, 7, 0, 3)
    expect(ids(fresh.since(next, 0, [], null, 9))).toEqual(['g_1:0'])
  })
})
