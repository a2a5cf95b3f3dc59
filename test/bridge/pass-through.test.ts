import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { received, send, textOf } from '../support/app.ts'
import { CHAT } from '../support/demo.ts'
import { RawUpstream } from '../support/raw-upstream.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

let upstream: RawUpstream
let scope: Tokenscope
let viewer: Spectator

beforeAll(async () => {
  upstream = await new RawUpstream().start()
  scope = await startScope({
    upstreams: [upstream.url],
    delivery: { retries: 2, firstTokenMs: null, silenceMs: null },
  })
})
afterAll(async () => {
  await scope.stop()
  await upstream.stop()
})
beforeEach(async () => {
  upstream.seen.length = 0
  viewer = await Spectator.watch(scope.url)
})
afterEach(() => {
  vi.restoreAllMocks()
  viewer.close()
})

const MIB = 1024 * 1024

describe('what proxies on the way to the app are told', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['a stream of events', { 'content-type': 'text/event-stream; charset=utf-8' }, 'no'],
    ['a stream of lines', { 'content-type': 'application/x-ndjson' }, 'no'],
    [
      'a stream whose upstream says otherwise',
      { 'content-type': 'text/event-stream', 'X-Accel-Buffering': 'yes' },
      'yes',
    ],
    ['a whole answer', { 'content-type': 'application/json' }, undefined],
    ['an answer of no type', {}, undefined],
  ])('not to hold back %s', async (_name, headers, expected) => {
    upstream.script = (_request, response) => void response.writeHead(200, headers).end('{}')
    const answer = await send(scope.url, { path: '/v1/odd' })
    expect(answer.headers['x-accel-buffering']).toBe(expected)
    answer.resume()
  })
})

test('what comes after the body reaches the app, but for what would be about the message', async () => {
  upstream.script = ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTrailer: x-error\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n')
    // No more of its requests: what was written here its server does not know of.
    socket.end('0\r\nX-Error: it failed\r\nSet-Cookie: a=b\r\nCache-Control: no-store\r\n\r\n')
  }
  const answer = await send(scope.url, { path: '/v1/odd' })
  expect(await textOf(answer)).toBe('ok')
  expect(answer.rawTrailers).toEqual(['X-Error', 'it failed'])
})

test('a body of curl’s that is announced by Expect arrives whole, and Expect does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenscope-curl-'))
  try {
    const file = join(folder, 'body')
    writeFileSync(file, 'x'.repeat(MIB + 1))
    upstream.script = (request, response, body) => {
      response.end(JSON.stringify([body.length, request.headers.expect ?? null]))
    }
    const args = [
      '-sN',
      '-H',
      'Expect: 100-continue',
      '--data-binary',
      `@${file}`,
      `${scope.url}/v1/embeddings`,
    ]
    const { stdout } = await promisify(execFile)('curl', args)
    expect(JSON.parse(stdout)).toEqual([MIB + 1, null])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('a body', () => {
  const busyOnce = (): void => {
    upstream.script = (_request, response) => {
      response.writeHead(upstream.seen.length === 1 ? 503 : 200, { 'retry-after': '0' }).end('{}')
    }
  }
  const statusOf = async (body: Buffer) => {
    const answer = await send(scope.url, { body })
    answer.resume()
    await once(answer, 'end')
    return answer.statusCode
  }
  /** A chat completion of so many bytes. */
  const bodyOf = (bytes: number): Buffer => {
    const empty = JSON.stringify({ ...CHAT, messages: [{ role: 'user', content: '' }] })
    return Buffer.from(empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`))
  }

  test('of 4 MiB is read, and sent again', async () => {
    busyOnce()
    expect(await statusOf(bodyOf(4 * MIB))).toBe(200)
    expect(upstream.seen.map(({ body }) => body.length)).toEqual([4 * MIB, 4 * MIB])
    expect((await viewer.end()).model).toBe(CHAT.model)
  })

  test('of more is sent once, and nobody parses it', async () => {
    busyOnce()
    const parse = vi.spyOn(JSON, 'parse')
    expect(await statusOf(bodyOf(4 * MIB + 1))).toBe(503)
    expect(parse.mock.calls.every(([text]) => text.length < MIB)).toBe(true)
    expect(upstream.seen.map(({ body }) => body.length)).toEqual([4 * MIB + 1])
  })
})

test('a stream of which the app takes nothing is not read on, and neither kept nor followed further', async () => {
  const piece = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(1000) } }] })}\n\n`
  const total = piece.length * 60 * 500
  let written = 0
  let isBlocked = false
  upstream.script = async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const block = piece.repeat(60)
    let drained = true
    response.on('drain', () => {
      drained = true
    })
    while (written < total) {
      written += block.length
      drained = response.write(block)
      // What has not moved for so many turns is blocked for good.
      for (let turns = 0; !drained && !response.destroyed; turns++) {
        isBlocked ||= turns > 2000
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    response.end()
  }
  const sent = httpRequest(`${scope.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  }).end(JSON.stringify(CHAT))
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.pause()
  while (!isBlocked) await new Promise(resolve => setImmediate(resolve))
  expect(written).toBeLessThan(total)
  const { body, complete } = await received(answer.resume())
  expect([body.length, complete]).toEqual([total, true])
})
