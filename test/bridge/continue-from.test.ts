import { describe, expect, test } from 'vitest'
import { QUESTION } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'
import { useStage } from '../support/stage.ts'

const GREEDY = { temperature: 0, max_tokens: 40 }

interface Answer {
  status: number
  data: { generation: string }
  metadata: Record<string, unknown>
  error: string
  error_code: string
}

async function post(url: string, body: object, path = '/scope/v1/generations'): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, ...(await response.json()) }
}

describe.each(['llamacpp', 'vllm', 'ollama'] as const)('an answer of %s', kind => {
  const stage = useStage({ kind })

  /** A prompt of the page, answered. */
  async function answered(): Promise<{ generation: string; pieces: string[] }> {
    const { data } = await post(stage.url, { messages: QUESTION, ...GREEDY })
    await stage.viewer.end()
    stage.demo.seen.length = 0
    return { ...data, pieces: stage.viewer.tokens.map(token => token.token_text) }
  }
  const sent = () => JSON.parse(stage.demo.seen[0]?.body.toString() ?? '')

  test('is gone on with from any of its tokens, to the same text', async () => {
    const { generation, pieces } = await answered()
    const { status, data } = await post(stage.url, { continue: { generation, index: 11 } })
    expect(status).toBe(201)
    expect(await stage.viewer.end(1)).toMatchObject({ ...data, state: 'done', parent: generation })
    const begun = pieces.slice(0, 12).join('')
    expect(sent().messages).toEqual([...QUESTION, { role: 'assistant', content: begun }])
    expect(sent()).toMatchObject(
      kind === 'vllm' ? { continue_final_message: true, add_generation_prompt: false } : { stream: true },
    )
    const rest = pieces.slice(12).join('')
    expect(rest.length).toBeGreaterThan(20)
    expect(stage.viewer.textOf(data.generation).startsWith(rest)).toBe(true)
  })

  test('is gone on with after what it nearly said', async () => {
    const { generation, pieces } = await answered()
    const other = stage.viewer.tokens[11]?.top.find(({ text }) => text !== pieces[11])?.text as string
    const { data } = await post(stage.url, { continue: { generation, index: 11, text: other } })
    expect(await stage.viewer.end(1)).toMatchObject({ ...data, state: 'done', parent: generation })
    const begun = pieces.slice(0, 11).join('') + other
    expect(sent().messages.at(-1)).toEqual({ role: 'assistant', content: begun })
    // And from there once more: what was said twice over is one message.
    stage.demo.seen.length = 0
    const again = await post(stage.url, { continue: { generation: data.generation, index: 2 } })
    expect(await stage.viewer.end(2)).toMatchObject({ ...again.data, parent: data.generation })
    const more = stage.viewer.tokens.filter(one => one.generation === data.generation).slice(0, 3)
    const whole = begun + more.map(token => token.token_text).join('')
    expect(sent().messages).toEqual([...QUESTION, { role: 'assistant', content: whole }])
  })
})

