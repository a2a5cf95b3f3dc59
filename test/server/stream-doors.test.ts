/**
 * The doors of the stream, seen from outside: who may not come in gets not a byte of the log, whatever it sends.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Gate } from '../../broadcast/gate.ts'
import type { Tokenscope } from '../../main.ts'
import { launchBrowser, noBrowser } from '../support/browser.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { stateEvent } from '../support/hub-events.ts'
import { HubServer } from '../support/hub-server.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

const SECRET = 'The secret is 4711.'

let upstream: Demo
let scope: Tokenscope
let host: string

beforeAll(async () => {
  upstream = await new Demo().start()
  scope = await startScope({ upstreams: [upstream.url], allowOrigins: ['https://app.example'] })
  host = new URL(scope.url).host
  const viewer = await Spectator.watch(scope.url)
  const answer = await fetch(`${scope.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-demo': `say=${encodeURIComponent(SECRET)}` },
    body: JSON.stringify(CHAT),
  })
  await answer.text()
  await viewer.end()
  viewer.close()
})
afterAll(async () => {
  await scope.stop()
  await upstream.stop()
})

/** A masked text frame of a client (RFC 6455 §5.2), shorter than 126 bytes; the mask is zero. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

/** All that comes for an upgrade with these headers and a subscription sent right behind it, until `enough`. */
async function exchange(headers: Record<string, string>, enough: (text: string) => boolean): Promise<string> {
  const fields = {
    Host: host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': 'tokenscope.json.v1',
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(Number(new URL(scope.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', data => {
    text += data.toString('latin1')
    if (enough(text)) socket.destroy()
  })
  socket.on('error', () => {})
  socket.write(`GET /scope/v1/stream HTTP/1.1\r\n${lines.join('')}\r\n`)
  socket.write(textFrame('{"type":"subscribe","generations":"*"}'))
  await once(socket, 'close')
  return text
}

describe('an upgrade by hand', () => {
  test.each<[string, Record<string, string>]>([
    ['with nothing that a browser adds', {}],
    ['from its own page', { Origin: 'http://HOST', 'Sec-Fetch-Site': 'same-origin' }],
    ['from a page that was allowed', { Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' }],
  ])('%s is served the log', async (_name, headers) => {
    const filled = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, v.replace('HOST', host)]))
    const text = await exchange(filled, text => text.includes(SECRET))
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    expect(text).toContain(SECRET)
  })

  test.each<[string, Record<string, string>, number, string]>([
    ['to a foreign host', { Host: 'evil.example' }, 421, 'WRONG_HOST'],
    ['to a name that begins like ours', { Host: '127.0.0.1.evil.example' }, 421, 'WRONG_HOST'],
    ['to no host', { Host: '' }, 421, 'WRONG_HOST'],
    [
      'to a foreign host from its page',
      { Host: 'evil.example', Origin: 'http://evil.example' },
      421,
      'WRONG_HOST',
    ],
    ['from a foreign page', { Origin: 'https://evil.example' }, 403, 'FORBIDDEN_ORIGIN'],
    ['from a page at another port', { Origin: 'http://127.0.0.1:1' }, 403, 'FORBIDDEN_ORIGIN'],
    ['from a sandbox or a file', { Origin: 'null' }, 403, 'FORBIDDEN_ORIGIN'],
    ['from an empty origin', { Origin: '' }, 403, 'FORBIDDEN_ORIGIN'],
    ['from another site without a name', { 'Sec-Fetch-Site': 'cross-site' }, 403, 'FORBIDDEN_ORIGIN'],
    [
      'from another site by a link',
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' },
      403,
      'FORBIDDEN_ORIGIN',
    ],
    [
      'from another site as a WebSocket',
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'websocket' },
      403,
      'FORBIDDEN_ORIGIN',
    ],
  ])('%s gets a refusal, and not a byte of the log', async (_name, headers, status, code) => {
    const text = await exchange(headers, () => false)
    const [head, ...body] = text.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(head).toMatch(/^content-type: application\/json$/im)
    expect(text).not.toContain(' 101 ')
    // The refusal is all there is: no frame after it, and nothing that the log knows.
    expect(JSON.parse(body.join('\r\n\r\n'))).toMatchObject({ success: false, error_code: code })
    for (const known of ['hello', 'epoch', 'snapshot', 'g_0', 'secret']) expect(text).not.toContain(known)
  })
})

