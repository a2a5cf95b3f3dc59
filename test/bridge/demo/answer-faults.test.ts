import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerKind } from '../../../bridge/demo/surface.ts'
import { codePoints } from '../../support/code-points.ts'
import { type Chunk, chunksOf, Demo, QUESTION } from '../../support/demo.ts'

const TOOL = { type: 'function', function: { name: 'look', parameters: { properties: { x: {} } } } }

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const textOf = (chunks: Chunk[]): string =>
  chunks.map(chunk => chunk.choices?.[0]?.delta?.content ?? '').join('')

const entriesOf = (chunks: Chunk[]): Chunk[] =>
  chunks.flatMap(chunk => chunk.choices?.[0]?.logprobs?.content ?? [])

const finishesOf = (chunks: Chunk[]): string[] =>
  chunks.flatMap(chunk => chunk.choices?.[0]?.finish_reason ?? [])

const told = { logprobs: true, top_logprobs: 3 }

describe('what is answered', () => {
  it('is the text that is dictated, streamed and whole, whatever its characters', async () => {
    const anything = codePoints({ maxLength: 40 }).map(text => text.toWellFormed())
    await fc.assert(
      fc.asyncProperty(anything, async text => {
        const directive = `say=${encodeURIComponent(text)}`
        const [chunks, whole] = await Promise.all([
          demo.chunks('demo', told, directive),
          demo.chat('demo', told, directive).then(response => response.json() as Promise<Chunk>),
        ])
        expect(textOf(chunks)).toBe(text)
        expect(whole.choices[0].message.content).toBe(text)
        expect(Buffer.from(entriesOf(chunks).flatMap(({ bytes }) => bytes)).toString()).toBe(text)
        for (const { logprob } of entriesOf(chunks)) expect(logprob).toBeLessThan(0)
      }),
      { numRuns: 30 },
    )
  })

  it('is as long as ordered, the limit of the request aside', async () => {
    const chunks = await demo.chunks('demo', told, 'tokens=700')
    expect([entriesOf(chunks).length, finishesOf(chunks)]).toEqual([700, ['stop']])
    const cut = await demo.chunks('demo', { ...told, max_tokens: 3 }, 'tokens=700')
    expect([entriesOf(cut).length, finishesOf(cut)]).toEqual([3, ['length']])
  })

  it('is the same for the same seed of a directive, and the request’s own seed beats it', async () => {
    const ask = (directives: string, seed?: number) => demo.chunks('demo', { seed }, directives).then(textOf)
    expect(await ask('seed=3')).toBe(await ask('seed=3'))
    expect(await ask('seed=3', 5)).toBe(await ask('', 5))
  })

  it.each([
    ['/v1/chat/completions', { logprobs: true }],
    ['/v1/chat/completions', { reasoning_effort: 'low', tool_choice: 'required', tools: [TOOL] }],
    ['/llamacpp/v1/chat/completions', { return_progress: true, timings_per_token: true }],
    ['/llamacpp/completion', { prompt: 'Rivers?' }],
    ['/v1/completions', { prompt: 'Rivers?' }],
    ['/v1/responses', { input: 'Rivers?', stream_options: {} }],
    ['/v1/messages', { max_tokens: 20 }],
    ['/api/v1/chat', { input: 'Rivers?', messages: undefined, stream_options: undefined }],
    ['/api/v1/chat', { input: 'Rivers?', integrations: ['tokenscope/library'], messages: undefined }],
    ['/api/v0/chat/completions', {}],
    ['/ollama/api/chat', {}],
    ['/ollama/api/generate', { prompt: 'Rivers?' }],
  ])('of %s %j is the same bytes each time, if it is to be', async (path, more) => {
    for (const stream of [true, false]) {
      const body = { model: 'tokenscope-demo', messages: QUESTION, stream, ...more }
      const ask = async () => {
        const answer = await demo.post(path, body, 'fixed,slow-load=4ms')
        expect(answer.status).toBe(200)
        return answer.text()
      }
      const text = await ask()
      expect(text.length).toBeGreaterThan(100)
      expect(await ask()).toBe(text)
    }
  })

  it('is nothing, well formed', async () => {
    const chunks = await demo.chunks('lmstudio', {}, 'empty')
    expect(chunks.map(chunk => chunk.choices?.[0]?.delta ?? chunk)).toEqual([{}, '[DONE]'])
    expect(finishesOf(chunks)).toEqual(['stop'])
    const whole = (await (await demo.chat('demo', {}, 'empty')).json()) as Chunk
    expect([whole.choices[0].message.content, whole.usage.completion_tokens]).toEqual(['', 0])
  })
})

