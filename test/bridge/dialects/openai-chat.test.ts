import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../../bridge/demo/surface.ts'
import type { Reading } from '../../../bridge/dialects/dialect.ts'
import { openaiChat } from '../../../bridge/dialects/openai-chat.ts'
import { useStage } from '../../support/stage.ts'

const event = (choice: object, type?: string) =>
  openaiChat.event(type, JSON.stringify({ choices: [{ index: 0, finish_reason: null, ...choice }] }))
const said = ({ deltas }: Reading) => deltas.map(({ kind, text }) => [kind, text])

describe('a request', () => {
  test.each([
    [
      { model: 'm', stream: true, n: 3, max_tokens: 5 },
      { model: 'm', stream: true, choices: 3, maxTokens: 5 },
    ],
    [{ max_completion_tokens: 7, max_tokens: 5 }, { maxTokens: 7 }],
    [{ max_tokens: -1 }, { maxTokens: null }],
    [
      { model: '', stream: 'true', n: null },
      { model: null, stream: false, choices: 1, maxTokens: null },
    ],
    [null, { model: null, stream: false, choices: 1, maxTokens: null, previous: null }],
  ])('%j', (body, facts) => {
    expect(openaiChat.request(body)).toMatchObject(facts)
  })
})

describe('a delta', () => {
  test.each<[string, object, [kind: string, text: string][]]>([
    ['reasoning under two names', { reasoning_content: 'a', reasoning: 'a' }, [['reasoning', 'a']]],
    [
      'reasoning under an empty name and another',
      { reasoning_content: '', thinking: 'a' },
      [['reasoning', 'a']],
    ],
    ['reasoning in parts', { reasoning: [{ type: 'text', text: 'a' }, 'b'] }, [['reasoning', 'ab']]],
    [
      'all at once',
      {
        content: 'c',
        refusal: 'd',
        reasoning: 'r',
        tool_calls: [{ function: { name: 'f', arguments: '{' } }],
      },
      [
        ['reasoning', 'r'],
        ['message', 'c'],
        ['message', 'd'],
        ['tool_call', 'f'],
        ['tool_call', '{'],
      ],
    ],
    [
      'a call whose arguments are an object',
      { tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] },
      [
        ['tool_call', 'f'],
        ['tool_call', '{"a":1}'],
      ],
    ],
    [
      'a call of a custom tool',
      { tool_calls: [{ type: 'custom', custom: { name: 'f', input: 'x y' } }] },
      [
        ['tool_call', 'f'],
        ['tool_call', 'x y'],
      ],
    ],
    ['a null content', { role: 'assistant', content: null }, []],
    ['parts that are no parts', { content: [null, 1, 'a', { type: 'image_url' }] }, [['message', 'a']]],
  ])('with %s', (_what, delta, texts) => {
    expect(said(event({ delta }))).toEqual(texts)
  })

  test('without text is none, but one of the tokens that it lists', () => {
    expect(event({ delta: { content: '' } }).deltas).toEqual([])
    expect(event({ delta: {}, token_ids: [] }).deltas).toEqual([])
    expect(event({ delta: {}, token_ids: [7] }).deltas).toMatchObject([
      { text: '', tokens: [{ id: 7 }], count: null },
    ])
    expect(event({ delta: {}, token_ids: [7, 8] }).deltas).toMatchObject([{ text: '', tokens: [], count: 2 }])
  })

  test('has ids only where there are as many as entries', () => {
    const logprobs = {
      content: [
        { token: 'a', logprob: -1 },
        { token: 'b', logprob: -2 },
      ],
    }
    const ids = (token_ids: unknown) =>
      event({ delta: { content: 'ab' }, logprobs, token_ids }).deltas[0]?.tokens.map(({ id }) => id)
    expect(ids([7, 8])).toEqual([7, 8])
    for (const others of [[7], [7, 8, 9], 'ab', null, ['x', {}]]) expect(ids(others)).toEqual([null, null])
  })

  test('lists tokens without a probability, and none that a number cannot hold', () => {
    const data =
      '{"choices":[{"delta":{"content":"abc"},"logprobs":{"content":[{"token":"a"},{"token":"b","logprob":-1e999},{"token":"c","logprob":null}]}}]}'
    const [delta] = openaiChat.event(undefined, data).deltas
    expect(delta?.tokens.map(({ text, logprob }) => [text, logprob])).toEqual([
      ['a', null],
      ['b', null],
      ['c', null],
    ])
  })
})

