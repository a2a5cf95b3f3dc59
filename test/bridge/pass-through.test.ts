import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { startScope } from '../support/scope.ts'
import { chunk, DONE, ScriptedUpstream } from '../support/scripted-upstream.ts'
import { Spectator } from '../support/spectator.ts'

const SSE = { 'content-type': 'text/event-stream' }
const PROMPT = { model: 'test-model', messages: [{ role: 'user' as const, content: 'hi' }] }

let upstream: ScriptedUpstream
let scope: Tokenscope
let viewer: Spectator

beforeAll(async () => {
  upstream = await new ScriptedUpstream().start()
  scope = await startScope({ upstreams: [upstream.url] })
})
afterAll(async () => {
  await scope.stop()
  await upstream.kill()
})
beforeEach(async () => {
  upstream.seen.length = 0
  viewer = await Spectator.watch(scope.url)
})
afterEach(() => viewer.close())

/** The official client, with every byte of the answers' bodies recorded. */
function recordingClient(): { client: OpenAI; bytes: () => Promise<Buffer> } {
  const bodies: Promise<ArrayBuffer>[] = []
  const client = new OpenAI({
    baseURL: `${scope.url}/v1`,
    apiKey: 'sk-test',
    maxRetries: 0,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      const body = response.clone().arrayBuffer()
      // A test that breaks the answer does not ask for its bytes.
      body.catch(() => {})
      bodies.push(body)
      return response
    },
  })
  return {
    client,
    bytes: async () => Buffer.concat((await Promise.all(bodies)).map(body => Buffer.from(body))),
  }
}

