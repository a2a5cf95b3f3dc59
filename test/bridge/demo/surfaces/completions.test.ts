import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerKind } from '../../../../bridge/demo/surface.ts'
import { type Chunk, chunksOf, Demo } from '../../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const body = { prompt: 'Tell me about rivers', seed: 5, max_tokens: 6 }

async function ask(kind: ServerKind, more: object = {}): Promise<Chunk> {
  const response = await demo.post(`/${kind}/v1/completions`, { ...body, ...more })
  return response.json()
}

async function stream(kind: ServerKind, more: object = {}): Promise<Chunk[]> {
  const response = await demo.post(`/${kind}/v1/completions`, { ...body, stream: true, ...more })
  return chunksOf(await response.text())
}

describe('a completion', () => {
  it.each<ServerKind>(['demo', 'vllm'])('of %s has four arrays of log-probabilities', async kind => {
    const { choices } = await ask(kind, { logprobs: 2 })
    const { tokens, token_logprobs: own, top_logprobs: top, text_offset: offsets } = choices[0].logprobs
    expect(tokens.join('')).toBe(choices[0].text)
    expect([own.length, top.length, offsets.length]).toEqual([6, 6, 6])
    for (const [i, offset] of offsets.entries())
      expect(choices[0].text.slice(offset)).toBe(tokens.slice(i).join(''))
    for (const one of top) expect(Object.keys(one)).toHaveLength(2)
    const chunks = await stream(kind, { logprobs: 2 })
    const told = chunks.flatMap(chunk => chunk.choices?.[0]?.logprobs ?? [])
    expect(told.flatMap(({ text_offset }) => text_offset)).toEqual(offsets)
    expect(told.flatMap(({ token_logprobs }) => token_logprobs)).toEqual(own)
  })

  it('of LM Studio has none', async () => {
    expect((await ask('lmstudio', { logprobs: 2 })).choices[0].logprobs).toBeNull()
  })

  it.each<ServerKind>(['llamacpp', 'ollama'])('of %s has the entries of chat', async kind => {
    const { logprobs, text } = (await ask(kind, { logprobs: 2 })).choices[0]
    expect(logprobs.content.map(({ token }: Chunk) => token).join('')).toBe(text)
    expect(logprobs.content[0].top_logprobs).toHaveLength(2)
    expect('id' in logprobs.content[0]).toBe(kind === 'llamacpp')
  })

  it('of Ollama has a usage of zero on each chunk before the true one', async () => {
    const chunks = await stream('ollama', { stream_options: { include_usage: true } })
    expect(chunks.pop()).toBe('[DONE]')
    const counts = chunks.map(({ usage }) => usage.completion_tokens)
    expect(counts).toEqual([0, 0, 0, 0, 0, 0, 0, 6])
  })

  it('of vLLM has the ids of the prompt on the first chunk of a choice, where asked', async () => {
    const whole = await ask('vllm', { return_token_ids: true })
    const chunks = (await stream('vllm', { return_token_ids: true, n: 2 })).slice(0, -1)
    for (const index of [0, 1]) {
      const choices = chunks.map(chunk => chunk.choices[0]).filter(choice => choice.index === index)
      expect(choices.map(choice => choice.prompt_token_ids?.length)).toEqual([
        whole.usage.prompt_tokens,
        ...choices.slice(1).map(() => undefined),
      ])
    }
  })

  it('of several prompts has one for each', async () => {
    const prompts = ['Tell me about rivers', 'What is music?']
    const { choices, usage } = await ask('demo', { prompt: prompts })
    const alone = await Promise.all(prompts.map(prompt => ask('demo', { prompt })))
    expect(choices.map(({ index }: Chunk) => index)).toEqual([0, 1])
    expect(choices[0].text).toBe(alone[0].choices[0].text)
    expect(choices[1].text.length).toBeGreaterThan(0)
    expect(usage.prompt_tokens).toBe(alone[0].usage.prompt_tokens + alone[1].usage.prompt_tokens)
    const twice = await ask('demo', { prompt: prompts, n: 2 })
    expect([twice.choices[0].text, twice.choices[1].text]).not.toContain(choices[1].text)
    expect(twice.choices).toHaveLength(4)
    // Read once, however many answers it gets.
    expect(twice.usage.prompt_tokens).toBe(usage.prompt_tokens)
  })

  it.each([
    ['echo', { echo: true }],
    ['suffix', { suffix: 'end' }],
    ['best_of', { best_of: 3 }],
    ['prompt', { prompt: [1, 2] }],
    ['prompt', { prompt: [] }],
    ['prompt', { prompt: undefined }],
    ['prompt', { prompt: ['a', 'b', 'c'], n: 3 }],
    ['logprobs', { logprobs: 21 }],
  ])('refuses a bad %s', async (param, more) => {
    expect((await ask('demo', more)).error).toMatchObject({ param, message: expect.stringContaining(param) })
  })
})
