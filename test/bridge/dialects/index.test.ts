import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DIALECTS, endpointOf, isNdjson, mediaTypeOf } from '../../../bridge/dialects/index.ts'
import { rounds } from '../../support/rounds.ts'

const named = (path: string) => {
  const endpoint = endpointOf('POST', path)
  return endpoint && [endpoint.request.name, endpoint.sse?.name ?? null, endpoint.ndjson?.name ?? null]
}

describe('a path', () => {
  test.each([
    ['/v1/chat/completions', ['openai-chat', 'openai-chat', null]],
    ['/chat/completions', ['openai-chat', 'openai-chat', null]],
    ['/api/v0/chat/completions', ['openai-chat', 'openai-chat', null]],
    ['/v1/completions', ['openai-completions', 'openai-completions', null]],
    ['/api/v0/completions', ['openai-completions', 'openai-completions', null]],
    ['/v1/responses', ['openai-responses', 'openai-responses', null]],
    ['/v1/messages', ['anthropic-messages', 'anthropic-messages', null]],
    ['/api/v1/chat', ['lmstudio-chat', 'lmstudio-chat', null]],
    ['/api/chat', ['ollama-chat', 'openai-chat', 'ollama-chat']],
    ['/api/generate', ['ollama-generate', null, 'ollama-generate']],
    ['/completion', ['llamacpp-completion', 'llamacpp-completion', null]],
    ['/infill', ['llamacpp-completion', 'llamacpp-completion', null]],
    ['/somewhere/behind/a/prefix/v1/chat/completions', ['openai-chat', 'openai-chat', null]],
    ['/v1/completions/', ['openai-completions', 'openai-completions', null]],
  ])('%s', (path, expected) => {
    expect(named(path)).toEqual(expected)
  })

  test.each([
    '/',
    '',
    '/v1/models',
    '/v1/embeddings',
    '/v1/messages/count_tokens',
    '/api/tags',
    '/v1/responses/resp_1/cancel',
    '/v1/audio/transcriptions',
  ])('%s generates nothing', path => {
    expect(endpointOf('POST', path)).toBeNull()
  })

  test('generates nothing unless it is posted to', () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      expect(endpointOf(method, '/v1/chat/completions')).toBeNull()
    }
  })
})

describe('/completions without /v1', () => {
  const endpoint = endpointOf('POST', '/completions')
  const read = (message: unknown) => endpoint?.sse?.event(undefined, JSON.stringify(message))
  const text = (message: unknown) => read(message)?.deltas.map(delta => delta.text)

  test('is llama.cpp’s where its messages are', () => {
    expect(text({ index: 0, content: 'Hello', tokens: [9707], stop: false })).toEqual(['Hello'])
    expect(read({ content: '', stop: true, stop_type: 'limit', model: 'm' })).toMatchObject({
      model: 'm',
      finished: [{ choice: 0, ending: 'length' }],
    })
  })

  test('is OpenAI’s where its messages are', () => {
    const chunk = { object: 'text_completion', model: 'm', timings: { prompt_ms: 1 } }
    expect(text({ ...chunk, choices: [{ index: 0, text: 'Hello', finish_reason: null }] })).toEqual(['Hello'])
    expect(read({ ...chunk, choices: [{ index: 0, text: '', finish_reason: 'length' }] })).toMatchObject({
      model: 'm',
      finished: [{ choice: 0, ending: 'length' }],
    })
    expect(endpoint?.sse?.event(undefined, '[DONE]').error).toBeNull()
  })

  test('is either where the answer is whole', () => {
    const whole = (body: unknown) => endpoint?.request.whole(body)?.deltas.map(delta => delta.text)
    expect(whole({ content: 'Hello', stop: true })).toEqual(['Hello'])
    expect(whole({ choices: [{ index: 0, text: 'Hello', finish_reason: 'stop' }] })).toEqual(['Hello'])
    expect(endpoint?.request.whole({ data: [] })).toBeNull()
  })

  test('tells an error once', () => {
    expect(read({ error: { code: 500, message: 'broke', type: 'server_error' } })?.error).toEqual({
      kind: 'unknown',
      code: 'server_error',
      message: 'broke',
      retryable: false,
    })
  })

  test('asks for as much under either name', () => {
    const asked = (body: object) => endpoint?.request.request(body)
    expect(asked({ prompt: 'a', max_tokens: 5, n: 2 })).toMatchObject({ maxTokens: 5, choices: 2 })
    expect(asked({ prompt: 'a', n_predict: 5, n_cmpl: 2 })).toMatchObject({ maxTokens: 5, choices: 2 })
  })
})

