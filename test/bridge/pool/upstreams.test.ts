import { afterEach, describe, expect, test } from 'vitest'
import type { DemoServerOptions } from '../../../bridge/demo/index.ts'
import type { InstanceReport } from '../../../bridge/pool/instance.ts'
import { QUEUE_LIMIT } from '../../../bridge/pool/pool.ts'
import type { Tokenscope } from '../../../main.ts'
import { CHAT, Demo } from '../../support/demo.ts'
import { RawUpstream, type Script } from '../../support/raw-upstream.ts'
import { type ScopeOverrides, startScope } from '../../support/scope.ts'
import { Spectator } from '../../support/spectator.ts'

interface ActiveEntry {
  queued: boolean
  tokens: number
}

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

async function demoWith(options: DemoServerOptions = {}): Promise<Demo> {
  const demo = await new Demo(options).start()
  cleanup.push(() => demo.stop())
  return demo
}

async function rawWith(models: string[], script?: Script): Promise<RawUpstream> {
  const raw = new RawUpstream(script)
  raw.models = models
  await raw.start()
  cleanup.push(() => raw.stop())
  return raw
}

async function scopeWith(upstreams: string[], more: ScopeOverrides = {}): Promise<Tokenscope> {
  const scope = await startScope({
    upstreams,
    delivery: { retries: 5, firstTokenMs: null, silenceMs: null },
    ...more,
  })
  cleanup.push(() => scope.stop())
  return scope
}

