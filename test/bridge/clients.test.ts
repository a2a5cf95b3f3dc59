import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../bridge/demo/surface.ts'
import type { NeuralStateEntry } from '../../events/generation.ts'
import { QUESTION } from '../support/demo.ts'
import { useStage } from '../support/stage.ts'

// What programs people use read through Tokenscope: the same as without it, and a viewer sees it too.

const model = 'tokenscope-demo'
const ask = { model, messages: QUESTION, seed: 5, max_tokens: 40 }
const HEADERS = { 'x-demo': 'fixed' }
/** A line of Ollama's, of either path. */
interface Line {
  message?: { content: string; thinking?: string | undefined }
  response?: string
}

const TOOL = {
  type: 'function' as const,
  function: { name: 'look_up', parameters: { type: 'object', properties: { what: { type: 'string' } } } },
}

describe.each(SERVER_KINDS)('through Tokenscope, %s', kind => {
  const stage = useStage({ kind })
  const both = async <T>(run: (url: string) => Promise<T>): Promise<[through: T, direct: T]> => [
    await run(stage.url),
    await run(stage.demo.url),
  ]
  const clientOf = (url: string) =>
    new OpenAI({ apiKey: 'none', baseURL: `${url}/v1`, maxRetries: 0, defaultHeaders: HEADERS })
  const textOfKind = (last: NeuralStateEntry, of: string) =>
    stage.viewer.tokens
      .filter(token => token.generation === last.generation && token.kind === of)
      .map(({ token_text }) => token_text)
      .join('')

  test('OpenAI’s client reads a chat: streamed, whole, with tools, several choices', async () => {
    const run = async (url: string) => {
      const { chat } = clientOf(url)
      const whole = await chat.completions.create({ ...ask, logprobs: true })
      const streamed = await chat.completions.stream({ ...ask, logprobs: true }).finalChatCompletion()
      const tools = { ...ask, tools: [TOOL], tool_choice: 'required' as const }
      const called = await chat.completions.stream(tools).finalChatCompletion()
      const several = await chat.completions.create({ ...ask, n: 2 })
      return { whole, streamed, called, several }
    }
    const [through, direct] = await both(run)
    expect(through).toEqual(direct)
    const { viewer } = stage
    const text = direct.whole.choices[0]?.message.content
    expect(text?.length).toBeGreaterThan(40)
    for (const nth of [0, 1]) {
      const last = await viewer.end(nth)
      expect([last.state, textOfKind(last, 'message')]).toEqual(['done', text])
    }
    const call = await viewer.end(2)
    expect(textOfKind(call, 'tool_call')).toContain('Tell me about rivers')
    const texts = [await viewer.end(3), await viewer.end(4)].map(last => textOfKind(last, 'message'))
    expect(texts.sort()).toEqual(direct.several.choices.map(({ message }) => message.content).sort())
  })

  test('OpenAI’s client reads completions and responses', async () => {
    const run = async (url: string) => {
      const client = clientOf(url)
      const completion = { model, prompt: 'Tell me about rivers', seed: 5, max_tokens: 20 }
      let text = ''
      for await (const { choices } of await client.completions.create({ ...completion, stream: true })) {
        text += choices[0]?.text ?? ''
      }
      const response = { model, input: 'Tell me about rivers', max_output_tokens: 20, temperature: 0 }
      const streamed = await client.responses.stream(response).finalResponse()
      const whole = await client.responses.create(response)
      return { text, streamed: streamed.output_text, whole: whole.output_text, end: streamed.status }
    }
    const [through, direct] = await both(run)
    expect(through).toEqual(direct)
    const shown = []
    for (const nth of [0, 1, 2]) shown.push(textOfKind(await stage.viewer.end(nth), 'message'))
    expect(shown).toEqual([direct.text, direct.streamed, direct.whole])
  })

  test('the AI SDK streams text and a thought', async () => {
    const run = async (url: string) => {
      const provider = createOpenAICompatible({
        name: 'demo',
        baseURL: `${url}/v1`,
        includeUsage: true,
        headers: { 'x-demo': 'fixed,seed=4,tokens=30' },
      })
      const result = streamText({
        model: provider(model),
        prompt: 'Rivers?',
        providerOptions: { demo: { reasoningEffort: 'high' } },
      })
      const text = await result.text
      return { text, thought: await result.reasoningText, usage: (await result.usage).outputTokens }
    }
    const [through, direct] = await both(run)
    expect(through).toEqual(direct)
    const last = await stage.viewer.end()
    expect(last).toMatchObject({ tokens_processed: direct.usage, estimated: false })
    expect(textOfKind(last, 'message')).toBe(direct.text)
    expect(textOfKind(last, 'reasoning')).toBe(direct.thought)
  })

  test('curl -N sees each token as it comes', async () => {
    stage.demo.server.setFaults('tokens=4,silence=60s@2')
    const body = JSON.stringify({ ...ask, stream: true })
    const curl = spawn('curl', [
      '-sN',
      `${stage.url}/v1/chat/completions`,
      '-d',
      body,
      '-H',
      'content-type: application/json',
    ])
    try {
      let seen = ''
      curl.stdout.on('data', (chunk: Buffer) => {
        seen += chunk
      })
      // The answer stands still, so what curl has by now it was given at once.
      await stage.viewer.until(() => stage.viewer.tokens.length === 2)
      while ((seen.match(/"content":"[^"]/g) ?? []).length < 2) await once(curl.stdout, 'data')
      expect(seen).not.toContain('[DONE]')
      stage.demo.server.goOn()
      expect(await exitOf(curl)).toBe(0)
      expect(seen).toContain('[DONE]')
    } finally {
      curl.kill('SIGKILL')
      stage.demo.server.setFaults('')
    }
    expect(await stage.viewer.end()).toMatchObject({ state: 'done', tokens_processed: 4 })
  })
})