describe('bytes', () => {
  test('a stream reaches the openai client unchanged, and a viewer sees the same text once, in order', async () => {
    const words = ['Hel', 'lo', ', ', 'wörld ', '🎻', '\n', '"quoted"', ' end']
    const written: Buffer[] = []
    upstream.script = async (_request, response) => {
      response.writeHead(200, SSE)
      const parts = [
        chunk({ role: 'assistant', content: '' }),
        ...words.map(content => chunk({ role: 'assistant', content })),
        chunk({}, { finish_reason: 'stop' }),
        `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 8, total_tokens: 11 } })}\n\n`,
        DONE,
      ]
      // Cut at places that respect neither lines nor characters.
      const bytes = Buffer.from(parts.join(''))
      for (let i = 0; i < bytes.length; i += 97) {
        const piece = bytes.subarray(i, i + 97)
        written.push(piece)
        response.write(piece)
        await new Promise(resolve => setImmediate(resolve))
      }
      response.end()
    }
    const { client, bytes } = recordingClient()
    const stream = await client.chat.completions.create({ ...PROMPT, stream: true })
    let text = ''
    for await (const part of stream) text += part.choices[0]?.delta.content ?? ''
    const last = await viewer.end()

    expect(text).toBe(words.join(''))
    expect(await bytes()).toEqual(Buffer.concat(written))
    const [generation] = viewer.generations
    expect(viewer.textOf(generation as string)).toBe(words.join(''))
    expect(viewer.tokens.map(({ index }) => index)).toEqual(words.map((_, i) => i))
    const seqs = viewer.entries.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] as number) + i))
    expect(last).toMatchObject({
      state: 'done',
      ending: 'stop',
      tokens_processed: 8,
      total_tokens: 11,
      estimated: false,
    })
    expect(viewer.states.map(({ state }) => state)).toEqual([
      'queued',
      'processing_prompt',
      'generating',
      'done',
    ])
  })

  test('a whole answer reaches the openai client unchanged, with logprobs shown', async () => {
    const answer = JSON.stringify(
      {
        id: 'chatcmpl-2',
        object: 'chat.completion',
        created: 1,
        model: 'test-model',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'Hi there' },
            finish_reason: 'stop',
            logprobs: {
              content: [
                {
                  token: 'Hi',
                  logprob: -0.1,
                  bytes: [72, 105],
                  top_logprobs: [
                    { token: 'Hi', logprob: -0.1, bytes: null },
                    { token: 'Yo', logprob: -3, bytes: null },
                  ],
                },
                { token: ' there', logprob: -0.5, bytes: null, top_logprobs: [] },
              ],
            },
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      },
      null,
      2,
    )
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'x-odd': 'kept' })
      response.end(answer)
    }
    const { client, bytes } = recordingClient()
    const completion = await client.chat.completions.create(PROMPT)
    await viewer.end()

    expect(completion.choices[0]?.message.content).toBe('Hi there')
    expect((await bytes()).toString()).toBe(answer)
    expect(viewer.tokens).toMatchObject([
      { token_text: 'Hi', logprob: -0.1, confidence: Math.exp(-0.1), top: [{ text: 'Hi' }, { text: 'Yo' }] },
      { token_text: ' there', logprob: -0.5, entropy: null },
    ])
    const [p, q] = [Math.exp(-0.1), Math.exp(-3)]
    const rest = 1 - p - q
    expect(viewer.tokens[0]?.entropy).toBeCloseTo(
      -p * Math.log(p) - q * Math.log(q) - rest * Math.log(rest),
      12,
    )
  })

  test('request and answer cross with their headers, but for those of the hop', async () => {
    const body = JSON.stringify({ ...PROMPT, odd: '  spaces  ' })
    upstream.script = (_request, response) => {
      response.writeHead(201, 'Odd Status', [
        ...['Content-Type', 'application/json', 'X-Twice', 'a', 'X-Twice', 'b', 'Set-Cookie', 'session=1'],
        ...['Connection', 'X-Hop, keep-alive', 'X-Hop', 'gone', 'x-Case', 'Kept'],
      ])
      response.end('{}')
    }
    const answer = await raw('POST', '/v1/chat/completions?x=%2F&y', body, [
      ...['Content-Type', 'application/json', 'Authorization', 'Bearer app', 'X-Twice', '1', 'X-Twice', '2'],
      ...['Expect', '100-continue', 'Accept-Encoding', 'gzip', 'Connection', 'X-Mine', 'X-Mine', 'gone'],
    ])
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
    await viewer.end()
  })

  test('other paths and methods pass through and are no generations', async () => {
    upstream.script = (request, response, body) => {
      response.end(`${request.method} ${request.url} ${body.toString()}`)
    }
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST']) {
      const answer = await raw(method, '/api/v0/odd?q=1', method === 'GET' ? '' : 'body')
      expect(await textOf(answer)).toBe(`${method} /api/v0/odd?q=1 ${method === 'GET' ? '' : 'body'}`)
    }
    const head = await raw('HEAD', '/v1/odd', '')
    expect(head.statusCode).toBe(200)
    expect(viewer.entries).toEqual([])
  })

  test('a body of 12 MiB streams through both ways unchanged', async () => {
    const body = randomBytes(12 * 1024 * 1024)
    upstream.script = (_request, response, got) => {
      response.end(got)
    }
    const answer = await raw('POST', '/v1/embeddings', body, ['Content-Length', String(body.length)])
    expect(hash(await bytesOf(answer))).toBe(hash(body))
    // The same without a length announced.
    const chunked = await raw('POST', '/v1/embeddings', body, ['Transfer-Encoding', 'chunked'])
    expect(hash(await bytesOf(chunked))).toBe(hash(body))
  })

  test('a body over 64 MiB is refused with 413 in the form of OpenAI', async () => {
    const announced = await raw(
      'POST',
      '/v1/embeddings',
      '',
      ['Content-Length', String(65 * 1024 * 1024)],
      true,
    )
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
    const answer = await raw('GET', '/v1/big', '')
    // Nothing is read until the upstream has been made to wait.
    while (refused < 5) await new Promise(resolve => setImmediate(resolve))
    const received = await bytesOf(answer)
    expect(received.length).toBe(block.length * blocks)
    expect(hash(received)).toBe(hash(Buffer.concat(Array(blocks).fill(block))))
  })
})

