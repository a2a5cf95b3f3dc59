import { describe, expect, it } from 'vitest'
import { type Json, MODEL, QUESTION, useDemo } from './demo-client.ts'

// One seed is one answer, whatever path it is asked for on and however it is told.

const demo = useDemo()
const messages = [{ role: 'user', content: QUESTION }]
const LIMIT = 60
const TOP = 4

interface Entry {
  token: string
  logprob: number
  top: [string, number][]
}

interface Surface {
  readonly body: Json
  /** Text of a whole answer. */
  whole(body: Json): string
  /** Text of a chunk of a stream: its JSON and the name of its event. */
  chunk(data: Json): string
  readonly ndjson?: true
  /** Entries of a chunk and of a whole answer; not given where there are none. */
  entries?(data: Json): Json[]
  wholeEntries?(body: Json): Json[]
}

const chat: Surface = {
  body: { model: MODEL, messages, max_tokens: LIMIT, logprobs: true, top_logprobs: TOP },
  whole: body => body.choices[0].message.content,
  chunk: data => data.choices?.[0]?.delta.content ?? '',
}
const tellingChat: Surface = {
  ...chat,
  entries: data => data.choices?.[0]?.logprobs?.content ?? [],
  wholeEntries: body => body.choices[0].logprobs.content,
}
const completions: Surface = {
  body: { model: MODEL, prompt: QUESTION, max_tokens: LIMIT },
  whole: body => body.choices[0].text,
  chunk: data => data.choices?.[0]?.text ?? '',
}
const responses: Surface = {
  body: {
    model: MODEL,
    input: QUESTION,
    max_output_tokens: LIMIT,
    include: ['message.output_text.logprobs'],
    top_logprobs: TOP,
  },
  whole: body => body.output[0].content[0].text,
  chunk: data => (data.type === 'response.output_text.delta' ? data.delta : ''),
}
const tellingResponses: Surface = {
  ...responses,
  entries: data => (data.type === 'response.output_text.delta' ? data.logprobs : []),
  wholeEntries: body => body.output[0].content[0].logprobs,
}
const anthropic: Surface = {
  body: { model: MODEL, messages, max_tokens: LIMIT },
  whole: body => body.content[0].text,
  chunk: data => data.delta?.text ?? '',
}
const ollama: Omit<Surface, 'body' | 'whole' | 'chunk'> = {
  ndjson: true,
  entries: data => data.logprobs ?? [],
  wholeEntries: body => body.logprobs,
}
const options = { num_predict: LIMIT }
const ollamaChat: Surface = {
  ...ollama,
  body: { model: MODEL, messages, options, logprobs: true, top_logprobs: TOP },
  whole: body => body.message.content,
  chunk: data => data.message.content,
}
const ollamaGenerate: Surface = {
  ...ollama,
  body: { model: MODEL, prompt: QUESTION, options, logprobs: true, top_logprobs: TOP },
  whole: body => body.response,
  chunk: data => data.response,
}
const native: Surface = {
  body: { model: MODEL, input: QUESTION, max_output_tokens: LIMIT },
  whole: body => body.output[0].content,
  chunk: data => (data.type === 'message.delta' ? data.content : ''),
}
const llama: Surface = {
  body: { prompt: QUESTION, n_predict: LIMIT, n_probs: TOP },
  whole: body => body.content,
  chunk: data => data.content,
  entries: data => data.completion_probabilities ?? [],
  wholeEntries: body => body.completion_probabilities,
}

const SURFACES: [string, Surface][] = [
  ...['', '/llamacpp', '/ollama', '/vllm'].map(
    kind => [`${kind}/v1/chat/completions`, tellingChat] as [string, Surface],
  ),
  ['/lmstudio/v1/chat/completions', chat],
  ...['', '/lmstudio', '/llamacpp', '/ollama', '/vllm'].map(
    kind => [`${kind}/v1/completions`, completions] as [string, Surface],
  ),
  ...['', '/lmstudio', '/vllm'].map(kind => [`${kind}/v1/responses`, tellingResponses] as [string, Surface]),
  ...['/llamacpp', '/ollama'].map(kind => [`${kind}/v1/responses`, responses] as [string, Surface]),
  ...['', '/lmstudio', '/llamacpp', '/ollama', '/vllm'].map(
    kind => [`${kind}/v1/messages`, anthropic] as [string, Surface],
  ),
  ['/api/v1/chat', native],
  ['/lmstudio/api/v1/chat', native],
  ['/api/v0/chat/completions', chat],
  ['/api/v0/completions', completions],
  ['/api/chat', ollamaChat],
  ['/ollama/api/generate', ollamaGenerate],
  ['/completion', llama],
  ['/llamacpp/completions', llama],
]

function entryOf({ token, logprob, top_logprobs: top }: Json): Entry {
  return { token, logprob, top: top.map((one: Json) => [one.token, one.logprob]) }
}

describe.each([
  ['the model’s own answer', 'seed=5'],
  ['an answer with characters over several tokens', 'seed=5,half-characters=5'],
])('%s', (_name, faults) => {
  const expected = async () => {
    const { body } = await demo.whole('/v1/chat/completions', tellingChat.body, faults)
    return { text: tellingChat.whole(body), entries: (tellingChat.wholeEntries?.(body) ?? []).map(entryOf) }
  }

  it.each(SURFACES)('is the same at %s, streamed and whole', async (path, surface) => {
    const { text, entries } = await expected()
    const { status, body } = await demo.whole(path, { ...surface.body, stream: false }, faults)
    expect(status).toBe(200)
    expect(surface.whole(body)).toBe(text)
    const asked = { ...surface.body, stream: true }
    const chunks = surface.ndjson
      ? await demo.lines(path, asked, faults)
      : (await demo.events(path, asked, faults)).map(({ data }) => data)
    expect(chunks.map(data => surface.chunk(data)).join('')).toBe(text)
    if (!surface.entries || !surface.wholeEntries) return
    // Where parts of characters are told differently, the probabilities are still the same.
    const whole = surface.wholeEntries(body).map(entryOf)
    expect(whole.map(({ logprob }) => logprob)).toEqual(entries.map(({ logprob }) => logprob))
    const told = chunks.flatMap(data => surface.entries?.(data) ?? []).map(entryOf)
    if (faults.includes('half-characters')) expect(whole).toEqual(expect.arrayContaining(told))
    else {
      expect(whole).toEqual(entries)
      expect(told).toEqual(entries)
    }
  })
})