describe('where there is no room', () => {
  test('an upgrade is made and closed with 4029, and not a byte of the log is sent', async () => {
    const full = await startScope({ upstreams: [upstream.url], maxClients: 1 })
    const first = await Spectator.watch(full.url)
    const second = Spectator.connect(full.url)
    expect(await second.closed).toEqual({ code: 4029, reason: expect.stringMatching(/all 1 places/) })
    expect(second.messages).toEqual([])
    first.socket.close()
    await first.closed
    // The place is free again once the server has seen it, too.
    const third = await joined(full.url)
    third.close()
    await full.stop()
  })

  test('a place is given back by whoever does not come in after all, or leaves at once', async () => {
    const gate = new Gate({ maxClients: 1 })
    const server = await HubServer.start({ hub: { gate } })
    const port = Number(new URL(server.url).port)
    const upgrade = (key: string) =>
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
    for (let i = 0; i < 20; i++) {
      const bad = connect(port, '127.0.0.1')
      bad.write(upgrade('no key'))
      expect(String((await once(bad, 'data'))[0])).toMatch(/^HTTP\/1\.1 400 /)
      bad.destroy()
      const brief = connect(port, '127.0.0.1')
      brief.write(upgrade('AAAAAAAAAAAAAAAAAAAAAA=='))
      await once(brief, 'connect')
      brief.resetAndDestroy()
    }
    const viewer = await joined(server.url)
    expect(gate.inside).toBe(1)
    viewer.close()
    await vi.waitUntil(() => gate.inside === 0, { timeout: 10_000 })
    await server.stop()
  })

  test('an address that comes too fast is told with 429 when to come back', async () => {
    const gate = new Gate({ maxClients: 10, connectsPerMinute: 1, connectBurst: 1, exempt: () => false })
    const server = await HubServer.start({ hub: { gate } })
    server.log.append(stateEvent('g_1'), 0)
    const first = Spectator.connect(server.url)
    await first.until(messages => messages.length > 0)
    const second = Spectator.connect(server.url)
    const [, response] = await once(second.socket, 'unexpected-response')
    expect(response.statusCode).toBe(429)
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
    expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(60)
    let body = ''
    for await (const chunk of response) body += chunk
    expect(JSON.parse(body)).toMatchObject({ success: false, error_code: 'RATE_LIMITED' })
    expect(second.messages).toEqual([])
    first.close()
    await server.stop()
  })
})

describe.skipIf(noBrowser)(`in Chromium${noBrowser ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser
  const elsewhere = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>Elsewhere</title>')
  })

  beforeAll(async () => {
    browser = await launchBrowser()
    elsewhere.listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
  })
  afterAll(async () => {
    await browser.close()
    elsewhere.closeAllConnections()
    elsewhere.close()
  })

  /** What a page at `url` gets from the stream, until the snapshot or the end. */
  async function openedFrom(url: string, sandboxed = false): Promise<string[]> {
    const page = await browser.newPage()
    await page.goto(url)
    const events = page.evaluate(
      async ([stream, sandboxed]) => {
        const script = `
          const say = what => parent.postMessage(what, '*')
          const socket = new WebSocket(${JSON.stringify(stream)}, 'tokenscope.json.v1')
          socket.onopen = () => { say('open'); socket.send('{"type":"subscribe"}') }
          socket.onmessage = ({ data }) => say('message ' + data)
          socket.onerror = () => say('error')
          socket.onclose = ({ code }) => say('close ' + code)`
        const { promise, resolve } = Promise.withResolvers<void>()
        const events: string[] = []
        addEventListener('message', ({ data }) => {
          events.push(String(data))
          if (/^close|"last":true/.test(String(data))) resolve()
        })
        if (sandboxed) {
          const frame = document.createElement('iframe')
          frame.setAttribute('sandbox', 'allow-scripts')
          frame.srcdoc = `<script>${script}</script>`
          document.body.append(frame)
        } else new Function(script)()
        await promise
        return events
      },
      [`ws://${host}/scope/v1/stream`, sandboxed] as const,
    )
    try {
      return await events
    } finally {
      await page.close()
    }
  }

  test('a page of another origin cannot open the stream', async () => {
    const { port } = elsewhere.address() as AddressInfo
    // The other port is another origin of the same site; by the other name it is another site as well.
    for (const name of ['127.0.0.1', 'localhost']) {
      expect(await openedFrom(`http://${name}:${port}/`)).toEqual(['error', 'close 1006'])
    }
  })

  test('a sandboxed frame, whose origin is null, cannot open the stream', async () => {
    const { port } = elsewhere.address() as AddressInfo
    expect(await openedFrom(`http://127.0.0.1:${port}/`, true)).toEqual(['error', 'close 1006'])
  })

  test('its own page can', async () => {
    // Not the page itself, which would take part, but of its origin.
    const events = await openedFrom(`${scope.url}/healthz`)
    expect(events[0]).toBe('open')
    expect(events.some(event => event.startsWith('message') && event.includes(SECRET))).toBe(true)
  })
})

/** A viewer that got a place, however often it has to ask. */
async function joined(url: string): Promise<Spectator> {
  for (;;) {
    const spectator = Spectator.connect(url)
    const greeted = spectator.until(messages => messages.length > 0).then(() => true)
    if (await greeted.catch(() => false)) return spectator
  }
}
