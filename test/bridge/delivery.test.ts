import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Ask } from '../../bridge/ask.ts'
import { backoffMs } from '../../bridge/backoff.ts'
import { ConnectError } from '../../bridge/connect-error.ts'
import { Delivery, type DeliveryPolicy, type Lease, type Places } from '../../bridge/delivery.ts'
import { endpointOf } from '../../bridge/dialects/index.ts'
import type { AnswerHead } from '../../bridge/transport.ts'
import { Upstream } from '../../bridge/upstream.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { parseUpstream } from '../../events/upstream-spec.ts'
import { RecordingMeter } from '../support/hub-meter.ts'

type Script = (request: IncomingMessage, response: ServerResponse) => void

/** An instance and the server behind it, which answers its requests by one script after the other, the last again. */
class Member {
  readonly scripts: Script[] = []
  requests = 0
  /** Where its requests came from. */
  readonly ports = new Set<number | undefined>()
  upstream!: Upstream
  #server!: Server

  async start(...scripts: Script[]): Promise<this> {
    this.scripts.push(...scripts)
    await this.#listen(0)
    const spec = parseUpstream(`http://127.0.0.1:${this.#port},kind=openai`, {})
    const url = new URL(spec.url)
    // Once it is known to be there it is not asked in between; and each request has a connection of its own.
    this.upstream = new Upstream({
      label: String(this.#port),
      url,
      spec,
      demo: false,
      meter: new RecordingMeter(),
    })
    await this.upstream.probe()
    return this
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async #listen(port: number): Promise<void> {
    this.#server = createServer((request, response) => {
      request.resume()
      if (request.url === '/v1/models') return void response.setHeader('connection', 'close').end('{}')
      this.ports.add(request.socket.remotePort)
      const script = this.scripts[Math.min(this.requests++, this.scripts.length - 1)] as Script
      request.on('end', () => script(request, response))
    })
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Nobody listens there, until the returned function is called. */
  async leave(): Promise<() => Promise<void>> {
    const port = this.#port
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
    return () => this.#listen(port)
  }

  async stop(): Promise<void> {
    await this.upstream.stop()
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** Gives the first instance that was not tried, or the first. */
class InOrder implements Places {
  readonly members: Member[]
  readonly leased: string[] = []
  readonly results: string[] = []
  refusal: TokenscopeError | null = null

  constructor(members: Member[]) {
    this.members = members
  }

  lease(_ask: Ask, tried: ReadonlySet<Upstream>): Promise<Lease> {
    if (this.refusal) return Promise.reject(this.refusal)
    const member = this.members.find(({ upstream }) => !tried.has(upstream)) ?? (this.members[0] as Member)
    this.leased.push('abc'[this.members.indexOf(member)] as string)
    return Promise.resolve({ upstream: member.upstream, release: result => void this.results.push(result) })
  }

  hasOther(_ask: Ask, tried: ReadonlySet<Upstream>): boolean {
    return this.members.some(({ upstream }) => !tried.has(upstream))
  }
}

const realTimeout = globalThis.setTimeout
let members: Member[] = []
const member = async (...scripts: Script[]) => {
  const one = await new Member().start(...scripts)
  members.push(one)
  return one
}

/** What was waited for, ms, as far as timers were set by the delivery. */
let waits: number[]

beforeEach(() => {
  members = []
  waits = []
})
afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(members.map(one => one.stop()))
})

const says =
  (status: number, headers: Record<string, string> = {}, body = String(status)): Script =>
  (_request, response) => {
    response.writeHead(status, headers).end(body)
  }
const resets: Script = request => request.socket.resetAndDestroy()

interface Told {
  head: AnswerHead | null
  body: string
  outcome: 'end' | Error
}

