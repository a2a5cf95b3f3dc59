import { describe, expect, test } from 'vitest'
import { type Endpoint, endpointOf } from '../../../bridge/dialects/index.ts'
import { llamacppCompletion } from '../../../bridge/dialects/llamacpp-completion.ts'
import { Exchange } from '../../../bridge/exchange.ts'
import { received, send } from '../../support/app.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'
import { useStage } from '../../support/stage.ts'

const event = (message: object) => llamacppCompletion.event(undefined, JSON.stringify(message))
const LOWEST = -3.4028234663852886e38

describe('a request', () => {
  test.each([
    [{ prompt: 'a' }, 1],
    [{ prompt: ['a', 'b', 'c'] }, 3],
    [{ prompt: [[1, 2], 'b'] }, 2],
    [{ prompt: [12, 34, 'string', 56] }, 1],
    [{ prompt: [12, 34] }, 1],
    [{ prompt: [] }, 1],
    [{ prompt: { prompt_string: 'a', multimodal_data: [] } }, 1],
    [{ prompt: 'a', n_cmpl: 3 }, 3],
    [{ prompt: ['a', 'b'], n: 2 }, 4],
  ])('%o asks for %i', (body, choices) => {
    expect(llamacppCompletion.request(body).choices).toBe(choices)
  })

  test.each([
    [{ n_predict: 5, max_tokens: 9 }, 5],
    [{ max_tokens: 9 }, 9],
    [{ max_completion_tokens: 7 }, 7],
    [{ n_predict: 0 }, 0],
    [{ n_predict: -1 }, null],
    [{}, null],
  ])('%o has a bound of %s', (body, maxTokens) => {
    expect(llamacppCompletion.request(body).maxTokens).toBe(maxTokens)
  })

  test('streams if it says so', () => {
    expect(llamacppCompletion.request({ stream: true }).stream).toBe(true)
    expect(llamacppCompletion.request({}).stream).toBe(false)
  })
})

describe('a chunk', () => {
  test('without a text has no delta, but one for a token that writes nothing', () => {
    expect(event({ content: '', tokens: [], stop: false }).deltas).toEqual([])
    expect(event({ content: '', tokens: [151643], stop: false }).deltas).toMatchObject([
      { text: '', tokens: [{ id: 151643 }] },
    ])
  })

  test('with probability zero has the logarithm that llama.cpp writes', () => {
    const probabilities = [{ id: 1, token: 'a', prob: 0, top_probs: [{ id: 2, token: 'b', prob: 1 }] }]
    const [delta] = event({ content: 'a', stop: false, completion_probabilities: probabilities }).deltas
    expect(delta?.tokens).toMatchObject([{ id: 1, logprob: LOWEST, top: [{ text: 'b', logprob: 0 }] }])
  })

  test('of the old form has no probability of its own where two candidates are written alike', () => {
    const probs = [
      { tok_str: 'byte: \\xf0', prob: 0.5 },
      { tok_str: 'byte: \\xf0', prob: 0.25 },
    ]
    const entry = { content: 'byte: \\xf0', probs }
    const [delta] = event({ content: '', stop: false, completion_probabilities: [entry] }).deltas
    expect(delta?.tokens).toMatchObject([{ id: null, logprob: null, top: [{}, {}] }])
  })

  test.each([
    [{ total: 10, cache: 4, processed: 7, time_ms: 3 }, 0.7],
    [{ total: 0, cache: 0, processed: 0, time_ms: 0 }, null],
    [{}, null],
  ])('with progress %o is at %s', (progress, done) => {
    const reading = event({ content: '', stop: false, prompt_progress: progress })
    expect(reading.progress).toEqual({ state: 'processing_prompt', done })
  })

  test.each([
    [{ stop_type: 'eos' }, 'stop'],
    [{ stop_type: 'word', stopping_word: '.' }, 'stop'],
    [{ stop_type: 'limit' }, 'length'],
    [{ stop_type: 'none' }, null],
    [{ stopped_eos: true }, 'stop'],
    [{ stopped_word: true }, 'stop'],
    [{ stopped_limit: true }, 'length'],
    [{}, null],
  ])('that says it is the last, and %o, ends with %s', (fields, ending) => {
    expect(event({ content: '', stop: true, ...fields }).finished).toMatchObject([{ choice: 0, ending }])
  })

  test('is the last where only why it stopped is left of it', () => {
    expect(event({ content: '', stop_type: 'eos' }).finished).toMatchObject([{ choice: 0, ending: 'stop' }])
  })

  test('of an event `error` is one in any form', () => {
    const error = llamacppCompletion.event(
      'error',
      '{"message":"slot unavailable","type":"unavailable_error"}',
    )
    expect(error.error).toEqual({
      kind: 'unknown',
      code: 'unavailable_error',
      message: 'slot unavailable',
      retryable: true,
    })
  })

  test('of a choice counts for that one', () => {
    const last = { content: '', stop: true, index: 1, tokens_predicted: 4, tokens_evaluated: 6 }
    expect(event(last)).toMatchObject({
      usage: null,
      finished: [{ choice: 1, ending: null }],
      own: [{ choice: 1, usage: { promptTokens: 6, completionTokens: 4, totalTokens: 10 }, timings: null }],
    })
  })
})