describe('through Tokenscope, Ollama’s own client', () => {
  const stage = useStage({ kind: 'ollama' })
  const options = { seed: 5, num_predict: 20 }

  test('chats and generates, streamed and whole, with its thought and its tools', async () => {
    const run = async (host: string) => {
      const ollama = new Ollama({ host, headers: HEADERS })
      const messages = QUESTION
      const said: (string | undefined)[] = []
      const add = async (parts: AsyncIterable<Line>) => {
        let text = ''
        for await (const { message, response } of parts)
          text += response ?? `${message?.thinking ?? ''}${message?.content ?? ''}`
        said.push(text)
      }
      await add(await ollama.chat({ model, messages, options, stream: true, think: true }))
      await add(await ollama.generate({ model, prompt: 'Rivers?', options, stream: true }))
      said.push((await ollama.chat({ model, messages, options })).message.content)
      said.push((await ollama.generate({ model, prompt: 'Rivers?', options })).response)
      return said
    }
    const through = await run(stage.url)
    expect(through).toEqual(await run(stage.demo.url))
    for (const [nth, text] of through.entries()) {
      const last = await stage.viewer.end(nth)
      expect(last).toMatchObject({ state: 'done', estimated: false })
      expect(stage.viewer.textOf(last.generation)).toBe(text)
      expect(last.timings?.generation_ms).toEqual(expect.any(Number))
    }
  })

  test('lists, shows and asks what runs', async () => {
    const run = async (host: string) => {
      const ollama = new Ollama({ host })
      const { models } = await ollama.list()
      const shown = await ollama.show({ model })
      const running = await ollama.ps()
      return [models.map(({ name }) => name), shown.details, running.models.map(({ name }) => name)]
    }
    expect(await run(stage.url)).toEqual(await run(stage.demo.url))
  })

  test('meets the errors of the server, and an abort of its own', async () => {
    const run = async (host: string) => {
      const ollama = new Ollama({ host, headers: { 'x-demo': 'error=2' } })
      const parts = await ollama.chat({ model, messages: QUESTION, options, stream: true })
      const read = async () => {
        for await (const _ of parts);
      }
      return read().catch((error: Error) => error.message)
    }
    expect(await run(stage.url)).toBe(await run(stage.demo.url))
    expect(await stage.viewer.end()).toMatchObject({ state: 'failed', ending: 'error' })
    const ollama = new Ollama({ host: stage.url, headers: { 'x-demo': 'silence=60s@2' } })
    const parts = await ollama.chat({ model, messages: QUESTION, stream: true })
    const read = async () => {
      for await (const _ of parts) parts.abort()
    }
    await expect(read()).rejects.toThrow(/abort/i)
    expect(await stage.viewer.end(1)).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
  })
})

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}
