import { describe, expect, test } from 'vitest'
import { promptRequest } from '../../bridge/page-prompt.ts'
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
