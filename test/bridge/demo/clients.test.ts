import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerKind } from '../../../bridge/demo/surface.ts'
import { Demo, QUESTION } from '../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const KINDS: readonly ServerKind[] = ['demo', 'lmstudio', 'llamacpp', 'ollama', 'vllm']
const model = 'tokenscope-demo'
const ask = { model, messages: QUESTION, seed: 5 }
const tools = [
  {
    type: 'function' as const,
    function: { name: 'look_up', parameters: { type: 'object', properties: { what: { type: 'string' } } } },
  },
]

function clientOf(kind: ServerKind, directives = ''): OpenAI {
  const defaultHeaders = { 'x-demo': directives }
  return new OpenAI({ apiKey: 'none', baseURL: `${demo.of(kind)}/v1`, maxRetries: 0, defaultHeaders })
}

describe.each(KINDS)('OpenAI’s client with %s', kind => {
  it('reads a stream as it reads a whole answer', async () => {
    const client = clientOf(kind)
    const whole = await client.chat.completions.create({ ...ask, logprobs: true })
    const runner = client.chat.completions.stream({ ...ask, logprobs: true })
    const streamed = (await runner.finalChatCompletion()).choices[0]
    expect(streamed?.message.content).toBe(whole.choices[0]?.message.content)
    expect(streamed?.finish_reason).toBe('stop')
    const entries = whole.choices[0]?.logprobs?.content ?? []
    expect(entries.map(({ token }) => token).join('')).toBe(
      kind === 'lmstudio' ? '' : whole.choices[0]?.message.content,
    )
    expect(streamed?.logprobs?.content ?? []).toMatchObject(entries)
  })

  it('puts a tool call together', async () => {
    const runner = clientOf(kind).chat.completions.stream({ ...ask, tools, tool_choice: 'required' })
    const [choice] = (await runner.finalChatCompletion()).choices
    expect(choice?.finish_reason).toBe('tool_calls')
    expect(choice?.message.tool_calls).toMatchObject([
      { function: { name: 'look_up', arguments: '{"what":"Tell me about rivers"}' } },
    ])
  })

  it('reads completions, streamed and whole', async () => {
    const client = clientOf(kind)
    const body = { model, prompt: 'Tell me about rivers', seed: 5, max_tokens: 20 }
    const whole = await client.completions.create(body)
    let text = ''
    for await (const { choices } of await client.completions.create({ ...body, stream: true })) {
      text += choices[0]?.text ?? ''
    }
    expect(text).toBe(whole.choices[0]?.text)
    expect(whole.usage?.completion_tokens).toBe(20)
  })

  it('lists the model', async () => {
    expect((await clientOf(kind).models.list()).data.map(({ id }) => id)).toEqual([model])
  })

  it('meets an error in mid-stream', async () => {
    const stream = await clientOf(kind, 'error=3').chat.completions.create({ ...ask, stream: true })
    const read = async () => {
      let count = 0
      for await (const { choices } of stream) if (choices[0]?.delta.content) count++
      return count
    }
    // Ollama's /v1 swallows it: the stream ends as if it were all.
    if (kind === 'ollama') expect(await read()).toBe(3)
    else await expect(read()).rejects.toThrow(/the model failed/)
  })
})

describe.each(KINDS)('the AI SDK with %s', kind => {
  const modelOf = (directives: string) =>
    createOpenAICompatible({
      name: 'demo',
      baseURL: `${demo.of(kind)}/v1`,
      includeUsage: true,
      headers: { 'x-demo': directives },
    })(model)

  it('streams text with its usage', async () => {
    const result = streamText({ model: modelOf('say=Rivers%20run.%20%F0%9F%A6%89'), prompt: 'Rivers?' })
    let text = ''
    for await (const part of result.textStream) text += part
    expect(text).toBe('Rivers run. 🦉')
    expect(await result.finishReason).toBe('stop')
    expect((await result.usage).outputTokens).toBeGreaterThan(3)
  })

  it('reads a thought apart from the answer', async () => {
    const result = streamText({
      model: modelOf('say=Done.'),
      prompt: 'Rivers?',
      providerOptions: { demo: { reasoningEffort: 'high' } },
    })
    expect(await result.text).toBe('Done.')
    expect((await result.reasoningText)?.length).toBeGreaterThan(10)
  })
})
