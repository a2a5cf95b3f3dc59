import { request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { useApi } from '../support/api-stage.ts'
import { textOf } from '../support/app.ts'

const api = useApi()

/** Files of the stand-in: a line each, so long. */
async function* file(ids: string[], length = 0): AsyncGenerator<Buffer> {
  const detail = { ...api.records.add('g_made'), text: 'x'.repeat(length) }
  api.records.kept.length = 0
  for (const generation of ids) {
    yield Buffer.from(`${JSON.stringify({ detail: { ...detail, generation }, tokens: [] })}\n`)
  }
}

async function whole(ids: string[]): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of file(ids)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

describe('a recorded generation', () => {
  test.each<[object | undefined, number | null]>([
    [undefined, 1],
    [{}, 1],
    [{ speed: 0.25 }, 0.25],
    [{ speed: 1000 }, 1000],
    [{ speed: 'unlimited' }, null],
  ])('is played again by %j', async (body, speed) => {
    api.records.add('g_1')
    const answer = await api.ask('POST', '/generations/g_1/replay', body)
    expect([answer.status, answer.body.data]).toEqual([201, { generation: 'g_1_again' }])
    expect(api.replays.started).toEqual([['g_1', speed]])
  })

  test.each([
    [{ speed: 0.2 }, /^"speed" is 0\.2; it must be a number from 0\.25 to 1000, or unlimited\.$/],
    [{ speed: 1001 }, /^"speed" is 1001; it must be a number from 0\.25 to 1000, or unlimited\.$/],
    [{ speed: '2' }, /^"speed" is "2"; it must be a number from 0\.25 to 1000, or unlimited\.$/],
    [{ pace: 2 }, /^"pace" is not known here/],
  ])('is not by %j', async (body, words) => {
    api.records.add('g_1')
    const answer = await api.ask('POST', '/generations/g_1/replay', body)
    expect([answer.status, answer.body.error_code]).toEqual([400, 'BAD_REQUEST'])
    expect(answer.body.error).toMatch(words)
    expect(api.replays.started).toEqual([])
  })
})

describe('a recording that is sent', () => {
  test.each([
    ['', 1],
    ['?speed=4', 4],
    ['?speed=0.5', 0.5],
    ['?speed=unlimited', null],
  ])('is played with %j', async (query, speed) => {
    const { status, body } = await api.ask('POST', `/replays${query}`, await whole(['g_1', 'g_2']))
    expect([status, body.data]).toEqual([200, { generations: ['g_1', 'g_2'] }])
    expect(api.replays.played).toMatchObject([{ speed }])
  })

  test.each(['0', '1001', 'fast', '', '1&speed=2'])('is not at a speed of "%s"', async speed => {
    const { status, body } = await api.ask('POST', `/replays?speed=${speed}`, await whole(['g_1']))
    expect([status, body.error_code]).toEqual([400, 'BAD_REQUEST'])
    expect(body.error).toMatch(/^"speed" is .+; it must be a number from 0.25 to 1000, or unlimited\.$/)
    expect(api.replays.played).toEqual([])
  })

  test('is taken in', async () => {
    const { status, body } = await api.ask('POST', '/generations/import', await whole(['g_1', 'g_2']))
    expect([status, body.data]).toEqual([201, { imported: ['g_1', 'g_2'], present: [] }])
    const sent = await api.ask('POST', '/generations/import', await whole([]))
    expect([sent.status, sent.body.data]).toEqual([201, { imported: [], present: [] }])
  })

  test('may be far longer than other bodies, and comes piece by piece', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `g_${i}`)
    const answer = await fetch(`${api.url}/scope/v1/generations/import`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: Readable.toWeb(Readable.from(file(ids, 1024 * 1024))) as unknown as BodyInit,
      duplex: 'half',
    } as RequestInit)
    expect([answer.status, (await answer.json()).data.imported]).toEqual([201, ids])
  })

  test.each(['/replays', '/generations/import'])(
    'is refused at %s by its line, whatever comes after it',
    async path => {
      // Far more than the buffers between hold: who sends it all must come to read the answer.
      const rest = Buffer.alloc(32 * 1024 * 1024, 'y').toString()
      const { status, body } = await api.ask('POST', path, `${await whole(['g_1'])}nonsense\n${rest}\n`)
      expect([status, body.error_code, body.error]).toEqual([400, 'BAD_RECORDING', 'Line 2 is not JSON.'])
      // The connection can be used again.
      expect((await api.ask('POST', path, await whole(['g_2']))).status).toBeLessThan(300)
    },
  )

  test.each(['/replays', '/generations/import'])('is refused at %s if it is of another type', async path => {
    const { status, body } = await api.ask('POST', path, { generation: 'g_1' })
    expect([status, body.error_code, body.error]).toEqual([
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'The body must be application/x-ndjson.',
    ])
  })

  test('is no body for other paths', async () => {
    const { status, body } = await api.ask('POST', '/generations', await whole(['g_1']))
    expect([status, body.error]).toEqual([415, 'The body must be application/json.'])
  })

  test('is stopped by the end of its connection', async () => {
    const sent = httpRequest(`${api.url}/scope/v1/replays`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
    })
    sent.on('error', () => {})
    sent.write(await whole(['g_1']))
    await vi.waitFor(() => expect(api.replays.played[0]?.generations).toEqual(['g_1']), { timeout: 10_000 })
    expect(api.replays.played[0]?.stopped).toBe(false)
    sent.destroy()
    await vi.waitFor(() => expect(api.replays.played[0]?.stopped).toBe(true), { timeout: 10_000 })
  })
})

test('a fault of ours while a body is read is logged; that who sent it has gone is none', async () => {
  api.records.import = async bytes => {
    for await (const _ of bytes);
    throw new Error('a fault')
  }
  const { status, body } = await api.ask('POST', '/generations/import', await whole(['g_1']))
  expect([status, body.error_code]).toEqual([500, 'INTERNAL'])
  expect(api.lines).toEqual([expect.stringMatching(/"a request failed in here"/)])

  api.renew()
  let begun = false
  let broke: unknown = null
  api.records.import = async bytes => {
    begun = true
    try {
      for await (const _ of bytes);
    } catch (error) {
      broke = error
      throw error
    }
    return { imported: [], present: [] }
  }
  const sent = httpRequest(`${api.url}/scope/v1/generations/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  })
  sent.on('error', () => {})
  sent.write('{')
  await vi.waitFor(() => expect(begun).toBe(true), { timeout: 10_000 })
  sent.destroy()
  await vi.waitFor(() => expect(broke).not.toBeNull(), { timeout: 10_000 })
  // What is logged of it would be by now.
  await api.ask('GET', '/generations')
  expect(api.lines).toEqual([])
})

test('curl’s question whether to send is answered with yes, however long it is', async () => {
  const sent = httpRequest(`${api.url}/scope/v1/generations/import`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/x-ndjson', expect: '100-continue' },
      'content-length': 65 * 1024 * 1024,
    },
  })
  sent.on('error', () => {})
  sent.flushHeaders()
  await new Promise(resolve => sent.once('continue', resolve))
  const answer = new Promise<Parameters<typeof textOf>[0]>(resolve => sent.once('response', resolve))
  sent.write(`nonsense\n${'y'.repeat(64 * 1024)}`)
  expect(JSON.parse(await textOf(await answer)).error).toBe('Line 1 is not JSON.')
  sent.destroy()
})
