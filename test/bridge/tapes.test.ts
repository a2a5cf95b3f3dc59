/** What is told to who records, over real connections: every byte of every answer, and how it ended. */
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, received, send, sendAndGo } from '../support/app.ts'
import { CHAT, Demo, QUESTION } from '../support/demo.ts'
import { RawUpstream } from '../support/raw-upstream.ts'
import { rounds } from '../support/rounds.ts'
import { type KeptTape, TapedBridge } from '../support/taped-bridge.ts'

const demo = new Demo()
const bridge = new TapedBridge()
beforeAll(async () => {
  await demo.start()
  await bridge.start([`${demo.url},kind=openai`], { cache: false })
})
afterAll(async () => {
  await bridge.stop()
  await demo.stop()
})
afterEach(() => bridge.clear())

/** Asks as an app, with directives for the demo server. */
function ask(directives: string, body: object = CHAT, headers: Record<string, string> = {}) {
  return send(bridge.url, {
    headers: { 'Content-Type': 'application/json', 'X-Demo': directives, ...headers },
    body,
  })
}

/** Asks, reads to the end, whatever that is, and gives what the app got beside the tape. */
async function taken(directives: string, body: object = CHAT) {
  const answer = await ask(directives, body)
  const got = await received(answer)
  const [tape] = (await bridge.over()) as [KeptTape]
  return { answer, got, tape }
}

describe('an app’s request', () => {
  test('is taped as it goes upstream, under the name by which the log speaks of it', async () => {
    const body = JSON.stringify({ ...CHAT, odd: '  spaces  ' })
    const before = performance.now()
    const answer = await send(bridge.url, {
      path: '/v1/chat/completions?x=%2F&y',
      headers: ['Content-Type', 'application/json', 'X-Two', 'a', 'X-Two', 'b', 'X-Correlation-ID', 'mine-1'],
      body,
    })
    await bytesOf(answer)
    const [tape] = (await bridge.over()) as [KeptTape]
    const { method, target, headers, correlationId, startedAt } = tape.request
    expect([method, target, correlationId]).toEqual(['POST', '/v1/chat/completions?x=%2F&y', 'mine-1'])
    expect(tape.request.body?.toString()).toBe(body)
    expect(startedAt).toBeGreaterThan(before)
    expect(startedAt).toBeLessThan(performance.now())
    // What is about the connection alone is not in it.
    const sent = demo.seen.at(-1)?.rawHeaders as string[]
    const hop = new Set(['host', 'connection'])
    expect(headers).toEqual(sent.filter((_, i) => !hop.has((sent[i - (i % 2)] as string).toLowerCase())))
  })

  test('has no name of its own: the one that it was given here is taped', async () => {
    const { tape } = await taken('tokens=2')
    expect(tape.request.correlationId).toBe('made-here')
  })

  test('is not taped where it does not generate', async () => {
    await bytesOf(await send(bridge.url, { method: 'GET', path: '/v1/models' }))
    await bytesOf(await send(bridge.url, { path: '/v1/embeddings', body: { input: 'x' } }))
    await taken('tokens=2')
    expect(bridge.tapes.map(({ request }) => request.target)).toEqual(['/v1/chat/completions'])
  })
})

