import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Reading } from '../../../bridge/dialects/dialect.ts'
import { openaiResponses } from '../../../bridge/dialects/openai-responses.ts'
import { received, send } from '../../support/app.ts'
import { useStage } from '../../support/stage.ts'

const event = (type: string, fields: object = {}) =>
  openaiResponses.event(type, JSON.stringify({ type, ...fields }))
const said = ({ deltas }: Reading) => deltas.map(({ kind, text }) => [kind, text])

describe('a request', () => {
  test.each([
    [{ previous_response_id: 'resp_1' }, 'resp_1'],
    [{ conversation: 'conv_1' }, 'conv_1'],
    [{ conversation: { id: 'conv_1' } }, 'conv_1'],
    [{ previous_response_id: null, conversation: null }, null],
  ])('%j goes on from %s', (body, previous) => {
    expect(openaiResponses.request(body).previous).toBe(previous)
  })

  test('has a model, a limit and a way', () => {
    const body = { model: 'm', max_output_tokens: 9, stream: true }
    expect(openaiResponses.request(body)).toMatchObject({
      model: 'm',
      maxTokens: 9,
      stream: true,
      choices: 1,
    })
  })
})

/** Every type of event that the openai package knows. */
const types = (() => {
  const file = '../../../node_modules/openai/resources/responses/responses.d.ts'
  const source = readFileSync(join(import.meta.dirname, file), 'utf8')
  return [
    ...new Set(
      [...source.matchAll(/^ {4}type: '(response\.[a-z_.]+|error)';$/gm)].map(([, type]) => type as string),
    ),
  ]
})()

/** All that an event can carry. */
const FULL = {
  delta: 'text',
  text: 'text',
  refusal: 'text',
  arguments: 'text',
  input: 'text',
  code: 'text',
  command: 'text',
  transcript: 'text',
  part: { type: 'output_text', text: 'text' },
  item: { type: 'message', content: [{ type: 'output_text', text: 'text' }] },
  response: {
    status: 'completed',
    output: [{ type: 'message', content: [{ type: 'output_text', text: 'text' }] }],
  },
}

describe('an event of the openai package', () => {
  test('is known', () => {
    expect(types.length).toBeGreaterThan(50)
  })

  test.each(
    types.filter(type => /\.(done|completed|failed|in_progress|created|queued|incomplete)$/.test(type)),
  )('%s repeats no text', type => {
    expect(event(type, FULL).deltas).toEqual([])
  })

  const TOOL_OUTPUT = ['response.shell_call_output_content.delta', 'response.audio.delta']
  test.each(types.filter(type => type.endsWith('.delta')))(
    '%s tells its text, if the model wrote it',
    type => {
      expect(said(event(type, FULL)).map(([, text]) => text)).toEqual(
        TOOL_OUTPUT.includes(type) ? [] : ['text'],
      )
    },
  )
})

describe('an item that is added', () => {
  test.each<[object, [kind: string, text: string][]]>([
    [{ type: 'function_call', name: 'f', arguments: '' }, [['tool_call', 'f']]],
    [
      { type: 'function_call', name: 'f', arguments: '{}' },
      [
        ['tool_call', 'f'],
        ['tool_call', '{}'],
      ],
    ],
    [{ type: 'message', content: [] }, []],
    [
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] },
      [['reasoning', 'Hm']],
    ],
    [{ type: 'web_search_call', action: { query: 'x' } }, []],
    [
      { type: 'shell_call', action: { commands: ['ls', 'pwd'] } },
      [
        ['tool_call', 'ls'],
        ['tool_call', 'pwd'],
      ],
    ],
  ])('%j', (item, texts) => {
    expect(said(event('response.output_item.added', { item }))).toEqual(texts)
  })
})

test('its own id is what a later request goes on from', () => {
  const created = event('response.created', { response: { id: 'resp_1', model: 'm', status: 'in_progress' } })
  expect(created).toMatchObject({ id: 'resp_1', model: 'm', finished: [], error: null })
  expect(openaiResponses.whole({ id: 'resp_1', status: 'completed', output: [] })?.id).toBe('resp_1')
})

describe.each(['lmstudio', 'vllm', 'demo'] as const)('through Tokenscope, of %s', kind => {
  const stage = useStage({ kind })

  async function ask(body: object, directives = '') {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    const asked = { model: 'tokenscope-demo', input: 'Tell me about rivers', ...body }
    return received(await send(stage.url, { path: '/v1/responses', headers, body: asked }))
  }

  test('the viewer sees the same answer, streamed and whole', async () => {
    for (const [i, stream] of [true, false].entries()) {
      const logprobs = { include: ['message.output_text.logprobs'], top_logprobs: 3 }
      await ask({ stream, ...logprobs }, 'fixed,say=Un%20%C3%A9t%C3%A9%20%F0%9F%99%82')
      const last = await stage.viewer.end(i)
      expect(last).toMatchObject({ state: 'done', ending: null, estimated: false })
      expect(stage.viewer.textOf(last.generation)).toBe('Un été 🙂')
    }
    for (const { confidence, top } of stage.viewer.tokens) {
      expect(confidence).toBeGreaterThan(0)
      expect(top).toHaveLength(3)
    }
  })

  test('what is cut by its limit ends with `length`', async () => {
    await ask({ stream: true, max_output_tokens: 2 })
    expect(await stage.viewer.end()).toMatchObject({ state: 'done', ending: 'length', tokens_processed: 2 })
  })
})
