import OpenAI from 'openai'
import type { ResponseStreamEvent } from 'openai/resources/responses/responses'
import { describe, expect, it } from 'vitest'
import { type Json, lastOf, MODEL, QUESTION, shapeOf, useDemo } from './demo-client.ts'

const demo = useDemo()
const ask = { model: MODEL, input: QUESTION }
const withLogprobs = { ...ask, include: ['message.output_text.logprobs' as const], top_logprobs: 3 }
const tool = {
  type: 'function' as const,
  name: 'find_river',
  strict: null,
  parameters: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      length: { type: 'integer', minimum: 3 },
      unused: { type: 'boolean' },
    },
    required: ['name', 'length'],
  },
}

function clientOf(kind = ''): OpenAI {
  const defaultHeaders = { 'x-demo': 'seed=11' }
  return new OpenAI({ apiKey: 'none', baseURL: `${demo.url}${kind}/v1`, maxRetries: 0, defaultHeaders })
}

async function eventsOf(body: object, kind = ''): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = []
  const stream = await clientOf(kind).responses.create({ ...ask, ...body, stream: true })
  for await (const event of stream) events.push(event)
  return events
}

const typesOf = (events: readonly { type: string }[]) => shapeOf(events.map(({ type }) => type))

describe('responses', () => {
  it('streams the events that build a message, numbered, with nothing after the last', async () => {
    const raw = await demo.events('/v1/responses', { ...ask, stream: true })
    expect(raw.map(({ event }) => event)).toEqual(raw.map(({ data }) => data.type))
    expect(raw.map(({ data }) => data.sequence_number)).toEqual(raw.map((_, i) => i))
    expect(shapeOf(raw.map(({ event }) => event))).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    const [created] = raw
    expect(created?.data.response).toMatchObject({
      status: 'in_progress',
      output: [],
      usage: null,
      model: MODEL,
    })
    const deltas = raw.filter(({ event }) => event === 'response.output_text.delta')
    const done = raw.find(({ event }) => event === 'response.output_text.done')?.data
    expect(deltas.map(({ data }) => data.delta).join('')).toBe(done.text)
    for (const { data } of deltas) {
      expect(data).toMatchObject({ item_id: done.item_id, output_index: 0, content_index: 0, logprobs: [] })
    }
    const { response } = lastOf(raw).data
    expect(response.output).toEqual([raw.at(-2)?.data.item])
    expect(response.output[0]).toMatchObject({
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: done.text, annotations: [], logprobs: [] }],
    })
    expect(response.usage).toMatchObject({
      output_tokens: deltas.length,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: response.usage.input_tokens + deltas.length,
    })
  })

  it('is what the official client builds from its stream', async () => {
    const client = clientOf()
    const whole = await client.responses.create({ ...ask, metadata: { a: 'b' }, instructions: 'Be brief' })
    const built = await client.responses
      .stream({ ...ask, metadata: { a: 'b' }, instructions: 'Be brief' })
      .finalResponse()
    expect(built.output_text).toBe(whole.output_text)
    expect(whole.output_text.length).toBeGreaterThan(20)
    expect(whole).toMatchObject({
      status: 'completed',
      metadata: { a: 'b' },
      instructions: 'Be brief',
      tool_choice: 'auto',
      tools: [],
      error: null,
      incomplete_details: null,
    })
  })

  it('tells log-probabilities on deltas, when a text is done, and in the item', async () => {
    const events = await eventsOf(withLogprobs)
    const deltas = events.flatMap(event =>
      event.type === 'response.output_text.delta' ? event.logprobs : [],
    )
    const done = events.find(event => event.type === 'response.output_text.done')
    const last = events.at(-1) as Extract<ResponseStreamEvent, { type: 'response.completed' }>
    const [item] = last.response.output as Json[]
    expect(deltas.map(({ token }) => token).join('')).toBe(item.content[0].text)
    expect(done?.logprobs).toEqual(deltas)
    expect(item.content[0].logprobs).toEqual(deltas)
    for (const { top_logprobs: top } of deltas) expect(top).toHaveLength(3)
    const whole = (await clientOf().responses.create(withLogprobs)).output as Json[]
    expect(whole[0].content[0].logprobs).toEqual(deltas)
  })

  it('leaves out lost entries, on the deltas and in the item', async () => {
    const raw = await demo.events(
      '/v1/responses',
      { ...withLogprobs, stream: true },
      'seed=11,lost-logprobs=3',
    )
    const deltas = raw.filter(({ event }) => event === 'response.output_text.delta')
    expect(deltas.map(({ data }) => data.logprobs.length)).toEqual(
      deltas.map((_, i) => ((i + 1) % 3 === 0 ? 0 : 1)),
    )
    const [item] = lastOf(raw).data.response.output
    expect(item.content[0].logprobs).toEqual(deltas.flatMap(({ data }) => data.logprobs))
  })

  it('is silent about probabilities where the server is', async () => {
    for (const kind of ['/llamacpp', '/ollama']) {
      const { output } = await clientOf(kind).responses.create(withLogprobs)
      expect((output as Json[])[0].content[0].logprobs).toEqual([])
    }
    const lmStudio = (await clientOf('/lmstudio').responses.create(withLogprobs)).output as Json[]
    expect(lmStudio[0].content[0].logprobs[0].top_logprobs).toHaveLength(3)
  })

  it('thinks in an item of its own', async () => {
    const events = await eventsOf({ reasoning: { effort: 'low' } })
    expect(typesOf(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    const thought = events.filter(event => event.type === 'response.reasoning_text.delta')
    const last = events.at(-1) as Extract<ResponseStreamEvent, { type: 'response.completed' }>
    const [reasoning, message] = last.response.output as Json[]
    expect(reasoning).toMatchObject({
      type: 'reasoning',
      summary: [],
      status: 'completed',
      content: [{ type: 'reasoning_text', text: thought.map(({ delta }) => delta).join('') }],
    })
    expect(message.type).toBe('message')
    expect(last.response.usage?.output_tokens_details.reasoning_tokens).toBe(thought.length)
    expect(typesOf(await eventsOf({ reasoning: { effort: 'none' } }))).not.toContain(
      'response.reasoning_text.delta',
    )
  })

  it.each(['required' as const, { type: 'function' as const, name: 'find_river' }])(
    'calls a tool if it has to, %j',
    async choice => {
      const events = await eventsOf({ tools: [tool], tool_choice: choice })
      expect(typesOf(events)).toEqual([
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.function_call_arguments.delta',
        'response.function_call_arguments.done',
        'response.output_item.done',
        'response.completed',
      ])
      const deltas = events.filter(event => event.type === 'response.function_call_arguments.delta')
      const last = events.at(-1) as Extract<ResponseStreamEvent, { type: 'response.completed' }>
      const [call] = last.response.output as Json[]
      expect(call).toMatchObject({ type: 'function_call', name: 'find_river', status: 'completed' })
      expect(call.call_id).toMatch(/^call_/)
      expect(call.arguments).toBe(deltas.map(({ delta }) => delta).join(''))
      expect(JSON.parse(call.arguments)).toEqual({ name: QUESTION, length: 3 })
    },
  )

  it('answers in text where it may, and goes on from the result of a call', async () => {
    const client = clientOf()
    const text = await client.responses.create({ ...ask, tools: [tool] })
    expect(text.output.map(({ type }) => type)).toEqual(['message'])
    const called = await client.responses.create({ ...ask, tools: [tool], tool_choice: 'required' })
    const [call] = called.output as Json[]
    const after = await client.responses.create({
      model: MODEL,
      previous_response_id: called.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'the Rhine' }],
    })
    expect(after.output_text).toBe(text.output_text)
    expect(after.previous_response_id).toBe(called.id)
  })

  it('is incomplete when it is cut off, in its status and in its last item', async () => {
    const events = await eventsOf({ max_output_tokens: 3 })
    const done = events.find(event => event.type === 'response.output_item.done') as Json
    const last = events.at(-1) as Json
    expect(done.item.status).toBe('incomplete')
    expect(last).toMatchObject({
      type: 'response.incomplete',
      response: {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [done.item],
      },
    })
    expect(last.response.usage.output_tokens).toBe(3)
    const whole = await clientOf().responses.create({ ...ask, max_output_tokens: 3 })
    expect(whole).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
  })

  it('keeps a response until it is deleted, unless it is not to', async () => {
    const client = clientOf()
    const kept = await client.responses.create(ask)
    const { _request_id: _, ...found } = (await client.responses.retrieve(kept.id)) as Json
    expect(found).toMatchObject({ id: kept.id, output: kept.output, usage: kept.usage })
    await client.responses.delete(kept.id)
    await expect(client.responses.retrieve(kept.id)).rejects.toMatchObject({ status: 404 })
    const streamed = (await eventsOf({})).at(-1) as Json
    expect((await client.responses.retrieve(streamed.response.id)).id).toBe(streamed.response.id)
    const replayed = client.responses.retrieve(kept.id, { stream: true })
    await expect(replayed).rejects.toMatchObject({ status: 400, param: 'stream' })
    const { body: native } = await demo.whole('/api/v1/chat', ask)
    await expect(client.responses.retrieve(native.response_id)).rejects.toMatchObject({ status: 404 })
    const forgotten = await client.responses.create({ ...ask, store: false })
    await expect(client.responses.retrieve(forgotten.id)).rejects.toMatchObject({ status: 404 })
    await expect(client.responses.delete(forgotten.id)).rejects.toMatchObject({ status: 404 })
  })

  it('does not go on from a response that is not there, nor where none are kept', async () => {
    const body = { ...ask, previous_response_id: 'resp_0' }
    for (const kind of ['', '/lmstudio', '/vllm']) {
      await expect(clientOf(kind).responses.create(body)).rejects.toMatchObject({
        status: 400,
        param: 'previous_response_id',
        code: 'previous_response_not_found',
      })
    }
    for (const kind of ['/llamacpp', '/ollama']) {
      await expect(clientOf(kind).responses.create(body)).rejects.toMatchObject({ status: 400 })
    }
  })

  it('tells a failure in an event and in a last response', async () => {
    const raw = await demo.events('/v1/responses', { ...ask, stream: true }, 'seed=11,error=2')
    expect(shapeOf(raw.map(({ event }) => event)).slice(-3)).toEqual([
      'response.output_text.delta',
      'error',
      'response.failed',
    ])
    const { response } = lastOf(raw).data
    expect(response).toMatchObject({ status: 'failed', error: { code: 'server_error' } })
    expect(response.output[0].status).toBe('incomplete')
    expect(raw.map(({ data }) => data.sequence_number)).toEqual(raw.map((_, i) => i))
    const client = new OpenAI({
      apiKey: 'none',
      baseURL: `${demo.url}/v1`,
      maxRetries: 0,
      defaultHeaders: { 'x-demo': 'error=2' },
    })
    const stream = await client.responses.create({ ...ask, stream: true })
    await expect(async () => {
      for await (const _ of stream);
    }).rejects.toThrow(/failed/)
  })

  it.each([
    ['model', { model: 7 }],
    ['input', { input: 7 }],
    ['input', { input: [] }],
    ['input[0].role', { input: [{ role: 'king', content: 'x' }] }],
    ['input[0].content[0]', { input: [{ role: 'user', content: [{ type: 'input_image' }] }] }],
    ['input[0].type', { input: [{ type: 'computer_call' }] }],
    ['instructions', { instructions: 7 }],
    ['max_output_tokens', { max_output_tokens: 0 }],
    ['temperature', { temperature: 3 }],
    ['top_logprobs', { top_logprobs: 21 }],
    ['reasoning.effort', { reasoning: { effort: 'huge' } }],
    ['tools[0].type', { tools: [{ type: 'web_search' }] }],
    ['tool_choice', { tool_choice: 'required' }],
    ['tool_choice', { tools: [tool], tool_choice: { type: 'function', name: 'other' } }],
    ['text.format', { text: { format: { type: 'json_object' } } }],
    ['background', { background: true }],
    ['conversation', { conversation: 'c' }],
    ['metadata', { metadata: 7 }],
    ['previous_response_id', { previous_response_id: 7 }],
  ])('refuses a bad %s', async (param, change) => {
    const { status, body } = await demo.whole('/v1/responses', { ...ask, ...change })
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ type: 'invalid_request_error', param })
    expect(body.error.message).toContain(param)
  })

  it('reads input in items and in parts', async () => {
    const client = clientOf()
    const plain = await client.responses.create(ask)
    const items = await client.responses.create({
      model: MODEL,
      input: [
        { role: 'developer', content: 'Be brief' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: QUESTION }] },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: '7' },
      ],
    })
    expect(items.output_text).toBe(plain.output_text)
    await expect(client.responses.create({ ...ask, model: 'gpt-4' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })
})
