import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerKind } from '../../../../bridge/demo/surface.ts'
import { type Chunk, Demo } from '../../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const KINDS: readonly ServerKind[] = ['demo', 'lmstudio', 'llamacpp', 'ollama', 'vllm']
const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: {
        place: { type: 'string' },
        days: { type: 'integer', minimum: 1 },
        unit: { enum: ['celsius', 'fahrenheit'] },
        exact: { type: 'boolean' },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['place', 'days', 'unit', 'exact', 'tags'],
    },
  },
}
const told = { logprobs: true, top_logprobs: 2, max_tokens: 3 }
const choiceOf = (chunk: Chunk) => chunk.choices?.[0]
const id = expect.stringMatching(/^chatcmpl-[0-9a-f]+$/)
const head = { id, object: 'chat.completion.chunk', created: expect.any(Number), model: 'tokenscope-demo' }
const text = expect.stringMatching(/./)
const times = {
  cache_n: 0,
  prompt_n: expect.any(Number),
  prompt_ms: expect.any(Number),
  prompt_per_token_ms: expect.any(Number),
  prompt_per_second: expect.any(Number),
  predicted_n: 3,
  predicted_ms: expect.any(Number),
  predicted_per_token_ms: expect.any(Number),
  predicted_per_second: expect.any(Number),
}

