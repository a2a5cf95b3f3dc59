import { describe, expect, test } from 'vitest'
import { lmStudioChat } from '../../../bridge/dialects/lmstudio-chat.ts'
import { received, send } from '../../support/app.ts'
import { useStage } from '../../support/stage.ts'

const event = (message: { type: string } & Record<string, unknown>) =>
  lmStudioChat.event(message.type, JSON.stringify(message))

describe('a request', () => {
  test('says what it asks for', () => {
    const body = {
      model: 'qwen/qwen3-4b',
      input: 'Hello',
      stream: true,
      max_output_tokens: 100,
      previous_response_id: 'resp_1',
    }
    expect(lmStudioChat.request(body)).toEqual({
      model: 'qwen/qwen3-4b',
      stream: true,
      choices: 1,
      maxTokens: 100,
      previous: 'resp_1',
    })
  })

  test('does not stream unless it says so', () => {
    expect(lmStudioChat.request({ model: 'm', input: 'Hello' })).toEqual({
      model: 'm',
      stream: false,
      choices: 1,
      maxTokens: null,
      previous: null,
    })
  })
})

describe('an answer', () => {
  test('has the id under which the next request may go on', () => {
    const result = { model_instance_id: 'm', output: [], stats: {}, response_id: 'resp_2' }
    expect(event({ type: 'chat.end', result })).toMatchObject({ id: 'resp_2', model: 'm' })
    expect(lmStudioChat.whole(result)).toMatchObject({ id: 'resp_2', model: 'm' })
  })

  test('that is not kept has none', () => {
    expect(event({ type: 'chat.end', result: { output: [], stats: {} } }).id).toBeNull()
  })

  test.each([
    ['model_load.start', {}, 'loading_model', null],
    ['model_load.progress', { progress: 0.25 }, 'loading_model', 0.25],
    ['model_load.end', { load_time_seconds: 1.5 }, 'loading_model', 1],
    ['prompt_processing.start', {}, 'processing_prompt', null],
    ['prompt_processing.progress', { progress: 0.75 }, 'processing_prompt', 0.75],
    ['prompt_processing.end', {}, 'processing_prompt', 1],
    ['model_load.progress', { progress: 'half' }, 'loading_model', null],
  ])('%s with %o is progress', (type, fields, state, done) => {
    expect(event({ type, ...fields }).progress).toEqual({ state, done })
  })

  test('tells how long the model took to load when it has loaded', () => {
    expect(event({ type: 'model_load.end', load_time_seconds: 1.5 }).timings?.load_ms).toBe(1500)
  })

  test('has events that are not the model’s words', () => {
    for (const type of [
      'message.start',
      'message.end',
      'reasoning.start',
      'tool_call.success',
      'something.new',
    ]) {
      const { deltas, finished, error } = event({ type, tool: 'x', arguments: { a: 1 }, output: 'found' })
      expect([deltas, finished, error]).toEqual([[], [], null])
    }
  })

  test.each([
    ['invalid_request', 'send', false],
    ['model_not_found', 'send', false],
    ['not_implemented', 'send', false],
    ['mcp_connection_error', 'unknown', false],
    ['internal_error', 'unknown', false],
  ])('with an error of type %s is %s', (type, kind, retryable) => {
    const message = 'it did not work'
    expect(event({ type: 'error', error: { type, message } }).error).toEqual({
      kind,
      code: type,
      message,
      retryable,
    })
  })
})

describe('through Tokenscope', () => {
  const stage = useStage()

  async function ask(body: object, directives = '') {
    const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
    const asked = { model: 'tokenscope-demo', input: 'Tell me about rivers', ...body }
    const got = await received(await send(stage.url, { path: '/lmstudio/api/v1/chat', headers, body: asked }))
    return { ...got, last: await stage.viewer.end() }
  }

  test('the viewer sees what the app got, and how the model was loaded', async () => {
    const { body, last } = await ask({ stream: true, max_output_tokens: 12 }, 'slow-load=20ms')
    const end = JSON.parse(body.toString().split('event: chat.end\ndata: ')[1] as string).result
    expect(last).toMatchObject({
      state: 'done',
      ending: null,
      model: 'tokenscope-demo',
      tokens_processed: 12,
      total_tokens: 12 + end.stats.input_tokens,
      estimated: false,
    })
    expect(stage.viewer.textOf(last.generation)).toBe(end.output[0].content)
    // In this order: nothing is processed before the model is there.
    const states = stage.viewer.states.map(({ state }) => state)
    expect([...new Set(states)]).toEqual([
      'queued',
      'loading_model',
      'processing_prompt',
      'generating',
      'done',
    ])
    const loading = stage.viewer.states.filter(({ state }) => state === 'loading_model')
    expect(loading.map(({ progress }) => progress)).toEqual(expect.arrayContaining([0, 1]))
  })

  test('no progress is left over at the end of an answer without a token', async () => {
    const { last } = await ask({ stream: true }, 'empty,slow-prefill=1ms')
    expect(stage.viewer.states.some(({ progress }) => progress === 1)).toBe(true)
    expect(last).toMatchObject({ state: 'done', ending: 'empty', progress: null })
  })

  test('an error is one, although chat.end follows', async () => {
    const { last, complete } = await ask({ stream: true, max_output_tokens: 12 }, 'error=3')
    expect(complete).toBe(true)
    expect(last).toMatchObject({ state: 'failed', ending: 'error', error: { code: 'internal_error' } })
  })

  test('a whole answer is one too', async () => {
    const { body, last } = await ask({ max_output_tokens: 12, reasoning: 'on' })
    const kinds = JSON.parse(body.toString()).output.map(({ type }: { type: string }) => type)
    expect([...new Set(stage.viewer.tokens.map(({ kind }) => kind))]).toEqual(kinds)
    expect(last).toMatchObject({ state: 'done', tokens_processed: 12 })
  })
})
