import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  createDemoModel,
  type GeneratedToken,
  Generation,
  type GenerationOptions,
} from '../../../../bridge/demo/index.ts'
import { recite, sprinkle } from '../../../../bridge/demo/model/dictation.ts'
import { codePoints } from '../../../support/code-points.ts'

const model = createDemoModel()
const predictor = model.predictorFor('Tell me about rivers')

function run(options: GenerationOptions): { tokens: GeneratedToken[]; generation: Generation } {
  const generation = new Generation(model, predictor, { seed: 1, ...options })
  const tokens: GeneratedToken[] = []
  while (generation.finish === null) tokens.push(...generation.next())
  return { tokens, generation }
}

const textOf = (tokens: GeneratedToken[]) => tokens.map(({ delivered }) => delivered).join('')

it('a dictated text comes out whole, with the probability that the model gave each of its tokens', () => {
  const anything = codePoints({ maxLength: 60 }).map(text => text.toWellFormed())
  fc.assert(
    fc.property(anything, text => {
      const { tokens, generation } = run({ dictation: recite(model.tokenizer, text) })
      expect(textOf(tokens)).toBe(text)
      expect(generation.finish).toBe('stop')
      const context = [...predictor.prompt]
      for (const [place, { id, logprob }] of tokens.entries()) {
        const chances = predictor.distribution(context, place, new Float64Array(model.tokenizer.size))
        expect(logprob).toBe(Math.log(chances[id] as number))
        context.push(id)
      }
    }),
    { numRuns: 40 },
  )
})

it('a dictated text is cut by limits and stop strings like any other', () => {
  const cut = run({ dictation: recite(model.tokenizer, 'a river of words'), maxTokens: 2 })
  expect([cut.tokens.length, cut.generation.finish]).toEqual([2, 'length'])
  const stopped = run({ dictation: recite(model.tokenizer, 'a river of words'), stop: ['of'] })
  expect(textOf(stopped.tokens)).toBe('a river ')
})

it('a text of ordered length has it, and ends by itself', () => {
  for (const length of [0, 1, 5, 700]) {
    const { tokens, generation } = run({ length })
    expect([tokens.length, generation.finish]).toEqual([length, 'stop'])
  }
  expect(run({ length: 9, maxTokens: 4 }).generation.finish).toBe('length')
})

it('characters spread over tokens are the ones put in, and whole with their last part', () => {
  const { tokens } = run({ dictation: sprinkle(3), length: 200 })
  const parts = tokens.filter(({ bytes, text }) => bytes.length === 1 && (text === '' || text.length > 0))
  expect(parts.length).toBeGreaterThan(20)
  expect(tokens.filter(({ text }) => text === '').length).toBeGreaterThan(20)
  const bytes = Buffer.from(tokens.flatMap(token => token.bytes))
  expect(bytes.toString()).toContain('🦉')
  expect(bytes.toString().startsWith(textOf(tokens))).toBe(true)
  for (const { logprob } of tokens) expect(logprob).toBeLessThan(0)
})
