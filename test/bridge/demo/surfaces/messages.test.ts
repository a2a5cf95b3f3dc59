import { describe, expect, it } from 'vitest'
import {
  lastOf,
  MODEL,
  parseSse,
  QUESTION,
  QUESTION_TOKENS,
  type SseEvent,
  shapeOf,
  useDemo,
} from './demo-client.ts'

const demo = useDemo()
const PATH = '/v1/messages'
const ask = { model: MODEL, messages: [{ role: 'user', content: QUESTION }], max_tokens: 64 }
const stream = { ...ask, stream: true }
const tool = {
  name: 'find_river',
  input_schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
}

/** The message that a client builds from a stream, which must keep Anthropic's order. */
function build(events: readonly SseEvent[]) {
  for (const { event, data } of events) expect(event).toBe(data.type)
  const [first, ...rest] = events.filter(({ event }) => event !== 'ping').map(({ data }) => data)
  expect(first.type).toBe('message_start')
  const { message } = first
  let open: number | null = null
  let json = ''
  for (const event of rest) {
    switch (event.type) {
      case 'content_block_start':
        expect(open).toBeNull()
        expect(event.index).toBe(message.content.length)
        open = event.index
        json = ''
        message.content.push(event.content_block)
        break
      case 'content_block_delta': {
        expect(event.index).toBe(open)
        const block = message.content[event.index]
        if (event.delta.type === 'text_delta') block.text += event.delta.text
        else if (event.delta.type === 'thinking_delta') block.thinking += event.delta.thinking
        else if (event.delta.type === 'signature_delta') block.signature += event.delta.signature
        else json += event.delta.partial_json
        break
      }
      case 'content_block_stop':
        expect(event.index).toBe(open)
        open = null
        if (json !== '') message.content[event.index].input = JSON.parse(json)
        break
      case 'message_delta':
        expect(open).toBeNull()
        Object.assign(message, event.delta)
        message.usage = { ...message.usage, ...event.usage }
        break
      default:
        expect(event.type).toBe('message_stop')
    }
  }
  expect(rest.at(-1).type).toBe('message_stop')
  return message
}