describe('an error in mid-answer', () => {
  const error = 'the model failed while it answered'
  it.each<[ServerKind, string]>([
    ['demo', `data: {"error":{"message":"${error}","type":"server_error","param":null,"code":null}}\n\n`],
    [
      'lmstudio',
      `event: error\ndata: {"error":{"message":"${error}","type":"server_error","param":null,"code":null}}\n\n`,
    ],
    ['llamacpp', `data: {"error":{"code":500,"message":"${error}","type":"server_error"}}\n\n`],
    [
      'vllm',
      `data: {"error":{"message":"${error}","type":"InternalServerError","param":null,"code":500}}\n\ndata: [DONE]\n\n`,
    ],
  ])('ends a stream as %s does', async (kind, end) => {
    const text = await (await demo.chat(kind, { stream: true }, 'error=4')).text()
    expect(text.endsWith(end)).toBe(true)
    const before = chunksOf(text.slice(0, -end.length))
    expect(before.filter(chunk => chunk.choices[0].delta.content).length).toBe(4)
    expect(finishesOf(before)).toEqual([])
  })

  it('is an empty chunk and nothing after it on Ollama’s /v1', async () => {
    const chunks = await demo.chunks('ollama', {}, 'error=4')
    expect(chunks.at(-1)?.choices[0]).toEqual({
      index: 0,
      delta: { role: 'assistant', content: '' },
      finish_reason: null,
    })
    expect(chunks.length).toBe(5)
  })

  it('is a line on Ollama’s own path', async () => {
    const body = { model: 'tokenscope-demo', messages: [{ role: 'user', content: 'Rivers?' }] }
    const text = await (await demo.post('/ollama/api/chat', body, 'error=2')).text()
    expect(JSON.parse(text.trim().split('\n').at(-1) ?? '')).toEqual({ error })
  })

  it('can be followed by the sentinel, once', async () => {
    for (const kind of ['demo', 'vllm', 'llamacpp'] as const) {
      const chunks = await demo.chunks(kind, {}, 'error-done=2')
      expect(chunks.slice(-2)).toEqual([{ error: expect.anything() }, '[DONE]'])
      expect(chunks.filter(chunk => chunk === '[DONE]').length).toBe(1)
    }
  })

  it('is a status where nothing is streamed', async () => {
    const response = await demo.chat('llamacpp', {}, 'error=2')
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: { code: 500, message: error, type: 'server_error' } },
    ])
  })

  it.each<[string, number, string, object]>([
    [
      '/llamacpp/v1/chat/completions',
      500,
      'application/json; charset=utf-8',
      { error: { code: 500, message: error, type: 'server_error' } },
    ],
    ['/ollama/api/chat', 500, 'application/json; charset=utf-8', { error }],
    [
      '/ollama/v1/chat/completions',
      500,
      'application/json; charset=utf-8',
      { error: { message: error, type: 'api_error', param: null, code: null } },
    ],
  ])('before all output is a status on %s', async (path, status, type, body) => {
    const response = await demo.post(
      path,
      { model: 'tokenscope-demo', messages: QUESTION, stream: true },
      'error=0,slow-load=4ms',
    )
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type])
    expect(await response.json()).toEqual(body)
  })

  it('before the first token is in the stream, once that has begun', async () => {
    for (const kind of ['lmstudio', 'vllm', 'demo'] as const)
      expect((await demo.chat(kind, { stream: true }, 'error=0')).status).toBe(200)
    expect((await demo.chat('ollama', { stream: true }, 'error=0,pings')).status).toBe(200)
    const told = await demo.chunks('llamacpp', { return_progress: true }, 'error=0')
    expect(told.map(chunk => Object.keys(chunk).at(-1))).toEqual([
      'prompt_progress',
      'prompt_progress',
      'error',
    ])
  })

  it('and a silence come after the tokens before them, whatever the size of chunks', async () => {
    const failed = await demo.chunks('demo', told, 'batch=5,error=4')
    expect(entriesOf(failed).length).toBe(4)
    const exchange = demo.raw('batch=5,silence=forever@4', told)
    await exchange.until(() => entriesOf(chunksOf(exchange.body.toString())).length === 4)
    exchange.close()
  })

  it('does not come when the answer is shorter', async () => {
    expect(finishesOf(await demo.chunks('demo', { max_tokens: 3 }, 'error=4'))).toEqual(['length'])
  })
})