describe('endings', () => {
  /** Streams `parts` to a raw client and returns the generation's last state and what the client got. */
  async function run(parts: string[], end: 'end' | 'cut' = 'end') {
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      for (const part of parts) response.write(part)
      if (end === 'end') response.end()
      else response.write('', () => response.socket?.resetAndDestroy())
    }
    const answer = await raw('POST', '/v1/chat/completions', JSON.stringify({ ...PROMPT, stream: true }))
    const text = await textOf(answer).catch(error => error as Error)
    return { last: await viewer.end(), text }
  }

  test('finish and [DONE] is done', async () => {
    const { last } = await run([chunk({ content: 'a' }), chunk({}, { finish_reason: 'length' }), DONE])
    expect(last).toMatchObject({
      state: 'done',
      ending: 'length',
      error: null,
      tokens_processed: 1,
      estimated: true,
    })
  })

  test('finish without [DONE] is done', async () => {
    const { last } = await run([chunk({ content: 'a' }), chunk({}, { finish_reason: 'stop' })])
    expect(last).toMatchObject({ state: 'done', ending: 'stop' })
  })

  test('[DONE] without finish is interrupted: it decides nothing', async () => {
    const { last } = await run([chunk({ content: 'a' }), DONE])
    expect(last).toMatchObject({ state: 'interrupted', ending: 'truncated' })
  })

  test('a normal end without content is done and empty', async () => {
    const { last } = await run([chunk({ role: 'assistant' }), chunk({}, { finish_reason: 'stop' }), DONE])
    expect(last).toMatchObject({ state: 'done', ending: 'empty', tokens_processed: 0, ttft_ms: null })
  })

  test('an error event inside 200 is failed, in the words of the upstream', async () => {
    const { last, text } = await run([
      chunk({ content: 'a' }),
      'event: error\ndata: {"error":{"message":"out of memory"}}\n\n',
      DONE,
    ])
    expect(last).toMatchObject({ state: 'failed', error: { kind: 'upstream', message: 'out of memory' } })
    expect(text).toContain('out of memory')
  })

  test('an error frame without an event name is failed', async () => {
    const { last } = await run([
      'data: {"error":{"code":500,"message":"slot died","type":"server_error"}}\n\n',
    ])
    expect(last).toMatchObject({ state: 'failed', error: { message: 'slot died' } })
  })

  test('a connection that breaks is interrupted, and broken for the app', async () => {
    const { last, text } = await run([chunk({ content: 'so ' }), chunk({ content: 'far' })], 'cut')
    expect(last).toMatchObject({
      state: 'interrupted',
      ending: 'connection',
      error: { kind: 'connection', retryable: true },
    })
    expect(text).toBeInstanceOf(Error)
    expect(viewer.textOf(last.generation)).toBe('so far')
  })

  test('a break after the finish does not undo it', async () => {
    const { last } = await run([chunk({ content: 'a' }), chunk({}, { finish_reason: 'stop' })], 'cut')
    expect(last).toMatchObject({ state: 'done', ending: 'stop' })
  })

  test('JSON in answer to stream:true is failed unless it is a whole completion', async () => {
    upstream.script = (_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('{"error":"Unexpected endpoint or method. (POST /v1/chat/completions)"}')
    }
    await textOf(await raw('POST', '/v1/chat/completions', JSON.stringify({ ...PROMPT, stream: true })))
    expect(await viewer.end()).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('Unexpected endpoint') },
    })
  })

  test('an HTTP error is failed with its status', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' })
      response.end('{"error":{"message":"slow down"}}')
    }
    const answer = await raw('POST', '/v1/chat/completions', JSON.stringify(PROMPT))
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '7'])
    answer.resume()
    expect(await viewer.end()).toMatchObject({
      state: 'failed',
      error: { message: 'slow down (HTTP 429)', retryable: true },
    })
  })

  test('a piece that is no JSON does not undo an answer that says it is complete', async () => {
    const { last } = await run([
      'data: keep-alive\n\n',
      chunk({ content: 'a' }),
      chunk({}, { finish_reason: 'stop' }),
    ])
    expect(last).toMatchObject({ state: 'done', ending: 'stop', error: null })
  })

  test('a piece that is no JSON is why an answer without an end failed', async () => {
    const { last } = await run([chunk({ content: 'a' }), 'data: {"choices":[{"del\n\n'])
    expect(last).toMatchObject({ state: 'failed', error: { kind: 'parse', retryable: true } })
  })

  test('an answer of a million choices is followed for 128 of them', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => chunk({ content: 'x' }, { index: i * 1000 }))
    await run([...many, chunk({}, { finish_reason: 'stop' })])
    await viewer.end(127)
    expect(viewer.generations.length).toBe(128)
  })

  test('each choice is a generation of its own', async () => {
    await run([
      chunk({ content: 'a' }, { index: 0 }),
      chunk({ content: 'b' }, { index: 1 }),
      chunk({}, { index: 1, finish_reason: 'length' }),
      chunk({ content: 'A' }, { index: 0 }),
      chunk({}, { index: 0, finish_reason: 'stop' }),
      DONE,
    ])
    await viewer.end(1)
    expect(viewer.generations.map(id => viewer.textOf(id))).toEqual(['aA', 'b'])
    expect(viewer.states.filter(({ state }) => state === 'done').map(({ ending }) => ending)).toEqual([
      'stop',
      'length',
    ])
  })

  test('reasoning under either name and tool calls are told apart from the message', async () => {
    await run([
      chunk({ reasoning_content: 'hm' }),
      chunk({ reasoning: ' so' }),
      chunk({ tool_calls: [{ index: 0, id: 'c', function: { name: 'look', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"x":1}' } }] }),
      chunk({ content: 'ok' }),
      chunk({}, { finish_reason: 'stop' }),
    ])
    expect(viewer.tokens.map(({ kind, token_text }) => [kind, token_text])).toEqual([
      ['reasoning', 'hm'],
      ['reasoning', ' so'],
      ['tool_call', 'look'],
      ['tool_call', '{"x":1}'],
      ['message', 'ok'],
    ])
  })

  test('several tokens in a chunk are divided as the logprobs list them, half characters included', async () => {
    const entry = (token: string, id: number) => ({ id, token, logprob: -1, bytes: [], top_logprobs: [] })
    const { last } = await run([
      chunk({ content: 'two words' }, { logprobs: { content: [entry('two', 1), entry(' words', 2)] } }),
      chunk({ content: '' }, { logprobs: { content: [entry('', 3)] } }),
      chunk({ content: '🎻' }, { logprobs: { content: [entry('�', 4)] } }),
      chunk({}, { finish_reason: 'stop' }),
    ])
    expect(viewer.tokens.map(({ token_text, token_id }) => [token_text, token_id])).toEqual([
      ['two', 1],
      [' words', 2],
      ['', 3],
      ['🎻', 4],
    ])
    expect(last).toMatchObject({ estimated: false, tokens_processed: 4 })
  })

  test('an event beyond the parser bound turns the tap opaque while every byte passes', async () => {
    const long = 'x'.repeat(3 * 1024 * 1024)
    const { last, text } = await run([chunk({ content: 'a' }), `data: ${long}`, `${long}\n\n`, DONE])
    expect(last).toMatchObject({ state: 'done', ending: 'opaque' })
    expect((text as string).length).toBe(
      chunk({ content: 'a' }).length + 6 + 2 * long.length + 2 + DONE.length,
    )
  })
})

describe('cancelling', () => {
  test('an app that goes before the answer began cancels upstream', async () => {
    const upstreamSaw = new Promise<void>(resolve => {
      upstream.script = (request, response) => {
        response.on('close', resolve)
        request.on('close', () => {})
      }
    })
    const app = post()
    await viewer.until(() => viewer.states.some(({ state }) => state === 'queued'))
    while (upstream.seen.length === 0) await new Promise(resolve => setImmediate(resolve))
    app.destroy()
    await upstreamSaw
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
  })

  test('an app that goes in mid-stream cancels upstream', async () => {
    const upstreamSaw = new Promise<void>(resolve => {
      upstream.script = (_request, response) => {
        response.on('close', resolve)
        response.writeHead(200, SSE)
        response.write(chunk({ content: 'a' }))
      }
    })
    const app = post()
    await viewer.until(() => viewer.tokens.length === 1)
    app.destroy()
    await upstreamSaw
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
    expect(viewer.states.map(({ state }) => state)).toContain('cancelling')
  })

  test.each(['DELETE', 'stop message'])('a viewer stops an app by %s: its connection breaks', async way => {
    const upstreamSaw = new Promise<void>(resolve => {
      upstream.script = (_request, response) => {
        response.on('close', resolve)
        response.writeHead(200, SSE)
        response.write(chunk({ content: 'a' }))
      }
    })
    const answer = raw('POST', '/v1/chat/completions', JSON.stringify({ ...PROMPT, stream: true })).then(
      textOf,
    )
    const broken = expect(answer).rejects.toThrow(/aborted|ECONNRESET/)
    await viewer.until(() => viewer.tokens.length === 1)
    const [generation] = viewer.generations
    if (way === 'DELETE') {
      const response = await fetch(`${scope.url}/scope/v1/generations/${generation}`, { method: 'DELETE' })
      expect(response.status).toBe(200)
    } else viewer.send({ type: 'stop', generation })
    await Promise.all([broken, upstreamSaw])
    expect(await viewer.end()).toMatchObject({ state: 'cancelled', ending: 'stopped' })
  })
})

describe('an upstream that goes and comes back', () => {
  test('mid-answer: interrupted, broken for the app, text kept, and the next request works', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.write(chunk({ content: 'half an' }))
    }
    const { client } = recordingClient()
    const stream = await client.chat.completions.create({ ...PROMPT, stream: true })
    let text = ''
    const reading = (async () => {
      for await (const part of stream) text += part.choices[0]?.delta.content ?? ''
    })()
    const failed = expect(reading).rejects.toThrow()
    await viewer.until(() => viewer.tokens.length === 1)
    await upstream.kill()
    await failed
    const last = await viewer.end()
    expect(last).toMatchObject({ state: 'interrupted', ending: 'connection' })
    expect([text, viewer.textOf(last.generation)]).toEqual(['half an', 'half an'])

    // While it is away the app is told so.
    const absent = await raw('POST', '/v1/chat/completions', JSON.stringify(PROMPT))
    expect(absent.statusCode).toBe(502)
    expect(JSON.parse(await textOf(absent))).toMatchObject({ error: { code: 'upstream_unreachable' } })
    expect(await viewer.end(1)).toMatchObject({ state: 'failed', ending: 'connection' })
    expect(await (await fetch(`${scope.url}/readyz`)).text()).toMatch(/^degraded\n/)

    await upstream.start()
    upstream.script = (_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ choices: [{ index: 0, message: { content: 'back' }, finish_reason: 'stop' }] }),
      )
    }
    const completion = await client.chat.completions.create(PROMPT)
    expect(completion.choices[0]?.message.content).toBe('back')
    expect(await viewer.end(2)).toMatchObject({ state: 'done' })
    // It answers again, and that is known without waiting for the next look.
    while (!(await (await fetch(`${scope.url}/readyz`)).text()).startsWith('ready')) {}
  })

  test('an upstream that breaks before it answers gives 502', async () => {
    upstream.script = request => {
      request.socket.destroy()
    }
    const answer = await raw('POST', '/v1/chat/completions', JSON.stringify(PROMPT))
    expect(answer.statusCode).toBe(502)
    expect(JSON.parse(await textOf(answer))).toMatchObject({
      error: { code: 'upstream_broken', type: 'api_error' },
    })
    expect(await viewer.end()).toMatchObject({ state: 'failed' })
  })

  test('an answer without a length that breaks is reset, not ended', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(200, SSE)
      response.write(chunk({ content: 'a' }))
      response.write('', () => response.socket?.resetAndDestroy())
    }
    // An HTTP/1.0 app reads to the end of the connection: only a reset tells it that something is missing.
    const socket = connect(Number(new URL(scope.url).port), '127.0.0.1')
    const body = JSON.stringify({ ...PROMPT, stream: true })
    socket.write(
      `POST /v1/chat/completions HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    socket.resume()
    const [error] = await once(socket, 'error')
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNRESET')
    await viewer.end()
  })
})

function post() {
  const body = JSON.stringify({ ...PROMPT, stream: true })
  const request = httpRequest(`${scope.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  })
  request.on('error', () => {})
  request.end(body)
  return request
}

function raw(
  method: string,
  path: string,
  body: string | Buffer,
  headers: string[] = ['Content-Type', 'application/json'],
  unfinished = false,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(scope.url)
    const named = headers.some((name, i) => i % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(name))
    const length = named || body.length === 0 ? [] : ['Content-Length', String(Buffer.byteLength(body))]
    const request = httpRequest({
      hostname,
      port,
      method,
      path,
      headers: ['Host', host, ...headers, ...length],
    })
    request.on('response', resolve)
    request.on('error', reject)
    if (unfinished) request.flushHeaders()
    else request.end(body)
  })
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const part of answer) chunks.push(part)
  return Buffer.concat(chunks)
}

async function textOf(answer: IncomingMessage): Promise<string> {
  return (await bytesOf(answer)).toString('utf8')
}

function pairs(headers: string[]): [string, string][] {
  return Array.from({ length: headers.length / 2 }, (_, i) => [
    headers[2 * i] as string,
    headers[2 * i + 1] as string,
  ])
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
