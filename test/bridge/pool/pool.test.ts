import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Ask } from '../../../bridge/ask.ts'
import type { Lease } from '../../../bridge/delivery.ts'
import { endpointOf } from '../../../bridge/dialects/index.ts'
import { Instance } from '../../../bridge/pool/instance.ts'
import { Pool } from '../../../bridge/pool/pool.ts'
import { Upstream } from '../../../bridge/upstream.ts'
import { TokenscopeError } from '../../../events/errors.ts'
import { parseUpstream } from '../../../events/upstream-spec.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'

const CHAT = '/v1/chat/completions'
const FOREVER = new AbortController().signal
const NOBODY: ReadonlySet<Upstream> = new Set()

/** Instances that nobody has looked at yet: which are up and have what is not known, so all are the same. */
function instancesWith(...places: number[]): Instance[] {
  return places.map((max, i) => {
    const spec = parseUpstream(`http://127.0.0.1:${i + 1},max=${max}`, {})
    const meter = new RecordingMeter()
    const upstream = new Upstream({ label: `i${i}`, url: new URL(spec.url), spec, demo: false, meter })
    return new Instance(upstream, spec, meter, () => {})
  })
}

function poolOf(instances: readonly Instance[], queueLimit = 256): Pool {
  const absence = () => new TokenscopeError('NO_UPSTREAM', 'nobody')
  return new Pool({ instancesFor: () => instances, absence, queueLimit })
}

function askFor(more: Partial<Ask> = {}, body: object = {}): Ask {
  const path = more.path ?? CHAT
  const endpoint = endpointOf('POST', path)
  return {
    method: 'POST',
    target: path,
    path,
    headers: [],
    body: null,
    endpoint,
    facts: endpoint?.request.request({ stream: true, ...body }) ?? null,
    model: null,
    only: null,
    parent: null,
    caller: '',
    priority: 0,
    ...more,
  }
}

const settle = () => new Promise<void>(resolve => setImmediate(resolve))

