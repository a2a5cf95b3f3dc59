import { Compile } from 'typebox/compile'
import { afterEach, describe, expect, test } from 'vitest'
import type { ActiveRequest } from '../../bridge/bridge.ts'
import { entriesOf, UpstreamsAnswer, WorkflowsAnswer } from '../../server/upstream-routes.ts'
import { CHAT } from '../support/demo.ts'
import { useStage } from '../support/stage.ts'

const stage = useStage({}, { limits: { requestsPerMinute: null, tokensPerMinute: null, waitMs: 0 } })
const going: AbortController[] = []
afterEach(() => {
  for (const one of going.splice(0)) one.abort()
})

async function asked(path: string) {
  const response = await fetch(stage.url + path)
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'application/json; charset=utf-8',
  ])
  return await response.json()
}

/** A chat completion whose first tokens have come. */
async function begun(directives: string, body: object = {}) {
  const leaving = new AbortController()
  going.push(leaving)
  const answer = await fetch(`${stage.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-demo': directives },
    body: JSON.stringify({ ...CHAT, ...body }),
    signal: leaving.signal,
  })
  await stage.viewer.until(() => stage.viewer.tokens.length >= 3)
  return answer
}

test('the upstreams are told as they are', async () => {
  const { url } = stage.demo
  const answer = await asked('/scope/v1/upstreams')
  expect(Compile(UpstreamsAnswer).Errors(answer)).toEqual([])
  expect(answer).toEqual({
    success: true,
    metadata: { queued: 0 },
    data: [
      {
        label: new URL(url).host,
        name: 'Demo server',
        url,
        kind: 'demo',
        priority: 0,
        max: 10,
        up: true,
        trouble: null,
        models: ['tokenscope-demo'],
        loaded: null,
        circuit: { state: 'closed', failure_rate: null, limit: 0.1, samples: 0, opened_at: null },
        in_flight: 0,
        ttft_ms_ewma: null,
        requests: 0,
        failures: 0,
      },
    ],
  })
  await begun('silence=forever@3')
  const [busy] = (await asked('/scope/v1/upstreams')).data
  expect(busy).toMatchObject({ in_flight: 1, requests: 1, ttft_ms_ewma: null })
})

test('what is generated is told with how far it is, until it has ended', async () => {
  expect(await asked('/scope/v1/workflows/active')).toEqual({ success: true, data: [], metadata: {} })
  const answer = await begun('silence=forever@3,tokens=5')
  const active = await asked('/scope/v1/workflows/active')
  expect(Compile(WorkflowsAnswer).Errors(active)).toEqual([])
  expect(active.data).toEqual([
    {
      generation: stage.viewer.generations[0],
      state: 'generating',
      model: 'tokenscope-demo',
      upstream: new URL(stage.demo.url).host,
      tokens: 3,
      estimated: expect.any(Boolean),
      progress: null,
      elapsed_ms: expect.any(Number),
      silent_ms: expect.any(Number),
      queued: false,
      stalled: false,
    },
  ])
  const [{ elapsed_ms, silent_ms }] = active.data
  expect(elapsed_ms).toBeGreaterThanOrEqual(silent_ms)
  stage.demo.server.goOn()
  await answer.text()
  await stage.viewer.end()
  expect((await asked('/scope/v1/workflows/active')).data).toEqual([])
})

describe('a generation is stalled', () => {
  const report = (tokens: number, heardAt: number, queued = false): ActiveRequest => ({
    generations: [
      { id: 'g_1', state: 'generating', model: null, tokens, estimated: false, progress: null },
      { id: 'g_2', state: 'done', model: null, tokens, estimated: false, progress: null },
    ],
    upstream: 'u',
    startedAt: 0,
    heardAt,
    queued,
  })
  const stalled = (one: ActiveRequest, now: number) => entriesOf(one, now).map(entry => entry.stalled)

  test('after ten seconds of silence, before its first token after sixty', () => {
    expect(stalled(report(1, 5000), 14_999)).toEqual([false])
    expect(stalled(report(1, 5000), 15_000)).toEqual([true])
    expect(stalled(report(0, 5000), 64_999)).toEqual([false])
    expect(stalled(report(0, 5000), 65_000)).toEqual([true])
  })

  test('not while it waits for a place', () => {
    expect(entriesOf(report(0, 0, true), 1e6)).toMatchObject([
      { generation: 'g_1', queued: true, stalled: false },
    ])
  })
})
