import { once } from 'node:events'
import {
  Agent,
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Upstream } from '../../bridge/upstream.ts'
import type { Tokenscope } from '../../main.ts'
import { RecordingMeter } from '../support/hub-meter.ts'
import { startScope } from '../support/scope.ts'
import { chunk, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { Spectator } from '../support/spectator.ts'

const SSE = { 'content-type': 'text/event-stream' }

/** A server that answers each request on a connection with bytes of the test's choice. */
let raw: Server
let answer: (socket: Socket, request: string) => void
let upstream: ScriptedUpstream
let scope: Tokenscope
const sockets = new Set<Socket>()

beforeEach(async () => {
  raw = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', data => {
      const request = data.toString('latin1')
      if (request.startsWith('GET /v1/models')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"data":[]}')
      } else answer(socket, request)
    })
  }).listen(0, '127.0.0.1')
  await once(raw, 'listening')
  upstream = await new ScriptedUpstream().start()
})
afterEach(async () => {
  await scope.stop()
  await upstream.kill()
  raw.close()
  for (const socket of sockets) socket.destroy()
})

const startRaw = async () => {
  scope = await startScope({ upstreams: [`http://127.0.0.1:${(raw.address() as AddressInfo).port}`] })
}
const startScripted = async () => {
  scope = await startScope({ upstreams: [upstream.url] })
}
const isAlive = async () => (await fetch(`${scope.url}/healthz`)).status === 200

function send(
  path: string,
  options: { method?: string; body?: Buffer | string; headers?: object; agent?: Agent } = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method = 'POST', body = '', headers = {}, agent } = options
    const request = httpRequest(scope.url + path, {
      method,
      headers: { ...headers },
      ...(agent ? { agent } : {}),
    })
    request.on('response', resolve)
    request.on('error', reject)
    request.end(body)
  })
}

test.each([
  ['of another script', '未找到', Buffer.from('未找到').toString('latin1')],
  ['with an invalid byte', '\xe9t\xe9', Buffer.from('\ufffdt\ufffd').toString('latin1')],
  ['with a control character', 'a\x01b', 'ab'],
])('a reason phrase %s does not end the program', async (_name, phrase, expected) => {
  answer = socket => {
    const bytes =
      /[^\xff]/.test(phrase) && phrase.charCodeAt(0) > 255
        ? Buffer.from(phrase)
        : Buffer.from(phrase, 'latin1')
    socket.write(
      Buffer.concat([Buffer.from('HTTP/1.1 404 '), bytes, Buffer.from('\r\nContent-Length: 2\r\n\r\n{}')]),
    )
  }
  await startRaw()
  const response = await send('/v1/odd')
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
  answer = socket => {
    socket.write(bytes)
  }
  await startRaw()
  const response = await send('/v1/odd').catch(error => error as Error)
  if (!(response instanceof Error)) {
    response.on('error', () => {})
    response.resume()
  }
  expect(await isAlive()).toBe(true)
})

test('an answer that comes before the body was read leaves the connection usable', async () => {
  // As a server does that checks the key first.
  const hasty = createHttpServer((_request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(hasty, 'listening')
  scope = await startScope({ upstreams: [`http://127.0.0.1:${(hasty.address() as AddressInfo).port}`] })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const statuses: (number | undefined)[] = []
  for (const length of [8, 8, 0.001, 8]) {
    const response = await send('/v1/embeddings', { body: Buffer.alloc(length * 1024 * 1024), agent })
    statuses.push(response.statusCode)
    response.resume()
    await once(response, 'end')
  }
  expect(statuses).toEqual([401, 401, 401, 401])
  agent.destroy()
  hasty.closeAllConnections()
  hasty.close()
})

test('a body that turns out to be over 64 MiB is answered with 413', async () => {
  await startScripted()
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

test('a stop before the answer began breaks the connection instead of blaming the upstream', async () => {
  upstream.script = () => {}
  await startScripted()
  const viewer = await Spectator.watch(scope.url)
  const asked = send('/v1/chat/completions', { body: '{"stream":true}' })
  const broken = expect(asked).rejects.toThrow(/hang up|ECONNRESET/)
  await viewer.until(() => viewer.generations.length === 1)
  while (upstream.seen.length === 0) await new Promise(resolve => setImmediate(resolve))
  viewer.send({ type: 'stop', generation: viewer.generations[0] })
  await broken
  expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'stopped' })
  viewer.close()
})

test('an error that the upstream told is kept when its connection breaks after it', async () => {
  upstream.script = (_request, response) => {
    response.writeHead(200, SSE)
    response.write(chunk({ content: 'a' }))
    response.write('event: error\ndata: {"error":{"message":"context overflow"}}\n\n', () => {
      response.socket?.resetAndDestroy()
    })
  }
  await startScripted()
  const viewer = await Spectator.watch(scope.url)
  const response = await send('/v1/chat/completions', { body: '{"stream":true}' })
  response.on('error', () => {})
  response.resume()
  expect(await viewer.end()).toMatchObject({ state: 'failed', error: { message: 'context overflow' } })
  viewer.close()
})

test('a client that offers h2c, as Java’s does, is served', async () => {
  upstream.script = (_request, response, body) => {
    response.end(`got ${body.toString()}`)
  }
  await startScripted()
  const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' }
  const response = await send('/v1/embeddings', { body: 'hello', headers })
  let text = ''
  for await (const part of response) text += part
  expect([response.statusCode, text]).toEqual([200, 'got hello'])
  expect(upstream.seen[0]?.rawHeaders.map(header => header.toLowerCase())).not.toContain('h2c')
})

test('a list of models that does not come says nothing while answers do, and after three times that it is gone', async () => {
  await startScripted()
  let silent = false
  answer = (socket, request) => {
    if (!silent || request.startsWith('POST')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
  }
  raw.removeAllListeners('connection')
  raw.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', data => answer(socket, data.toString('latin1')))
  })
  const url = new URL(`http://127.0.0.1:${(raw.address() as AddressInfo).port}`)
  const watched = new Upstream({
    label: 'x',
    name: 'x',
    url,
    demo: false,
    meter: new RecordingMeter(),
    probeMs: 30,
  })
  await watched.start(() => {})
  expect(watched.up).toBe(true)
  silent = true
  await watched.probe()
  await watched.probe()
  expect(watched.up).toBe(true)
  // An answer in between shows that it is there.
  await new Promise<void>(resolve => {
    watched.send(
      { method: 'POST', path: '/x', headers: [], body: null, signal: new AbortController().signal },
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
