import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { bytesOf, send, textOf } from '../support/app.ts'
import { CHAT } from '../support/demo.ts'
import { RawUpstream } from '../support/raw-upstream.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

let upstream: RawUpstream
let scope: Tokenscope
let viewer: Spectator

beforeAll(async () => {
  upstream = await new RawUpstream().start()
  scope = await startScope({ upstreams: [upstream.url] })
})
afterAll(async () => {
  await scope.stop()
  await upstream.stop()
})
beforeEach(async () => {
  upstream.seen.length = 0
  viewer = await Spectator.watch(scope.url)
})
afterEach(() => viewer.close())

describe('whatever an upstream sends', () => {
  test('request and answer cross with their headers, but for those of the hop', async () => {
    const body = JSON.stringify({ ...CHAT, odd: '  spaces  ' })
    upstream.script = (_request, response) => {
      response.writeHead(201, 'Odd Status', [
        ...['Content-Type', 'application/json', 'X-Twice', 'a', 'X-Twice', 'b', 'Set-Cookie', 'session=1'],
        ...['Connection', 'X-Hop, keep-alive', 'X-Hop', 'gone', 'x-Case', 'Kept'],
      ])
      response.end('{}')
    }
    const headers = [
      ...['Content-Type', 'application/json', 'Authorization', 'Bearer app', 'X-Twice', '1', 'X-Twice', '2'],
      ...['Expect', '100-continue', 'Accept-Encoding', 'gzip', 'Connection', 'X-Mine', 'X-Mine', 'gone'],
    ]
    const answer = await send(scope.url, { path: '/v1/chat/completions?x=%2F&y', body, headers })
    const [seen] = upstream.seen
    expect(seen).toMatchObject({ method: 'POST', url: '/v1/chat/completions?x=%2F&y' })
    expect(seen?.body.toString()).toBe(body)
    const sent = pairs(seen?.rawHeaders ?? [])
    expect(sent.filter(([name]) => name === 'X-Twice')).toEqual([
      ['X-Twice', '1'],
      ['X-Twice', '2'],
    ])
    expect(sent).toContainEqual(['Authorization', 'Bearer app'])
    expect(sent).toContainEqual(['accept-encoding', 'identity'])
    expect(sent.map(([name]) => name.toLowerCase())).not.toContain('expect')
    expect(sent.map(([name]) => name)).not.toContain('X-Mine')
    expect(sent.find(([name]) => name.toLowerCase() === 'host')?.[1]).toBe(new URL(upstream.url).host)

    expect([answer.statusCode, answer.statusMessage]).toEqual([201, 'Odd Status'])
    const got = pairs(answer.rawHeaders)
    expect(got.filter(([name]) => name === 'X-Twice')).toEqual([
      ['X-Twice', 'a'],
      ['X-Twice', 'b'],
    ])
    expect(got).toContainEqual(['x-Case', 'Kept'])
    expect(got).toContainEqual(['X-Content-Type-Options', 'nosniff'])
    expect(got).toContainEqual(['Content-Security-Policy', 'sandbox'])
    expect(got.map(([name]) => name.toLowerCase())).not.toContain('set-cookie')
    expect(got.map(([name]) => name)).not.toContain('X-Hop')
    answer.resume()
    await viewer.end()
  })

  test('other paths and methods pass through and are no generations', async () => {
    upstream.script = (request, response, body) => {
      response.end(`${request.method} ${request.url} ${body.toString()}`)
    }
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST']) {
      const body = method === 'GET' ? '' : 'body'
      const answer = await send(scope.url, { method, path: '/api/v0/odd?q=1', body })
      expect(await textOf(answer)).toBe(`${method} /api/v0/odd?q=1 ${body}`)
    }
    const head = await send(scope.url, { method: 'HEAD', path: '/v1/odd' })
    expect(head.statusCode).toBe(200)
    expect(viewer.entries).toEqual([])
  })

  test('a body of 12 MiB streams through both ways unchanged', async () => {
    const body = randomBytes(12 * 1024 * 1024)
    upstream.script = (_request, response, got) => {
      response.end(got)
    }
    // The second time without a length announced.
    for (const headers of [
      ['Content-Length', String(body.length)],
      ['Transfer-Encoding', 'chunked'],
    ]) {
      const answer = await send(scope.url, { path: '/v1/embeddings', body, headers })
      expect(hash(await bytesOf(answer))).toBe(hash(body))
    }
  })

  test('a body over 64 MiB is refused with 413 in the form of OpenAI', async () => {
    const headers = ['Content-Length', String(65 * 1024 * 1024)]
    const announced = await send(scope.url, { path: '/v1/embeddings', headers, unfinished: true })
    expect(announced.statusCode).toBe(413)
    expect(JSON.parse(await textOf(announced))).toMatchObject({ error: { code: 'body_too_large' } })
    expect(upstream.seen).toEqual([])
  })

  test('a slow app pauses the upstream and loses nothing', async () => {
    const block = randomBytes(256 * 1024)
    const blocks = 160
    let refused = 0
    upstream.script = async (_request, response) => {
      for (let i = 0; i < blocks; i++) {
        if (!response.write(block)) {
          refused++
          await once(response, 'drain')
        }
      }
      response.end()
    }
    const answer = await send(scope.url, { method: 'GET', path: '/v1/big' })
    // Nothing is read until the upstream has been made to wait.
    while (refused < 5) await new Promise(resolve => setImmediate(resolve))
    const got = await bytesOf(answer)
    expect(got.length).toBe(block.length * blocks)
    expect(hash(got)).toBe(hash(Buffer.concat(Array(blocks).fill(block))))
  })

  test('an upstream that ends the connection before it answers gives 502', async () => {
    upstream.script = request => {
      request.socket.destroy()
    }
    const answer = await send(scope.url, { body: CHAT })
    expect(answer.statusCode).toBe(502)
    expect(JSON.parse(await textOf(answer))).toMatchObject({
      error: { code: 'upstream_broken', type: 'api_error' },
    })
    expect(await viewer.end()).toMatchObject({ state: 'failed' })
  })

  test('the models that it lists are those that it is known for', async () => {
    const headers = { accept: 'application/json' }
    const ready = await send(scope.url, { method: 'GET', path: '/readyz', headers })
    const [component] = JSON.parse(await textOf(ready)).data.components
    expect(component).toMatchObject({ status: 'ok', facts: { demo: false, models: ['test-model'] } })
  })
})