describe('an answer to an app', () => {
  const stage = useStage({ kind: 'llamacpp' })

  test('is gone on with by its own request, and so is a replay of it', async () => {
    const { last, body } = await stage.take('', { ...GREEDY, top_k: 5 })
    expect(body.length).toBeGreaterThan(0)
    const { generation } = last
    const pieces = stage.viewer.tokens.map(token => token.token_text)
    const speed = { speed: 'unlimited' }
    const replay = await post(stage.url, speed, `/scope/v1/generations/${generation}/replay`)
    await stage.viewer.end(1)
    stage.demo.seen.length = 0
    for (const [i, of] of [generation, replay.data.generation].entries()) {
      await post(stage.url, { continue: { generation: of, index: 4 } })
      expect(await stage.viewer.end(2 + i)).toMatchObject({ state: 'done', parent: of })
      const content = pieces.slice(0, 5).join('')
      expect(JSON.parse(stage.demo.seen[i]?.body.toString() ?? '')).toMatchObject({
        ...{ ...GREEDY, top_k: 5 },
        messages: [...QUESTION, { role: 'assistant', content }],
      })
    }
  })

  test('is refused where it began with a thought, which cannot be given back', async () => {
    const { last } = await stage.take('', { temperature: 0, max_tokens: 200, reasoning_effort: 'low' })
    const { generation } = last
    const kinds = stage.viewer.tokens.map(({ kind }) => kind)
    expect(kinds.lastIndexOf('reasoning')).toBeGreaterThan(0)
    for (const index of [0, kinds.indexOf('message')]) {
      expect(await post(stage.url, { continue: { generation, index } })).toMatchObject({
        status: 409,
        error_code: 'NOT_CONTINUABLE',
        error: expect.stringContaining('it thought or called a tool before'),
      })
    }
  })

  test('is refused with what is wrong, and nobody is asked', async () => {
    const { last } = await stage.take('', { ...GREEDY, max_tokens: 3 })
    const { generation } = last
    stage.demo.seen.length = 0
    const from = (place: object, more: object = {}) => post(stage.url, { continue: place, ...more })
    expect(await from({ generation, index: 3 })).toMatchObject({
      ...{ status: 404, error_code: 'NOT_FOUND' },
      error: `Generation ${generation} has no token 3; 3 are recorded.`,
    })
    expect(await from({ generation: 'g_01J00000000000000000000000', index: 0 })).toMatchObject({
      ...{ status: 404, error_code: 'NOT_FOUND' },
    })
    expect(await from({ generation, index: 0, text: '\ufffd' })).toMatchObject({
      ...{ status: 409, error_code: 'NOT_CONTINUABLE', error: expect.stringContaining('half a character') },
    })
    expect(await from({ generation, index: 0, text: '' })).toMatchObject({ status: 400 })
    expect(await from({ generation, index: -1 })).toMatchObject({ status: 400 })
    expect(await from({ generation })).toMatchObject({
      ...{ status: 400, error: expect.stringContaining('"continue/index" is missing') },
    })
    expect(await from({ generation, index: 0 }, { model: 'm' })).toMatchObject({
      ...{ status: 400, error: expect.stringContaining('leave out "model"') },
    })
    expect(stage.demo.seen).toEqual([])
  })
})

describe('an answer of a server that does not say that it goes on', () => {
  const stage = useStage({ kind: 'lmstudio' })

  test('is refused in words', async () => {
    const { data, metadata } = await post(stage.url, { messages: QUESTION, max_tokens: 5, seed: 3 })
    expect(metadata).toEqual({ left_out: ['seed'] })
    await stage.viewer.end()
    expect(await post(stage.url, { continue: { ...data, index: 2 } })).toMatchObject({
      status: 409,
      error: 'This answer cannot be continued: nothing on /v1/responses goes on with an answer.',
    })
  })

  test('is refused in words where an app asked, too', async () => {
    const { last } = await stage.take('', { max_tokens: 5 })
    expect(await post(stage.url, { continue: { generation: last.generation, index: 2 } })).toMatchObject({
      status: 409,
      error: expect.stringContaining('LM Studio does not say that it goes on with an answer on this path'),
    })
  })
})

test('the embedded model goes on with its own answers, and what was not recorded cannot be gone on with', async () => {
  for (const record of ['full', 'meta'] as const) {
    const scope = await startScope({ upstreams: ['demo'], record })
    const viewer = await Spectator.watch(scope.url)
    const { data } = await post(scope.url, { messages: QUESTION, ...GREEDY, max_tokens: 8 })
    const ended = (id: string) => viewer.states.some(one => one.generation === id && one.state === 'done')
    await expect.poll(() => ended(data.generation), { timeout: 10_000 }).toBe(true)
    const said = viewer.textOf(data.generation)
    const next = await post(scope.url, { continue: { ...data, index: 5 } })
    if (record === 'full') {
      await expect.poll(() => ended(next.data.generation), { timeout: 10_000 }).toBe(true)
      const kept = viewer.tokens.filter(({ generation }) => generation === data.generation).slice(0, 6)
      const begun = kept.map(token => token.token_text).join('')
      const begins = viewer.textOf(next.data.generation).startsWith(said.slice(begun.length))
      expect([next.status, begins]).toEqual([201, true])
    } else {
      expect(next).toMatchObject({
        ...{ status: 409, error_code: 'NOT_CONTINUABLE' },
        error: 'This answer cannot be continued: its request is not recorded.',
      })
    }
    viewer.close()
    await scope.stop()
  }
})
