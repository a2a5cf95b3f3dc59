import { type FastifyInstance, fastify } from 'fastify'
import { Compile } from 'typebox/compile'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClientReport } from '../../broadcast/client-report.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { useSchemas } from '../../server/api-validation.ts'
import { ClientsAnswer, clientRoutes } from '../../server/client-routes.ts'
import { Spectator } from '../support/spectator.ts'
import { useStage } from '../support/stage.ts'

const answered = Compile(ClientsAnswer)

describe('a whole server', () => {
  const stage = useStage()

  async function clients(query = ''): Promise<{ data: ClientReport[]; metadata: object }> {
    const response = await fetch(`${stage.url}/scope/v1/clients${query}`)
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const answer = await response.json()
    expect(answered.Errors(answer)).toEqual([])
    return answer
  }

  /** Waits until these are there: that a connection has ended comes to the server when it comes. */
  async function until(names: unknown[]): Promise<void> {
    const present = async () => (await clients()).data.map(({ client }) => client)
    await vi.waitFor(async () => expect(await present()).toEqual(names), { timeout: 10_000 })
  }

  // The viewer of the test before has gone.
  beforeEach(() => until([expect.any(String)]))

  test('tells its viewers as they are', async () => {
    expect(await clients()).toEqual({
      success: true,
      data: [
        {
          client: expect.stringMatching(/^c_\d+$/),
          address: '127.0.0.1',
          protocol: 'tokenscope.json.v1',
          generations: '*',
          state: 'live',
          connected_at: expect.any(Number),
          cursor: expect.any(Number),
          // Whether the pong of the snapshot's ping is back already is nobody's to say.
          acknowledged: expect.toSatisfy(value => value === null || Number.isInteger(value)),
          applied: null,
          lag: 0,
          unacknowledged_bytes: expect.any(Number),
          delivered: 0,
          frames: 0,
          skipped: 0,
          gaps: 0,
          snapshots: 1,
          rtt_ms: expect.toSatisfy(value => value === null || value > 0),
        } satisfies Record<keyof ClientReport, unknown>,
      ],
      metadata: { pagination: { limit: 100, next_cursor: null, has_more: false } },
    })
  })

  test('tells what they were sent and have applied', async () => {
    await stage.take('tokens=5')
    const last = stage.viewer.entries.at(-1)?.seq as number
    stage.viewer.send([{ type: 'ack', seq: last }, { type: 'ping' }])
    await stage.viewer.until(messages => messages.some(({ type }) => type === 'pong'))
    const [client] = (await clients()).data
    expect(client).toMatchObject({ cursor: last, applied: last, delivered: stage.viewer.entries.length })
    expect(client?.frames).toBeGreaterThan(0)
    expect(client?.frames).toBeLessThanOrEqual(stage.viewer.entries.length)
  })

  test('tells of those that came, and no more of those that went', async () => {
    const waiting = Spectator.connect(stage.url)
    await waiting.until(messages => messages.length > 0)
    const some = await Spectator.watch(stage.url, { generations: ['g_b', 'g_a'] })
    const { data } = await clients()
    expect(data.slice(1)).toMatchObject([
      { state: 'connecting', generations: '*', cursor: null },
      { state: 'live', generations: ['g_a', 'g_b'] },
    ])
    waiting.socket.close()
    await waiting.closed
    some.socket.close()
    await some.closed
    await until([data[0]?.client])
  })

  test('lets nobody else in, as everywhere', async () => {
    const response = await fetch(`${stage.url}/scope/v1/clients`, {
      headers: { origin: 'https://evil.example' },
    })
    expect([response.status, (await response.json()).error_code]).toEqual([403, 'FORBIDDEN_ORIGIN'])
  })
})