/** Delivers a chat completion, or what `more` says; waits are written down and not waited. */
function deliver(
  places: Places,
  more: Partial<Ask> = {},
  policy: Partial<DeliveryPolicy> = {},
  abort = new AbortController(),
): Promise<Told> {
  const path = more.path ?? '/v1/chat/completions'
  const endpoint = endpointOf(more.method ?? 'POST', path)
  const body = Buffer.from('{"stream":false}')
  const ask: Ask = {
    method: 'POST',
    target: path,
    path,
    headers: [],
    body,
    endpoint,
    facts: endpoint?.request.request({}) ?? null,
    model: null,
    only: null,
    parent: null,
    caller: '',
    priority: 0,
    ...more,
  }
  const { promise, resolve } = Promise.withResolvers<Told>()
  const told: Told = { head: null, body: '', outcome: 'end' }
  new Delivery({
    ask,
    places,
    policy: { retries: 5, firstTokenMs: null, silenceMs: null, random: () => 1, ...policy },
    listener: {
      head: head => {
        expect(told.head).toBeNull()
        told.head = head
      },
      chunk: bytes => {
        told.body += bytes.toString()
        return true
      },
      end: () => resolve(told),
      broken: outcome => resolve({ ...told, outcome }),
    },
    exchange: null,
    onInstance: () => {},
    signal: abort.signal,
  })
  return promise
}

/** Timers of the delivery go off at once and are noted; those of what limits others (2 s, 5 s, 10 s) do not count. */
function hurry(during: (ms: number) => void = () => {}): void {
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((what: () => void, ms = 0) => {
    if ([2000, 5000, 10_000].includes(ms)) return realTimeout(what, ms)
    waits.push(Math.round(ms))
    during(ms)
    return realTimeout(what, 0)
  }) as typeof setTimeout)
}

describe('a request is sent again', () => {
  test('with longer and longer waits while nobody listens, until somebody does', async () => {
    const one = await member(says(200))
    const comeBack = await one.leave()
    let back: Promise<void> | null = null
    hurry(() => {
      if (waits.length === 3) back = comeBack()
    })
    const places = new InOrder([one])
    const { head, body } = await deliver(places)
    await back
    expect([head?.status, body]).toEqual([200, '200'])
    expect(waits.slice(0, 3)).toEqual([100, 200, 400])
    expect(places.results.slice(0, 3)).toEqual(['failed', 'failed', 'failed'])
    expect(places.results.at(-1)).toBe('ok')
  })

  test.each([429, 503])('after %i, on the same connection', async status => {
    const one = await member(says(status, {}, 'x'.repeat(1000)), says(status), says(200))
    hurry()
    const places = new InOrder([one])
    const { head, body } = await deliver(places)
    expect([head?.status, body, one.requests, one.ports.size]).toEqual([200, '200', 3, 1])
    expect(waits).toEqual([100, 200])
    expect(places.results).toEqual(['neutral', 'neutral', 'ok'])
  })

  test('after as long as Retry-After says, and the jitter', async () => {
    const date = new Date(Date.now() + 20_000).toUTCString()
    const one = await member(says(429, { 'retry-after': '7' }), says(503, { 'retry-after': date }), says(200))
    hurry()
    expect((await deliver(new InOrder([one]))).head?.status).toBe(200)
    expect(waits[0]).toBe(7100)
    expect(waits[1]).toBeGreaterThan(18_000)
    expect(waits[1]).toBeLessThanOrEqual(20_200)
  })

  test('to the next instance first, at once', async () => {
    const [a, b, c] = [
      await member(says(503, { 'retry-after': '9' })),
      await member(resets),
      await member(says(200)),
    ]
    hurry()
    const places = new InOrder([a, b, c])
    expect((await deliver(places)).head?.status).toBe(200)
    expect([places.leased, waits]).toEqual([['a', 'b', 'c'], []])
  })

  test('to the first that does not ask to be left alone, once all were tried', async () => {
    const a = await member(says(503, { 'retry-after': '9' }))
    const b = await member(resets, says(200))
    hurry()
    const places = new InOrder([a, b])
    expect((await deliver(places)).head?.status).toBe(200)
    expect([places.leased, waits]).toEqual([['a', 'b', 'b'], [200]])
  })

  test('although one instance wants more time than there is, where another has it', async () => {
    const a = await member(says(503, { 'retry-after': '900' }))
    const b = await member(says(200))
    expect((await deliver(new InOrder([a, b]))).head?.status).toBe(200)
  })

  test('when it broke before the head, if it generates, computes or is idempotent', async () => {
    const computes = ['/v1/embeddings', '/api/embed', '/tokenize', '/v1/messages/count_tokens']
    for (const more of [
      {},
      { method: 'GET', path: '/v1/odd', body: null },
      { method: 'DELETE', path: '/api/delete' },
      ...computes.map(path => ({ path })),
    ]) {
      const one = await member(resets, says(200))
      hurry()
      expect((await deliver(new InOrder([one]), more)).head?.status).toBe(200)
      expect(one.requests).toBe(2)
    }
  })
})

