import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDemoModel } from '../../../../bridge/demo/model/demo-model.ts'
import { LanguageModel } from '../../../../bridge/demo/model/language-model.ts'

function sum(distribution: Float64Array): number {
  return distribution.reduce((total, probability) => total + probability, 0)
}

const model = createDemoModel()
const { size } = model.tokenizer
const contexts = fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 6 })
const essays = model.tokenizer.encode('the sound of the river is a long conversation between the water and')

describe('language model', () => {
  it('gives a distribution after any context', () => {
    const places = fc.integer({ min: 0, max: essays.length })
    fc.assert(
      fc.property(
        fc.oneof(
          contexts,
          places.map(end => essays.slice(0, end)),
        ),
        context => {
          const distribution = model.language.distribution(context)
          expect(sum(distribution)).toBeCloseTo(1, 9)
          expect(Math.min(...distribution)).toBeGreaterThan(0)
        },
      ),
    )
  })

  it('gives a distribution for random training texts of any order', () => {
    const token = fc.integer({ min: 0, max: 5 })
    const texts = fc.array(
      fc.array(token, { minLength: 1, maxLength: 12 }).map(tokens => ({ tokens, given: 1 })),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(
        texts,
        fc.integer({ min: 1, max: 5 }),
        fc.array(token, { maxLength: 5 }),
        (all, order, context) => {
          const distribution = LanguageModel.train(all, { order, size: 6 }).distribution(context)
          expect(sum(distribution)).toBeCloseTo(1, 9)
          expect(Math.min(...distribution)).toBeGreaterThan(0)
        },
      ),
    )
  })

  it('stays a distribution after a prompt, at any length of the answer', () => {
    const prompts = fc.constantFrom('Tell me about rivers', 'What is music?', 'qqq', '')
    const lengths = fc.integer({ min: 0, max: 2000 })
    fc.assert(
      fc.property(prompts, contexts, lengths, (prompt, context, length) => {
        const distribution = model.predictorFor(prompt).distribution(context, length, new Float64Array(size))
        expect(sum(distribution)).toBeCloseTo(1, 9)
        expect(Math.min(...distribution)).toBeGreaterThan(0)
      }),
    )
  })

  // The text x a b a c with x given, as bigrams: x·a, a·b, b·a, a·c, each once. Worked out by hand:
  // unigram counts are the different tokens to the left: a has x and b: 2; b has a: 1; c has a: 1.
  // Both orders have too few counts of counts for Chen and Goodman's estimate, so D = 0.5, 1, 1.5.
  it('agrees with a bigram model worked out by hand', () => {
    const [x, a, b, c] = [0, 1, 2, 3]
    const bigram = LanguageModel.train([{ tokens: [x, a, b, a, c], given: 1 }], { order: 2, size: 4 })
    expect(bigram.discounts).toEqual([
      [0.5, 1, 1.5],
      [0.5, 1, 1.5],
    ])
    // P1 = (count − D)/4 + γ/4 with γ = (1 + 0.5 + 0.5)/4 = 1/2.
    const unigram = [1 / 8, 1 / 4 + 1 / 8, 1 / 8 + 1 / 8, 1 / 8 + 1 / 8]
    expect([...bigram.distribution([])]).toEqual(unigram)
    // After a came b and c, once each: (1 − 0.5)/2 each, and γ = (0.5 + 0.5)/2.
    const afterA = [1 / 16, 3 / 16, 1 / 4 + 1 / 8, 1 / 4 + 1 / 8]
    expect([...bigram.distribution([b, a])]).toEqual(afterA)
    // c was never followed by anything: the unigrams alone.
    expect([...bigram.distribution([c])]).toEqual(unigram)
  })

  it('estimates discounts from counts of counts and uses them', () => {
    // Unigram counts 1, 1, 1, 1, 2, 2, 3, 4: n1 = 4, n2 = 2, n3 = 1, n4 = 1, so Y = 4/8.
    const counts = [1, 1, 1, 1, 2, 2, 3, 4]
    const tokens = [0, ...counts.flatMap((count, token) => new Array<number>(count).fill(token))]
    const unigram = LanguageModel.train([{ tokens, given: 1 }], { order: 1, size: 10 })
    const [one, two, three] = [1 - 2 * 0.5 * (2 / 4), 2 - 3 * 0.5 * (1 / 2), 3 - 4 * 0.5 * (1 / 1)]
    expect(unigram.discounts).toEqual([[one, two, three]])
    const left = (4 * one + 2 * two + 2 * three) / 15
    const expected = [
      ...counts.map(count => (count - ([0, one, two, three, three][count] as number)) / 15),
      0,
      0,
    ]
    unigram.distribution([]).forEach((probability, token) => {
      expect(probability).toBeCloseTo((expected[token] as number) + left / 10, 12)
    })
  })

  it('agrees with the formula written down directly', () => {
    const tokens = model.tokenizer.encode('\n\n\nthe river and the map and the river and the sea')
    const trigram = LanguageModel.train([{ tokens, given: 1 }], { order: 3, size })
    const context = model.tokenizer.encode(' and the')
    const distribution = trigram.distribution(context)
    for (const word of [' river', ' sea', ' map', ' and']) {
      const [token] = model.tokenizer.encode(word) as [number]
      expect(distribution[token]).toBeCloseTo(direct(tokens, trigram, context, token), 12)
    }
  })

  it('refuses a token that is none and an order below 1', () => {
    expect(() => LanguageModel.train([{ tokens: [0, 9], given: 1 }], { order: 2, size: 4 })).toThrow(
      RangeError,
    )
    expect(() => LanguageModel.train([], { order: 0, size: 4 })).toThrow(RangeError)
  })
})

/** The recursion as in the paper, by searching the text each time. */
function direct(
  text: readonly number[],
  { order, size, discounts }: LanguageModel,
  context: number[],
  token: number,
): number {
  const key = (gram: readonly number[]): string => gram.join(' ')
  /** n-grams of a length that end in a predicted token, with where they begin. */
  const grams = (length: number): { gram: number[]; at: number }[] =>
    text
      .map((_, at) => ({ gram: text.slice(at, at + length), at }))
      .filter(({ gram, at }) => gram.length === length && at + length > 1)
  function countOf(gram: readonly number[]): number {
    const places = grams(gram.length).filter(other => key(other.gram) === key(gram))
    if (gram.length === order) return places.length
    const left = new Set(places.filter(({ at }) => at > 0).map(({ at }) => text[at - 1]))
    return left.size + places.filter(({ at }) => at === 0).length
  }
  function probability(h: readonly number[]): number {
    const after = new Map(
      grams(h.length + 1)
        .filter(({ gram }) => key(gram.slice(0, -1)) === key(h))
        .map(({ gram }) => [gram.at(-1), gram]),
    )
    const below = h.length === 0 ? 1 / size : probability(h.slice(1))
    if (after.size === 0) return below
    const D = (count: number): number =>
      count === 0 ? 0 : (discounts[h.length]?.[Math.min(count, 3) - 1] as number)
    const counts = [...after.values()].map(countOf)
    const total = counts.reduce((all, count) => all + count, 0)
    const left = counts.reduce((all, count) => all + D(count), 0) / total
    const count = countOf([...h, token])
    return (count - D(count)) / total + left * below
  }
  return probability(context)
}