describe('a page at a time', () => {
  let app: FastifyInstance
  let present: ClientReport[]

  beforeEach(() => {
    app = fastify()
    useSchemas(app)
    app.setErrorHandler((error, _request, reply) => {
      const { status, code, param, message } = error as TokenscopeError
      return reply.code(error instanceof TokenscopeError ? status : 500).send({ code, param, message })
    })
    clientRoutes(app, { clients: () => present })
    present = []
  })
  afterEach(() => app.close())

  async function page(query: Record<string, string | string[]>) {
    const response = await app.inject({ path: '/scope/v1/clients', query })
    return { status: response.statusCode, body: response.json() }
  }

  /** All pages, one after another. */
  async function walk(limit: number, between: () => void = () => {}): Promise<string[][]> {
    const pages: string[][] = []
    let cursor: string | null = null
    do {
      const { body } = await page({ limit: String(limit), ...(cursor === null ? {} : { cursor }) })
      expect(answered.Errors(body)).toEqual([])
      pages.push(body.data.map(({ client }: ClientReport) => client))
      const { pagination } = body.metadata
      expect(pagination).toMatchObject({ limit, has_more: pagination.next_cursor !== null })
      cursor = pagination.next_cursor
      between()
    } while (cursor !== null)
    return pages
  }

  test('holds all of them, each once, whoever was first first', async () => {
    present = [11, 2, 30, 1, 9, 10].map(clientNamed)
    expect(await walk(1)).toEqual([['c_1'], ['c_2'], ['c_9'], ['c_10'], ['c_11'], ['c_30']])
    expect(await walk(2)).toEqual([
      ['c_1', 'c_2'],
      ['c_9', 'c_10'],
      ['c_11', 'c_30'],
    ])
    expect(await walk(4)).toEqual([
      ['c_1', 'c_2', 'c_9', 'c_10'],
      ['c_11', 'c_30'],
    ])
    expect(await walk(1000)).toHaveLength(1)
    present = []
    expect(await walk(1)).toEqual([[]])
  })

  test('holds 100 if nothing else is asked', async () => {
    present = Array.from({ length: 101 }, (_, i) => clientNamed(i))
    const { body } = await page({})
    expect([body.data.length, body.metadata.pagination.limit, body.metadata.pagination.has_more]).toEqual([
      100,
      100,
      true,
    ])
    present.pop()
    expect((await page({})).body.metadata.pagination).toEqual({
      limit: 100,
      next_cursor: null,
      has_more: false,
    })
  })

  test('goes on at the right place, whoever comes and goes meanwhile', async () => {
    present = Array.from({ length: 30 }, (_, i) => clientNamed(i))
    let next = 30
    const gone = new Set<string>()
    const seen = (
      await walk(5, () => {
        // The last one seen goes, on whom the next page begins, and the newest but one; somebody comes.
        for (const at of [4, present.length - 2]) gone.add(present.splice(at, 1)[0]?.client as string)
        if (next < 35) present.push(clientNamed(next++))
      })
    ).flat()
    expect(new Set(seen).size).toBe(seen.length)
    for (let i = 0; i < 30; i++) expect(seen.includes(`c_${i}`) || gone.has(`c_${i}`)).toBe(true)
  })

  test.each<[string, Record<string, string | string[]>]>([
    ['limit', { limit: '0' }],
    ['limit', { limit: '1001' }],
    ['limit', { limit: '-1' }],
    ['limit', { limit: '1.5' }],
    ['limit', { limit: '' }],
    ['limit', { limit: 'all' }],
    ['limit', { limit: '1e2' }],
    ['limit', { limit: ['1', '2'] }],
    ['limit', { limit: '9'.repeat(1000) }],
    ['cursor', { cursor: '' }],
    ['cursor', { cursor: 'c_1' }],
    ['cursor', { cursor: '====' }],
    ['cursor', { cursor: ['Y18x', 'Y18x'] }],
  ])('is refused by the name of what is wrong: %s in %j', async (name, query) => {
    const { status, body } = await page(query)
    expect([status, body.code, body.param]).toEqual([400, 'BAD_REQUEST', name])
    expect(body.message).toMatch(new RegExp(`^"${name}" is .{1,110}; it must be \\w`))
  })
})

function clientNamed(number: number): ClientReport {
  return {
    client: `c_${number}`,
    address: null,
    protocol: 'tokenscope.bin.v1',
    generations: '*',
    state: 'live',
    connected_at: 1_700_000_000 + number,
    cursor: 5,
    acknowledged: 5,
    applied: null,
    lag: 0,
    unacknowledged_bytes: 0,
    delivered: 5,
    frames: 1,
    skipped: 0,
    gaps: 0,
    snapshots: 1,
    rtt_ms: 0.5,
  }
}
