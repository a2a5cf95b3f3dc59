import { describe, expect, it } from 'vitest'
import {
  type Json,
  lastOf,
  MODEL,
  QUESTION,
  QUESTION_TOKENS,
  type SseEvent,
  shapeOf,
  useDemo,
} from './demo-client.ts'

const demo = useDemo()
const PATH = '/api/v1/chat'
const LIBRARY = 'tokenscope/library'
const ask = { model: MODEL, input: QUESTION }
const stream = { ...ask, stream: true }
const READING = ['prompt_processing.start', 'prompt_processing.progress', 'prompt_processing.end']
const MESSAGE = ['message.start', 'message.delta', 'message.end']
const provider = { type: 'plugin', plugin_id: LIBRARY }

async function chat(change: object, faults?: string): Promise<SseEvent[]> {
  const events = await demo.events(PATH, { ...stream, ...change }, faults)
  for (const { event, data } of events) expect(data.type).toBe(event)
  return events
}

const namesOf = (events: readonly SseEvent[]) => shapeOf(events.map(({ event }) => event))
const dataOf = (events: readonly SseEvent[], name: string): Json[] =>
  events.filter(({ event }) => event === name).map(({ data }) => data)
const resultOf = (events: readonly SseEvent[]) => lastOf(events).data.result

