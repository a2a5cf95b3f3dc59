import { describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../../bridge/demo/surface.ts'
import { anthropicMessages } from '../../../bridge/dialects/anthropic-messages.ts'
import { received, send } from '../../support/app.ts'
import { useStage } from '../../support/stage.ts'

const event = (type: string, fields: object = {}) =>
  anthropicMessages.event(type, JSON.stringify({ type, ...fields }))

test('a request has a model, a limit and a way', () => {
  expect(anthropicMessages.request({ model: 'm', max_tokens: 9, stream: true })).toEqual({
    model: 'm',
    stream: true,
    choices: 1,
    maxTokens: 9,
    previous: null,
  })
  expect(anthropicMessages.request('hello')).toMatchObject({ model: null, stream: false, maxTokens: null })
})

describe('an event', () => {
  test('that begins a message has its model and its prompt’s count, and none of the answer', () => {
    const message = { id: 'msg_1', model: 'm', usage: { input_tokens: 4, output_tokens: 1 } }
    expect(event('message_start', { message })).toMatchObject({
      id: 'msg_1',
      model: 'm',
      usage: { promptTokens: 4, completionTokens: 0, totalTokens: null },
      finished: [],
    })
  })

  test('that changes nothing but the count does not end the message', () => {
    expect(
      event('message_delta', { delta: { stop_reason: null }, usage: { output_tokens: 3 } }),
    ).toMatchObject({
      finished: [],
      usage: { promptTokens: null, completionTokens: 3 },
    })
  })

  test.each(['ping', 'content_block_stop', 'tomorrow'])('%s says nothing', type => {
    expect(event(type)).toEqual(event('ping'))
    expect(event(type)).toMatchObject({ deltas: [], finished: [], error: null })
  })

  test.each([
    ['overloaded_error', 'unknown', true],
    ['rate_limit_error', 'unknown', true],
    ['timeout_error', 'timeout', true],
    ['invalid_request_error', 'send', false],
    ['authentication_error', 'send', false],
    ['not_found_error', 'send', false],
    ['api_error', 'unknown', false],
  ])('with an error of type %s is of kind %s', (type, kind, retryable) => {
    expect(event('error', { error: { type, message: 'no' } }).error).toEqual({
      kind,
      code: type,
      message: 'no',
      retryable,
    })
  })
})

describe.each(SERVER_KINDS)('through Tokenscope, of %s', kind => {
  const stage = useStage({ kind })

  async function ask(body: object, directives = '') {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    const messages = [{ role: 'user', content: 'Tell me about rivers' }]
    const asked = { model: 'tokenscope-demo', max_tokens: 64, messages, ...body }
    return received(await send(stage.url, { path: '/v1/messages', headers, body: asked }))
  }

  test('the viewer sees the same answer, streamed and whole', async () => {
    for (const [i, stream] of [true, false].entries()) {
      await ask({ stream }, 'fixed,pings,say=Un%20%C3%A9t%C3%A9%20%F0%9F%99%82')
      const last = await stage.viewer.end(i)
      expect(last).toMatchObject({ state: 'done', ending: 'end_turn', estimated: false })
      expect(last.total_tokens).toBeGreaterThan(last.tokens_processed)
      expect(stage.viewer.textOf(last.generation)).toBe('Un été 🙂')
    }
  })

  test('a call is its name and its input', async () => {
    const tools = [
      { name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } },
    ]
    await ask({ stream: true, tools, tool_choice: { type: 'any' } })
    const last = await stage.viewer.end()
    expect(last).toMatchObject({ state: 'done', ending: 'tool_use' })
    expect(stage.viewer.tokens.every(token => token.kind === 'tool_call')).toBe(true)
    expect(stage.viewer.textOf(last.generation)).toMatch(/^weather\{"city":".*"\}$/)
  })
})
