import { describe, expect, it } from 'vitest'
import { createDemoModel } from '../../../../bridge/demo/index.ts'
import { Generation } from '../../../../bridge/demo/model/generation.ts'
import { LanguageModel } from '../../../../bridge/demo/model/language-model.ts'

const passages = [
  { request: 'What is a river?', text: 'A river is water that goes to the sea.' },
  { request: '', text: 'A map shows where things are.' },
  { request: 'What is rain?', text: 'Rain is water that falls.' },
]
const model = createDemoModel({ passages, merges: 50 })

describe('what the demo model says of itself', () => {
  it('keeps what it has learned from, and finds in it what a text is about', () => {
    expect(model.passages).toEqual(passages)
    expect(model.passagesAbout('rivers and seas', 9).map(({ request }) => request)).toEqual([
      'What is a river?',
    ])
    expect(model.passagesAbout('water', 9)).toHaveLength(2)
    expect(model.passagesAbout('water', 1)).toHaveLength(1)
    expect(model.passagesAbout('zebra', 9)).toEqual([])
  })

  it('counts its n-grams and the bytes of its tables', () => {
    const texts = [{ tokens: [0, 1, 2, 1, 2], given: 1 }]
    expect(LanguageModel.train(texts, { order: 1, size: 3 }).ngrams).toBe(2)
    // 1 and 2; 0 1, 1 2 and 2 1.
    const bigrams = LanguageModel.train(texts, { order: 2, size: 3 })
    expect(bigrams.ngrams).toBe(5)
    // Contexts: none, 0, 1, 2. Starts 5 · 4, tokens 5 · 4, shares 5 · 8, left 4 · 8, unigrams 3 · 8.
    expect(bigrams.bytes).toBe(20 + 20 + 40 + 32 + 24)
  })

  it('names the stop string that ended a text', () => {
    const run = (stop: string[]) => {
      const options = { seed: 1, temperature: 0, stop }
      const generation = new Generation(model, model.predictorFor('What is rain?'), options)
      while (generation.finish === null) generation.next()
      return generation.stopSequence
    }
    expect(run(['§', 'water'])).toBe('water')
    expect(run(['§'])).toBeNull()
  })
})