describe('a streamed chat completion', () => {
  it('of LM Studio has the role on every delta, content in the first, and never logprobs', async () => {
    const chunks = await demo.chunks('lmstudio', told)
    const content = (chunk: Chunk) => ({
      ...head,
      system_fingerprint: 'tokenscope-demo',
      choices: [{ index: 0, delta: chunk, logprobs: null, finish_reason: null }],
    })
    expect(chunks.slice(0, 3)).toEqual(new Array(3).fill(content({ role: 'assistant', content: text })))
    expect(choiceOf(chunks[3])).toEqual({ index: 0, delta: {}, logprobs: null, finish_reason: 'length' })
    expect(chunks.slice(4)).toEqual(['[DONE]'])
    const response = await demo.chat('lmstudio', { stream: true })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await response.body?.cancel()
  })

  it('of llama.cpp begins with a null, has ids in its entries, and timings at its end', async () => {
    const chunks = await demo.chunks('llamacpp', told)
    const chunk = (choice: object) => ({ ...head, system_fingerprint: 'demo', choices: [choice] })
    expect(chunks[0]).toEqual(
      chunk({ index: 0, delta: { role: 'assistant', content: null }, finish_reason: null }),
    )
    const entry = {
      id: expect.any(Number),
      token: text,
      bytes: expect.any(Array),
      logprob: expect.any(Number),
    }
    expect(chunks[1]).toEqual(
      chunk({
        index: 0,
        delta: { content: text },
        finish_reason: null,
        logprobs: { content: [{ ...entry, top_logprobs: [entry, entry] }] },
      }),
    )
    expect(chunks[4]).toEqual({
      ...chunk({ index: 0, delta: {}, finish_reason: 'length' }),
      timings: times,
    })
    expect(chunks[5]).toBe('[DONE]')
  })

  it('of llama.cpp has timings on the usage instead, and on each chunk if asked', async () => {
    const options = { stream_options: { include_usage: true }, max_tokens: 3 }
    const chunks = await demo.chunks('llamacpp', options)
    expect(chunks[4].timings).toBeUndefined()
    expect(chunks[5]).toMatchObject({ choices: [], timings: times, usage: { completion_tokens: 3 } })
    const each = await demo.chunks('llamacpp', { timings_per_token: true, max_tokens: 3 })
    expect(each.slice(1, 4).map(({ timings }) => timings.predicted_n)).toEqual([1, 2, 3])
  })

  it('of Ollama has its role once, its finish alone, and usage only if asked', async () => {
    const chunks = await demo.chunks('ollama', told)
    expect(chunks.pop()).toBe('[DONE]')
    expect(chunks.map(chunk => choiceOf(chunk).delta)).toEqual([
      { role: 'assistant', content: text },
      { content: text },
      { content: text },
      {},
    ])
    expect(chunks[0]).toMatchObject({ ...head, system_fingerprint: 'fp_ollama' })
    expect(choiceOf(chunks[3])).toEqual({ index: 0, delta: {}, finish_reason: 'length' })
    expect(Object.keys(choiceOf(chunks[0]).logprobs.content[0])).toEqual([
      'token',
      'logprob',
      'bytes',
      'top_logprobs',
    ])
    expect(chunks.every(chunk => !('usage' in chunk))).toBe(true)
    const counted = await demo.chunks('ollama', { ...told, stream_options: { include_usage: true } })
    expect(counted.at(-2)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } })
  })

  it('of vLLM has no usage so far where the usage is not asked for', async () => {
    const stream_options = { continuous_usage_stats: true }
    const chunks = await demo.chunks('vllm', { ...told, stream_options })
    expect(chunks.filter(chunk => chunk.usage !== undefined)).toEqual([])
  })

  it('of vLLM gives ids of tokens, and the usage so far, where asked', async () => {
    const chunks = await demo.chunks('vllm', {
      ...told,
      return_token_ids: true,
      return_tokens_as_token_ids: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
    })
    expect(chunks[0]).toEqual({
      ...head,
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }],
      prompt_token_ids: expect.arrayContaining([expect.any(Number)]),
      usage: {
        prompt_tokens: chunks[0].prompt_token_ids.length,
        completion_tokens: 0,
        total_tokens: expect.any(Number),
      },
    })
    for (const [i, chunk] of chunks.slice(1, 4).entries()) {
      const { token_ids: ids, logprobs } = choiceOf(chunk)
      expect(ids).toHaveLength(1)
      expect(logprobs.content[0].token).toBe(`token_id:${ids[0]}`)
      expect(chunk.usage.completion_tokens).toBe(i + 1)
    }
    expect(choiceOf(chunks[4])).toEqual({
      index: 0,
      delta: {},
      logprobs: null,
      finish_reason: 'length',
      stop_reason: null,
    })
    expect(chunks[5]).toMatchObject({ choices: [], usage: { completion_tokens: 3 } })
  })

  it('of vLLM holds several tokens a chunk after the first, as `stream_interval` says', async () => {
    const chunks = await demo.chunks('vllm', { ...told, max_tokens: 8, stream_interval: 3 })
    const sizes = chunks.map(chunk => choiceOf(chunk)?.logprobs?.content.length ?? 0)
    expect(sizes.filter(size => size > 0)).toEqual([1, 3, 3, 1])
  })

  it('thinks aloud first, where it is asked to, under the key of its server', async () => {
    for (const [kind, key] of [
      ['demo', 'reasoning_content'],
      ['lmstudio', 'reasoning_content'],
      ['llamacpp', 'reasoning_content'],
      ['ollama', 'reasoning'],
      ['vllm', 'reasoning'],
    ] as const) {
      const body = { reasoning_effort: 'high', logprobs: true }
      const chunks = await demo.chunks(kind, body)
      const deltas = chunks.flatMap(chunk => choiceOf(chunk)?.delta ?? [])
      const firstContent = deltas.findIndex(({ content }) => content)
      const thoughts = deltas.flatMap((delta, i) => (delta[key] ? [i] : []))
      expect(thoughts.length).toBeGreaterThan(5)
      expect(thoughts.length).toBeLessThanOrEqual(40)
      expect(Math.max(...thoughts)).toBeLessThan(firstContent)
      const whole = (await (await demo.chat(kind, body)).json()) as Chunk
      expect(whole.choices[0].message[key]).toBe(thoughts.map(i => deltas[i][key]).join(''))
      expect(whole.choices[0].finish_reason).toBe('stop')
    }
    const off = await demo.chunks('vllm', { reasoning_effort: 'none' })
    expect(JSON.stringify(off)).not.toContain('reasoning')
    const template = await demo.chunks('vllm', { chat_template_kwargs: { enable_thinking: true } })
    expect(JSON.stringify(template)).toContain('"reasoning"')
  })

  it('calls a tool where it has to, in fragments whose first alone has name and id', async () => {
    const body = { tools: [WEATHER], tool_choice: 'required' }
    const wanted = { place: 'Tell me about rivers', days: 1, unit: 'celsius', exact: false, tags: [] }
    for (const kind of KINDS) {
      const chunks = await demo.chunks(kind, body)
      const calls = chunks.flatMap(chunk => choiceOf(chunk)?.delta?.tool_calls ?? [])
      expect(calls[0]).toMatchObject({
        index: 0,
        id: expect.stringMatching(/^call_/),
        type: 'function',
        function: { name: 'get_weather' },
      })
      for (const call of calls.slice(1)) {
        expect(call).toEqual({ index: 0, function: { arguments: expect.any(String) } })
      }
      expect(JSON.parse(calls.map(call => call.function.arguments).join(''))).toEqual(wanted)
      expect(calls.length === 1).toBe(kind === 'ollama')
      expect(chunks.flatMap(chunk => choiceOf(chunk)?.finish_reason ?? [])).toEqual(['tool_calls'])
      const named = { ...body, tool_choice: { type: 'function', function: { name: 'get_weather' } } }
      const { message, finish_reason: finish } = ((await (await demo.chat(kind, named)).json()) as Chunk)
        .choices[0]
      expect([message.content, finish]).toEqual([null, 'tool_calls'])
      expect(JSON.parse(message.tool_calls[0].function.arguments)).toEqual(wanted)
    }
  })

  it('answers in text where it may', async () => {
    const chunks = await demo.chunks('demo', { tools: [WEATHER], tool_choice: 'auto' })
    expect(JSON.stringify(chunks)).not.toContain('tool_calls')
  })

  it('tells a call that a limit cuts as far as it came, and none where it comes in one piece', async () => {
    const body = { tools: [WEATHER], tool_choice: 'required', max_tokens: 4 }
    const cut = ((await (await demo.chat('vllm', body)).json()) as Chunk).choices[0]
    expect(cut.finish_reason).toBe('length')
    expect(() => JSON.parse(cut.message.tool_calls[0].function.arguments)).toThrow()
    const chunks = await demo.chunks('ollama', body)
    expect(JSON.stringify(chunks)).not.toContain('get_weather')
  })
})