test('the texts of a whole message are exact, and each entry is told once', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 6 })
  const message = fc.record({ content: text, reasoning: text, name: text, arguments: text })
  const entries = fc.array(fc.record({ token: text, logprob: fc.double({ max: 0, noNaN: true, min: -50 }) }))
  fc.assert(
    fc.property(message, entries, ({ content, reasoning, name, arguments: given }, list) => {
      const calls = [{ type: 'function', function: { name, arguments: given } }]
      const answer = {
        choices: [
          { index: 0, message: { content, reasoning, tool_calls: calls }, logprobs: { content: list } },
        ],
      }
      const deltas = openaiChat.whole(answer)?.deltas ?? []
      const of = (kind: string) =>
        deltas
          .filter(delta => delta.kind === kind)
          .map(delta => delta.text)
          .join('')
      expect([of('reasoning'), of('message'), of('tool_call')]).toEqual([reasoning, content, name + given])
      expect(deltas.flatMap(({ tokens }) => tokens.map(token => token.text))).toEqual(
        list.map(({ token }) => token),
      )
    }),
  )
})

describe.each(SERVER_KINDS)('through Tokenscope, of %s', kind => {
  const stage = useStage({ kind })
  const ask = { logprobs: true, top_logprobs: 3, stream_options: { include_usage: true } }

  test('the viewer sees what the app gets, token by token', async () => {
    const { body } = await stage.take('say=Un%20%C3%A9t%C3%A9%20%F0%9F%99%82%20ici', ask)
    const last = await stage.viewer.end()
    const chunks = body
      .toString()
      .split('\n\n')
      .filter(part => part.startsWith('data: {'))
      .map(part => JSON.parse(part.slice('data: '.length)))
    const entries = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? [])
    const usage = chunks.findLast(chunk => chunk.usage)?.usage
    expect(stage.viewer.textOf(last.generation)).toBe('Un été 🙂 ici')
    expect(last).toMatchObject({
      state: 'done',
      tokens_processed: usage.completion_tokens,
      total_tokens: usage.total_tokens,
      estimated: false,
    })
    expect(entries.length > 0).toBe(kind !== 'lmstudio')
    const listed = stage.viewer.tokens.filter(({ logprob }) => logprob !== null)
    expect(listed.map(({ logprob, top }) => [logprob, top])).toEqual(
      entries.map(({ logprob, top_logprobs: top }) => [
        logprob,
        top.map((one: { token: string; logprob: number }) => ({ text: one.token, logprob: one.logprob })),
      ]),
    )
    for (const { confidence, entropy } of listed) {
      expect(confidence).toBeGreaterThanOrEqual(0)
      expect(confidence).toBeLessThanOrEqual(1)
      expect(entropy).toBeGreaterThanOrEqual(0)
    }
  })

  test('a probability of zero is a confidence of 0', async () => {
    await stage.take('sentinels=2', { ...ask, max_tokens: 12 })
    const never = stage.viewer.tokens.filter(({ logprob }) => logprob !== null && logprob < -1000)
    expect(never.length > 0).toBe(kind !== 'lmstudio')
    for (const { confidence, entropy } of never) {
      expect(confidence).toBe(0)
      expect(entropy).toBeGreaterThan(0)
    }
  })

  test('two choices are two generations', async () => {
    if (kind === 'ollama' || kind === 'lmstudio') return
    await stage.take('', { n: 2, max_tokens: 5 })
    const ends = [await stage.viewer.end(0), await stage.viewer.end(1)]
    expect(new Set(ends.map(({ generation }) => generation)).size).toBe(2)
    for (const end of ends) expect(end).toMatchObject({ state: 'done', ending: 'length' })
  })
})