test('an answer has the sum of what its choices count, each once', () => {
  const endpoint = endpointOf('POST', '/completion') as Endpoint
  const exchange = new Exchange({
    endpoint,
    facts: endpoint.request.request({ prompt: ['a', 'b'], stream: true }),
    upstream: 'upstream',
    startedAt: 0,
    meter: new RecordingMeter(),
    modelLabel: () => 'other',
    emit: () => {},
  })
  exchange.head(200, 'text/event-stream', 0)
  const last = (index: number, tokens: number) =>
    Buffer.from(
      `data: ${JSON.stringify({ index, content: '', stop: true, tokens_predicted: tokens, tokens_evaluated: 5 })}\n\n`,
    )
  for (const part of [last(0, 3), last(1, 4), last(1, 4)]) exchange.bytes(part, 0)
  exchange.end(0)
  expect(exchange.usage).toEqual({ promptTokens: 10, completionTokens: 7, totalTokens: 17 })
})

describe('through Tokenscope', () => {
  const stage = useStage()

  async function ask(body: object, directives = '', path = '/llamacpp/completion') {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    const asked = { prompt: 'Tell me about rivers', n_predict: 12, ...body }
    return received(await send(stage.url, { path, headers, body: asked }))
  }

  test('the viewer sees each token with its id and its probability', async () => {
    const { body } = await ask({ stream: true, n_probs: 3, return_progress: true })
    const last = await stage.viewer.end()
    expect(last).toMatchObject({ state: 'done', ending: 'length', tokens_processed: 12, estimated: false })
    const chunks = body
      .toString()
      .split('\n\n')
      .flatMap(text => (text === '' ? [] : [JSON.parse(text.slice('data: '.length))]))
    const entries = chunks.flatMap(chunk => chunk.completion_probabilities ?? [])
    expect(entries).toHaveLength(12)
    expect(
      stage.viewer.tokens.map(({ token_id, token_text, logprob }) => [token_id, token_text, logprob]),
    ).toEqual(entries.map(({ id, token, logprob }) => [id, token, logprob]))
    expect(stage.viewer.states.some(({ progress }) => progress === 1)).toBe(true)
  })

  test('its count is llama.cpp’s where entries are lost inside of characters', async () => {
    await ask({ stream: true, n_probs: 1, n_predict: 64 }, 'half-characters=2')
    const last = await stage.viewer.end()
    expect(last.estimated).toBe(false)
    expect(last.tokens_processed).toBeGreaterThan(stage.viewer.tokens.length)
  })

  test('each prompt is a generation of its own', async () => {
    await ask({ stream: true, n_cmpl: 3 })
    const ends = [await stage.viewer.end(0), await stage.viewer.end(1), await stage.viewer.end(2)]
    expect(new Set(ends.map(({ generation }) => generation)).size).toBe(3)
    for (const end of ends)
      expect(end).toMatchObject({ state: 'done', tokens_processed: 12, estimated: false })
  })

  test('an error has no end after it', async () => {
    await ask({ stream: true }, 'error=3')
    expect(await stage.viewer.end()).toMatchObject({ state: 'failed', error: { code: 'server_error' } })
  })

  test('/completions is the same', async () => {
    await ask({}, '', '/llamacpp/completions')
    expect(await stage.viewer.end()).toMatchObject({ state: 'done', ending: 'length', tokens_processed: 12 })
  })
})
