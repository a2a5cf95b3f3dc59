import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { RawUpstream } from '../support/raw-upstream.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'
import { useStage } from '../support/stage.ts'

const stage = useStage()
afterEach(() => stage.demo.server.setFaults(''))

function post(body: unknown, type = 'application/json', url = stage.url) {
  return fetch(`${url}/scope/v1/generations`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

test('a prompt of the page is sent with logprobs asked for, and shown', async () => {
  const { viewer, demo } = stage
  demo.server.setFaults('say=Yes%2C it is')
  const response = await post({ prompt: 'Is it?', temperature: 0.5, seed: 7 })
  expect(response.status).toBe(201)
  const { success, data, metadata } = await response.json()
  expect({ success, metadata }).toEqual({ success: true, metadata: {} })
  expect(data.generation).toMatch(/^g_[0-9A-HJKMNP-TV-Z]{26}$/)
  const last = await viewer.end()
  expect(last).toMatchObject({ generation: data.generation, state: 'done', model: 'tokenscope-demo' })
  expect(viewer.textOf(data.generation)).toBe('Yes, it is')
  for (const { logprob, confidence, top } of viewer.tokens) {
    expect(confidence).toBe(Math.exp(logprob as number))
    expect(top).toHaveLength(5)
  }
  expect(JSON.parse(demo.seen[0]?.body.toString() ?? '')).toEqual({
    model: 'tokenscope-demo',
    messages: [{ role: 'user', content: 'Is it?' }],
    temperature: 0.5,
    seed: 7,
    stream: true,
    stream_options: { include_usage: true },
    logprobs: true,
    top_logprobs: 5,
  })
})

test.each<[string, unknown, number, string, RegExp]>([
  ['nothing', {}, 400, 'EMPTY_PROMPT', /no prompt/],
  ['an empty prompt', { prompt: ' \n' }, 400, 'EMPTY_PROMPT', /no prompt/],
  ['no messages', { messages: [] }, 400, 'EMPTY_PROMPT', /no prompt/],
  ['both', { prompt: 'a', messages: [] }, 400, 'BAD_REQUEST', /not both/],
  ['a number for a prompt', { prompt: 5 }, 400, 'BAD_REQUEST', /"prompt" is 5; it must be a text\./],
  [
    'a temperature out of range',
    { prompt: 'a', temperature: 9 },
    400,
    'BAD_REQUEST',
    /"temperature" is 9; it must be a number from 0 to 2\./,
  ],
  ['a message without content', { messages: [{ role: 'user' }] }, 400, 'EMPTY_PROMPT', /no prompt/],
  ['a message of nobody', { messages: [{ content: 'a' }] }, 400, 'BAD_REQUEST', /role/],
  ['a body that is no JSON', '{"prompt":', 400, 'INVALID_JSON', /not JSON/],
  ['a list', [], 400, 'BAD_REQUEST', /must be a JSON object/],
])('%s is refused with its code', async (_name, body, status, code, message) => {
  const response = await post(body)
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({
    success: false,
    error: expect.stringMatching(message),
    error_code: code,
    correlation_id: response.headers.get('x-correlation-id'),
  })
})

test('a body of another type and one over 10 MiB are refused', async () => {
  const text = await post('hello', 'text/plain')
  expect([text.status, (await text.json()).error_code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  const large = await post({ prompt: 'x'.repeat(10 * 1024 * 1024) })
  expect([large.status, (await large.json()).error_code]).toEqual([413, 'BODY_TOO_LARGE'])
})

test('a DELETE that names a type and sends no body is read as one without', async () => {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${stage.url}/scope/v1/generations/g_none`, { method: 'DELETE', headers })
  expect([response.status, (await response.json()).error_code]).toEqual([404, 'NOT_FOUND'])
})

test('messages without content, as an assistant’s that call tools, are passed on', async () => {
  const messages = [
    { role: 'user', content: 'look it up' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'c', content: '42' },
  ]
  expect((await post({ messages })).status).toBe(201)
  expect(await stage.viewer.end()).toMatchObject({ state: 'done' })
  expect(JSON.parse(stage.demo.seen[0]?.body.toString() ?? '').messages).toEqual(messages)
})

test('stopping what does not run is 404, as is every unknown path', async () => {
  for (const [method, path] of [
    ['DELETE', '/scope/v1/generations/g_none'],
    ['GET', '/scope/v1/upstream'],
    ['GET', '/scope'],
    ['GET', '/assets/none.js'],
  ]) {
    const response = await fetch(stage.url + path, { method: method as string })
    expect([path, response.status, (await response.json()).error_code]).toEqual([path, 404, 'NOT_FOUND'])
  }
})

test.each([
  '/assets/../index.html',
  '/assets/%2e%2e/index.html',
  '/assets/..%2f..%2fpackage.json',
  '/assets/%00',
])('no path leads out of the assets: %s', async path => {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    // fetch would resolve the dots itself.
    httpRequest(stage.url, { path }, resolve).on('error', reject).end()
  })
  expect([400, 403, 404]).toContain(answer.statusCode)
  answer.resume()
})

test('the page comes with a strict policy, its assets for ever', async () => {
  const page = await fetch(`${stage.url}/`)
  expect(page.headers.get('content-type')).toMatch(/text\/html/)
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'/)
  expect(page.headers.get('cache-control')).toBe('public, max-age=0')
  const html = await page.text()
  const script = html.match(/\/assets\/[^"]+\.js/)?.[0]
  const asset = await fetch(stage.url + script)
  expect([asset.status, asset.headers.get('cache-control')]).toEqual([
    200,
    'public, max-age=31536000, immutable',
  ])
})

test('/healthz, /readyz and /metrics answer', async () => {
  expect(await (await fetch(`${stage.url}/healthz`)).text()).toBe('ok\n')
  const lines = (await (await fetch(`${stage.url}/readyz`)).text()).trim().split('\n')
  expect(lines[0]).toBe('ready')
  expect(lines.slice(1).map(line => line.split(/\s+/)[1])).toEqual([
    'upstream',
    'bridge',
    'broadcast',
    'compositor',
    'records',
  ])
  const json = await (await fetch(`${stage.url}/readyz`, { headers: { accept: 'application/json' } })).json()
  expect(json.data.components[0]).toMatchObject({ name: 'upstream', facts: { up: true, demo: false } })

  const label = new URL(stage.demo.url).host
  const counted = async () => {
    const text = await (await fetch(`${stage.url}/metrics`)).text()
    const name = `tokenscope_tokens_total{upstream="${label}",model="tokenscope-demo",kind="message"} `
    const line = text.split('\n').find(one => one.startsWith(name)) ?? ''
    return { text, tokens: Number(line.slice(name.length)) }
  }
  const before = (await counted()).tokens
  // Nothing is laid out that nobody looks at.
  expect((await fetch(`${stage.url}/scope/v1/frame.png?w=16&h=16`)).status).toBe(200)
  stage.demo.server.setFaults('tokens=7')
  await post({ prompt: 'count' })
  await stage.viewer.end()
  const { text: metrics, tokens } = await counted()
  expect(tokens - before).toBe(7)
  expect(metrics).toContain(`tokenscope_upstream_up{upstream="${label}"} 1`)
  expect(metrics).toContain('tokenscope_broadcast_clients 1')
  expect(metrics).toMatch(/tokenscope_pipeline_latency_seconds_count [1-9]/)
  expect(metrics).toContain('process_cpu_user_seconds_total')
  const laidOut = /tokenscope_layout_seconds_count\{backend="cpu",layout="map"\} [1-9]/
  await vi.waitFor(async () => expect((await counted()).text).toMatch(laidOut), { timeout: 10_000 })
})

test('a model that no upstream lists is counted as other', async () => {
  const evil = await new RawUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      `data: {"model":"evil\\"name","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n`,
    )
  }).start()
  const scope = await startScope({ upstreams: [evil.url] })
  const viewer = await Spectator.watch(scope.url)
  await post({ prompt: 'a' }, 'application/json', scope.url)
  await viewer.end()
  const metrics = await (await fetch(`${scope.url}/metrics`)).text()
  expect(metrics).toMatch(/tokenscope_tokens_total\{upstream="[^"]+",model="other",kind="message"\} 1/)
  expect(metrics).not.toContain('evil')
  viewer.close()
  await scope.stop()
  await evil.stop()
})
