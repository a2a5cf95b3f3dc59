import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { SERVER_KINDS } from '../../bridge/demo/surface.ts'
import { CHAT, type Chunk, QUESTION } from '../support/demo.ts'
import { useStage } from '../support/stage.ts'

const TEXT = 'Hello, wörld 🎻\n"quoted", 漢字 – and its end'
const SAY = `say=${encodeURIComponent(TEXT)}`
const USAGE = { stream_options: { include_usage: true } }
const LOGPROBS = { logprobs: true, top_logprobs: 4 }
const tools = [
  {
    type: 'function',
    function: { name: 'look_up', parameters: { type: 'object', properties: { what: { type: 'string' } } } },
  },
]

/** How bytes can come that mean the same. */
const FORMS = [
  ...['crlf', 'cr', 'bom', 'split=7', 'split=97', 'split-utf8', 'batch=3'],
  ...['bom,crlf,split=1', 'cr,split=1', 'half-characters=2', 'lost-logprobs=2', 'no-done'],
]

describe.each(SERVER_KINDS)('what %s answers', kind => {
  const stage = useStage({ kind })

  /** The text of the viewer's only generation. */
  const seen = () => stage.viewer.textOf(stage.viewer.generations[0] as string)

  test('reaches the openai client unchanged, and a viewer sees the same text once, in order', async () => {
    const bodies: Promise<ArrayBuffer>[] = []
    const client = new OpenAI({
      baseURL: `${stage.url}/v1`,
      apiKey: 'sk-test',
      maxRetries: 0,
      defaultHeaders: { 'x-demo': `fixed,split-utf8,${SAY}` },
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        bodies.push(response.clone().arrayBuffer())
        return response
      },
    })
    const asked = { ...CHAT, ...USAGE, stream: true as const }
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const part of await client.chat.completions.create(asked)) {
      text += part.choices[0]?.delta.content ?? ''
      usage = part.usage ?? usage
    }
    const last = await stage.viewer.end()

    expect(text).toBe(TEXT)
    const body = Buffer.concat((await Promise.all(bodies)).map(one => Buffer.from(one)))
    expect(body).toEqual(await stage.direct(`fixed,${SAY}`, USAGE))
    expect(seen()).toBe(TEXT)
    const { tokens, entries, states } = stage.viewer
    expect(tokens.map(({ index }) => index)).toEqual(tokens.map((_, i) => i))
    const seqs = entries.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] as number) + i))
    expect(usage?.completion_tokens).toBeGreaterThan(10)
    expect(last).toMatchObject({
      state: 'done',
      ending: 'stop',
      model: 'tokenscope-demo',
      tokens_processed: usage?.completion_tokens,
      total_tokens: usage?.total_tokens,
      estimated: false,
    })
    const inOrder = ['queued', 'processing_prompt', 'generating', 'done']
    expect(states.map(({ state }) => state)).toEqual(inOrder)
  })

  test.each(FORMS)('is the same text for everybody with %s', async form => {
    // Byte by byte a shorter body does.
    const more = form.includes('split') ? {} : LOGPROBS
    const { body, answer, last } = await stage.take(`fixed,${form},${SAY}`, more)
    const inOnePiece = form.replace(/split[^,]*/, '')
    expect(body).toEqual(await stage.direct(`fixed,${inOnePiece},${SAY}`, more))
    const [choice] = answer.choices
    if (form === 'half-characters=2') expect(choice?.text).toMatch(/🦉.*漢/s)
    else expect(choice?.text).toBe(TEXT)
    expect(seen()).toBe(choice?.text)
    expect(last).toMatchObject({ state: 'done', ending: 'stop', error: null })
  })

  test('is the same text with keep-alives before and between its tokens', async () => {
    const { body, answer } = await stage.take(`pings=1ms,silence=20ms@3,${SAY}`)
    expect(body.toString().split(/^:.*\n\n/m).length).toBeGreaterThan(2)
    expect([answer.choices[0]?.text, seen()]).toEqual([TEXT, TEXT])
  })

  test.each([true, false])('has its log-probabilities shown as it gave them, streamed: %s', async stream => {
    const { answer, body, last } = await stage.take(`fixed,${SAY}`, { stream, ...LOGPROBS })
    expect(body).toEqual(await stage.direct(`fixed,${SAY}`, { stream, ...LOGPROBS }))
    expect(seen()).toBe(TEXT)
    const { tokens } = stage.viewer
    const entries = answer.choices[0]?.entries ?? []
    if (kind === 'lmstudio') {
      expect(entries).toEqual([])
      for (const token of tokens)
        expect(token).toMatchObject({ logprob: null, confidence: null, entropy: null, top: [] })
      return
    }
    expect(entries.length).toBeGreaterThan(10)
    expect(tokens).toMatchObject(
      entries.map(({ id = null, logprob, top_logprobs: top }: Chunk) => ({
        token_id: id,
        logprob,
        confidence: Math.exp(logprob),
        top: top.map((one: Chunk) => ({ text: one.token, logprob: one.logprob })),
      })),
    )
    expect(tokens.some(({ token_id: id }) => id !== null)).toBe(kind === 'llamacpp')
    for (const { entropy, top } of tokens) {
      const shares = top.map(({ logprob }) => Math.exp(logprob))
      const rest = 1 - shares.reduce((sum, share) => sum + share, 0)
      const terms = [...shares, ...(rest > 1e-9 ? [rest] : [])].map(share => -share * Math.log(share))
      expect(entropy).toBeCloseTo(
        terms.reduce((sum, term) => sum + term, 0),
        10,
      )
    }
    expect(last).toMatchObject({ state: 'done', estimated: false })
  })

  test('is divided among its tokens where several come in a chunk, parts of characters included', async () => {
    const { answer } = await stage.take('batch=5,half-characters=3,tokens=60', LOGPROBS)
    expect(seen()).toBe(answer.choices[0]?.text)
    expect(seen()).toContain('🦉')
    expect(seen()).not.toContain('\ufffd')
    if (kind === 'lmstudio') return
    const { tokens } = stage.viewer
    const entries = answer.choices[0]?.entries ?? []
    expect(tokens.map(({ logprob }) => logprob)).toEqual(entries.map(({ logprob }) => logprob))
    // A character belongs to the last of the tokens that made it.
    const owls = tokens.flatMap(({ token_text: text }, i) => (text.includes('🦉') ? [i] : []))
    for (const i of owls)
      expect(tokens.slice(i - 3, i + 1).map(({ token_text: text }) => text)).toEqual(['', '', '', '🦉'])
    const whole = tokens.filter((_, i) => /^\p{ASCII}+$/u.test(entries[i]?.token))
    expect(whole.length).toBeGreaterThan(20)
    expect(whole.map(({ token_text: text }) => text)).toEqual(
      entries.map(({ token }) => token).filter(token => /^\p{ASCII}+$/u.test(token)),
    )
  })

  test('has holes where entries are missing, and zero where a server says zero', async () => {
    const { answer } = await stage.take('lost-logprobs=3,tokens=30', LOGPROBS)
    expect(seen()).toBe(answer.choices[0]?.text)
    if (kind === 'lmstudio') return
    const holes = stage.viewer.tokens.filter(({ logprob }) => logprob === null)
    expect(holes.length).toBeGreaterThan(8)
    for (const { confidence, top } of holes) expect([confidence, top]).toEqual([null, []])
    const before = stage.viewer.tokens.length
    const zeros = await stage.take('sentinels=3,tokens=30', LOGPROBS)
    const tokens = stage.viewer.tokens.slice(before)
    expect(tokens.map(({ confidence }) => confidence === 0)).toEqual(
      zeros.answer.choices[0]?.entries.map(({ logprob }) => logprob < -1000),
    )
    expect(tokens.filter(({ confidence }) => confidence === 0).length).toBeGreaterThan(7)
  })

  test.each([true, false])('is a generation for each of its choices, streamed: %s', async stream => {
    const lengths = (await stage.direct('', { n: 2, ...USAGE, stream: false, ...LOGPROBS })).toString()
    expect(lengths).toContain('"index":1')
    const { answer } = await stage.take('', { n: 2, stream })
    const texts = answer.choices.map(({ text }) => text)
    expect(texts[0]).not.toBe(texts[1])
    const { viewer } = stage
    expect(viewer.generations.map(id => viewer.textOf(id))).toEqual(texts)
  })

  test('ends each choice for its own reason', async () => {
    const counts: number[] = []
    // The same choices with a limit that only one of them meets.
    for (const n of [1, 2]) {
      const whole = JSON.parse((await stage.direct('', { n, stream: false })).toString())
      counts.push(whole.usage.completion_tokens)
    }
    const [first = 0, both = 0] = counts
    const limit = Math.min(first, both - first) + 1
    expect(Math.max(first, both - first)).toBeGreaterThan(limit)
    const { answer } = await stage.take('', { n: 2, max_tokens: limit })
    const { viewer } = stage
    const ended = viewer.generations.map(
      id => viewer.states.find(({ generation, state }) => generation === id && state === 'done')?.ending,
    )
    expect(ended).toEqual(answer.choices.map(({ finish }) => finish))
    expect(ended.toSorted()).toEqual(['length', 'stop'])
  })

  test.each([true, false])('is told apart from its reasoning, streamed: %s', async stream => {
    const { answer } = await stage.take(SAY, { stream, reasoning_effort: 'low' })
    const [choice] = answer.choices
    const of = (kind: string) =>
      stage.viewer.tokens
        .filter(token => token.kind === kind)
        .map(({ token_text: text }) => text)
        .join('')
    expect([of('reasoning'), of('message')]).toEqual([choice?.reasoning, TEXT])
    expect(choice?.reasoning.length).toBeGreaterThan(20)
    const kinds = stage.viewer.tokens.map(token => token.kind)
    expect(kinds.lastIndexOf('reasoning')).toBeLessThan(kinds.indexOf('message'))
  })

  test.each([true, false])('is told apart from its tool calls, streamed: %s', async stream => {
    const asked = { stream, reasoning_effort: 'low', tools, tool_choice: 'required' }
    const { answer, last } = await stage.take('', asked)
    const of = (kind: string) => stage.viewer.tokens.filter(token => token.kind === kind)
    const calls = of('tool_call').map(({ token_text: text }) => text)
    expect(calls.join('')).toBe(`look_up{"what":"${QUESTION[0]?.content}"}`)
    expect(calls.join('')).toBe(answer.choices[0]?.calls)
    expect(
      of('reasoning')
        .map(({ token_text: text }) => text)
        .join(''),
    ).toBe(answer.choices[0]?.reasoning)
    expect(of('message')).toEqual([])
    expect(last).toMatchObject({ state: 'done', ending: 'tool_calls' })
  })
})