describe('LM Studio’s own chat', () => {
  it('begins with chat.start and ends with chat.end, which holds the result', async () => {
    const events = await chat({})
    expect(namesOf(events)).toEqual(['chat.start', ...READING, ...MESSAGE, 'chat.end'])
    expect(events[0]?.data).toEqual({ type: 'chat.start', model_instance_id: MODEL })
    expect(dataOf(events, 'prompt_processing.progress').map(({ progress }) => progress)).toEqual([0, 1])
    const deltas = dataOf(events, 'message.delta')
    const result = resultOf(events)
    expect(result).toMatchObject({
      model_instance_id: MODEL,
      output: [{ type: 'message', content: deltas.map(({ content }) => content).join('') }],
      stats: {
        input_tokens: QUESTION_TOKENS,
        total_output_tokens: deltas.length,
        reasoning_output_tokens: 0,
      },
    })
    expect(result.response_id).toMatch(/^resp_[0-9a-f]+$/)
    const { tokens_per_second: rate, time_to_first_token_seconds: first } = result.stats
    expect(rate).toBeGreaterThan(0)
    expect(first).toBeGreaterThan(0)
    expect(result.stats).not.toHaveProperty('model_load_time_seconds')
  })

  it('is whole what it is streamed', async () => {
    const { status, body } = await demo.whole(PATH, ask)
    expect(status).toBe(200)
    expect(body.output).toEqual(resultOf(await chat({})).output)
    expect(Object.keys(body)).toEqual(['model_instance_id', 'output', 'stats', 'response_id'])
  })

  it('tells that the model is loaded, and how long it took', async () => {
    const events = await chat({}, 'seed=11,slow-load=10ms')
    expect(namesOf(events).slice(0, 5)).toEqual([
      'chat.start',
      'model_load.start',
      'model_load.progress',
      'model_load.end',
      'prompt_processing.start',
    ])
    const steps = dataOf(events, 'model_load.progress').map(({ progress }) => progress)
    expect(steps).toEqual([...steps].sort())
    expect([steps[0], steps.at(-1)]).toEqual([0, 1])
    const [{ load_time_seconds: seconds }] = dataOf(events, 'model_load.end') as [Json]
    expect(seconds).toBeGreaterThan(0)
    expect(resultOf(events).stats.model_load_time_seconds).toBe(seconds)
  })

  it('tells how far a long prompt has been read', async () => {
    const events = await chat({}, 'seed=11,slow-prefill=10ms')
    const steps = dataOf(events, 'prompt_processing.progress').map(({ progress }) => progress)
    expect(steps.length).toBeGreaterThan(2)
    expect(steps).toEqual([...steps].sort())
    expect(namesOf(events)).toEqual(['chat.start', ...READING, ...MESSAGE, 'chat.end'])
  })

  it.each(['low', 'medium', 'high', 'on'])('thinks first with reasoning %s', async reasoning => {
    const events = await chat({ reasoning })
    expect(namesOf(events)).toEqual([
      'chat.start',
      ...READING,
      'reasoning.start',
      'reasoning.delta',
      'reasoning.end',
      ...MESSAGE,
      'chat.end',
    ])
    const { output, stats } = resultOf(events)
    expect(output.map(({ type }: Json) => type)).toEqual(['reasoning', 'message'])
    expect(stats.reasoning_output_tokens).toBe(dataOf(events, 'reasoning.delta').length)
  })

  it('runs the library’s tool and goes on with a message', async () => {
    for (const integration of [LIBRARY, { type: 'plugin', id: LIBRARY, allowed_tools: ['find_passages'] }]) {
      const events = await chat({ integrations: [integration] })
      expect(namesOf(events)).toEqual([
        'chat.start',
        ...READING,
        'tool_call.start',
        'tool_call.arguments',
        'tool_call.success',
        ...MESSAGE,
        'chat.end',
      ])
      const call = { tool: 'find_passages', arguments: { query: QUESTION }, provider_info: provider }
      expect(dataOf(events, 'tool_call.start')).toMatchObject([
        { tool: 'find_passages', provider_info: provider },
      ])
      expect(dataOf(events, 'tool_call.arguments')).toMatchObject([call])
      const [success] = dataOf(events, 'tool_call.success') as [Json]
      expect(success).toMatchObject(call)
      const [{ type, text }] = JSON.parse(success.output)
      expect(type).toBe('text')
      expect(text.split('\n')).toContain('Tell me about rivers.')
      const { type: _, ...told } = success
      const { output } = resultOf(events)
      expect(output).toEqual([
        { type: 'tool_call', ...told },
        { type: 'message', content: expect.any(String) },
      ])
      expect((await demo.whole(PATH, { ...ask, integrations: [integration] })).body.output).toEqual(output)
    }
  })

  it('fails in a tool that nobody has, and goes on', async () => {
    const integrations = [{ type: 'plugin', id: LIBRARY, allowed_tools: ['open_browser'] }]
    const events = await chat({ integrations })
    expect(namesOf(events)).toEqual(['chat.start', ...READING, 'tool_call.failure', ...MESSAGE, 'chat.end'])
    const failure = {
      reason: 'Cannot find tool with name open_browser.',
      metadata: { type: 'invalid_name', tool_name: 'open_browser' },
    }
    expect(dataOf(events, 'tool_call.failure')).toEqual([{ type: 'tool_call.failure', ...failure }])
    expect(resultOf(events).output[0]).toEqual({ type: 'invalid_tool_call', ...failure })
  })

  it('fails in arguments without a word, and goes on', async () => {
    const events = await chat({ input: '12?', integrations: [LIBRARY] })
    expect(namesOf(events)).toEqual([
      'chat.start',
      ...READING,
      'tool_call.start',
      'tool_call.arguments',
      'tool_call.failure',
      ...MESSAGE,
      'chat.end',
    ])
    expect(dataOf(events, 'tool_call.failure')).toMatchObject([
      {
        metadata: {
          type: 'invalid_arguments',
          tool_name: 'find_passages',
          arguments: { query: '12?' },
          provider_info: provider,
        },
      },
    ])
  })

  it('calls nothing where no tool is allowed, or none is reached before the answer is cut off', async () => {
    const none = await chat({ integrations: [{ type: 'plugin', id: LIBRARY, allowed_tools: [] }] })
    expect(namesOf(none)).toEqual(['chat.start', ...READING, ...MESSAGE, 'chat.end'])
    const cut = await chat({ integrations: [LIBRARY], max_output_tokens: 3 })
    expect(namesOf(cut)).toEqual(['chat.start', ...READING, 'tool_call.start', 'chat.end'])
    expect(resultOf(cut)).toMatchObject({ output: [], stats: { total_output_tokens: 3 } })
  })

  it.each([
    ['plugin_connection_error', 'mcp/playwright'],
    [
      'mcp_connection_error',
      { type: 'ephemeral_mcp', server_label: 'hub', server_url: 'http://127.0.0.1:1/mcp' },
    ],
  ])('answers %s in the stream, then chat.end all the same', async (type, integration) => {
    const events = await chat({ integrations: [integration] })
    expect(namesOf(events)).toEqual(['chat.start', ...READING, 'error', 'chat.end'])
    const [{ error }] = dataOf(events, 'error') as [Json]
    expect(error).toMatchObject({ type, message: expect.any(String) })
    expect(resultOf(events)).toMatchObject({ output: [], stats: { total_output_tokens: 0 } })
    const whole = await demo.whole(PATH, { ...ask, integrations: [integration] })
    expect(whole).toMatchObject({ status: 500, body: { error } })
  })

  it('ends with chat.end after a failure of the model, with what there was', async () => {
    const events = await chat({}, 'seed=11,error=2')
    expect(namesOf(events).slice(-3)).toEqual(['message.delta', 'error', 'chat.end'])
    expect(dataOf(events, 'error')).toMatchObject([{ error: { type: 'internal_error' } }])
    const said = dataOf(events, 'message.delta').map(({ content }) => content)
    expect(said).toHaveLength(2)
    expect(resultOf(events).output).toEqual([{ type: 'message', content: said.join('') }])
    expect(resultOf(events)).not.toHaveProperty('response_id')
  })

  it('reads input in items of both types, and keeps chats unless it is not to', async () => {
    const plain = (await demo.whole(PATH, ask)).body
    for (const type of ['message', 'text']) {
      const { body } = await demo.whole(PATH, { ...ask, input: [{ type, content: QUESTION }] })
      expect(body.output).toEqual(plain.output)
    }
    const next = await demo.whole(PATH, { ...ask, previous_response_id: plain.response_id, store: false })
    expect(next.status).toBe(200)
    expect(next.body).not.toHaveProperty('response_id')
    const unknown = await demo.whole(PATH, { ...ask, previous_response_id: 'resp_0' })
    expect(unknown).toMatchObject({
      status: 404,
      body: { error: { type: 'invalid_request', param: 'previous_response_id' } },
    })
  })

  it.each([
    ['model', { model: undefined }],
    ['input', { input: undefined }],
    ['input[0]', { input: [{ type: 'image', data_url: 'data:' }] }],
    ['temperature', { temperature: 1.5 }],
    ['top_k', { top_k: 'many' }],
    ['reasoning', { reasoning: 'deep' }],
    ['store', { store: 'no' }],
    ['integrations', { integrations: 'x' }],
    ['integrations[0].id', { integrations: [{ type: 'plugin' }] }],
    ['integrations[0].type', { integrations: [{ type: 'other' }] }],
    ['integrations[0].server_url', { integrations: [{ type: 'ephemeral_mcp', server_label: 'a' }] }],
    ['previous_response_id', { previous_response_id: 'thread_1' }],
  ])('refuses a bad %s in LM Studio’s form', async (param, change) => {
    const { status, body } = await demo.whole(PATH, { ...ask, ...change })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ type: 'invalid_request', param })
    expect(body.error.message).toContain(param)
  })

  it('refuses fields that it does not know, and another model', async () => {
    expect(await demo.whole(PATH, { ...ask, seed: 1, messages: [] })).toMatchObject({
      status: 400,
      body: {
        error: {
          type: 'invalid_request',
          code: 'unrecognized_keys',
          message: "Unrecognized key(s) in object: 'seed', 'messages'",
        },
      },
    })
    expect(await demo.whole(PATH, { ...ask, model: 'gpt-4' })).toMatchObject({
      status: 404,
      body: { error: { type: 'model_not_found', param: 'model' } },
    })
  })
})