describe('places', () => {
  test('are taken evenly, up to what each instance has, and the next waits until one is given back', async () => {
    const instances = instancesWith(1, 2)
    const pool = poolOf(instances)
    const leases: Lease[] = []
    for (let i = 0; i < 3; i++) leases.push(await pool.lease(askFor(), NOBODY, FOREVER))
    expect(leases.map(({ upstream }) => upstream.label).sort()).toEqual(['i0', 'i1', 'i1'])
    let served: Lease | null = null
    void pool.lease(askFor(), NOBODY, FOREVER).then(lease => {
      served = lease
    })
    await settle()
    expect([served, pool.queued]).toEqual([null, 1])
    const [first] = leases as [Lease]
    first.release('ok', 5)
    first.release('ok', 5)
    await settle()
    expect(served).toMatchObject({ upstream: { label: first.upstream.label } })
    expect([pool.queued, instances.map(one => one.inFlight)]).toEqual([0, [1, 2]])
  })

  test('are not needed where nothing is generated', async () => {
    const pool = poolOf(instancesWith(1), 0)
    await pool.lease(askFor(), NOBODY, FOREVER)
    const path = '/v1/models'
    const list = await pool.lease(
      askFor({ method: 'GET', path, target: path, endpoint: null }),
      NOBODY,
      FOREVER,
    )
    expect(list.upstream.label).toBe('i0')
    list.release('ok', null)
    await expect(pool.lease(askFor(), NOBODY, FOREVER)).rejects.toMatchObject({ code: 'POOL_FULL' })
  })

  test('of the only instance are given without a look at the model, for which a body would be parsed', async () => {
    const pool = poolOf(instancesWith(1))
    const path = '/v1/embeddings'
    const ask = askFor({ path, target: path, endpoint: null, facts: null })
    let looks = 0
    const look = () => {
      looks++
      return null
    }
    Object.defineProperty(ask, 'model', { get: look })
    expect(pool.expected(ask).label).toBe('i0')
    await pool.lease(ask, NOBODY, FOREVER)
    expect(pool.hasOther(ask, NOBODY)).toBe(true)
    expect(looks).toBe(0)
    poolOf(instancesWith(1, 1)).expected(ask)
    expect(looks).toBeGreaterThan(0)
  })

  test('come to the lower priority first, then to who came first', async () => {
    const pool = poolOf(instancesWith(1))
    const first = await pool.lease(askFor(), NOBODY, FOREVER)
    const order: string[] = []
    const wait = (name: string, priority: number) =>
      pool.lease(askFor({ priority }), NOBODY, FOREVER).then(lease => {
        order.push(name)
        lease.release('ok', null)
      })
    const all = [wait('late', 3), wait('a', 0), wait('b', 0), wait('urgent', -2)]
    first.release('ok', null)
    await Promise.all(all)
    expect(order).toEqual(['urgent', 'a', 'b', 'late'])
  })

  test('are waited for no longer by who goes, with the reason it goes for', async () => {
    const pool = poolOf(instancesWith(1))
    const first = await pool.lease(askFor(), NOBODY, FOREVER)
    const going = new AbortController()
    const gone = pool.lease(askFor(), NOBODY, going.signal)
    const stays = pool.lease(askFor(), NOBODY, FOREVER)
    expect(pool.queued).toBe(2)
    going.abort(new Error('the app went'))
    await expect(gone).rejects.toThrow('the app went')
    expect(pool.queued).toBe(1)
    first.release('ok', null)
    expect((await stays).upstream.label).toBe('i0')
    await expect(pool.lease(askFor(), NOBODY, going.signal)).rejects.toThrow('the app went')
  })

  test('of one instance are waited for while others are free only by who can go nowhere else', async () => {
    const instances = instancesWith(1, 1)
    const pool = poolOf(instances)
    const [a, b] = instances.map(one => one.upstream) as [Upstream, Upstream]
    const atA = await pool.lease(askFor(), new Set([b]), FOREVER)
    const second = pool.lease(askFor(), new Set([b]), FOREVER)
    await settle()
    expect(pool.queued).toBe(1)
    // Who was there first waits for an instance that was not tried, which is no reason for others to wait.
    expect((await pool.lease(askFor(), NOBODY, FOREVER)).upstream).toBe(b)
    atA.release('ok', null)
    expect((await second).upstream).toBe(a)
  })

  test('are refused to who finds the queue full, with a time that fits the last durations', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const pool = poolOf(instancesWith(2), 4)
      const first = await pool.lease(askFor(), NOBODY, FOREVER)
      vi.advanceTimersByTime(10_000)
      first.release('ok', null)
      for (let i = 0; i < 6; i++) void pool.lease(askFor(), NOBODY, FOREVER)
      const refusal = await pool.lease(askFor(), NOBODY, FOREVER).catch((error: unknown) => error)
      // Four wait for two places of ten seconds each.
      expect(refusal).toMatchObject({ code: 'POOL_FULL', status: 503, retryAfterSeconds: 20 })
      expect((refusal as Error).message).toBe(
        'All 2 places are taken and 4 requests wait for one. Ask again in 20 s.',
      )
    } finally {
      vi.useRealTimers()
    }
  })

  test('are for nobody where nobody is there, and who waits for one is told', async () => {
    let instances: Instance[] = instancesWith(1)
    const absence = () => new TokenscopeError('NO_UPSTREAM', 'nobody')
    const pool = new Pool({ instancesFor: () => instances, absence })
    const first = await pool.lease(askFor(), NOBODY, FOREVER)
    const waiting = pool.lease(askFor(), NOBODY, FOREVER)
    instances = []
    pool.serve()
    await expect(waiting).rejects.toMatchObject({ code: 'NO_UPSTREAM' })
    await expect(pool.lease(askFor(), NOBODY, FOREVER)).rejects.toMatchObject({ code: 'NO_UPSTREAM' })
    expect(() => pool.expected(askFor())).toThrow('nobody')
    expect(pool.hasOther(askFor(), NOBODY)).toBe(false)
    first.release('failed', null)
    expect(pool.queued).toBe(0)
  })

  type Step =
    | { kind: 'ask'; priority: number; tried: number }
    | { kind: 'release' | 'leave'; which: number; result: 'ok' | 'failed' | 'neutral' }
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      kind: fc.constant('ask' as const),
      priority: fc.integer({ min: -2, max: 2 }),
      tried: fc.nat(7),
    }),
    fc.record({
      kind: fc.constantFrom('release' as const, 'leave' as const),
      which: fc.nat(),
      result: fc.constantFrom('ok' as const, 'failed' as const, 'neutral' as const),
    }),
  )

  test('are never overdrawn, never idle while somebody waits, and everybody is served or told, once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
        fc.array(step, { maxLength: 80 }),
        async (places, steps) => {
          const instances = instancesWith(...places)
          const pool = poolOf(instances, 5)
          const held: Lease[] = []
          const going = new Map<number, AbortController>()
          const outcomes = new Map<number, string[]>()
          let asked = 0
          const tell = (id: number, what: string) => outcomes.get(id)?.push(what)
          for (const one of steps) {
            if (one.kind === 'ask') {
              const id = asked++
              const leaving = new AbortController()
              going.set(id, leaving)
              outcomes.set(id, [])
              const tried = new Set(
                instances.filter((_, i) => one.tried & (1 << i)).map(({ upstream }) => upstream),
              )
              pool.lease(askFor({ priority: one.priority }), tried, leaving.signal).then(
                lease => {
                  going.delete(id)
                  held.push(lease)
                  tell(id, 'served')
                },
                error => {
                  going.delete(id)
                  tell(id, error instanceof TokenscopeError ? error.code : 'gone')
                },
              )
            } else if (one.kind === 'release') {
              held.splice(one.which % Math.max(1, held.length), 1)[0]?.release(one.result, null)
            } else [...going.values()][one.which % Math.max(1, going.size)]?.abort(new Error('gone'))
            await settle()
            expect(held.length).toBe(instances.reduce((sum, { inFlight }) => sum + inFlight, 0))
            for (const { inFlight, max } of instances) expect(inFlight).toBeLessThanOrEqual(max)
            expect(pool.queued).toBe(going.size)
            if (instances.some(({ hasPlace }) => !hasPlace)) continue
            expect(pool.queued).toBe(0)
          }
          while (held.length > 0) {
            held.pop()?.release('ok', null)
            await settle()
          }
          expect(pool.queued).toBe(0)
          for (const told of outcomes.values()) expect(told).toHaveLength(1)
          for (const one of instances) await one.stop()
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('what goes on from an answer', () => {
  let pool: Pool
  let instances: Instance[]
  beforeEach(() => {
    instances = instancesWith(5, 5, 5)
    pool = poolOf(instances)
  })
  afterEach(() => Promise.all(instances.map(one => one.stop())))
  const third = () => (instances[2] as Instance).upstream
  const leaseOf = async (ask: Ask, tried = NOBODY) => (await pool.lease(ask, tried, FOREVER)).upstream

  test.each([
    ['/v1/responses', { previous_response_id: 'resp_1' }],
    ['/api/v1/chat', { previous_response_id: 'resp_1', input: 'x' }],
  ])('of %s goes to who made it, tried or not', async (path, body) => {
    pool.answered(askFor({ path }), 'resp_1', third())
    const next = askFor({ path }, body)
    expect(await leaseOf(next)).toBe(third())
    expect(await leaseOf(next, new Set([third()]))).toBe(third())
    expect(pool.hasOther(next, new Set([third()]))).toBe(false)
    expect(pool.hasOther(askFor({ path }), new Set([third()]))).toBe(true)
  })

  test('by its path goes there, too', async () => {
    pool.answered(askFor({ path: '/v1/responses' }), 'resp/1', third())
    for (const path of ['/v1/responses/resp%2F1', '/v1/responses/resp%2F1/input_items']) {
      expect(await leaseOf(askFor({ method: 'DELETE', path, endpoint: null, facts: null }))).toBe(third())
    }
    expect(await leaseOf(askFor({ path: '/v1/responses/%', endpoint: null, facts: null }))).not.toBe(third())
  })

  test('of a conversation goes to where it began', async () => {
    const headers = ['X-Conversation-Id', 'c1']
    const begun = await leaseOf(askFor({ headers }))
    await leaseOf(askFor())
    expect(await leaseOf(askFor({ headers }))).toBe(begun)
    const path = '/v1/stream'
    const stream = askFor({ method: 'GET', path, target: `${path}?conv_id=c1&from=5`, endpoint: null })
    expect(await leaseOf(stream)).toBe(begun)
  })

  test('is not looked for by the ids of completions, which nobody goes on from', async () => {
    pool.answered(askFor(), 'chatcmpl-1', third())
    const next = askFor({ path: '/v1/responses' }, { previous_response_id: 'chatcmpl-1' })
    expect(await leaseOf(next)).not.toBe(third())
  })
})

test('what is known of an instance: load, speed, results', async () => {
  const [instance] = instancesWith(4) as [Instance]
  const pool = poolOf([instance])
  const run = async (result: 'ok' | 'failed' | 'neutral', firstTokenMs: number | null, body = {}) => {
    const lease = await pool.lease(askFor({}, body), NOBODY, FOREVER)
    expect(instance.report().in_flight).toBe(1)
    lease.release(result, firstTokenMs)
  }
  expect(instance.report()).toMatchObject({ ttft_ms_ewma: null, requests: 0, failures: 0, in_flight: 0 })
  await run('ok', 100)
  await run('ok', 200)
  await run('failed', null)
  await run('neutral', null)
  // A whole answer's first token comes with its last.
  await run('ok', 90_000, { stream: false })
  expect(instance.report()).toMatchObject({
    ttft_ms_ewma: 120,
    requests: 5,
    failures: 1,
    circuit: { state: 'closed', samples: 4, failure_rate: 0.25, limit: 0.1, opened_at: null },
  })
  await instance.stop()
})