describe('messages', () => {
  it('streams a message block by block, with a ping', async () => {
    const events = await demo.events(PATH, stream)
    expect(shapeOf(events.map(({ event }) => event))).toEqual([
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events[0]?.data.message).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: QUESTION_TOKENS, output_tokens: 0 },
    })
  })

  it.each([
    ['a text', {}, ['text'], 'end_turn'],
    ['a text that is cut off', { max_tokens: 3 }, ['text'], 'max_tokens'],
    [
      'a thought',
      { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 500 },
      ['thinking', 'text'],
      'end_turn',
    ],
    ['a call', { tools: [tool], tool_choice: { type: 'any' } }, ['tool_use'], 'tool_use'],
    [
      'a named call',
      { tools: [tool], tool_choice: { type: 'tool', name: 'find_river' } },
      ['tool_use'],
      'tool_use',
    ],
    ['a text beside tools', { tools: [tool], tool_choice: { type: 'auto' } }, ['text'], 'end_turn'],
    ['no thought', { thinking: { type: 'disabled' } }, ['text'], 'end_turn'],
  ])('builds to %s as it is whole', async (_name, change, blocks, reason) => {
    const body = { ...ask, max_tokens: 500, ...change }
    const built = build(await demo.events(PATH, { ...body, stream: true }))
    const { status, body: whole } = await demo.whole(PATH, body)
    expect(status).toBe(200)
    expect(whole.content.map(({ type }: { type: string }) => type)).toEqual(blocks)
    expect(whole.stop_reason).toBe(reason)
    for (const message of [built, whole]) {
      message.id = ''
      for (const block of message.content) if (block.type === 'tool_use') block.id = block.id.slice(0, 6)
    }
    expect(built).toEqual(whole)
  })

  it('calls with arguments about what was said', async () => {
    const { body } = await demo.whole(PATH, { ...ask, tools: [tool], tool_choice: { type: 'any' } })
    expect(body.content).toMatchObject([{ type: 'tool_use', name: 'find_river', input: { name: QUESTION } }])
    expect(body.content[0].id).toMatch(/^toolu_/)
  })

  it('names the stop sequence that ended it', async () => {
    const { body: all } = await demo.whole(PATH, ask)
    const text: string = all.content[0].text
    const stop = text.slice(10, 15)
    const { body } = await demo.whole(PATH, { ...ask, stop_sequences: ['§', stop] })
    expect(body).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: stop })
    expect(body.content[0].text).toBe(text.slice(0, text.indexOf(stop)))
  })

  it('ends with an error event if the model fails, and with nothing after it', async () => {
    const events = await demo.events(PATH, stream, 'seed=11,error=2')
    expect(lastOf(events)).toMatchObject({
      event: 'error',
      data: { type: 'error', error: { type: 'api_error' } },
    })
    expect(events.map(({ event }) => event)).not.toContain('message_stop')
  })

  it('keeps a silent connection alive with pings', async () => {
    const text = await (await demo.post(PATH, stream, 'slow-prefill=20ms,seed=11')).text()
    const names = parseSse(text).map(({ event }) => event)
    expect(names.indexOf('ping')).toBeLessThan(names.indexOf('message_start'))
    expect(names.at(-1)).toBe('message_stop')
  })

  it('is kept alive as all streams of a local server are', async () => {
    for (const [kind, comment] of [
      ['llamacpp', ':\n\n'],
      ['vllm', ': keep-alive\n\n'],
    ]) {
      const text = await (await demo.post(`/${kind}${PATH}`, stream, 'slow-prefill=20ms,seed=11')).text()
      expect(text.slice(0, text.indexOf('event: message_start'))).toBe(comment?.repeat(4))
    }
  })

  it.each(['', '/lmstudio', '/llamacpp', '/ollama', '/vllm'])('is there under %s/', async kind => {
    const { body } = await demo.whole(kind + PATH, ask)
    expect(body.content[0].text.length).toBeGreaterThan(20)
  })

  it('counts tokens', async () => {
    expect((await demo.whole(`${PATH}/count_tokens`, ask)).body).toEqual({ input_tokens: QUESTION_TOKENS })
  })

  it.each([
    ['model', { model: 7 }],
    ['messages', { messages: [] }],
    ['messages[0].role', { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages[0].content[0]', { messages: [{ role: 'user', content: [{ type: 'image' }] }] }],
    ['max_tokens', { max_tokens: 0 }],
    ['temperature', { temperature: 2 }],
    ['stop_sequences', { stop_sequences: 'x' }],
    ['thinking.type', { thinking: { type: 'deep' } }],
    ['tool_choice', { tool_choice: { type: 'any' } }],
    ['tool_choice.type', { tool_choice: 'any' }],
    ['tools[0].name', { tools: [{}] }],
  ])('refuses a bad %s in Anthropic’s form', async (name, change) => {
    const { status, body } = await demo.whole(PATH, { ...ask, ...change })
    expect(status).toBe(400)
    expect(body).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
    expect(body.error.message).toContain(name)
  })

  it('refuses another model and what is no JSON in the same form', async () => {
    expect(await demo.whole(PATH, { ...ask, model: 'claude' })).toMatchObject({
      status: 404,
      body: { type: 'error', error: { type: 'not_found_error' } },
    })
    expect(await demo.whole(PATH, '{')).toMatchObject({
      status: 400,
      body: { type: 'error', error: { type: 'invalid_request_error' } },
    })
  })

  it('reads blocks, and the user’s words before the results of tools', async () => {
    const { body: plain } = await demo.whole(PATH, ask)
    const messages = [
      { role: 'user', content: [{ type: 'text', text: QUESTION }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '7' }] },
    ]
    const { body } = await demo.whole(PATH, { ...ask, system: 'Be brief', messages })
    expect(body.content).toEqual(plain.content)
  })
})