describe('a chat completion’s request', () => {
  const refused = async (kind: ServerKind, body: object) => {
    const response = await demo.chat(kind, body)
    return [response.status, await response.json()]
  }

  it('is refused in the form of its server', async () => {
    expect(await refused('llamacpp', { stream: true, logprobs: true, tools: [WEATHER] })).toEqual([
      400,
      {
        error: {
          code: 400,
          message: 'logprobs is not supported with tools + stream',
          type: 'invalid_request_error',
        },
      },
    ])
    expect(await refused('vllm', { model: 'gpt-4' })).toMatchObject([
      404,
      { error: { type: 'NotFoundError', param: 'model', code: 404 } },
    ])
    expect(await refused('ollama', { temperature: 9 })).toMatchObject([
      400,
      { error: { type: 'invalid_request_error', param: null, code: null } },
    ])
    expect(await refused('lmstudio', { n: 'x' })).toMatchObject([
      400,
      { error: { type: 'invalid_request_error', param: 'n' } },
    ])
    expect((await refused('llamacpp', { model: 'any', max_tokens: 1 }))[0]).toBe(200)
  })

  it.each([
    ['tools', { tools: {} }],
    ['tools[0]', { tools: [{ type: 'plugin' }] }],
    ['tools[0].function.name', { tools: [{ type: 'function', function: {} }] }],
    ['tool_choice', { tool_choice: 'required' }],
    ['tool_choice', { tool_choice: 'always' }],
    ['tool_choice', { tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'x' } } }],
    ['reasoning_effort', { reasoning_effort: 'immense' }],
    ['reasoning.effort', { reasoning: { effort: 3 } }],
    ['reasoning', { reasoning: 1 }],
    ['chat_template_kwargs', { chat_template_kwargs: 1 }],
    ['stream_interval', { stream_interval: 0 }],
  ])('names a bad %s', async (param, body) => {
    expect(await refused('vllm', body)).toMatchObject([400, { error: { param } }])
  })
})
