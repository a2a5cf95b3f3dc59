import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NOTHING_SET, readSettings, requestsOf, summaryOf } from '../../web/prompt/prompt-settings.ts'

const MODELS = ['qwen', 'llama']

describe('the requests for a prompt', () => {
  test('say nothing that was not set', () => {
    expect(requestsOf('Hi', NOTHING_SET, MODELS)).toEqual([{ messages: [{ role: 'user', content: 'Hi' }] }])
  })

  test('say all that was set, a zero as well', () => {
    const settings = {
      ...{ model: 'llama', other: '', system: 'Be brief.', temperature: '0', seed: '0', maxTokens: '12' },
      reasoning: 'none',
    }
    expect(requestsOf('Hi', settings, MODELS)).toEqual([
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        ...{ model: 'llama', temperature: 0, seed: 0, max_tokens: 12, reasoning_effort: 'none' },
      },
    ])
  })

  test('are the same to two models, also to one twice', () => {
    const both = requestsOf('Hi', { ...NOTHING_SET, model: 'qwen', other: 'llama', seed: '3' }, MODELS)
    expect(both.map(({ model }) => model)).toEqual(['qwen', 'llama'])
    expect({ ...both[0], model: '' }).toEqual({ ...both[1], model: '' })
    const twice = requestsOf('Hi', { ...NOTHING_SET, other: 'qwen' }, ['qwen'])
    expect(twice.map(({ model }) => model)).toEqual([undefined, 'qwen'])
  })

  test('name no model that is not listed any more', () => {
    const requests = requestsOf('Hi', { ...NOTHING_SET, model: 'gone', other: 'gone' }, MODELS)
    expect(requests.map(request => Object.hasOwn(request, 'model'))).toEqual([false])
  })
})

test('what is set is said in few words, the model first', () => {
  expect(summaryOf(NOTHING_SET, MODELS)).toEqual(['server’s choice', 'temperature auto'])
  expect(summaryOf(NOTHING_SET, ['qwen'])).toEqual(['qwen', 'temperature auto'])
  expect(summaryOf({ ...NOTHING_SET, other: 'qwen' }, ['qwen'])[0]).toBe('qwen twice')
  const all = {
    ...{ model: 'qwen', other: 'llama', system: 'Be brief.', temperature: '0.7', seed: '3', maxTokens: '1' },
    reasoning: 'none',
  }
  expect(summaryOf(all, MODELS)).toEqual([
    ...['qwen and llama', 'temperature 0.7', 'seed 3', 'at most 1 token', 'reasoning off', 'system prompt'],
  ])
})

describe('remembered settings', () => {
  const text = fc.string()
  const settings = fc.record({
    ...{ model: text, other: text, system: text, temperature: text, seed: text, maxTokens: text },
    reasoning: fc.constantFrom('', 'none', 'low', 'medium', 'high'),
  })

  test('are what was set', () => {
    fc.assert(
      fc.property(settings, set => {
        expect(readSettings(JSON.stringify(set))).toEqual(set)
      }),
    )
  })

  test('are nothing where something else was written', () => {
    expect(readSettings(null)).toEqual(NOTHING_SET)
    expect(readSettings('{"seed":3,"model":["x"],"reasoning":"much"}')).toEqual(NOTHING_SET)
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), saved => {
        const read = readSettings(saved)
        expect(Object.keys(read)).toEqual(Object.keys(NOTHING_SET))
        expect(Object.values(read).every(value => typeof value === 'string')).toBe(true)
      }),
    )
  })
})
