import { describe, expect, test } from 'vitest'
import { promptRequest } from '../../bridge/page-prompt.ts'
import type { UpstreamKind } from '../../events/upstream-spec.ts'
import { useStage } from '../support/stage.ts'

async function ask(url: string, body: object): Promise<string> {
  const response = await fetch(`${url}/scope/v1/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(201)
  return (await response.json()).data.generation
}

const QUESTION = { prompt: 'Tell me about rivers', temperature: 0.5, max_tokens: 12, seed: 3 }

describe.each([
  [
    'lmstudio',
    '/v1/responses',
    { store: false, max_output_tokens: 12, include: ['message.output_text.logprobs'] },
  ],
  ['llamacpp', '/v1/chat/completions', { return_progress: true, logprobs: true, max_tokens: 12, seed: 3 }],
  ['ollama', '/api/chat', { logprobs: true, options: { temperature: 0.5, seed: 3, num_predict: 12 } }],
  ['vllm', '/v1/chat/completions', { return_token_ids: true, logprobs: true, seed: 3 }],
] as const)('a prompt of the page to %s', (kind, path, fields) => {
  const stage = useStage({ kind })

  test('goes where most is told, and is shown with what it nearly said', async () => {
    const { viewer, demo } = stage
    const generation = await ask(stage.url, QUESTION)
    const last = await viewer.end()
    expect(last).toMatchObject({ generation, state: 'done', parent: null, tokens_processed: 12 })
    const [request] = demo.seen
    expect(request?.url).toBe(path)
    expect(JSON.parse(request?.body.toString() ?? '')).toMatchObject({
      ...fields,
      model: 'tokenscope-demo',
      stream: true,
      top_logprobs: 5,
    })
    expect(viewer.tokens).toHaveLength(12)
    for (const { logprob, confidence, top } of viewer.tokens) {
      expect(confidence).toBe(Math.exp(logprob as number))
      expect(top).toHaveLength(5)
    }
  })
})

describe('a model of LM Studio that gave no logprobs', () => {
  const stage = useStage({ kind: 'lmstudio' })

  test('is asked by LM Studio’s own chat after that, if the prompt is a single question', async () => {
    const { viewer, demo } = stage
    demo.server.setFaults('lost-logprobs=1,slow-prefill=1ms')
    await ask(stage.url, QUESTION)
    await viewer.end()
    expect(viewer.tokens.every(({ logprob }) => logprob === null)).toBe(true)
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Tell me about rivers' },
    ]
    const generation = await ask(stage.url, { messages, temperature: 0.5, max_tokens: 12 })
    expect(await viewer.end(1)).toMatchObject({ state: 'done', estimated: false, tokens_processed: 12 })
    const told = viewer.states.filter(state => state.generation === generation)
    expect(told.some(({ progress }) => progress === 1)).toBe(true)
    const talk = [...messages, { role: 'assistant', content: 'Yes.' }, { role: 'user', content: 'And?' }]
    await ask(stage.url, { messages: talk })
    await viewer.end(2)
    demo.server.setFaults('')
    expect(demo.seen.map(({ url }) => url)).toEqual(['/v1/responses', '/api/v1/chat', '/v1/responses'])
    expect(JSON.parse(demo.seen[1]?.body.toString() ?? '')).toEqual({
      model: 'tokenscope-demo',
      input: 'Tell me about rivers',
      system_prompt: 'Be brief.',
      temperature: 0.5,
      max_output_tokens: 12,
      stream: true,
      store: false,
    })
  })
})

test('what OpenAI names otherwise is named as each API has it, and nothing is sent that was not given', () => {
  const messages = [{ role: 'user', content: 'Hi' }]
  const parameters = { max_completion_tokens: 9, reasoning_effort: 'low', top_p: 0.5 }
  const to = (kind: 'lmstudio' | 'ollama' | 'openai', gaveNone = false) =>
    promptRequest({ messages, parameters }, { kind, model: null, gaveNone }).body
  expect(to('lmstudio')).toMatchObject({ max_output_tokens: 9, reasoning: { effort: 'low' }, top_p: 0.5 })
  expect(to('lmstudio', true)).toMatchObject({ max_output_tokens: 9, reasoning: 'low', input: 'Hi' })
  expect(to('ollama')).toMatchObject({ options: { num_predict: 9, top_p: 0.5 } })
  expect(to('openai')).toMatchObject({ max_completion_tokens: 9, reasoning_effort: 'low' })
  for (const body of [to('lmstudio'), to('lmstudio', true), to('ollama'), to('openai')]) {
    expect(body).not.toHaveProperty('model')
  }
  const bare = promptRequest({ messages, parameters: {} }, { kind: 'ollama', model: 'm', gaveNone: false })
  expect(bare.body).not.toHaveProperty('options')
})

test('how much to think is told by each API’s own word, and what has no name there is left out and said', () => {
  const messages = [{ role: 'user', content: 'Hi' }]
  const to = (kind: UpstreamKind, effort: string, gaveNone = false) => {
    const parameters = { reasoning_effort: effort, seed: 3 }
    const { body, leftOut } = promptRequest({ messages, parameters }, { kind, model: null, gaveNone })
    const { reasoning, reasoning_effort, chat_template_kwargs, think, seed, options } = body
    const said = { reasoning, reasoning_effort, chat_template_kwargs, think, seed, options, leftOut }
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  }
  const off = { enable_thinking: false }
  const low = { enable_thinking: true, reasoning_effort: 'low' }
  expect(to('lmstudio', 'none')).toEqual({ reasoning: { effort: 'none' }, leftOut: ['seed'] })
  expect(to('lmstudio', 'low')).toEqual({ reasoning: { effort: 'low' }, leftOut: ['seed'] })
  expect(to('lmstudio', 'none', true)).toEqual({ reasoning: 'off', leftOut: ['seed'] })
  expect(to('lmstudio', 'low', true)).toEqual({ reasoning: 'low', leftOut: ['seed'] })
  expect(to('ollama', 'none')).toEqual({ think: false, options: { seed: 3 }, leftOut: [] })
  expect(to('ollama', 'low')).toEqual({ think: 'low', options: { seed: 3 }, leftOut: [] })
  expect(to('llamacpp', 'none')).toEqual({ chat_template_kwargs: off, seed: 3, leftOut: [] })
  expect(to('llamacpp', 'low')).toEqual({ chat_template_kwargs: low, seed: 3, leftOut: [] })
  expect(to('vllm', 'none')).toEqual({ chat_template_kwargs: off, seed: 3, leftOut: [] })
  expect(to('vllm', 'low')).toEqual({
    ...{ reasoning_effort: 'low', chat_template_kwargs: low, seed: 3, leftOut: [] },
  })
  for (const kind of ['openai', 'demo'] as const) {
    expect(to(kind, 'none')).toEqual({ reasoning_effort: 'none', seed: 3, leftOut: [] })
  }
})

describe.each(['lmstudio', 'llamacpp', 'ollama', 'vllm', 'demo'] as const)('a model of %s', kind => {
  const stage = useStage({ kind })

  test('thinks before it answers if it is asked to, and not if it is asked not to', async () => {
    for (const [i, effort] of ['none', 'low'].entries()) {
      const generation = await ask(stage.url, { ...QUESTION, max_tokens: 200, reasoning_effort: effort })
      expect(await stage.viewer.end(i)).toMatchObject({ generation, state: 'done' })
      const kinds = stage.viewer.tokens.filter(one => one.generation === generation).map(one => one.kind)
      expect(new Set(kinds)).toEqual(new Set(effort === 'none' ? ['message'] : ['reasoning', 'message']))
    }
  })
})

test('a prompt with tools asks llama.cpp for probabilities by its own name: it refuses the other beside tools', () => {
  const tools = [{ type: 'function', function: { name: 'f' } }]
  const asked = (parameters: object) =>
    JSON.parse(
      JSON.stringify(
        promptRequest(
          { messages: [{ role: 'user', content: 'Hi' }], parameters: { ...parameters } },
          { kind: 'llamacpp', model: null, gaveNone: false },
        ).body,
      ),
    )
  expect(asked({ tools })).toMatchObject({ tools, n_probs: 5, stream: true })
  expect(Object.keys(asked({ tools }))).not.toContain('logprobs')
  expect(Object.keys(asked({ tools }))).not.toContain('top_logprobs')
  expect(asked({ tools: [] })).toMatchObject({ logprobs: true, top_logprobs: 5 })
})