describe('LM Studio’s lists and its older API', () => {
  it('lists the model with what is true of it', async () => {
    const { body } = await demo.get('/api/v1/models')
    expect(body.models).toMatchObject([
      {
        type: 'llm',
        key: MODEL,
        format: null,
        quantization: { bits_per_weight: 64 },
        loaded_instances: [{ id: MODEL }],
        capabilities: { vision: false, trained_for_tool_use: false },
      },
    ])
    const [{ max_context_length: most, loaded_instances: loaded, size_bytes: bytes }] = body.models
    expect(loaded[0].config.context_length).toBe(most)
    expect(bytes).toBeGreaterThan(100_000)
    const { body: old } = await demo.get('/api/v0/models')
    expect(old).toMatchObject({
      object: 'list',
      data: [{ id: MODEL, state: 'loaded', max_context_length: most }],
    })
    expect((await demo.get(`/api/v0/models/${MODEL}`)).body).toEqual(old.data[0])
    expect((await demo.get('/api/v0/models/other')).status).toBe(404)
  })

  const statistics = {
    stats: {
      tokens_per_second: expect.any(Number),
      time_to_first_token: expect.any(Number),
      generation_time: expect.any(Number),
      stop_reason: 'eosFound',
    },
    model_info: { arch: 'ngram', context_length: expect.any(Number) },
    runtime: { name: expect.any(String), supported_formats: [] },
  }

  it.each([
    ['/api/v0/chat/completions', { messages: [{ role: 'user', content: QUESTION }] }],
    ['/api/v0/completions', { prompt: QUESTION }],
  ])('has statistics on the end of %s', async (path, body) => {
    const { body: whole } = await demo.whole(path, { model: MODEL, ...body })
    expect(whole).toMatchObject(statistics)
    for (const options of [{}, { stream_options: { include_usage: true } }]) {
      const events = await demo.events(path, { model: MODEL, ...body, stream: true, ...options })
      expect(events.pop()?.data).toBe('[DONE]')
      expect(lastOf(events).data).toMatchObject(statistics)
      expect(events[0]?.data).not.toHaveProperty('stats')
    }
    const cut = await demo.whole(path, { model: MODEL, ...body, max_tokens: 2 })
    expect(cut.body.stats.stop_reason).toBe('maxPredictedTokensReached')
  })
})
