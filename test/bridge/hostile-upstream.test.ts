import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Upstream } from '../../bridge/upstream.ts'
import { parseUpstream } from '../../events/upstream-spec.ts'
import type { Tokenscope } from '../../main.ts'
import { send, textOf } from '../support/app.ts'
import { RecordingMeter } from '../support/hub-meter.ts'
import { RawUpstream } from '../support/raw-upstream.ts'
import { startScope } from '../support/scope.ts'

let upstream: RawUpstream
let scope: Tokenscope

beforeEach(async () => {
  upstream = await new RawUpstream().start()
  scope = await startScope({ upstreams: [upstream.url] })
})
afterEach(async () => {
  await scope.stop()
  await upstream.stop()
})

const isAlive = async () => (await fetch(`${scope.url}/healthz`)).status === 200

test.each([
  ['of another script', Buffer.from('未找到'), Buffer.from('未找到').toString('latin1')],
  ['of single bytes', Buffer.from('\xe9t\xe9', 'latin1'), '\xe9t\xe9'],
  ['with a control character', Buffer.from('a\x01b'), 'ab'],
])('a reason phrase %s does not end the program', async (_name, phrase, expected) => {
  upstream.script = ({ socket }) => {
    const rest = Buffer.from('\r\nContent-Length: 2\r\n\r\n{}')
    socket.write(Buffer.concat([Buffer.from('HTTP/1.1 404 '), phrase, rest]))
  }
  const response = await send(scope.url, { path: '/v1/odd' })
  expect(response.statusCode).toBe(404)
  expect(response.statusMessage).toBe(expected)
  response.resume()
  expect(await isAlive()).toBe(true)
})

test.each([
  ['garbage', 'this is no HTTP\r\n\r\n'],
  ['a status out of range', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['headers of 200 KB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\nContent-Length: 0\r\n\r\n`],
  ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
])('an upstream that answers with %s harms nobody else', async (_name, bytes) => {
  upstream.script = ({ socket }) => {
    socket.write(bytes)
  }
  const response = await send(scope.url, { path: '/v1/odd' }).catch(error => error as Error)
  if (!(response instanceof Error)) {
    response.on('error', () => {})
    response.resume()
  }
  expect(await isAlive()).toBe(true)
})

test('an answer that comes before the body was read leaves the connection usable', async () => {
  // As a server does that checks the key first.
  upstream.readsBodies = false
  upstream.script = (_request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' }).end('{}')
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const statuses: (number | undefined)[] = []
  for (const length of [8, 8, 0.001, 8]) {
    const body = Buffer.alloc(length * 1024 * 1024)
    const response = await send(scope.url, { path: '/v1/embeddings', body, agent })
    statuses.push(response.statusCode)
    response.resume()
    await once(response, 'end')
  }
  expect(statuses).toEqual([401, 401, 401, 401])
  agent.destroy()
})

test('a body that turns out to be over 64 MiB is answered with 413', async () => {
  const request = httpRequest(`${scope.url}/v1/embeddings`, { method: 'POST' })
  const responded = once(request, 'response') as Promise<[IncomingMessage]>
  const block = Buffer.alloc(1024 * 1024)
  let errored = false
  request.on('error', () => {
    errored = true
  })
  for (let i = 0; i < 66 && !errored; i++) {
    if (!request.write(block)) await Promise.race([once(request, 'drain'), responded])
  }
  request.end()
  const [response] = await responded
  expect(response.statusCode).toBe(413)
  response.resume()
})

test('a client that offers h2c, as Java’s does, is served', async () => {
  upstream.script = (_request, response, body) => {
    response.end(`got ${body.toString()}`)
  }
  const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' }
  const response = await send(scope.url, { path: '/v1/embeddings', body: 'hello', headers })
  expect([response.statusCode, await textOf(response)]).toEqual([200, 'got hello'])
  expect(upstream.seen[0]?.rawHeaders.map(header => header.toLowerCase())).not.toContain('h2c')
})

test('a list of models that does not come says nothing while answers do, and after three times that it is gone', async () => {
  upstream.script = (_request, response) => {
    response.end('{}')
  }
  const watched = new Upstream({
    label: 'x',
    url: new URL(upstream.url),
    spec: parseUpstream(upstream.url, {}),
    demo: false,
    meter: new RecordingMeter(),
    probeMs: 200,
  })
  await watched.start(() => {})
  expect(watched.up).toBe(true)
  upstream.models = null
  await watched.probe()
  await watched.probe()
  expect(watched.up).toBe(true)
  // An answer in between shows that it is there.
  await new Promise<void>(resolve => {
    watched.send(
      { method: 'POST', path: '/x', headers: [], body: null },
      { head: () => {}, chunk: () => true, end: () => resolve(), broken: () => resolve() },
    )
  })
  await watched.probe()
  await watched.probe()
  expect(watched.up).toBe(true)
  await watched.probe()
  expect(watched.up).toBe(false)
  await watched.stop()
})
