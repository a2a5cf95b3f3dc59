import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { HelloMessage } from '../../broadcast/protocol.ts'
import type { Tokenscope } from '../../main.ts'
import { Demo, QUESTION } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

/** A model server that is no demo to Tokenscope: it was not started by it. */
let server: Demo
let scope: Tokenscope

beforeEach(async () => {
  // A port on which nothing answers, until it does.
  server = await new Demo({ kind: 'llamacpp', faults: 'say=real' }).start()
  await server.stop()
  scope = await startScope({ upstreams: [server.url], upstreamNamed: false })
})
afterEach(async () => {
  await scope.stop()
  await server.stop()
})

const hellos = (viewer: Spectator) =>
  viewer.messages.filter((message): message is HelloMessage => message.type === 'hello')

function ask(model: string, stream = false) {
  return fetch(`${scope.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      stream,
      max_tokens: 5,
      messages: QUESTION,
    }),
  })
}

async function upstreamFacts() {
  const answer = await fetch(`${scope.url}/readyz`, { headers: { accept: 'application/json' } })
  return (await answer.json()).data.components[0]
}

test('while nothing answers on the default the demo model speaks first, labelled as such', async () => {
  const viewer = await Spectator.watch(scope.url)
  expect(hellos(viewer)[0]?.demo).toBe(true)
  const last = await viewer.end()
  expect(last).toMatchObject({ state: 'done', model: 'tokenscope-demo', upstream: 'demo' })
  const [first] = viewer.tokens
  expect(first?.confidence).toBeGreaterThan(0)
  expect(first?.top).toHaveLength(5)
  expect(viewer.textOf(last.generation).length).toBeGreaterThan(20)
  expect(await upstreamFacts()).toMatchObject({
    status: 'degraded',
    facts: { up: false, demo: true, standing_in: true },
  })
  viewer.close()
})

test('it serves its own name and the page, and nothing else', async () => {
  const named = await ask('tokenscope-demo')
  expect(named.status).toBe(200)
  expect((await named.json()).model).toBe('tokenscope-demo')

  const other = await ask('qwen2.5-7b')
  expect(other.status).toBe(503)
  const { error } = await other.json()
  expect(error.code).toBe('no_upstream')
  expect(error.message).toMatch(/is not answering.*Start its server, or use --upstream/)
  expect((await fetch(`${scope.url}/v1/models`)).status).toBe(503)
  expect((await fetch(`${scope.url}/v1/models/tokenscope-demo`)).status).toBe(200)
})

test('a large body is refused without a word lost and its connection can go on', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const statuses: (number | undefined)[] = []
  for (const length of [8_000_000, 10, 8_000_000]) {
    const request = httpRequest(`${scope.url}/v1/embeddings`, { method: 'POST', agent })
    request.end(Buffer.alloc(length))
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    statuses.push(response.statusCode)
    response.resume()
    await once(response, 'end')
  }
  expect(statuses).toEqual([503, 503, 503])
  agent.destroy()
})

test('a server takes over by itself once it answers, and gives way when it goes', async () => {
  const viewer = await Spectator.watch(scope.url)
  await server.start()
  await viewer.until(() => hellos(viewer).at(-1)?.demo === false)
  // Its own name is the demo model's here, and it is asked for that one as for any other.
  for (const model of ['qwen2.5-7b', 'tokenscope-demo']) {
    const real = await ask(model)
    expect((await real.json()).choices[0].message.content).toBe('real')
  }
  expect(server.seen.map(({ body }) => JSON.parse(body.toString()).model)).toEqual([
    'qwen2.5-7b',
    'tokenscope-demo',
  ])
  expect(await upstreamFacts()).toMatchObject({
    status: 'ok',
    facts: { demo: false, standing_in: false, models: ['tokenscope-demo'] },
  })

  await server.stop()
  expect((await ask('qwen2.5-7b')).status).toBe(502)
  await viewer.until(() => hellos(viewer).at(-1)?.demo === true)
  expect((await ask('qwen2.5-7b')).status).toBe(503)
  viewer.close()
})
