import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ollamaChat, ollamaGenerate } from '../../../bridge/dialects/ollama.ts'
import type { Tokenscope } from '../../../main.ts'
import { received, send } from '../../support/app.ts'
import { RawUpstream } from '../../support/raw-upstream.ts'
import { startScope } from '../../support/scope.ts'
import { Spectator } from '../../support/spectator.ts'
import { useStage } from '../../support/stage.ts'

const line = (fields: object) => ollamaChat.event(undefined, JSON.stringify(fields))
const message = (fields: object, more: object = {}) =>
  line({ model: 'm', message: fields, done: false, ...more })

describe('a request', () => {
  test('streams unless it says that it does not', () => {
    expect(ollamaChat.request({ model: 'm' }).stream).toBe(true)
    expect(ollamaChat.request({ model: 'm', stream: null }).stream).toBe(true)
    expect(ollamaChat.request({ model: 'm', stream: false }).stream).toBe(false)
  })

  test.each([
    [{ options: { num_predict: 5 } }, 5],
    [{ options: { num_predict: -1 } }, null],
    [{ options: {} }, null],
    [{}, null],
  ])('%o has a bound of %s', (body, maxTokens) => {
    expect(ollamaGenerate.request({ model: 'm', ...body })).toEqual({
      model: 'm',
      stream: true,
      choices: 1,
      maxTokens,
      previous: null,
    })
  })
})

describe('a line', () => {
  const entries = (...tokens: string[]) => ({ logprobs: tokens.map(token => ({ token, logprob: -1 })) })
  const divided = (fields: object, ...tokens: string[]) =>
    message({ role: 'assistant', ...fields }, entries(...tokens)).deltas.map(({ kind, tokens: listed }) => [
      kind,
      listed.map(({ text }) => text),
    ])

  test('with one text has its entries there', () => {
    expect(divided({ content: 'Hello there' }, 'Hello', ' there')).toEqual([['message', ['Hello', ' there']]])
    expect(divided({ content: '', thinking: 'Hm' }, 'Hm')).toEqual([['reasoning', ['Hm']]])
  })

  test('with a thought and a text divides the entries between them', () => {
    expect(
      divided({ content: 'Hello', thinking: 'Hm so' }, '<think>', 'Hm', ' so', '</think>', 'Hello'),
    ).toEqual([
      ['reasoning', ['<think>', 'Hm', ' so', '</think>']],
      ['message', ['Hello']],
    ])
  })

  test('whose entries do not write its thought has them all with its text', () => {
    expect(divided({ content: 'Hello', thinking: '🦉' }, '\ufffd', '\ufffd', 'Hello')).toEqual([
      ['reasoning', []],
      ['message', ['\ufffd', '\ufffd', 'Hello']],
    ])
  })

  test('with entries and no text is a part of a character', () => {
    expect(divided({ content: '' }, '\ufffd')).toEqual([['message', ['\ufffd']]])
  })

  test('with nothing has no delta', () => {
    expect(message({ role: 'assistant', content: '' }).deltas).toEqual([])
  })

  test('of the other path says nothing', () => {
    expect(line({ model: 'm', response: 'Hello', done: false }).deltas).toEqual([])
    const chat = JSON.stringify({ model: 'm', message: { content: 'Hello' }, done: false })
    expect(ollamaGenerate.event(undefined, chat).deltas).toEqual([])
  })

  test('of OpenAI’s, which llama.cpp answers on the same path, is none of Ollama’s', () => {
    expect(
      ollamaChat.whole({ choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] }),
    ).toBeNull()
  })
})

describe.each([
  ['/ollama/api/chat', { messages: [{ role: 'user', content: 'Tell me about rivers' }] }],
  ['/ollama/api/generate', { prompt: 'Tell me about rivers' }],
])('%s through Tokenscope', (path, said) => {
  const stage = useStage()

  async function ask(body: object, directives = '') {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    const asked = { model: 'tokenscope-demo', ...said, options: { num_predict: 12 }, ...body }
    const got = await received(await send(stage.url, { path, headers, body: asked }))
    return { ...got, last: await stage.viewer.end() }
  }

  test('the viewer sees each token with its probability, and Ollama’s counts and times', async () => {
    const { body, last } = await ask({ logprobs: true, top_logprobs: 3 })
    const lines = body
      .toString()
      .split('\n')
      .flatMap(text => (text === '' ? [] : [JSON.parse(text)]))
    const entries = lines.flatMap(({ logprobs }) => logprobs ?? [])
    expect(entries).toHaveLength(12)
    expect(stage.viewer.tokens.map(({ token_text, logprob }) => [token_text, logprob])).toEqual(
      entries.map(({ token, logprob }) => [token, logprob]),
    )
    expect(last).toMatchObject({
      state: 'done',
      ending: 'length',
      tokens_processed: 12,
      estimated: false,
      timings: { generation_ms: lines.at(-1).eval_duration / 1e6 },
    })
  })

  test('thoughts are told apart from the answer', async () => {
    await ask({ think: true, options: { num_predict: 200 } })
    expect([...new Set(stage.viewer.tokens.map(({ kind }) => kind))]).toEqual(['reasoning', 'message'])
  })

  test('a line with an error is why it failed', async () => {
    const { complete, last } = await ask({}, 'error=3')
    expect(complete).toBe(true)
    expect(last).toMatchObject({ state: 'failed', ending: 'error', error: { kind: 'unknown' } })
  })

  test('an end without `done` is interrupted', async () => {
    expect((await ask({}, 'no-finish')).last).toMatchObject({ state: 'interrupted', ending: 'truncated' })
  })

  test('what only loads the model is not an empty answer', async () => {
    const { last } = await ask({ messages: [], prompt: '' })
    expect(last).toMatchObject({ state: 'done', ending: 'load', tokens_processed: 0 })
  })

  test('a whole answer is one too', async () => {
    const { last } = await ask({ stream: false })
    expect(last).toMatchObject({ state: 'done', ending: 'length', tokens_processed: 12 })
  })
})

describe('lines beyond what is held', () => {
  let upstream: RawUpstream
  let scope: Tokenscope

  beforeAll(async () => {
    upstream = await new RawUpstream().start()
    scope = await startScope({ upstreams: [upstream.url] })
  })
  afterAll(async () => {
    await scope.stop()
    await upstream.stop()
  })

  test('turn the tap opaque while every byte passes', async () => {
    const first = `${JSON.stringify({ message: { role: 'assistant', content: 'a' }, done: false })}\n`
    const long = 'x'.repeat(3 * 1024 * 1024)
    const parts = [first, `{"message":{"content":"${long}`, `${long}"}}\n`, '{"done":true}\n']
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      for (const part of parts) response.write(part)
      response.end()
    }
    const viewer = await Spectator.watch(scope.url)
    const body = { model: 'test-model', messages: [] }
    const got = await received(await send(scope.url, { path: '/api/chat', body }))
    const last = await viewer.end()
    expect(last).toMatchObject({ state: 'done', ending: 'opaque' })
    expect(viewer.textOf(last.generation)).toBe('a')
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(hash(got.body)).toBe(hash(Buffer.from(parts.join(''))))
    viewer.close()
  })
})