describe('an answer', () => {
  test('that streams is taped byte for byte, its head as it came', async () => {
    const { answer, got, tape } = await taken('fixed')
    expect(got.complete).toBe(true)
    expect(tape.body.equals(got.body)).toBe(true)
    expect([tape.status, tape.outcome, tape.faults]).toEqual([200, 'complete', []])
    const names = (flat: readonly string[]) => flat.filter((_, i) => i % 2 === 0)
    expect(names(tape.headers ?? [])).toContain('content-type')
    // What Tokenscope adds is no part of it.
    expect(names(answer.rawHeaders)).toContain('Content-Security-Policy')
    expect(names(tape.headers ?? [])).not.toContain('Content-Security-Policy')
  })

  test('that is whole is taped byte for byte', async () => {
    const { got, tape } = await taken('fixed', { ...CHAT, stream: false })
    expect(JSON.parse(tape.body.toString()).object).toBe('chat.completion')
    expect(tape.body.equals(got.body)).toBe(true)
    expect(tape.outcome).toBe('complete')
  })

  test.each([[true], [false]])(
    'of several choices names all of them at its end (stream: %s)',
    async stream => {
      const { tape } = await taken('tokens=3', { ...CHAT, n: 3, stream })
      expect(tape.ids).toHaveLength(3)
      expect(tape.ended).toEqual(tape.ids)
      expect(new Set(bridge.events.map(({ generation }) => generation))).toEqual(new Set(tape.ids))
    },
  )

  test('that is an error is taped with its status', async () => {
    const { answer, got, tape } = await taken('500')
    expect([answer.statusCode, tape.status, tape.outcome]).toEqual([500, 500, 'complete'])
    expect(tape.body.equals(got.body)).toBe(true)
  })

  test('that breaks is taped up to there', async () => {
    for (const directives of ['drop=700', 'cut=700']) {
      const { got, tape } = await taken(directives)
      expect(got.complete).toBe(false)
      expect(tape.outcome).toBe('broken')
      expect([got.body.length, tape.body.length]).toEqual([700, 700])
      expect(tape.body.equals(got.body)).toBe(true)
      expect(tape.ended).toEqual(tape.ids)
      bridge.clear()
    }
  })

  test('that ends in good order without a finish is complete as HTTP sees it', async () => {
    const { tape, got } = await taken('end=700')
    expect([tape.outcome, tape.body.equals(got.body)]).toEqual(['complete', true])
  })

  test('that its app does not wait for is cancelled', async () => {
    const told = Promise.withResolvers<void>()
    bridge.onTold = what => {
      if (what === 'bytes') told.resolve()
    }
    const app = sendAndGo(bridge.url, { headers: { 'X-Demo': 'silence=forever@2' }, body: CHAT })
    await told.promise
    app.go()
    const [tape] = (await bridge.over()) as [KeptTape]
    expect([tape.status, tape.outcome]).toEqual([200, 'cancelled'])
    expect(tape.body.toString()).toContain('chat.completion.chunk')
  })

  test('whose app goes before there is one is cancelled without a head', async () => {
    const app = sendAndGo(bridge.url, { headers: { 'X-Demo': 'slow-headers=forever' }, body: CHAT })
    await bridge.until(() => bridge.events.length > 0)
    app.go()
    const [tape] = (await bridge.over()) as [KeptTape]
    expect([tape.status, tape.chunks, tape.outcome]).toEqual([null, [], 'cancelled'])
  })

  test('that is stopped is cancelled, with what the app got', async () => {
    const answer = await ask('silence=forever@3')
    const got = received(answer)
    await bridge.until(() => bridge.events.filter(({ type }) => type === 'token_activation').length === 3)
    bridge.bridge.stop(bridge.events[0]?.generation as string)
    const [tape] = (await bridge.over()) as [KeptTape]
    expect(tape.outcome).toBe('cancelled')
    expect(tape.body.equals((await got).body)).toBe(true)
  })

  test('that never came is broken without a head', async () => {
    const away = await new RawUpstream(request => void request.socket.resetAndDestroy()).start()
    const lone = await new TapedBridge().start([away.url])
    const answer = await send(lone.url, { body: CHAT })
    await bytesOf(answer)
    const [tape] = (await lone.over()) as [KeptTape]
    expect([answer.statusCode, tape.status, tape.chunks.length, tape.outcome]).toEqual([
      ...[502, null, 0, 'broken'],
    ])
    expect(tape.ended).toEqual(tape.ids)
    await lone.stop()
    await away.stop()
  })

  test('of several attempts is the one that was passed on', async () => {
    let asked = 0
    const upstream = await new RawUpstream((_request, response) => {
      if (++asked === 1) response.writeHead(503, { 'Content-Type': 'text/plain' }).end('not now')
      else response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"second": true}')
    }).start()
    const retrying = await new TapedBridge().start([upstream.url], { policy: { retries: 2 } })
    const got = await bytesOf(await send(retrying.url, { body: CHAT }))
    const tapes = await retrying.over()
    expect([asked, tapes.length]).toEqual([2, 1])
    expect([tapes[0]?.status, tapes[0]?.body.toString()]).toEqual([200, '{"second": true}'])
    expect(got.toString()).toBe('{"second": true}')
    await retrying.stop()
    await upstream.stop()
  })

  test('is whole where what records is at fault, which is told', async () => {
    const faults = ['open', 'head', 'bytes', 'end'] as const
    for (const where of faults) {
      bridge.onTold = what => {
        if (what === where) throw new Error(`no ${where}`)
      }
      const answer = await ask('fixed')
      const got = await received(answer)
      await bridge.until(() => bridge.faults.length > 0 && bridge.ended.size > 0)
      expect([got.complete, bridge.faults]).toEqual([true, [new Error(`no ${where}`)]])
      expect(got.body.equals(await direct('fixed'))).toBe(true)
      bridge.clear()
    }
  })

  test('that is large comes to a slow app and to the tape alike', async () => {
    const text = 'x'.repeat(64 * 1024)
    const upstream = await new RawUpstream((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      for (let i = 0; i < 64; i++) response.write(`data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`)
      response.end('data: [DONE]\n\n')
    }).start()
    const large = await new TapedBridge().start([upstream.url])
    const answer = await send(large.url, { body: CHAT })
    // Nobody reads until the upstream was told to wait.
    await large.until(() => large.events.some(({ type }) => type === 'token_activation'))
    const got = await bytesOf(answer)
    const [tape] = (await large.over()) as [KeptTape]
    expect(got.length).toBeGreaterThan(64 * text.length)
    expect(tape.body.equals(got)).toBe(true)
    await large.stop()
    await upstream.stop()
  })
})

/** What the demo server itself answers. */
async function direct(directives: string): Promise<Buffer> {
  const headers = { 'Content-Type': 'application/json', 'X-Demo': directives }
  return bytesOf(await send(demo.url, { headers, body: CHAT }))
}