describe('an end that lacks something', () => {
  it('lacks the sentinel, or the finish and all after it', async () => {
    const body = { stream_options: { include_usage: true } }
    const noDone = await demo.chunks('demo', body, 'no-done')
    expect(noDone.at(-1)?.usage.completion_tokens).toBeGreaterThan(0)
    const noFinish = demo.raw('no-finish', body)
    expect(await noFinish.ended).toBe('fin')
    expect(noFinish.hasLastChunk).toBe(true)
    const chunks = chunksOf(noFinish.body.toString())
    expect(finishesOf(chunks)).toEqual([])
    expect(chunks.at(-1)?.choices[0].delta.content).toEqual(expect.any(String))
  })

  it('is JSON in place of a stream', async () => {
    const unexpected = await demo.chat('demo', { stream: true }, 'json')
    expect(unexpected.status).toBe(200)
    expect(unexpected.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await unexpected.json()).toEqual({
      error: 'Unexpected endpoint or method. (POST /v1/chat/completions)',
    })
    const whole = await demo.chat('demo', { stream: true }, 'json=whole')
    expect(((await whole.json()) as Chunk).object).toBe('chat.completion')
  })
})

describe('entries and chunks', () => {
  it('hold several tokens after the first chunk', async () => {
    const chunks = await demo.chunks('demo', { ...told, max_tokens: 12 }, 'batch=5')
    const sizes = chunks.map(chunk => entriesOf([chunk]).length).filter(size => size > 0)
    expect(sizes).toEqual([1, 5, 5, 1])
    expect(
      entriesOf(chunks)
        .map(({ token }) => token)
        .join(''),
    ).toBe(textOf(chunks))
  })

  it('are lost for every so many tokens, whose text comes', async () => {
    const whole = await demo.chunks('demo', told)
    const holed = await demo.chunks('demo', told, 'lost-logprobs=3')
    expect(textOf(holed)).toBe(textOf(whole))
    expect(entriesOf(holed)).toEqual(entriesOf(whole).filter((_, i) => (i + 1) % 3 !== 0))
  })

  it.each<[ServerKind, number]>([
    ['llamacpp', -3.4028234663852886e38],
    ['vllm', -9999],
    ['ollama', -9999],
  ])('of %s have its value for a probability of zero', async (kind, zero) => {
    const entries = entriesOf(await demo.chunks(kind, { ...told, max_tokens: 9 }, 'sentinels=3'))
    for (const [i, { logprob, top_logprobs: top }] of entries.entries()) {
      const isZero = (i + 1) % 3 === 0
      expect(logprob === zero).toBe(isZero)
      expect(top.at(-1).logprob === zero).toBe(isZero)
      expect(top).toHaveLength(3)
    }
  })

  it.each<ServerKind>(['demo', 'vllm'])(
    'of %s tell every part of a character, the last of them with its text',
    async kind => {
      const chunks = await demo.chunks(kind, told, 'half-characters=2,tokens=60')
      const deltas = chunks.flatMap(chunk => chunk.choices?.[0]?.delta?.content ?? [])
      expect(deltas.filter(text => text === '').length).toBeGreaterThan(10)
      expect(textOf(chunks)).toContain('🦉')
      expect(textOf(chunks)).not.toContain('\ufffd')
      expect(entriesOf(chunks).length).toBe(60)
    },
  )

  it.each<ServerKind>(['llamacpp', 'ollama'])(
    'of %s are lost where a character is not whole yet, and have the bytes of their token',
    async kind => {
      const chunks = await demo.chunks(kind, told, 'half-characters=2,tokens=60')
      expect(textOf(chunks)).toContain('🦉')
      expect(entriesOf(chunks).length).toBeLessThan(60)
      for (const chunk of chunks.filter(({ choices }) => choices?.[0]?.logprobs)) {
        expect(chunk.choices[0].delta.content).not.toBe('')
        const [{ token, bytes }] = entriesOf([chunk])
        const { content } = chunk.choices[0].delta
        if (token !== content)
          expect(Buffer.from(content).subarray(-bytes.length)).toEqual(Buffer.from(bytes))
      }
    },
  )

  it('reassemble from bytes, whatever the distance between such characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async every => {
        const chunks = await demo.chunks('demo', told, `half-characters=${every},say=a%20river%20runs%20on`)
        const bytes = Buffer.from(entriesOf(chunks).flatMap(entry => entry.bytes))
        expect(bytes.toString()).toBe(textOf(chunks))
        expect(textOf(chunks).replace(/[^\x20-\x7e]/g, '')).toBe('a river runs on')
      }),
      { numRuns: 10 },
    )
  })
})
