import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createDemoModel,
  type DemoModel,
  type GeneratedToken,
  Generation,
  type GenerationOptions,
} from '../../../../bridge/demo/index.ts'

const model = createDemoModel()

interface Answer {
  tokens: GeneratedToken[]
  text: string
  generation: Generation
}

function answer(prompt: string, options: GenerationOptions = {}, of: DemoModel = model): Answer {
  const generation = new Generation(of, of.predictorFor(prompt), options)
  const tokens: GeneratedToken[] = []
  while (generation.finish === null) tokens.push(...generation.next())
  return { tokens, text: tokens.map(({ delivered }) => delivered).join(''), generation }
}

describe('generation', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(answer('Tell me about rivers', { seed: 7 }).text).toBe(
      answer('Tell me about rivers', { seed: 7 }).text,
    )
    const texts = Array.from(
      { length: 8 },
      (_, seed) => answer('Tell me about rivers', { seed, temperature: 1 }).text,
    )
    expect(new Set(texts).size).toBe(8)
    const choices = Array.from(
      { length: 4 },
      (_, choice) => answer('Go on', { seed: 1, choice, temperature: 1 }).text,
    )
    expect(new Set(choices).size).toBe(4)
  })

  it('takes the most likely token at temperature 0, whatever the seed', () => {
    const greedy = answer('What is music?', { temperature: 0, topCount: 1, seed: 1 })
    expect(greedy.text).toBe(answer('What is music?', { temperature: 0, seed: 2 }).text)
    for (const { top, text } of greedy.tokens) expect(top[0]?.text).toBe(text)
  })

  it('ends by itself, mostly after 60 to 250 tokens', () => {
    const answers = Array.from({ length: 40 }, (_, seed) => answer('Tell me about maps', { seed }))
    const counts = answers.map(({ generation }) => generation.count).sort((a, b) => a - b)
    expect(answers.every(({ generation }) => generation.finish === 'stop')).toBe(true)
    expect(counts[4]).toBeGreaterThan(40)
    expect(counts[35]).toBeLessThan(260)
  })

  it('gives exactly as many tokens as allowed, and no end of its own before', () => {
    for (const maxTokens of [1, 2, 17]) {
      const { generation, tokens } = answer('Tell me about maps', { seed: 3, maxTokens })
      expect([tokens.length, generation.count, generation.finish]).toEqual([maxTokens, maxTokens, 'length'])
    }
  })

  it('tells exactly the top of the distribution, and a true probability of each token', () => {
    const predictor = model.predictorFor('What is a stream?')
    const generation = new Generation(model, predictor, { seed: 5, topCount: 5 })
    const context = [...predictor.prompt]
    for (let length = 0; generation.finish === null; length++) {
      const distribution = predictor.distribution(context, length, new Float64Array(model.tokenizer.size))
      const [token] = generation.next()
      if (!token) break
      const sorted = [...distribution].sort((a, b) => b - a).slice(0, 5)
      expect(token.top.map(({ logprob }) => logprob)).toEqual(sorted.map(Math.log))
      const id = [...distribution.keys()].find(
        at =>
          Buffer.from(model.tokenizer.bytes(at)).equals(Buffer.from(token.bytes)) &&
          at !== model.tokenizer.end,
      )
      expect(token.logprob).toBe(Math.log(distribution[id as number] as number))
      context.push(id as number)
    }
  })

  it('draws only from the nucleus', () => {
    const { tokens } = answer('Tell me about rivers', { seed: 9, temperature: 2, topP: 0.5, topCount: 20 })
    for (const { top, logprob } of tokens) {
      const above = top
        .filter(other => other.logprob > logprob)
        .reduce((sum, other) => sum + Math.exp(other.logprob), 0)
      expect(above).toBeLessThan(0.5)
    }
    expect(answer('Go on', { topP: 0, seed: 1 }).text).toBe(answer('Go on', { temperature: 0 }).text)
  })

  it('stops before a stop string wherever tokens are cut', () => {
    const seeds = fc.integer({ min: 0, max: 20 })
    fc.assert(
      fc.property(
        seeds,
        fc.nat(),
        fc.integer({ min: 1, max: 12 }),
        fc.string({ minLength: 1, maxLength: 3 }),
        (seed, place, length, other) => {
          const whole = answer('Tell me about music', { seed }).text
          const at = place % whole.length
          const stop = [whole.slice(at, at + length), other]
          const { text, generation } = answer('Tell me about music', { seed, stop })
          const expected = Math.min(...stop.map(one => whole.indexOf(one)).filter(found => found !== -1))
          for (const one of stop) expect(text).not.toContain(one)
          expect(whole.startsWith(text)).toBe(true)
          expect(generation.finish).toBe('stop')
          // A stop string that starts later may be whole earlier; the text then ends at the later one.
          expect(text.length).toBeGreaterThanOrEqual(expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('gives up what it held back when no stop string came of it', () => {
    const whole = answer('Tell me about music', { seed: 1 })
    const held = answer('Tell me about music', { seed: 1, stop: [`${whole.text}!`, '. # '] })
    expect(held.text).toBe(whole.text)
    expect(held.tokens.length).toBe(whole.tokens.length)
  })

  it('never draws half a character, and tells characters that are spread over tokens', () => {
    const passages = [
      'Das Käuzchen 🦉 rief – öfter.',
      '🎻 und 🎺 tönen – schön: ü, é, 漢字.',
      'Ä🦉漢é–ß.',
    ].map(text => ({ request: '', text }))
    const spread = createDemoModel({ passages, merges: 3 })
    fc.assert(
      fc.property(fc.nat(), seed => {
        const { tokens, text } = answer(
          '',
          { seed, temperature: 2, topP: 1, maxTokens: 60, topCount: 3 },
          spread,
        )
        const bytes = Buffer.from(tokens.flatMap(token => token.bytes))
        expect(tokens.map(token => token.text).join('')).toBe(text)
        expect(text).not.toContain('\ufffd')
        // Only the length may cut the last character.
        expect(bytes.subarray(0, Buffer.byteLength(text)).toString('utf8')).toBe(text)
        expect(bytes.length - Buffer.byteLength(text)).toBeLessThan(4)
      }),
    )
  })
})
