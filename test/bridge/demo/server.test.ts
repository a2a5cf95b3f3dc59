import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  createDemoModel,
  createDemoServer,
  DEMO_MODEL_NAME,
  type DemoModel,
  type DemoServer,
  readCorpus,
} from '../../../bridge/demo/index.ts'
import { soon } from '../../support/soon.ts'

const model = createDemoModel()
const ask = {
  model: DEMO_MODEL_NAME,
  messages: [{ role: 'user' as const, content: 'Tell me about rivers' }],
  seed: 11,
}

let server: DemoServer
let url: string
let client: OpenAI

beforeAll(async () => {
  server = createDemoServer({ tokensPerSecond: Number.POSITIVE_INFINITY, model })
  url = (await server.start()).url
  client = new OpenAI({ apiKey: 'none', baseURL: `${url}/v1`, maxRetries: 0 })
})
afterAll(() => server.stop())

function post(body: unknown): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

describe('demo server', () => {
  it('lists its model', async () => {
    const { data } = await client.models.list()
    expect(data.map(({ id }) => id)).toEqual([DEMO_MODEL_NAME])
    expect((await client.models.retrieve(DEMO_MODEL_NAME)).object).toBe('model')
    await expect(client.models.retrieve('gpt-4')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })

  it('answers whole, with log-probabilities that sum to no more than 1', async () => {
    const answer = await client.chat.completions.create({ ...ask, logprobs: true, top_logprobs: 5 })
    const [choice] = answer.choices
    const entries = choice?.logprobs?.content ?? []
    expect(entries.map(({ token }) => token).join('')).toBe(choice?.message.content)
    expect(choice?.finish_reason).toBe('stop')
    expect(answer.usage?.completion_tokens).toBe(entries.length)
    for (const { token, bytes, logprob, top_logprobs: top } of entries) {
      expect(Buffer.from(bytes ?? []).toString()).toBe(token)
      expect(logprob).toBeLessThan(0)
      expect(top).toHaveLength(5)
      expect(top.reduce((sum, other) => sum + Math.exp(other.logprob), 0)).toBeLessThanOrEqual(1 + 1e-9)
    }
  })

  it('streams the same answer, a token a chunk, then the usage', async () => {
    const whole = await client.chat.completions.create(ask)
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      logprobs: true,
      top_logprobs: 2,
      stream_options: { include_usage: true },
    })
    let text = ''
    let tokens = ''
    const finishes: unknown[] = []
    let usage: unknown = null
    for await (const chunk of stream) {
      const [choice] = chunk.choices
      text += choice?.delta.content ?? ''
      for (const { token } of choice?.logprobs?.content ?? []) tokens += token
      if (choice?.finish_reason) finishes.push(choice.finish_reason)
      if (chunk.usage) usage = { choices: chunk.choices, usage: chunk.usage }
    }
    expect(text).toBe(whole.choices[0]?.message.content)
    expect(tokens).toBe(text)
    expect(finishes).toEqual(['stop'])
    expect(usage).toEqual({ choices: [], usage: whole.usage })
  })

  it('writes the frames that OpenAI writes', async () => {
    const response = await post({ ...ask, stream: true, max_tokens: 3 })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const frames = (await response.text()).split('\n\n')
    expect(frames.pop()).toBe('')
    expect(frames.pop()).toBe('data: [DONE]')
    const chunks = frames.map(frame => JSON.parse(frame.slice('data: '.length)))
    expect(chunks).toHaveLength(5)
    expect(chunks[0].choices[0]).toEqual({
      index: 0,
      delta: { role: 'assistant', content: '' },
      logprobs: null,
      finish_reason: null,
    })
    expect(chunks[4].choices[0]).toMatchObject({ delta: {}, finish_reason: 'length' })
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        object: 'chat.completion.chunk',
        model: DEMO_MODEL_NAME,
        id: chunks[0].id,
      })
      expect(chunk).not.toHaveProperty('usage')
    }
  })

  it('gives several choices, the first as if it were alone', async () => {
    const alone = await client.chat.completions.create(ask)
    const many = await client.chat.completions.create({ ...ask, n: 3, temperature: 0.7 })
    expect(many.choices.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(many.choices[0]?.message.content).toBe(alone.choices[0]?.message.content)
    const texts = ['', '', '']
    for await (const chunk of await client.chat.completions.create({ ...ask, n: 3, stream: true })) {
      for (const { index, delta } of chunk.choices) texts[index] += delta.content ?? ''
    }
    expect(texts).toEqual(many.choices.map(({ message }) => message.content))
  })

  it('reads content in parts, max_completion_tokens, and -1 as no limit', async () => {
    const parts = [{ type: 'text' as const, text: 'Tell me about rivers' }]
    const inParts = await client.chat.completions.create({
      ...ask,
      messages: [{ role: 'user', content: parts }],
    })
    const plain = await client.chat.completions.create({ ...ask, max_tokens: -1 })
    expect(inParts.choices[0]?.message.content).toBe(plain.choices[0]?.message.content)
    const short = await client.chat.completions.create({ ...ask, max_completion_tokens: 4 })
    expect(short.usage?.completion_tokens).toBe(4)
    expect(short.choices[0]?.finish_reason).toBe('length')
  })

  it('does not tell the stop string', async () => {
    const whole = (await client.chat.completions.create(ask)).choices[0]?.message.content ?? ''
    const stop = whole.slice(20, 27)
    const cut = await client.chat.completions.create({ ...ask, stop })
    expect(cut.choices[0]?.message.content).toBe(whole.slice(0, whole.indexOf(stop)))
  })

  it.each([
    ['messages', { messages: [] }],
    ['messages', { messages: undefined }],
    ['messages[0].role', { messages: [{ role: 'king', content: 'x' }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: 7 }] }],
    ['messages[0].content[0]', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }],
    ['temperature', { temperature: 3 }],
    ['temperature', { temperature: 'hot' }],
    ['top_p', { top_p: 1.1 }],
    ['n', { n: 9 }],
    ['n', { n: 1.5 }],
    ['seed', { seed: 'x' }],
    ['max_tokens', { max_tokens: 0 }],
    ['max_completion_tokens', { max_completion_tokens: 0 }],
    ['top_logprobs', { logprobs: true, top_logprobs: 21 }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['logprobs', { logprobs: 1 }],
    ['stream', { stream: 'yes' }],
    ['stream_options', { stream_options: 1 }],
    ['stop', { stop: [''] }],
    ['stop', { stop: ['a', 'b', 'c', 'd', 'e'] }],
    ['model', { model: 7 }],
  ])('refuses a bad %s', async (param, change) => {
    const response = await post({ ...ask, ...change })
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as { error: Record<string, unknown> }
    expect(error).toMatchObject({ type: 'invalid_request_error', param, code: 'bad_request' })
    expect(error.message).toContain(param)
  })

  it('refuses what is no JSON, another model, another path and too large a body', async () => {
    const errorOf = async (response: Response) => [response.status, (await response.json()).error]
    expect(await errorOf(await post('{'))).toMatchObject([400, { code: 'invalid_json', param: null }])
    expect(await errorOf(await post('[]'))).toMatchObject([400, { code: 'bad_request' }])
    expect(await errorOf(await post({ ...ask, model: 'gpt-4' }))).toMatchObject([
      404,
      { code: 'model_not_found' },
    ])
    expect(await errorOf(await fetch(`${url}/v1/nothing`))).toMatchObject([404, { code: 'not_found' }])
    expect(await errorOf(await fetch(`${url}/v1/chat/completions`))).toMatchObject([
      405,
      { code: 'method_not_allowed' },
    ])
    const large = 'x'.repeat(4 * 1024 * 1024 + 1)
    expect(await errorOf(await post(large))).toMatchObject([413, { code: 'body_too_large' }])
    expect(server.active).toBe(0)
  })

  it('stops generating when the client goes', async () => {
    const slow = createDemoServer({ tokensPerSecond: 0.001, model })
    const { url: slowUrl } = await slow.start()
    for (const stream of [true, false]) {
      const request = httpRequest(`${slowUrl}/v1/chat/completions`, { method: 'POST' })
      request.on('error', () => {})
      request.end(JSON.stringify({ ...ask, stream }))
      if (stream) await once(request, 'response')
      await soon(() => expect(slow.active).toBe(1))
      request.destroy()
      await soon(() => expect(slow.active).toBe(0))
    }
    await slow.stop()
  })

  it('generates no further than a client that does not read', async () => {
    // One text of 60 KB to learn from: answers that hardly ever end, far more than sockets hold.
    const text = readCorpus()
      .map(passage => passage.text)
      .join('\n\n')
    const endless = createDemoModel({ passages: [{ request: '', text }], merges: 200 })
    let steps = 0
    const counted: DemoModel = {
      ...endless,
      predictorFor(prompt) {
        const predictor = endless.predictorFor(prompt)
        return {
          prompt: predictor.prompt,
          distribution(...args) {
            steps++
            return predictor.distribution(...args)
          },
        }
      },
    }
    const one = createDemoServer({ tokensPerSecond: Number.POSITIVE_INFINITY, model: counted })
    const { url: oneUrl } = await one.start()
    const request = httpRequest(`${oneUrl}/v1/chat/completions`, { method: 'POST' })
    request.on('error', () => {})
    const most = 50_000
    const many = { ...ask, n: 8, max_tokens: most, stream: true, logprobs: true, top_logprobs: 20, top_p: 1 }
    request.end(JSON.stringify(many))
    const [response] = await once(request, 'response')
    response.pause()
    // Without backpressure it would go on with every turn of the event loop.
    let before = -1
    await vi.waitFor(
      () => {
        const same = steps === before
        before = steps
        expect(same).toBe(true)
      },
      { interval: 100, timeout: 20_000 },
    )
    expect(steps).toBeGreaterThan(0)
    expect(steps).toBeLessThan(8 * most)
    expect(one.active).toBe(1)
    await one.stop()
    expect(one.active).toBe(0)
  })

  it('stops with answers under way, and frees its port', async () => {
    const one = createDemoServer({ tokensPerSecond: 1, model })
    const { url: oneUrl } = await one.start()
    const answer = fetch(`${oneUrl}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(ask) })
    const broken = expect(answer).rejects.toThrow()
    await soon(() => expect(one.active).toBe(1))
    await one.stop()
    await broken
    expect(one.active).toBe(0)
    const port = Number(new URL(oneUrl).port)
    const next = createDemoServer({ port, model })
    const taken = createDemoServer({ port, model })
    await next.start()
    await expect(taken.start()).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    await taken.stop()
    await next.stop()
  })
})