describe('events that are none', () => {
  const event = (delta: object, more: object = {}) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`
  const FINISH = event({}, { finish_reason: 'stop' })
  const DONE = 'data: [DONE]\n\n'

  /** Streams `parts` to an app; gives the generation's last state and what the app got. */
  async function run(...parts: string[]) {
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const part of parts) response.write(part)
      response.end()
    }
    const text = await textOf(await send(scope.url, { body: CHAT }))
    return { last: await viewer.end(), text }
  }

  test('a piece that is no JSON does not undo an answer that says it is complete', async () => {
    const { last } = await run('data: keep-alive\n\n', event({ content: 'a' }), FINISH)
    expect(last).toMatchObject({ state: 'done', ending: 'stop', error: null })
  })

  test('a piece that is no JSON is why an answer without an end failed', async () => {
    const { last } = await run(event({ content: 'a' }), 'data: {"choices":[{"del\n\n')
    expect(last).toMatchObject({ state: 'failed', error: { kind: 'parse', retryable: true } })
  })

  test('[DONE] without a finish is interrupted: it decides nothing', async () => {
    const { last } = await run(event({ content: 'a' }), DONE)
    expect(last).toMatchObject({ state: 'interrupted', ending: 'truncated' })
  })

  test('an answer of a million choices is followed for 128 of them', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => event({ content: 'x' }, { index: i * 1000 }))
    await run(...many, FINISH)
    await viewer.end(127)
    expect(viewer.generations.length).toBe(128)
  })

  test('an event beyond the parser bound turns the tap opaque while every byte passes', async () => {
    const long = 'x'.repeat(3 * 1024 * 1024)
    const parts = [event({ content: 'a' }), `data: ${long}`, `${long}\n\n`, DONE]
    const { last, text } = await run(...parts)
    expect(last).toMatchObject({ state: 'done', ending: 'opaque' })
    expect(hash(Buffer.from(text))).toBe(hash(Buffer.from(parts.join(''))))
  })

  test('an event of two million characters is followed, as the last one of a long response is', async () => {
    const long = 'x'.repeat(2 * 1024 * 1024)
    const { last } = await run(event({ content: long }), FINISH, DONE)
    expect(last).toMatchObject({ state: 'done', ending: 'stop' })
    expect(viewer.textOf(last.generation)).toBe(long)
  })

  test('reasoning under either name, calls and a message after them are told apart in one answer', async () => {
    const call = (more: object) => event({ tool_calls: [{ index: 0, function: more }] })
    await run(
      event({ reasoning_content: 'hm' }),
      event({ reasoning: ' so' }),
      call({ name: 'look', arguments: '' }),
      call({ arguments: '{"x":1}' }),
      event({ content: 'ok' }),
      FINISH,
    )
    expect(viewer.tokens.map(({ kind, token_text }) => [kind, token_text])).toEqual([
      ['reasoning', 'hm'],
      ['reasoning', ' so'],
      ['tool_call', 'look'],
      ['tool_call', '{"x":1}'],
      ['message', 'ok'],
    ])
  })

  test('entries that are written otherwise than their text give exactly the text', async () => {
    const entries = (...tokens: [token: string, id: number][]) => ({
      logprobs: { content: tokens.map(([token, id]) => ({ id, token, logprob: -1, top_logprobs: [] })) },
    })
    const { last } = await run(
      event({ content: 'two words' }, entries(['two', 1], [' words', 2])),
      event({ content: '' }, entries(['', 3])),
      event({ content: '🎻' }, entries(['�', 4])),
      event(
        { content: 'a🎻 b 🎻c' },
        entries(['a', 5], ['�', 6], ['�', 7], [' b', 8], [' ', 9], ['�', 10], ['c', 11]),
      ),
      event({ content: 'given by number' }, entries(['token_id:12', 12], ['token_id:13', 13])),
      FINISH,
    )
    expect(viewer.tokens.map(({ token_text, token_id }) => [token_text, token_id])).toEqual([
      ['two', 1],
      [' words', 2],
      ['', 3],
      ['🎻', 4],
      ['a', 5],
      ['', 6],
      ['🎻', 7],
      [' b', 8],
      [' ', 9],
      ['🎻', 10],
      ['c', 11],
      ['', 12],
      ['given by number', 13],
    ])
    expect(last).toMatchObject({ estimated: false, tokens_processed: 13 })
  })
})

function pairs(headers: readonly string[]): [string, string][] {
  return Array.from({ length: headers.length / 2 }, (_, i) => [
    headers[2 * i] as string,
    headers[2 * i + 1] as string,
  ])
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