describe('a request is not sent again', () => {
  const once1 = async (one: Member, more: Partial<Ask> = {}, policy: Partial<DeliveryPolicy> = {}) => {
    hurry()
    const told = await deliver(new InOrder([one]), more, policy)
    expect([one.requests, waits]).toEqual([1, []])
    return told
  }

  test('when it broke and does something that nobody knows', async () => {
    const one = await member(resets)
    const { outcome } = await once1(one, { path: '/api/v1/models/download' })
    expect(outcome).toMatchObject({ code: 'ECONNRESET' })
  })

  test.each<[string, number]>([
    ['its body cannot be sent twice', 503],
    ['its body cannot be sent twice', 429],
  ])('when %s (%i)', async (_why, status) => {
    const { head } = await once1(await member(says(status)), { body: Readable.from([Buffer.from('{}')]) })
    expect(head?.status).toBe(status)
  })

  test('once its waits come to 30 s: the answer is passed on as it came', async () => {
    const one = await member(says(429, { 'retry-after': '20' }), says(429, { 'retry-after': '15' }, 'busy'))
    hurry()
    const { head, body } = await deliver(new InOrder([one]))
    expect([head?.status, body, one.requests, waits]).toEqual([429, 'busy', 2, [20_100]])
  })

  test('for longer than 30 s, however often it may be', async () => {
    const one = await member(resets)
    hurry()
    const { outcome } = await deliver(new InOrder([one]), {}, { retries: 100 })
    expect(outcome).toMatchObject({ code: 'ECONNRESET' })
    const waited = waits.reduce((sum, ms) => sum + ms, 0)
    expect(waited).toBeGreaterThanOrEqual(30_000)
    expect(waited - (waits.at(-1) as number)).toBeLessThan(30_000)
  })

  test('a third time to a machine that does not even refuse, unless there is another', async () => {
    const [a, b] = [await member(says(200)), await member(says(200))]
    const late = Object.assign(new Error('no connection within 2 s'), { code: 'ETIMEDOUT' })
    for (const { upstream } of [a, b]) {
      vi.spyOn(upstream, 'send').mockImplementation((_request, { broken }) => {
        setImmediate().then(() => broken(new ConnectError(late), performance.now()))
        return { resume: () => {}, abort: () => {} }
      })
    }
    hurry()
    const alone = new InOrder([a])
    expect((await deliver(alone)).outcome).toMatchObject({ code: 'ETIMEDOUT' })
    expect([alone.leased, waits]).toEqual([['a', 'a'], [100]])
    const both = new InOrder([a, b])
    expect((await deliver(both)).outcome).toMatchObject({ code: 'ETIMEDOUT' })
    expect(both.leased).toEqual(['a', 'b'])
  })

  test('by a kept connection that breaks, unless it may be done twice', async () => {
    const one = await member(says(200))
    for (const path of [
      '/api/v1/models/download',
      '/api/v1/models/download',
      '/v1/embeddings',
      '/v1/embeddings',
    ])
      await deliver(new InOrder([one]), { path })
    expect([one.requests, one.ports.size]).toEqual([4, 3])
  })

  test('more often than it may be', async () => {
    const { head, body } = await once1(
      await member(says(503, { 'retry-after': '1' }, 'busy')),
      {},
      { retries: 0 },
    )
    expect([head?.status, body]).toEqual([503, 'busy'])
    expect(head?.headers).toEqual(expect.arrayContaining(['retry-after', '1']))
    const broken = await member(resets)
    await once1(broken, {}, { retries: 0 })
    const refused = await member(says(429))
    const places = new InOrder([refused])
    expect((await deliver(places, {}, { retries: 2 })).head?.status).toBe(429)
    expect(refused.requests).toBe(3)
  })

  test('when the wait would be too long: the answer is passed on as it came', async () => {
    const one = await member(says(503, { 'retry-after': '31', 'x-a': 'b' }, 'come back'))
    const { head, body } = await once1(one)
    expect([head?.status, body]).toEqual([503, 'come back'])
    expect(head?.headers).toEqual(expect.arrayContaining(['retry-after', '31', 'x-a', 'b']))
  })

  test.each([400, 404, 500, 502])('after %i: that is an answer', async status => {
    expect((await once1(await member(says(status)))).head?.status).toBe(status)
  })

  test('once its head was passed on', async () => {
    const one = await member((_request, response) => {
      response.writeHead(200).write('half', () => response.destroy())
    })
    const { head, body, outcome } = await once1(one)
    expect([head?.status, body, outcome instanceof Error]).toEqual([200, 'half', true])
  })

  test('when its answer is no HTTP', async () => {
    const { outcome } = await once1(await member(({ socket }) => void socket.end('nonsense\r\n\r\n')))
    expect(outcome).toMatchObject({ code: expect.stringMatching(/^HPE_/) })
  })

  test('once its app has gone, though it waits to be', async () => {
    const one = await member(says(503, { 'retry-after': '9' }))
    const abort = new AbortController()
    const places = new InOrder([one])
    const waiting = new Promise<void>(resolve => {
      vi.spyOn(globalThis, 'setTimeout').mockImplementation(((what: () => void, ms = 0) => {
        if (ms > 8000 && ms < 10_000) resolve()
        return realTimeout(what, ms)
      }) as typeof setTimeout)
    })
    const delivered = deliver(places, {}, {}, abort)
    await waiting
    abort.abort(new Error('gone'))
    expect((await delivered).outcome).toMatchObject({ message: 'gone' })
    await setImmediate()
    expect([one.requests, places.leased]).toEqual([1, ['a']])
  })
})

test('that there is no place is told as it is', async () => {
  const places = new InOrder([])
  places.refusal = new TokenscopeError('POOL_FULL', 'full', { retryAfterSeconds: 3 })
  expect((await deliver(places)).outcome).toBe(places.refusal)
})

test('an answer that is not wanted is not read for ever', async () => {
  const cut = Promise.withResolvers<void>()
  const endless: Script = async (_request, response) => {
    response.on('close', () => cut.resolve())
    response.writeHead(503)
    while (!response.destroyed) {
      response.write('x'.repeat(9000))
      await setImmediate()
    }
  }
  const one = await member(endless, says(200))
  hurry()
  expect((await deliver(new InOrder([one]))).head?.status).toBe(200)
  await cut.promise
})

test('the wait is drawn evenly from nothing to the doubled last one, up to 4 s', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 50].map(failures => backoffMs(failures, () => 1))
  expect(longest).toEqual([100, 200, 400, 800, 1600, 3200, 4000, 4000])
  expect([0, 0.25, 0.5].map(random => backoffMs(3, () => random))).toEqual([0, 100, 200])
})
