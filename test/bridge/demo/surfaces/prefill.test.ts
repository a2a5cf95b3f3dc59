import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Demo, QUESTION } from '../../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const FLAGS = { vllm: { continue_final_message: true, add_generation_prompt: false }, llamacpp: {}, demo: {} }

async function answer(kind: keyof typeof FLAGS, messages: object[], more: object = {}) {
  const response = await demo.post(`/${kind}/v1/chat/completions`, {
    messages,
    temperature: 0,
    max_tokens: 60,
    ...more,
  })
  return (await response.json()) as {
    choices: { message: { content: string } }[]
    usage: { prompt_tokens: number }
  }
}
const contentOf = (body: Awaited<ReturnType<typeof answer>>) => body.choices[0]?.message.content ?? ''

describe.each(Object.keys(FLAGS) as (keyof typeof FLAGS)[])('a last message of the assistant at %s', kind => {
  test('is gone on with', async () => {
    const begun = await answer(kind, QUESTION)
    const whole = contentOf(begun)
    const at = whole.indexOf(' ', whole.length / 2)
    expect(at).toBeGreaterThan(10)
    const said = { role: 'assistant', content: whole.slice(0, at) }
    const rest = await answer(kind, [...QUESTION, said], FLAGS[kind])
    expect(contentOf(rest).startsWith(whole.slice(at))).toBe(true)
    expect(rest.usage.prompt_tokens).toBe(begun.usage.prompt_tokens + demo.countOf(said.content))
  })
})

test('vLLM begins another answer if it is not told to go on, and refuses both at once', async () => {
  const whole = contentOf(await answer('vllm', QUESTION))
  const said = { role: 'assistant', content: whole.slice(0, 20) }
  expect(contentOf(await answer('vllm', [...QUESTION, said]))).toBe(whole)
  const both = await demo.post('/vllm/v1/chat/completions', {
    messages: [...QUESTION, said],
    continue_final_message: true,
  })
  expect([both.status, await both.text()]).toEqual([400, expect.stringContaining('continue_final_message')])
  const none = await demo.post('/vllm/v1/chat/completions', {
    messages: QUESTION,
    continue_final_message: true,
    add_generation_prompt: false,
  })
  expect([none.status, await none.text()]).toEqual([400, expect.stringContaining('last message')])
})

test('on Anthropic’s path llama.cpp goes on with it, and others answer anew', async () => {
  const ask = async (kind: string, messages: object[]) => {
    const response = await demo.post(`/${kind}/v1/messages`, {
      model: 'tokenscope-demo',
      messages,
      max_tokens: 40,
      temperature: 0,
    })
    return ((await response.json()) as { content: { text: string }[] }).content[0]?.text ?? ''
  }
  const whole = await ask('llamacpp', QUESTION)
  const at = whole.indexOf(' ', 30)
  const begun = [...QUESTION, { role: 'assistant', content: whole.slice(0, at) }]
  expect((await ask('llamacpp', begun)).startsWith(whole.slice(at))).toBe(true)
  expect(await ask('vllm', begun)).toBe(whole)
})
