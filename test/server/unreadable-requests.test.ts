import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Tokenscope } from '../../main.ts'
import { Demo } from '../support/demo.ts'
import { startScope } from '../support/scope.ts'

let upstream: Demo
let scope: Tokenscope

beforeEach(async () => {
  upstream = await new Demo({ kind: 'lmstudio' }).start()
  scope = await startScope({ upstreams: [upstream.url] })
})
afterEach(async () => {
  await scope.stop()
  await upstream.stop()
})

/** Sends bytes and gives all that comes back until the server closes, or until `enough`. */
async function exchange(bytes: string, enough = (_text: string) => false): Promise<string> {
  const socket: Socket = connect({ port: Number(new URL(scope.url).port), host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write(bytes)
  let text = ''
  const over = new Promise<void>(resolve => {
    socket.on('data', data => {
      text += data
      if (enough(text)) resolve()
    })
    socket.on('close', () => resolve())
  })
  await over
  socket.destroy()
  return text
}

test.each([
  ['garbage', 'nonsense\r\n\r\n', 400, 'BAD_REQUEST'],
  [
    'a header over its limit',
    `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'a length that is none',
    'POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n',
    400,
    'BAD_REQUEST',
  ],
  ['HTTP/1.1 without a Host', 'GET /healthz HTTP/1.1\r\n\r\n', 421, 'WRONG_HOST'],
  [
    'a foreign absolute target',
    'GET http://evil.example/v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    421,
    'wrong_host',
  ],
  ['the asterisk target', 'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400, 'bad_request'],
  [
    'a handshake without a key',
    'GET /scope/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
    400,
    'BAD_REQUEST',
  ],
])('%s is refused with a code and a correlation id', async (_name, bytes, status, code) => {
  const text = await exchange(bytes)
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(text).toMatch(/\r\nx-correlation-id: [\w-]{36}\r\n/i)
  const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
  expect(body.error_code ?? body.error.code).toBe(code)
  expect(upstream.seen).toEqual([])
})

test('a path that cannot be decoded is refused in our form', async () => {
  const answer = await fetch(`${scope.url}/scope/%zz`)
  expect([answer.status, (await answer.json()).error_code]).toEqual([400, 'BAD_REQUEST'])
})

test('an absolute target of ours is the path it names', async () => {
  const port = new URL(scope.url).port
  const own = await exchange(
    `GET http://127.0.0.1:${port}/healthz HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n`,
  )
  expect(own).toMatch(/^HTTP\/1\.1 200 .*ok\n$/s)
  const passed = await exchange(
    `GET http://localhost:${port}/v1/x?y=1 HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n`,
  )
  expect(passed).toMatch(/^HTTP\/1\.1 200 .*Unexpected endpoint or method. \(GET \/v1\/x\)/s)
  expect(upstream.seen).toMatchObject([{ method: 'GET', url: '/v1/x?y=1' }])
})

test('an expectation that nobody knows does not hurt', async () => {
  const text = await exchange(
    'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: miracles\r\nConnection: close\r\n\r\n',
  )
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
})

test('who is refused is not asked for the body', async () => {
  const refused = await exchange(
    'POST /v1/x HTTP/1.1\r\nHost: evil.example\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n',
  )
  expect(refused).toMatch(/^HTTP\/1\.1 421 /)
  const large = await exchange(
    `POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: ${65 * 1024 * 1024}\r\n\r\n`,
    text => text.includes('body_too_large'),
  )
  expect(large).toMatch(/^HTTP\/1\.1 413 /)
  const welcome = await exchange(
    'POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n',
    text => text.includes('100 Continue'),
  )
  expect(welcome).toMatch(/^HTTP\/1\.1 100 Continue/)
})

test('a WebSocket’s answer carries the caller’s correlation id', async () => {
  const socket = new WebSocket(`${scope.url.replace('http', 'ws')}/scope/v1/stream`, {
    headers: { 'x-correlation-id': 'mine-7' },
  })
  const [response] = await once(socket, 'upgrade')
  expect(response.headers['x-correlation-id']).toBe('mine-7')
  socket.terminate()
})

test('a refused upgrade whose client keeps its side open does not hold up the stop', async () => {
  const socket = connect({ port: Number(new URL(scope.url).port), host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  socket.write(
    'GET /elsewhere HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  await once(socket, 'data')
  // afterEach stops the server; a test that hangs there fails.
  await scope.stop()
  socket.destroy()
  scope = await startScope({ upstreams: [upstream.url] })
})
