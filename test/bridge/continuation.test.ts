import { describe, expect, test } from 'vitest'
import { send, textOf } from '../support/app.ts'
import { QUESTION } from '../support/demo.ts'
import { useStage } from '../support/stage.ts'

const GREEDY = { temperature: 0, max_tokens: 60 }

async function goOn(
  url: string,
  body: object,
): Promise<{ status: number; data: { generation: string }; error: string; error_code: string }> {
  const response = await fetch(`${url}/scope/v1/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, ...(await response.json()) }
}

describe.each(['llamacpp', 'vllm'] as const)('an answer of %s that broke off', kind => {
  const stage = useStage({ kind })

  test('is gone on with as a new generation that names it, to the same text', async () => {
    const { viewer, demo } = stage
    const { last: whole } = await stage.take('', GREEDY)
    const text = viewer.textOf(whole.generation)
    const bytes = (await stage.direct('fixed', GREEDY)).length
    const { last: broken } = await stage.take(`cut=${Math.floor(bytes / 2)}`, GREEDY)
    expect(broken).toMatchObject({ state: 'interrupted' })
    const begun = viewer.textOf(broken.generation)
    expect(text.startsWith(begun) && begun.length > 20).toBe(true)
    demo.seen.length = 0
    const { status, data } = await goOn(stage.url, { parent: broken.generation })
    expect(status).toBe(201)
    const last = await viewer.end(2)
    expect(last).toMatchObject({ generation: data.generation, state: 'done', parent: broken.generation })
    const states = viewer.states.filter(({ generation }) => generation === data.generation)
    expect(states.every(({ parent }) => parent === broken.generation)).toBe(true)
    expect(demo.seen).toHaveLength(1)
    const sent = JSON.parse(demo.seen[0]?.body.toString() ?? '')
    expect(sent.messages).toEqual([...QUESTION, { role: 'assistant', content: begun }])
    expect(sent).toMatchObject(
      kind === 'vllm' ? { continue_final_message: true, add_generation_prompt: false } : { stream: true },
    )
    expect(viewer.textOf(data.generation).startsWith(text.slice(begun.length))).toBe(true)
  })

  test('can be gone on with again where that broke off as well', async () => {
    const { viewer, demo } = stage
    const { last: first } = await stage.take('say=one%20two%20three%20four,drop=900', {})
    const begun = viewer.textOf(first.generation)
    demo.server.setFaults('say=%20five%20six%20seven%20eight%20nine,drop=1200')
    await goOn(stage.url, { parent: first.generation })
    const second = await viewer.end(1)
    expect(second).toMatchObject({ state: 'interrupted', parent: first.generation })
    const more = viewer.textOf(second.generation)
    demo.server.setFaults('')
    demo.seen.length = 0
    await goOn(stage.url, { parent: second.generation })
    expect(await viewer.end(2)).toMatchObject({ state: 'done', parent: second.generation })
    const { messages } = JSON.parse(demo.seen[0]?.body.toString() ?? '')
    expect(messages).toEqual([...QUESTION, { role: 'assistant', content: begun + more }])
  })

  test('a completion of a text goes on after prompt and text', async () => {
    const { viewer, demo } = stage
    const body = { model: 'tokenscope-demo', prompt: 'Once upon', stream: true }
    const headers = { 'content-type': 'application/json', 'x-demo': 'say=%20a%20time%20there%20was,drop=900' }
    const answer = await send(stage.url, { path: '/v1/completions', headers, body })
    await textOf(answer).catch(() => {})
    const broken = await viewer.end()
    expect(broken.state).toBe('interrupted')
    const begun = viewer.textOf(broken.generation)
    demo.seen.length = 0
    await goOn(stage.url, { parent: broken.generation })
    await viewer.end(1)
    expect(demo.seen[0]?.url).toBe('/v1/completions')
    expect(JSON.parse(demo.seen[0]?.body.toString() ?? '')).toMatchObject({ prompt: `Once upon${begun}` })
  })
})

describe('what cannot be gone on with is refused with its reason', () => {
  const stage = useStage({ kind: 'lmstudio' })

  test('where the server does not say that it goes on', async () => {
    const { last } = await stage.take('say=one%20two%20three%20four,drop=1200')
    expect(last.state).toBe('interrupted')
    expect(await goOn(stage.url, { parent: last.generation })).toMatchObject({
      status: 409,
      error_code: 'NOT_CONTINUABLE',
      error:
        'This answer cannot be continued: LM Studio does not say that it goes on with an answer on this path.',
    })
  })

  test('where there is no text yet', async () => {
    const { last } = await stage.take('drop=150')
    expect(await goOn(stage.url, { parent: last.generation })).toMatchObject({
      status: 409,
      error: expect.stringContaining('no text yet'),
    })
  })

  test('where it came to its end, or never was', async () => {
    const { last } = await stage.take('', { max_tokens: 2 })
    for (const parent of [last.generation, 'g_01J00000000000000000000000']) {
      expect(await goOn(stage.url, { parent })).toMatchObject({ status: 404, error_code: 'NOT_FOUND' })
    }
  })

  test('and so is a parent with a prompt of its own', async () => {
    for (const more of [{ prompt: 'x' }, { messages: [] }, { model: 'm' }]) {
      expect(await goOn(stage.url, { parent: 'g_x', ...more })).toMatchObject({
        status: 400,
        error: expect.stringContaining(Object.keys(more)[0] as string),
      })
    }
  })
})
