import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { Demo } from '../support/demo.ts'
import { RawUpstream } from '../support/raw-upstream.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

let upstream: Demo
let scope: Tokenscope
let host: string

beforeAll(async () => {
  // LM Studio answers whatever it does not know with 200.
  upstream = await new Demo({ kind: 'lmstudio' }).start()
  scope = await startScope({
    upstreams: [upstream.url],
    allowHosts: ['scope.lan'],
    allowOrigins: ['https://app.example'],
  })
  host = new URL(scope.url).host
})
afterAll(async () => {
  await scope.stop()
  await upstream.stop()
})

type Case = [name: string, headers: Record<string, string>, status: number]

const own: Case[] = [
  ['no Origin, as from curl', {}, 200],
  ['its own origin', { Origin: 'http://HOST' }, 200],
  ['localhost', { Host: 'localhost:1' }, 200],
  ['an IPv6 loopback literal', { Host: '[::1]:8787' }, 200],
  ['an allowed host', { Host: 'SCOPE.lan:8787' }, 200],
  ['an allowed origin', { Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' }, 200],
  ['a foreign host (DNS rebinding)', { Host: 'evil.example' }, 421],
  ['a host that only begins like ours', { Host: '127.0.0.1.evil.example' }, 421],
  ['a host with user info', { Host: '127.0.0.1@evil.example' }, 421],
  ['an address that is not the socket’s', { Host: '192.168.1.5' }, 421],
  ['a foreign origin', { Origin: 'https://evil.example' }, 403],
  ['another port of this host', { Origin: 'http://127.0.0.1:1' }, 403],
  ['its own origin by another scheme', { Origin: 'https://HOST' }, 403],
  ['Origin: null', { Origin: 'null' }, 403],
  ['a cross-site request without Origin', { 'Sec-Fetch-Site': 'cross-site' }, 403],
  ['a cross-site script', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }, 403],
]

describe.each(['/healthz', '/v1/anything', '/scope/v1/nothing'])('at %s', path => {
  test.each(own)('%s', async (_name, headers, status) => {
    const answer = await get(path, headers)
    const expected = path.startsWith('/scope') && status === 200 ? 404 : status
    expect(answer.statusCode).toBe(expected)
    expect(answer.headers['x-correlation-id']).toMatch(/^[\w-]+$/)
    if (status === 200) return
    const body = JSON.parse(await text(answer))
    if (path.startsWith('/v1')) expect(body.error.message).toMatch(/\w+ \w+/)
    else expect(body).toMatchObject({ success: false, correlation_id: answer.headers['x-correlation-id'] })
  })
})

test('a link followed to the page is let through, to anything else it is not', async () => {
  const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }
  expect((await get('/', link)).statusCode).toBe(200)
  expect((await get('/?g=1', link)).statusCode).toBe(200)
  expect((await get('/metrics', link)).statusCode).toBe(403)
  expect((await get('/', link, 'POST')).statusCode).toBe(403)
})

test.each(own)('WebSocket: %s', async (_name, headers, status) => {
  const spectator = Spectator.connect(scope.url, fill(headers))
  const refused = once(spectator.socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>
  if (status === 200) await spectator.until(messages => messages.some(({ type }) => type === 'hello'))
  else {
    const [, response] = await refused
    expect(response.statusCode).toBe(status)
    expect(spectator.messages).toEqual([])
  }
  spectator.close()
})

test('a WebSocket elsewhere is refused', async () => {
  const socket = connect(Number(new URL(scope.url).port), '127.0.0.1')
  socket.write(
    `GET /v1/realtime HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  const [data] = await once(socket, 'data')
  expect(String(data)).toMatch(/^HTTP\/1\.1 404 /)
  socket.destroy()
})

test('HTTP/1.0 without a Host is refused', async () => {
  const socket = connect(Number(new URL(scope.url).port), '127.0.0.1')
  socket.write('GET /healthz HTTP/1.0\r\n\r\n')
  const [data] = await once(socket, 'data')
  expect(String(data)).toMatch(/^HTTP\/1\.1 421 /)
  socket.destroy()
})

test('an allowed origin gets CORS headers and its preflight answered, here as on passed answers', async () => {
  const Origin = 'https://app.example'
  const preflight = await get(
    '/v1/chat/completions',
    { Origin, 'Access-Control-Request-Method': 'POST' },
    'OPTIONS',
  )
  expect(preflight.statusCode).toBe(204)
  expect(preflight.headers['access-control-allow-origin']).toBe(Origin)
  const passed = await get('/v1/anything', { Origin })
  expect(await text(passed)).toContain('/v1/anything')
  expect(passed.headers['access-control-allow-origin']).toBe(Origin)
  const ours = await get('/healthz', { Origin })
  expect(ours.headers['access-control-allow-origin']).toBe(Origin)
})

test('an upstream that lets every origin in decides nothing here', async () => {
  const open = await new RawUpstream((_request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.end('passed')
  }).start()
  const Origin = 'https://app.example'
  const other = await startScope({ upstreams: [open.url], allowOrigins: [Origin] })
  const passed = await fetch(`${other.url}/v1/anything`, { headers: { Origin } })
  expect(await passed.text()).toBe('passed')
  expect(passed.headers.get('access-control-allow-origin')).toBe(Origin)
  await other.stop()
  await open.stop()
})

test('the caller’s correlation id is kept if it is sane', async () => {
  const sane = await get('/v1/anything', { 'X-Correlation-ID': 'abc-123' })
  expect(sane.headers['x-correlation-id']).toBe('abc-123')
  const insane = await get('/healthz', { 'X-Correlation-ID': 'a b\tc' })
  expect(insane.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
})

function fill(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace('HOST', host)]),
  )
}

function get(path: string, headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${scope.url}${path}`, { method, headers: { Host: host, ...fill(headers) } })
    request.on('response', resolve)
    request.on('error', reject)
    request.end()
  })
}

async function text(answer: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of answer) body += chunk
  return body
}