function post(
  scope: Tokenscope,
  path: string,
  body: object,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
) {
  return fetch(scope.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
}

const chat = (scope: Tokenscope, directives = '', body: object = {}, signal?: AbortSignal) =>
  post(scope, '/v1/chat/completions', { ...CHAT, ...body }, { 'x-demo': directives }, signal)

async function reports(scope: Tokenscope): Promise<{ data: InstanceReport[]; metadata: { queued: number } }> {
  return await (await fetch(`${scope.url}/scope/v1/upstreams`)).json()
}

/** Waits until what is said of the upstreams satisfies `condition`. */
async function until(scope: Tokenscope, condition: (of: Awaited<ReturnType<typeof reports>>) => boolean) {
  for (;;) {
    const now = await reports(scope)
    if (condition(now)) return now
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

async function readiness(scope: Tokenscope) {
  const answer = await fetch(`${scope.url}/readyz`, { headers: { accept: 'application/json' } })
  return (await answer.json()).data.components[0]
}

/** Answers every chat with a short whole completion that says who it is. */
const says =
  (who: string): Script =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json')
    const message = { role: 'assistant', content: who }
    response.end(JSON.stringify({ id: 'c', choices: [{ index: 0, message, finish_reason: 'stop' }] }))
  }

const whoAnswers = async (scope: Tokenscope, model: string, path = '/v1/chat/completions') => {
  const answer = await post(scope, path, { ...CHAT, model, stream: false })
  const text = await answer.text()
  return answer.status === 200 ? JSON.parse(text).choices[0].message.content : answer.status
}

describe('several upstreams', () => {
  test('each model is asked for where it is; what nobody lists goes by priority', async () => {
    const a = await rawWith(['shared', 'only-a'], says('a'))
    const b = await rawWith(['shared', 'only-b'], says('b'))
    const scope = await scopeWith([`${a.url},priority=1`, b.url])
    expect(await whoAnswers(scope, 'only-a')).toBe('a')
    expect(await whoAnswers(scope, 'only-b')).toBe('b')
    expect(await whoAnswers(scope, 'shared')).toBe('b')
    expect(await whoAnswers(scope, 'nobody-has-it')).toBe('b')
    // What generates nothing names its model, too.
    expect(await whoAnswers(scope, 'only-a', '/v1/embeddings')).toBe('a')
    await fetch(`${scope.url}/v1/models/only-a`)
    expect(a.seen.at(-1)?.url).toBe('/v1/models/only-a')
  })

  test('when one dies requests go on with the other, and it is used again when it is back', async () => {
    const [a, b] = [await demoWith(), await demoWith()]
    const scope = await scopeWith([a.url, `${b.url},priority=1`])
    const ask = async () => {
      const answer = await chat(scope, 'tokens=3')
      await answer.text()
      return answer.status
    }
    expect(await ask()).toBe(200)
    expect([a.seen.length, b.seen.length]).toEqual([1, 0])
    await a.stop()
    for (let i = 0; i < 5; i++) expect(await ask()).toBe(200)
    expect(b.seen.length).toBe(5)
    const { data } = await reports(scope)
    expect(data.map(({ up }) => up)).toEqual([false, true])
    expect(data[0]?.trouble).toMatch(/ECONNREFUSED/)
    expect(await readiness(scope)).toMatchObject({
      status: 'degraded',
      detail: expect.stringMatching(
        /^1 of 2 upstreams answer, 1 model\. Demo server at .* is not answering \(.*\)\.$/,
      ),
    })
    await a.start()
    await until(scope, ({ data }) => data[0]?.up === true)
    expect(await ask()).toBe(200)
    expect(a.seen.length).toBe(2)
    expect(await readiness(scope)).toMatchObject({
      status: 'ok',
      detail: '2 upstreams answer, 1 model: Demo server and Demo server',
    })
  })

  test('while none answers that is said of each, and asking is refused as unreachable', async () => {
    const a = await demoWith()
    await a.stop()
    const b = await demoWith()
    await b.stop()
    const scope = await scopeWith([a.url, b.url], {
      delivery: { retries: 1, firstTokenMs: null, silenceMs: null },
    })
    expect((await readiness(scope)).detail).toMatch(
      /^None of 2 upstreams answers\. The upstream at http.* is not answering .*\. The upstream .*\. Start them, or/,
    )
    const answer = await chat(scope)
    expect([answer.status, (await answer.json()).error.code]).toEqual([502, 'upstream_unreachable'])
    const models = await fetch(`${scope.url}/v1/models`)
    expect([models.status, (await models.json()).error.code]).toEqual([502, 'upstream_unreachable'])
  })

  test('running generations are spread over those of one priority, and spill over to the next', async () => {
    const [a, b, c] = [await demoWith(), await demoWith(), await demoWith()]
    const scope = await scopeWith([`${a.url},max=2`, `${b.url},max=2`, `${c.url},max=1,priority=1`])
    const going = new AbortController()
    // Kept, since fetch gives an answer up that nobody holds.
    const held: Response[] = []
    for (let i = 0; i < 5; i++) held.push(await chat(scope, 'silence=forever@1', {}, going.signal))
    const { data } = await until(scope, ({ data }) => data.every(({ in_flight, max }) => in_flight === max))
    expect(data.map(({ in_flight }) => in_flight)).toEqual([2, 2, 1])
    const waiting = chat(scope, 'tokens=2')
    expect((await until(scope, ({ metadata }) => metadata.queued === 1)).data).toHaveLength(3)
    const active = (await (await fetch(`${scope.url}/scope/v1/workflows/active`)).json()).data
    expect(active.map(({ queued, tokens }: ActiveEntry) => [queued, tokens])).toEqual([
      ...Array.from({ length: 5 }, () => [false, 1]),
      [true, 0],
    ])
    // A list does not wait for generations.
    expect((await fetch(`${scope.url}/v1/models`)).status).toBe(200)
    going.abort()
    await Promise.all(held.map(one => one.text().catch(() => 'given up')))
    const served = await waiting
    expect([served.status, await served.text()]).toEqual([200, expect.stringContaining('[DONE]')])
    await until(
      scope,
      ({ data, metadata }) => metadata.queued === 0 && data.every(one => one.in_flight === 0),
    )
  })

  test('who finds the queue full is told when to come back, in OpenAI’s form', async () => {
    const demo = await demoWith()
    const scope = await scopeWith([`${demo.url},max=1`])
    const going = new AbortController()
    const all = Array.from({ length: QUEUE_LIMIT + 1 }, () =>
      chat(scope, 'silence=forever@1', {}, going.signal).catch(() => null),
    )
    await until(scope, ({ metadata }) => metadata.queued === QUEUE_LIMIT)
    const refused = await chat(scope)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await refused.json()).error).toMatchObject({ code: 'pool_full', type: 'api_error' })
    going.abort()
    await Promise.all(all)
    const { data } = await until(
      scope,
      ({ data, metadata }) => metadata.queued + (data[0]?.in_flight ?? 0) === 0,
    )
    // Whoever went while waiting was never sent.
    expect([data[0]?.requests, demo.seen.length]).toEqual([1, 1])
  })

  test('an instance that has the model in memory is preferred, and both have it', async () => {
    const cold = new RawUpstream((request, response) => {
      if (request.url === '/api/ps') response.end('{"models":[]}')
      else says('cold')(request, response, Buffer.alloc(0))
    })
    cold.models = ['m']
    cold.answersProbes = true
    await cold.start()
    cleanup.push(() => cold.stop())
    const warm = new RawUpstream((request, response) => {
      if (request.url === '/api/ps') response.end('{"models":[{"name":"m:latest"}]}')
      else says('warm')(request, response, Buffer.alloc(0))
    })
    warm.models = ['m']
    warm.answersProbes = true
    await warm.start()
    cleanup.push(() => warm.stop())
    const scope = await scopeWith([`${cold.url},kind=ollama`, `${warm.url},kind=ollama`])
    expect((await reports(scope)).data.map(({ loaded }) => loaded)).toEqual([[], ['m:latest']])
    for (let i = 0; i < 3; i++) expect(await whoAnswers(scope, 'm')).toBe('warm')
    await warm.stop()
    expect(await whoAnswers(scope, 'm')).toBe('cold')
  })

  test('a path that only one kind has goes to that one', async () => {
    const demo = await demoWith()
    const kinds = ['vllm', 'llamacpp', 'ollama', 'lmstudio'] as const
    const scope = await scopeWith(kinds.map(kind => demo.of(kind)))
    const { data } = await reports(scope)
    expect(data.map(({ kind }) => kind)).toEqual([...kinds])
    expect(new Set(data.map(({ label }) => label)).size).toBe(4)
    for (const [path, kind] of [
      ['/api/v1/models', 'lmstudio'],
      ['/api/tags', 'ollama'],
      ['/props', 'llamacpp'],
    ]) {
      demo.seen.length = 0
      expect((await fetch(scope.url + path)).status).toBe(200)
      expect(demo.seen.map(({ url }) => url)).toEqual([`/${kind}${path}`])
    }
  })

  test('what goes on from an answer goes to who gave it, and gets its error once that one is gone', async () => {
    const [a, b] = [await demoWith(), await demoWith()]
    const scope = await scopeWith([a.url, b.url], {
      delivery: { retries: 1, firstTokenMs: null, silenceMs: null },
    })
    const model = CHAT.model
    const ask = async (more: object) => {
      const answer = await post(scope, '/v1/responses', { model, input: 'Hi', max_output_tokens: 5, ...more })
      return { status: answer.status, body: await answer.json() }
    }
    const first = await ask({})
    expect(first.status).toBe(200)
    // Without it they would take turns, since the slower one of two idle ones is not asked again.
    for (let i = 0; i < 4; i++) {
      const next = await ask({ previous_response_id: first.body.id })
      expect(next.status).toBe(200)
    }
    const [maker, other] = a.seen.length > 0 ? [a, b] : [b, a]
    expect([maker.seen.length, other.seen.length]).toEqual([5, 0])
    expect((await fetch(`${scope.url}/v1/responses/${first.body.id}`)).status).toBe(200)
    await maker.stop()
    expect((await ask({ previous_response_id: first.body.id })).status).toBe(502)
    expect((await ask({})).status).toBe(200)
    expect(other.seen).toHaveLength(1)
  })

  test('the page speaks to one of them as to a single one', async () => {
    const [a, b] = [await demoWith({ kind: 'vllm' }), await demoWith({ kind: 'vllm' })]
    const scope = await scopeWith([a.url, b.url])
    const viewer = await Spectator.watch(scope.url)
    const answer = await post(scope, '/scope/v1/generations', { prompt: 'Hi', max_tokens: 4 })
    expect(answer.status).toBe(201)
    expect(await viewer.end()).toMatchObject({ state: 'done', upstream: new URL(a.url).host })
    viewer.close()
  })
})

