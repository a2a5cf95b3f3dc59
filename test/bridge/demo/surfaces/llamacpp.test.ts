import { describe, expect, it } from 'vitest'
import { type Json, MODEL, model, QUESTION, QUESTION_TOKENS, useDemo } from './demo-client.ts'

const demo = useDemo()
const ask = { prompt: QUESTION, seed: 11 }

async function chunks(change: object = {}, faults?: string): Promise<Json[]> {
  const events = await demo.events('/completion', { ...ask, ...change, stream: true }, faults)
  return events.map(({ event, data }) => {
    expect(event).toBeUndefined()
    return data
  })
}

describe('llama.cpp’s own completion', () => {
  it('streams a token a chunk and ends with all there is to know, without a sentinel', async () => {
    const all = await chunks()
    const last = all.pop()
    for (const [i, chunk] of all.entries()) {
      expect(chunk).toMatchObject({
        index: 0,
        stop: false,
        id_slot: 0,
        tokens_predicted: i + 1,
        tokens_evaluated: QUESTION_TOKENS,
      })
      expect(model.tokenizer.decode(chunk.tokens)).toBe(chunk.content)
      expect(chunk).not.toHaveProperty('timings')
      expect(chunk).not.toHaveProperty('completion_probabilities')
    }
    expect(last).toMatchObject({
      index: 0,
      content: '',
      tokens: [],
      stop: true,
      model: MODEL,
      stop_type: 'eos',
      stopping_word: '',
      tokens_predicted: all.length,
      tokens_evaluated: QUESTION_TOKENS,
      truncated: false,
      prompt: `${QUESTION}\n\n\n`,
      generation_settings: { seed: 11, temperature: 0.7, top_p: 0.9, n_probs: 0, stream: true },
      timings: { cache_n: 0, prompt_n: QUESTION_TOKENS, predicted_n: all.length },
    })
  })

  it.each(['/completion', '/completions'])('is whole at %s what it is streamed', async path => {
    const all = await chunks({ n_probs: 2 })
    const { body } = await demo.whole(path, { ...ask, n_probs: 2, return_tokens: true })
    expect(body).toMatchObject({
      content: all.map(({ content }) => content).join(''),
      tokens: all.flatMap(({ tokens }) => tokens),
      stop: true,
      stop_type: 'eos',
      completion_probabilities: all.flatMap(({ completion_probabilities: entries }) => entries ?? []),
    })
    expect((await demo.whole(path, ask)).body.tokens).toEqual([])
  })

  it('tells n_probs alternatives with ids and bytes', async () => {
    for (const { completion_probabilities: entries, tokens } of (await chunks({ n_probs: 3 })).slice(0, -1)) {
      expect(entries).toHaveLength(1)
      const [{ id, token, bytes, logprob, top_logprobs: top }] = entries
      expect([id]).toEqual(tokens)
      expect(Buffer.from(bytes).toString()).toBe(token)
      expect(logprob).toBeLessThan(0)
      expect(top).toHaveLength(3)
      expect(Object.keys(top[0])).toEqual(['id', 'token', 'bytes', 'logprob'])
    }
  })

  it('ends at the limit or a stop word and says which', async () => {
    const text = (await demo.whole('/completion', ask)).body.content
    const stop = text.slice(10, 15)
    const { body: word } = await demo.whole('/completion', { ...ask, stop: ['§', stop] })
    expect(word).toMatchObject({
      stop_type: 'word',
      stopping_word: stop,
      content: text.slice(0, text.indexOf(stop)),
    })
    const { body: limit } = await demo.whole('/completion', { ...ask, n_predict: 3 })
    expect(limit).toMatchObject({ stop_type: 'limit', stopping_word: '', tokens_predicted: 3 })
  })

  it('tells progress and timings where they are asked for', async () => {
    const all = await chunks({ return_progress: true, timings_per_token: true, n_predict: 3 })
    const progress = all.flatMap(({ prompt_progress: told }) => told ?? [])
    expect(progress.map(({ processed }) => processed)).toEqual([0, QUESTION_TOKENS])
    for (const told of progress) {
      expect(told).toMatchObject({ total: QUESTION_TOKENS, cache: 0, time_ms: expect.any(Number) })
    }
    const timed = all.filter(({ timings }) => timings)
    expect(timed.map(({ timings }) => timings.predicted_n)).toEqual([1, 2, 3, 3])
  })

  it('holds text back until its characters are whole', async () => {
    const all = await chunks({ n_probs: 1, n_predict: 40 }, 'seed=11,half-characters=3')
    const text = all.map(({ content }) => content).join('')
    expect(text).not.toContain('\ufffd')
    expect(Buffer.byteLength(text)).toBeGreaterThan(text.length)
    expect(all.slice(0, -1).every(({ content }) => content !== '')).toBe(true)
    expect(all.at(-1).tokens_predicted).toBeGreaterThan(all.length - 1)
  })

  it('answers several times', async () => {
    const { body } = await demo.whole('/completion', { ...ask, n_cmpl: 2 })
    expect(body.map(({ index }: Json) => index)).toEqual([0, 1])
    const all = await chunks({ n_cmpl: 2 })
    for (const { index, content } of body) {
      expect(
        all
          .filter(one => one.index === index)
          .map(one => one.content)
          .join(''),
      ).toBe(content)
    }
    expect(all.filter(({ stop }) => stop)).toHaveLength(2)
  })

  it('reads a prompt of text and token ids', async () => {
    const plain = await demo.whole('/completion', ask)
    const ids = model.tokenizer.encode(QUESTION)
    for (const prompt of [ids, ['Tell', ...model.tokenizer.encode(' me about rivers')]]) {
      expect((await demo.whole('/completion', { ...ask, prompt })).body.content).toBe(plain.body.content)
    }
  })

  it('tells a failure as its last event', async () => {
    const all = await chunks({}, 'error=2')
    expect(all.at(-1)).toMatchObject({ error: { code: 500, type: 'server_error' } })
    expect(all).toHaveLength(3)
  })

  it('keeps a silent connection alive with comments', async () => {
    const body = { ...ask, stream: true, n_predict: 2 }
    expect(await (await demo.post('/completion', body, 'slow-prefill=20ms')).text()).toContain(':\n\n')
  })

  it.each([
    ['prompt', { prompt: undefined }],
    ['prompt', { prompt: [[1], [2]] }],
    ['prompt', { prompt: [1e9] }],
    ['n_predict', { n_predict: 'all' }],
    ['n_probs', { n_probs: -1 }],
    ['stop', { stop: [''] }],
    ['grammar', { grammar: 'root ::= "x"' }],
    ['post_sampling_probs', { n_probs: 1, post_sampling_probs: true }],
    ['stream', { stream: 'yes' }],
  ])('refuses a bad %s in its form', async (param, change) => {
    for (const kind of ['/llamacpp', '']) {
      const { status, body } = await demo.whole(`${kind}/completion`, { ...ask, ...change })
      expect(status).toBe(400)
      expect(body.error).toMatchObject({ code: 400, type: 'invalid_request_error' })
      expect(body.error.message).toContain(param)
    }
  })

  it('leaves out lost entries and writes its own word for a probability of zero', async () => {
    const told = (await chunks({ n_probs: 2, n_predict: 8 }, 'seed=11,lost-logprobs=2')).slice(0, -1)
    const places = told.map(chunk => 'completion_probabilities' in chunk)
    expect(places).toEqual(told.map((_, i) => i % 2 === 0))
    const { body } = await demo.whole(
      '/completion',
      { ...ask, n_probs: 2, n_predict: 8 },
      'seed=11,sentinels=2',
    )
    const [certain, zero] = body.completion_probabilities
    expect(certain.logprob).toBeGreaterThan(-100)
    expect(zero.logprob).toBeLessThan(-1e38)
  })
})

