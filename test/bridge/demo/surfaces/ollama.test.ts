import { Ollama } from 'ollama'
import { describe, expect, it } from 'vitest'
import { createDemoServer } from '../../../../bridge/demo/index.ts'
import { soon } from '../../../support/soon.ts'
import { type Json, MODEL, model, QUESTION, QUESTION_TOKENS, useDemo } from './demo-client.ts'

const demo = useDemo()
// The official client writes into the request that it is given.
const ask = Object.freeze({
  model: MODEL,
  messages: [{ role: 'user', content: QUESTION }],
  options: { seed: 11 },
})
const tool = {
  type: 'function',
  function: { name: 'find_river', parameters: { type: 'object', properties: { name: { type: 'string' } } } },
}

const clientOf = (kind = '') => new Ollama({ host: demo.url + kind })

async function chat(change: object = {}, kind = ''): Promise<Json[]> {
  const lines: Json[] = []
  for await (const line of await clientOf(kind).chat({ ...ask, ...change, stream: true })) lines.push(line)
  return lines
}

const spoken = (lines: readonly Json[], key = 'content') =>
  lines.map(({ message }) => message[key] ?? '').join('')

describe('Ollama’s own paths', () => {
  it('streams lines, the last with counts and durations in nanoseconds', async () => {
    const response = await demo.post('/api/chat', ask)
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    await response.text()
    for (const kind of ['', '/ollama']) {
      const lines = await chat({}, kind)
      const last = lines.pop()
      for (const line of lines) {
        expect(line).toMatchObject({ model: MODEL, message: { role: 'assistant' }, done: false })
        expect(Object.keys(line)).toEqual(['model', 'created_at', 'message', 'done'])
      }
      expect(last).toMatchObject({
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: 'stop',
        prompt_eval_count: QUESTION_TOKENS,
        eval_count: lines.length,
      })
      const durations = ['total_duration', 'load_duration', 'prompt_eval_duration', 'eval_duration']
      for (const name of durations) expect(Number.isInteger(last[name])).toBe(true)
      expect(last.total_duration).toBeGreaterThanOrEqual(last.prompt_eval_duration + last.eval_duration)
    }
  })

  it('streams unless it is not to, and is whole the same', async () => {
    const whole = await clientOf().chat({ ...ask })
    const lines = await chat()
    expect(whole.message).toEqual({ role: 'assistant', content: spoken(lines) })
    expect(whole).toMatchObject({ done: true, done_reason: 'stop', eval_count: lines.length - 1 })
    expect((await demo.lines('/api/chat', ask)).length).toBe(lines.length)
  })

  it('tells log-probabilities where they are asked for', async () => {
    const lines = await chat({ logprobs: true, top_logprobs: 4 })
    const entries = lines.flatMap(({ logprobs }) => logprobs ?? [])
    expect(entries.map(({ token }) => token).join('')).toBe(spoken(lines))
    for (const { token, logprob, bytes, top_logprobs: top } of entries) {
      expect(Buffer.from(bytes).toString()).toBe(token)
      expect(logprob).toBeLessThan(0)
      expect(top).toHaveLength(4)
    }
    expect((await clientOf().chat({ ...ask, logprobs: true, top_logprobs: 4 })).logprobs).toEqual(entries)
    const bare = await clientOf().chat({ ...ask, logprobs: true })
    expect(bare.logprobs).toHaveLength(entries.length)
    expect(await clientOf().chat({ ...ask, top_logprobs: 4 })).not.toHaveProperty('logprobs')
  })

  it('leaves out lost entries, and tells how long the model took to load', async () => {
    const lines = await demo.lines('/api/chat', { ...ask, logprobs: true }, 'lost-logprobs=2,slow-load=5ms')
    const last = lines.pop()
    expect(lines.map(line => line.logprobs?.length)).toEqual(
      lines.map((_, i) => (i % 2 === 0 ? 1 : undefined)),
    )
    expect(last.load_duration).toBeGreaterThan(0)
  })

  it.each([true, 'high' as const])('thinks first with think %s', async think => {
    const lines = await chat({ think })
    const thought = spoken(lines, 'thinking')
    expect(thought.length).toBeGreaterThan(10)
    const firstWord = lines.findIndex(({ message }) => message.content !== '')
    expect(lines.slice(firstWord, -1).every(({ message }) => message.thinking === undefined)).toBe(true)
    const whole = await clientOf().chat({ ...ask, think })
    expect(whole.message).toMatchObject({ thinking: thought, content: spoken(lines) })
    const generated = await clientOf().generate({
      model: MODEL,
      prompt: QUESTION,
      think,
      options: ask.options,
    })
    expect(generated).toMatchObject({ thinking: thought, response: spoken(lines) })
    expect((await chat({ think: false })).some(({ message }) => message.thinking)).toBe(false)
  })

  it('calls a tool in one piece, and answers when it has the result', async () => {
    const lines = await chat({ tools: [tool] })
    expect(lines).toHaveLength(2)
    const [call] = lines[0].message.tool_calls
    expect(call).toMatchObject({ function: { name: 'find_river', arguments: { name: QUESTION } } })
    expect(lines[1]).toMatchObject({ done: true, done_reason: 'stop' })
    const whole = await clientOf().chat({ ...ask, tools: [tool] })
    expect(whole.message).toMatchObject({ content: '', tool_calls: [{ function: call.function }] })
    const messages = [
      ...ask.messages,
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', content: 'the Rhine', tool_name: 'find_river' },
    ]
    expect(spoken(await chat({ tools: [tool], messages }))).toBe(spoken(await chat()))
  })

  it('goes on with an answer that a last message of the assistant begins', async () => {
    const options = { ...ask.options, temperature: 0 }
    const whole = spoken(await chat({ options }))
    const begun = whole.slice(0, whole.indexOf(' ', 20))
    const messages = [...ask.messages, { role: 'assistant', content: begun }]
    const rest = spoken(await chat({ messages, options }))
    expect(rest.length).toBeGreaterThan(20)
    expect(rest.startsWith(whole.slice(begun.length)) || whole.slice(begun.length).startsWith(rest)).toBe(
      true,
    )
  })

  it('generates with the tokens of prompt and answer as context', async () => {
    const client = clientOf()
    const request = { model: `${MODEL}:latest`, prompt: QUESTION, options: ask.options }
    const whole = await client.generate(request)
    expect(whole.response).toBe(spoken(await chat()))
    expect(whole.model).toBe(request.model)
    expect(whole.context).toHaveLength(whole.prompt_eval_count + whole.eval_count)
    expect(model.tokenizer.decode(whole.context.slice(whole.prompt_eval_count))).toBe(whole.response)
    let text = ''
    for await (const line of await client.generate({ ...request, context: whole.context, stream: true })) {
      text += line.response ?? ''
      expect('context' in line).toBe(line.done)
    }
    expect(text).toBe(whole.response)
  })

  it('keeps to num_predict, stop and temperature', async () => {
    const text = spoken(await chat())
    const cut = await clientOf().chat({ ...ask, options: { ...ask.options, num_predict: 3 } })
    expect(cut).toMatchObject({ done_reason: 'length', eval_count: 3 })
    const stop = text.slice(10, 15)
    const stopped = await clientOf().chat({ ...ask, options: { ...ask.options, stop: ['§', stop] } })
    expect(stopped.message.content).toBe(text.slice(0, text.indexOf(stop)))
    const greedy = (seed: number) => clientOf().chat({ ...ask, options: { seed, temperature: 0 } })
    expect((await greedy(1)).message.content).toBe((await greedy(2)).message.content)
  })

  it('only loads where there is nothing to answer', async () => {
    expect(await clientOf().chat({ model: MODEL })).toMatchObject({ done: true, done_reason: 'load' })
    expect(await clientOf().generate({ model: MODEL, prompt: '' })).toMatchObject({
      response: '',
      done_reason: 'load',
    })
  })

  it('breaks a stream off with a line that holds the error', async () => {
    const lines = await demo.lines('/api/chat', ask, 'error=2')
    expect(lines).toHaveLength(3)
    expect(Object.keys(lines[2])).toEqual(['error'])
    const client = new Ollama({ host: demo.url, headers: { 'x-demo': 'error=2' } })
    await expect(async () => {
      for await (const _ of await client.chat({ ...ask, stream: true }));
    }).rejects.toThrow(lines[2].error)
  })

  it('stops when the client aborts', async () => {
    const slow = createDemoServer({ tokensPerSecond: 20, model })
    const { url } = await slow.start()
    const client = new Ollama({ host: url })
    const stream = await client.chat({ ...ask, stream: true })
    await expect(async () => {
      for await (const _ of stream) stream.abort()
    }).rejects.toThrow(/abort/i)
    await soon(() => expect(slow.active).toBe(0))
    await slow.stop()
  })

  it('lists, shows and runs the model', async () => {
    const client = clientOf()
    const { models } = await client.list()
    expect(models).toMatchObject([
      { name: `${MODEL}:latest`, details: { family: 'ngram', parameter_size: expect.stringMatching(/K$/) } },
    ])
    expect(models[0]?.digest).toMatch(/^[0-9a-f]{64}$/)
    const { models: running } = await client.ps()
    expect(running).toMatchObject([{ name: `${MODEL}:latest`, size_vram: 0, digest: models[0]?.digest }])
    const shown = (await client.show({ model: MODEL })) as Json
    expect(shown).toMatchObject({
      details: models[0]?.details,
      capabilities: ['completion', 'tools', 'thinking'],
    })
    expect(shown.model_info['general.parameter_count']).toBe(model.language.ngrams)
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/)
    expect((await demo.get('/ollama/')).body).toBe('Ollama is running')
  })

  it('says in its own form that a model is missing', async () => {
    const missing = { status: 404, body: { error: "model 'llama' not found" } }
    for (const path of ['/api/chat', '/api/generate', '/api/show']) {
      expect(await demo.whole(path, { model: 'llama' })).toEqual(missing)
    }
    await expect(clientOf('/ollama').chat({ ...ask, model: 'llama' })).rejects.toMatchObject({
      status_code: 404,
    })
  })

  it.each([
    ['model', { model: undefined }],
    ['messages', { messages: 7 }],
    ['messages[0].role', { messages: [{ role: 'king', content: '' }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: [] }] }],
    ['messages[0].images', { messages: [{ role: 'user', content: '', images: ['x'] }] }],
    ['tools[0].function.name', { tools: [{}] }],
    ['options', { options: 7 }],
    ['temperature', { options: { temperature: 'hot' } }],
    ['num_predict', { options: { num_predict: 1.5 } }],
    ['stop', { options: { stop: [''] } }],
    ['think', { think: 'deep' }],
    ['top_logprobs', { logprobs: true, top_logprobs: 21 }],
    ['logprobs', { logprobs: 1 }],
    ['stream', { stream: 'yes' }],
    ['format', { format: 'json' }],
  ])('refuses a bad %s', async (param, change) => {
    const { status, body } = await demo.whole('/api/chat', { ...ask, ...change })
    expect(status).toBe(400)
    expect(Object.keys(body)).toEqual(['error'])
    expect(body.error).toContain(param)
  })

  it.each([
    ['prompt', { prompt: 7 }],
    ['insert', { suffix: 'end' }],
    ['context', { context: [1e9] }],
    ['context', { context: 'x' }],
  ])('refuses a bad %s to generate with', async (param, change) => {
    const { status, body } = await demo.whole('/api/generate', { model: MODEL, prompt: QUESTION, ...change })
    expect(status).toBe(400)
    expect(body.error).toContain(param)
  })
})