describe('the list of models', () => {
  test('of one upstream is passed on as it is', async () => {
    const one = await demoWith({ kind: 'llamacpp' })
    const scope = await scopeWith([one.url])
    const direct = await (await fetch(`${one.url}/v1/models`)).text()
    expect(await (await fetch(`${scope.url}/v1/models`)).text()).toBe(direct)
  })

  test('of several is the union of all that are up, each model as the first of them tells it', async () => {
    const llama = await demoWith({ kind: 'llamacpp' })
    const raw = await rawWith(['x', 'tokenscope-demo'])
    const gone = await rawWith(['gone'])
    const scope = await scopeWith([llama.url, raw.url, gone.url])
    await gone.stop()
    await fetch(`${scope.url}/v1/models`)
    const answer = await fetch(`${scope.url}/v1/models`)
    const [told] = (await (await fetch(`${llama.url}/v1/models`)).json()).data
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(await answer.json()).toEqual({ object: 'list', data: [told, { id: 'x', object: 'model' }] })
  })

  test('is that of the others where one does not answer or gives none', async () => {
    const raw = await rawWith(['x'])
    const broken = await rawWith(['y'])
    const scope = await scopeWith([broken.url, raw.url])
    broken.list = (_request, response) => void response.writeHead(500).end('no')
    const answer = await (await fetch(`${scope.url}/v1/models`)).json()
    expect(answer.data.map(({ id }: { id: string }) => id)).toEqual(['x'])
    raw.list = (_request, response) => void response.writeHead(401).end('{"error":"who are you"}')
    const refused = await fetch(`${scope.url}/v1/models`)
    expect([refused.status, await refused.text()]).toEqual([500, 'no'])
  })
})