describe('llama.cpp’s other paths', () => {
  it('has a tokenizer whose ids are the model’s', async () => {
    const content = 'Rivers, ж and 🦉'
    const { body } = await demo.whole('/tokenize', { content })
    expect(body.tokens).toEqual(model.tokenizer.encode(content))
    expect((await demo.whole('/detokenize', { tokens: body.tokens })).body).toEqual({ content })
    const { body: pieces } = await demo.whole('/tokenize', { content, with_pieces: true })
    const bytes = pieces.tokens.flatMap(({ piece }: Json) =>
      typeof piece === 'string' ? [...Buffer.from(piece)] : piece,
    )
    expect(Buffer.from(bytes).toString()).toBe(content)
    expect((await demo.whole('/detokenize', { tokens: [1e9] })).status).toBe(400)
  })

  it('is healthy, has properties and slots', async () => {
    expect(await demo.get('/llamacpp/health')).toEqual({ status: 200, body: { status: 'ok' } })
    const { body: props } = await demo.get('/props')
    expect(props).toMatchObject({
      total_slots: 1,
      default_generation_settings: { params: { temperature: 0.7, top_p: 0.9 } },
      modalities: { vision: false },
      is_sleeping: false,
    })
    expect((await demo.get('/slots')).body).toEqual([
      { id: 0, n_ctx: props.default_generation_settings.n_ctx, speculative: false, is_processing: false },
    ])
  })
})

describe('vLLM’s other paths', () => {
  it('is healthy without a word, and has a version', async () => {
    expect(await demo.get('/vllm/health')).toEqual({ status: 200, body: '' })
    expect((await demo.get('/vllm/version')).body.version).toMatch(/^\d+\.\d+/)
  })

  it('has a tokenizer whose ids are the model’s', async () => {
    const prompt = 'Rivers and ж'
    const { body } = await demo.whole('/vllm/tokenize', { model: MODEL, prompt })
    expect(body).toMatchObject({ tokens: model.tokenizer.encode(prompt), token_strs: null })
    expect(body.count).toBe(body.tokens.length)
    expect(body.max_model_len).toBeGreaterThan(1000)
    expect((await demo.whole('/vllm/detokenize', { tokens: body.tokens })).body).toEqual({ prompt })
    const { body: strings } = await demo.whole('/vllm/tokenize', {
      prompt: 'a river',
      return_token_strs: true,
    })
    expect(strings.token_strs.join('')).toBe('a river')
    const messages = [{ role: 'user', content: QUESTION }]
    expect((await demo.whole('/vllm/tokenize', { messages })).body.count).toBe(QUESTION_TOKENS)
  })

  it('refuses what it cannot read in its form', async () => {
    const { status, body } = await demo.whole('/vllm/tokenize', { prompt: 7 })
    expect([status, body.error.type]).toEqual([400, 'BadRequestError'])
    expect((await demo.whole('/vllm/detokenize', { tokens: ['x'] })).status).toBe(400)
    expect((await demo.whole('/vllm/tokenize', { model: 'x', prompt: '' })).status).toBe(404)
  })
})