describe('an answer from the cache', () => {
  test('is taped as any other', async () => {
    const caching = await new TapedBridge().start([`${demo.url},kind=openai`], { cache: true })
    const bodies: Buffer[] = []
    for (let i = 0; i < 2; i++) {
      const answer = await send(caching.url, { headers: { 'Content-Type': 'application/json' }, body: CHAT })
      expect(answer.headers['x-tokenscope-cache']).toBe(i === 0 ? 'MISS' : 'HIT')
      bodies.push(await bytesOf(answer))
      await caching.over(i + 1)
    }
    const [first, second] = caching.tapes as [KeptTape, KeptTape]
    expect(second.body.equals(first.body)).toBe(true)
    expect(second.body.equals(bodies[1] as Buffer)).toBe(true)
    expect([second.status, second.outcome]).toEqual([200, 'complete'])
    expect(second.ids).not.toEqual(first.ids)
    expect(second.ended).toEqual(second.ids)
    await caching.stop()
  })
})

describe('a prompt of the page', () => {
  test('is taped, with no name in the log', async () => {
    const { generation: id } = bridge.bridge.generate({
      messages: QUESTION,
      parameters: { max_tokens: 5 },
    })
    const [tape] = (await bridge.over()) as [KeptTape]
    expect(tape.request).toMatchObject({
      ...{ method: 'POST', target: '/v1/chat/completions', correlationId: null },
    })
    expect(JSON.parse(String(tape.request.body))).toMatchObject({ messages: QUESTION, max_tokens: 5 })
    expect([tape.ids, tape.ended, tape.outcome]).toEqual([[id], [id], 'complete'])
    expect(tape.body.toString()).toContain('[DONE]')
  })

  test('that goes on with a broken answer is taped as a request of its own', async () => {
    const named = await new TapedBridge().start([`${demo.of('vllm')},kind=vllm`])
    const headers = { 'Content-Type': 'application/json', 'X-Demo': 'drop=3000' }
    await received(await send(named.url, { headers, body: CHAT }))
    const [broken] = (await named.over()) as [KeptTape]
    const id = named.bridge.continue(broken.ids[0] as string)
    const [, tape] = (await named.over(2)) as [KeptTape, KeptTape]
    expect([tape.ids, tape.outcome, broken.outcome]).toEqual([[id], 'complete', 'broken'])
    await named.stop()
  })

  test('that is stopped, or is on its way when Tokenscope stops, is cancelled', async () => {
    const lone = await new TapedBridge().start([`${demo.url},kind=openai`])
    const slow = { messages: QUESTION, parameters: {} }
    // Before it was sent.
    lone.bridge.stop(lone.bridge.generate(slow).generation)
    await lone.over(1)
    demo.server.setFaults('silence=forever@1', 1)
    lone.bridge.generate(slow)
    await lone.until(() => lone.tapes[1]?.status === 200)
    await lone.bridge.drain(0)
    // Its end was told when the bridge had drained.
    expect(lone.tapes.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled'])
    await lone.stop()
  })
})

test('whatever happens to answers, what is taped is what the app got, in the order in which it came', async () => {
  const fault = fc.oneof(
    fc.constantFrom(
      '',
      'crlf',
      'no-done',
      'empty',
      'error=3',
      'pings',
      'half-characters=2',
      '500',
      '429',
      'bom',
    ),
    fc.nat(4000).map(byte => `drop=${byte}`),
    fc.nat(4000).map(byte => `cut=${byte}`),
    fc.nat(4000).map(byte => `end=${byte}`),
    fc.integer({ min: 1, max: 300 }).map(bytes => `split=${bytes}`),
  )
  const one = fc.record({
    fault,
    stream: fc.boolean(),
    n: fc.integer({ min: 1, max: 3 }),
    tokens: fc.integer({ min: 1, max: 30 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 6 }), async requests => {
      // One of its own, for what fails so often is left alone after a while.
      const fresh = await new TapedBridge().start([`${demo.url},kind=openai`])
      const got = await Promise.all(
        requests.map(async ({ fault, stream, n, tokens }, i) => {
          const directives = [`tokens=${tokens}`, fault].filter(Boolean).join(',')
          const name = `c-${i}`
          const answer = await send(fresh.url, {
            headers: { 'Content-Type': 'application/json', 'X-Demo': directives, 'X-Correlation-ID': name },
            body: { ...CHAT, stream, n },
          })
          return { name, status: answer.statusCode, ...(await received(answer)) }
        }),
      )
      await fresh.over(requests.length)
      expect([fresh.faults, fresh.tapes.length]).toEqual([[], requests.length])
      for (const { name, status, body, complete } of got) {
        const tape = fresh.tapes.find(({ request }) => request.correlationId === name) as KeptTape
        expect(tape.faults).toEqual([])
        expect(tape.ended).toEqual(tape.ids)
        // Where no answer came the app was told so in words of ours.
        if (tape.status === null)
          expect([status, tape.chunks.length, tape.outcome]).toEqual([502, 0, 'broken'])
        else {
          expect([tape.status, tape.outcome]).toEqual([status, complete ? 'complete' : 'broken'])
          expect(tape.body.equals(body)).toBe(true)
        }
      }
      await fresh.stop()
    }),
    { numRuns: rounds(1000) },
  )
})
