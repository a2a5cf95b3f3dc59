import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { send, sendAndGo, textOf } from '../../support/app.ts'
import { CHAT } from '../../support/demo.ts'
import { useStage } from '../../support/stage.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const NONE = { requestsPerMinute: null, tokensPerMinute: null, waitMs: 0 }

describe('with two requests a minute and no wait', () => {
  const stage = useStage({}, { limits: { ...NONE, requestsPerMinute: 2 }, cache: true })
  let callers = 0
  /** A caller that was not heard of before. */
  const newKey = () => ({ ...JSON_TYPE, authorization: `Bearer sk-${callers++}` })
  let headers = newKey()
  afterEach(() => {
    headers = newKey()
  })

  const status = async (path = '/v1/chat/completions', body: object = CHAT, method = 'POST') => {
    const answer = await send(stage.url, { method, path, headers, ...(method === 'POST' ? { body } : {}) })
    await textOf(answer)
    return answer.statusCode
  }

  test('the third gets 429 in OpenAI’s shape with when to come back, and goes nowhere', async () => {
    expect([await status('/v1/chat/completions', { ...CHAT, seed: 1 }), await status()]).toEqual([200, 200])
    stage.demo.seen.length = 0
    const answer = await send(stage.url, { headers, body: { ...CHAT, seed: 2 } })
    expect(answer.statusCode).toBe(429)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(30)
    expect(answer.headers['x-correlation-id']).toMatch(/^[\w-]{8,}$/)
    expect(JSON.parse(await textOf(answer))).toEqual({
      error: {
        message: expect.stringMatching(/^A caller may have 2 requests a minute here; ask again in \d+ s\.$/),
        type: 'invalid_request_error',
        param: null,
        code: 'rate_limited',
      },
    })
    expect(stage.demo.seen).toEqual([])
    headers = newKey()
    expect(await status()).toBe(200)
  })

  test('the openai client knows it for what it is', async () => {
    const client = new OpenAI({ baseURL: `${stage.url}/v1`, apiKey: 'sk-client', maxRetries: 0 })
    const ask = (seed: number) => client.chat.completions.create({ ...CHAT, stream: false, seed })
    await ask(1)
    await ask(2)
    await expect(ask(3)).rejects.toBeInstanceOf(OpenAI.RateLimitError)
  })

  test('what is read, what is kept and what the page asks are not counted', async () => {
    for (let i = 0; i < 5; i++) expect(await status('/v1/models', {}, 'GET')).toBe(200)
    for (let i = 0; i < 5; i++) expect(await status()).toBe(200)
    expect(await status('/v1/embeddings', { model: 'x', input: 'y' })).not.toBe(429)
    expect(await status('/v1/embeddings', { model: 'x', input: 'y' })).toBe(429)
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${stage.url}/scope/v1/generations`, {
        method: 'POST',
        headers: JSON_TYPE,
        body: '{"prompt":"Hello"}',
      })
      expect(answer.status).toBe(201)
    }
  })

  test('an answer says what is left', async () => {
    const answer = await send(stage.url, { headers, body: { ...CHAT, seed: 9 } })
    await textOf(answer)
    expect(answer.headers).toMatchObject({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': expect.stringMatching(/^(30|29\.\d+)s$/),
    })
    expect(answer.headers['x-ratelimit-limit-tokens']).toBeUndefined()
    // What is given again says nothing of then.
    const again = await send(stage.url, { headers, body: { ...CHAT, seed: 9 } })
    await textOf(again)
    expect(again.headers['x-tokenscope-cache']).toBe('HIT')
    expect(Object.keys(again.headers).filter(name => name.startsWith('x-ratelimit'))).toEqual([])
  })
})

describe('with a minute’s tokens reserved by one request', () => {
  // So few come back by themselves that only a settlement lets anybody in while a test runs.
  const stage = useStage({}, { limits: { ...NONE, tokensPerMinute: 1200, waitMs: 3_600_000 } })
  const greedy = { ...CHAT, max_tokens: 100_000 }
  const held = { ...JSON_TYPE, 'X-Demo': 'silence=forever@1,tokens=20' }

  test('the next waits, and goes on when the first is settled', async () => {
    const { viewer, demo } = stage
    const first = send(stage.url, { headers: held, body: greedy }).then(textOf)
    await viewer.until(() => viewer.tokens.length > 0)
    const second = send(stage.url, { headers: JSON_TYPE, body: { ...CHAT, max_tokens: 50 } })
    await viewer.until(() => viewer.generations.length === 2)
    const next = viewer.generations[1] as string
    expect(viewer.states.filter(({ generation }) => generation === next).map(({ state }) => state)).toEqual([
      'queued',
    ])
    expect(demo.seen).toHaveLength(1)
    demo.server.goOn()
    expect(await first).toContain('[DONE]')
    const answer = await second
    expect(answer.statusCode).toBe(200)
    const left = Number(answer.headers['x-ratelimit-remaining-tokens'])
    // 1,200 less what the first came to and what the second is reserved.
    expect(left).toBeGreaterThan(1200 - 200)
    expect(await textOf(answer)).toContain('[DONE]')
    expect(await viewer.end(1)).toMatchObject({ generation: next, state: 'done' })
  })

  test('a client that leaves while it waits is let go of, and nobody upstream hears of it', async () => {
    const { viewer, demo } = stage
    const headers = { ...held, authorization: 'Bearer leaver' }
    const first = send(stage.url, { headers, body: greedy }).then(textOf)
    await viewer.until(() => viewer.tokens.length > 0)
    const leaver = sendAndGo(stage.url, { headers, body: CHAT })
    await viewer.until(() => viewer.generations.length === 2)
    leaver.go()
    expect(await viewer.end(0)).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
    demo.server.goOn()
    await first
    expect(await viewer.end(1)).toMatchObject({ state: 'done' })
    expect(demo.seen).toHaveLength(1)
  })

  test('a viewer’s stop lets go of one that waits, too', async () => {
    const { viewer, demo } = stage
    const headers = { ...held, authorization: 'Bearer stopped' }
    const first = send(stage.url, { headers, body: greedy }).then(textOf)
    await viewer.until(() => viewer.tokens.length > 0)
    const second = send(stage.url, { headers, body: CHAT }).then(
      () => 'an answer',
      () => 'a broken connection',
    )
    await viewer.until(() => viewer.generations.length === 2)
    viewer.send({ type: 'stop', generation: viewer.generations[1] })
    expect(await viewer.end(0)).toMatchObject({ state: 'cancelled', ending: 'stopped' })
    expect(await second).toBe('a broken connection')
    demo.server.goOn()
    await first
  })
})