describe('an upstream’s own key', () => {
  test('goes to that upstream alone, in place of the app’s, and is nowhere to be seen', async () => {
    const env = process.env.POOL_TEST_KEY
    process.env.POOL_TEST_KEY = 'sk-very-secret'
    cleanup.push(async () => {
      if (env === undefined) delete process.env.POOL_TEST_KEY
      else process.env.POOL_TEST_KEY = env
    })
    const heads: (string | undefined)[] = []
    const keyed = await rawWith(['keyed'], says('keyed'))
    keyed.list = (request, response) => {
      heads.push(request.headers.authorization)
      response.end('{"data":[{"id":"keyed"}]}')
    }
    const open = await rawWith(['open'], says('open'))
    const scope = await scopeWith([`${keyed.url},key-env=POOL_TEST_KEY`, open.url])
    const sent = async (raw: RawUpstream, model: string, headers: Record<string, string>, path?: string) => {
      raw.seen.length = 0
      await post(scope, path ?? '/v1/chat/completions', { ...CHAT, model, stream: false }, headers)
      const { rawHeaders = [] } = raw.seen[0] ?? {}
      return rawHeaders.flatMap((name, i) =>
        /^(authorization|x-api-key)$/i.test(name) && i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : [],
      )
    }
    const own = { Authorization: 'Bearer app' }
    expect(await sent(keyed, 'keyed', own)).toEqual(['authorization: Bearer sk-very-secret'])
    expect(await sent(keyed, 'keyed', {})).toEqual(['authorization: Bearer sk-very-secret'])
    expect(await sent(keyed, 'keyed', { 'x-api-key': 'app' })).toEqual(['x-api-key: sk-very-secret'])
    expect(await sent(keyed, 'keyed', {}, '/v1/messages')).toEqual(['x-api-key: sk-very-secret'])
    expect((await sent(open, 'open', own)).join()).toMatch(/^authorization: Bearer app$/i)
    await fetch(`${scope.url}/v1/models`, { headers: own })
    expect(heads.length).toBeGreaterThan(1)
    expect(new Set(heads)).toEqual(new Set(['Bearer sk-very-secret']))
    const shown = await Promise.all(
      ['/scope/v1/upstreams', '/readyz', '/metrics'].map(async path =>
        (await fetch(scope.url + path)).text(),
      ),
    )
    expect([scope.banner, ...shown].join('\n')).not.toContain('secret')
  })
})

describe('a circuit', () => {
  test('opens on an instance that fails, is shown, and lets it back once it does well', async () => {
    const [bad, good] = [await demoWith(), await demoWith()]
    const scope = await scopeWith([bad.url, `${good.url},priority=1`])
    const state = async () => {
      const label = new URL(bad.url).host
      const text = await (await fetch(`${scope.url}/metrics`)).text()
      return text.split('\n').find(line => line.startsWith(`tokenscope_circuit_state{upstream="${label}"}`))
    }
    expect(await state()).toMatch(/ 0$/)
    bad.server.setFaults('500')
    for (let i = 0; i < 20; i++) expect((await chat(scope)).status).toBe(500)
    expect(await state()).toMatch(/ 2$/)
    const { data } = await reports(scope)
    expect(data[0]).toMatchObject({ up: true, requests: 20, failures: 20 })
    expect(data[0]?.circuit).toMatchObject({ state: 'open', failure_rate: 1, limit: 0.1, samples: 20 })
    expect(data[0]?.circuit.opened_at).toBeGreaterThan(Date.now() / 1000 - 60)
    for (let i = 0; i < 3; i++) expect((await chat(scope, 'tokens=2')).status).toBe(200)
    expect(good.seen).toHaveLength(3)
    bad.server.setFaults('')
    await until(scope, ({ data }) => data[0]?.circuit.state === 'half_open')
    expect(await state()).toMatch(/ 1$/)
    for (let i = 0; i < 3; i++) await (await chat(scope, 'tokens=2')).text()
    await until(scope, ({ data }) => data[0]?.circuit.state === 'closed')
    expect([bad.seen.length, good.seen.length]).toEqual([23, 3])
  })

  test('never opens on the only one', async () => {
    const bad = await demoWith({ faults: '500' })
    const scope = await scopeWith([bad.url])
    for (let i = 0; i < 30; i++) expect((await chat(scope)).status).toBe(500)
    expect((await reports(scope)).data[0]?.circuit).toMatchObject({ state: 'closed', samples: 30 })
  })
})