describe('a content type', () => {
  test.each([
    ['text/event-stream', 'text/event-stream'],
    ['Text/Event-Stream; charset=utf-8', 'text/event-stream'],
    ['text/event-stream;', 'text/event-stream'],
    [' application/json ; charset="utf-8"', 'application/json'],
    ['', ''],
    [null, ''],
  ])('%o is %o', (contentType, mediaType) => {
    expect(mediaTypeOf(contentType)).toBe(mediaType)
  })

  test.each([
    ['application/x-ndjson', true],
    ['application/ndjson', true],
    ['application/jsonl', true],
    ['application/json', false],
    ['text/event-stream', false],
  ])('%s is lines of JSON: %s', (mediaType, is) => {
    expect(isNdjson(mediaType)).toBe(is)
  })
})

describe.each(DIALECTS.map(dialect => [dialect.name, dialect] as const))(
  '%s, given anything',
  (_n, dialect) => {
    const key = fc.constantFrom(
      ...[
        'choices',
        'delta',
        'message',
        'content',
        'text',
        'index',
        'logprobs',
        'tokens',
        'token',
        'logprob',
        'bytes',
      ],
      ...[
        'top_logprobs',
        'token_logprobs',
        'text_offset',
        'completion_probabilities',
        'probs',
        'prob',
        'tok_str',
        'stop',
      ],
      ...[
        'output',
        'item',
        'type',
        'part',
        'result',
        'stats',
        'usage',
        'timings',
        'prompt_progress',
        'progress',
        'error',
      ],
      ...[
        'tool_calls',
        'function',
        'arguments',
        'name',
        'thinking',
        'response',
        'done',
        'done_reason',
        'eval_count',
      ],
      ...[
        'finish_reason',
        'token_ids',
        'id',
        'model',
        'code',
        'usage',
        'completion_tokens',
        'content_block',
        'input',
      ],
    )
    const type = fc.constantFrom(
      ...[
        undefined,
        'error',
        'ping',
        'message_start',
        'content_block_start',
        'content_block_delta',
        'message_delta',
      ],
      ...[
        'response.created',
        'response.output_text.delta',
        'response.output_item.added',
        'response.completed',
      ],
      ...[
        'message.delta',
        'tool_call.arguments',
        'chat.end',
        'model_load.progress',
        'prompt_processing.progress',
      ],
    )
    const { value } = fc.letrec<{ value: unknown }>(tie => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, true, false, '', 'text', 0, -1, 1.5, 1e300, -3.4e38, 7),
        type,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 6 }),
      ),
    }))

    test('reads it without a throw, as something that can be told', () => {
      fc.assert(
        fc.property(type, value, (name, given) => {
          const data = JSON.stringify(given) ?? 'undefined'
          const readings = [dialect.event(name, data), dialect.whole(given)].filter(
            reading => reading !== null,
          )
          for (const { deltas, finished, usage, progress } of readings) {
            for (const { choice, text, tokens, count } of deltas) {
              expect([typeof choice, typeof text]).toEqual(['number', 'string'])
              expect(count === null || count >= 0).toBe(true)
              for (const token of tokens) {
                expect(token.id === null || Number.isInteger(token.id)).toBe(true)
                expect(token.logprob === null || Number.isFinite(token.logprob)).toBe(true)
                for (const one of token.top) expect(Number.isFinite(one.logprob)).toBe(true)
              }
            }
            for (const { choice, ending } of finished) {
              expect(typeof choice).toBe('number')
              expect(ending === null || typeof ending === 'string').toBe(true)
            }
            if (usage !== null) expect(usage.completionTokens).toBeGreaterThanOrEqual(0)
            if (progress !== null) expect(progress.done ?? 0).toBeGreaterThanOrEqual(0)
          }
          const { choices, maxTokens } = dialect.request(given)
          expect(choices).toBeGreaterThan(0)
          expect(maxTokens ?? 0).toBeGreaterThanOrEqual(0)
        }),
        { numRuns: rounds(10_000) },
      )
    })

    test('reads data that is no JSON as an error that can be tried again', () => {
      for (const data of ['', '{', 'ping', '{"a":}', '\ufeff{}']) {
        expect(dialect.event(undefined, data).error).toMatchObject({ kind: 'parse', retryable: true })
      }
    })

    test('finds nothing in JSON of nobody', () => {
      for (const data of ['{}', '[]', 'null', '1', '"text"', '{"object":"list","data":[]}']) {
        const { deltas, finished, error } = dialect.event(undefined, data)
        expect([deltas, finished, error]).toEqual([[], [], null])
        expect(dialect.whole(JSON.parse(data))).toBeNull()
      }
    })

    test('asks for nothing with a body that is no object', () => {
      for (const body of [undefined, null, 1, 'text', [], true]) {
        expect(dialect.request(body)).toMatchObject({
          model: null,
          stream: false,
          choices: 1,
          maxTokens: null,
        })
      }
    })
  },
)
