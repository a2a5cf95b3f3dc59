import { describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../../bridge/demo/surface.ts'
import { openaiCompletions } from '../../../bridge/dialects/openai-completions.ts'
import { received, send } from '../../support/app.ts'
import { useStage } from '../../support/stage.ts'

const event = (choice: object) =>
  openaiCompletions.event(undefined, JSON.stringify({ choices: [{ index: 0, text: '', ...choice }] }))

describe('a request', () => {
  test.each([
    [{ prompt: 'a' }, 1],
    [{ prompt: ['a', 'b'], n: 3 }, 6],
    [{ prompt: [1, 2, 3] }, 1],
    [{ prompt: [[1, 2], [3]] }, 2],
    [{ prompt: [] }, 1],
    [{}, 1],
  ])('%j asks for %i', (body, choices) => {
    expect(openaiCompletions.request(body).choices).toBe(choices)
  })

  test('has a model, a limit and a way', () => {
    expect(openaiCompletions.request({ model: 'm', max_tokens: 0, stream: true })).toMatchObject({
      model: 'm',
      maxTokens: 0,
      stream: true,
    })
  })
})

describe('a chunk', () => {
  test('whose lists are not as long as each other has what there is', () => {
    const logprobs = { tokens: ['a', 'b', 3, 'c'], token_logprobs: [-1], top_logprobs: null }
    expect(
      event({ text: 'abc', logprobs }).deltas[0]?.tokens.map(token => [token.text, token.logprob]),
    ).toEqual([
      ['a', -1],
      ['b', null],
      ['c', null],
    ])
  })

  test('with token ids and nothing else is a token, or so many', () => {
    expect(event({ text: 'a', token_ids: [7] }).deltas).toMatchObject([{ tokens: [{ id: 7, text: 'a' }] }])
    expect(event({ text: 'ab', token_ids: [7, 8] }).deltas).toMatchObject([{ tokens: [], count: 2 }])
  })
})

describe.each(SERVER_KINDS)('through Tokenscope, of %s', kind => {
  const stage = useStage({ kind })

  async function ask(body: object, directives = '') {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    const asked = { model: 'tokenscope-demo', prompt: 'Tell me about rivers', logprobs: 2, ...body }
    return received(await send(stage.url, { path: '/v1/completions', headers, body: asked }))
  }

  test('the viewer sees the same answer, streamed and whole', async () => {
    const texts = []
    for (const stream of [true, false]) {
      await ask(
        { stream, stream_options: { include_usage: true } },
        'fixed,say=Un%20%C3%A9t%C3%A9%20%F0%9F%99%82',
      )
      const last = await stage.viewer.end(texts.length)
      expect(last).toMatchObject({ state: 'done', ending: 'stop', estimated: false })
      expect(last.total_tokens).toBeGreaterThan(last.tokens_processed)
      texts.push(stage.viewer.textOf(last.generation))
    }
    expect(texts).toEqual(['Un été 🙂', 'Un été 🙂'])
    const listed = stage.viewer.tokens.filter(({ logprob }) => logprob !== null)
    expect(listed.length > 0).toBe(kind !== 'lmstudio')
  })
})
