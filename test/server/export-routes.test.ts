import { expect, test, vi } from 'vitest'
import { TokenscopeError } from '../../events/errors.ts'
import { useApi } from '../support/api-stage.ts'
import { received, send } from '../support/app.ts'
import { soon } from '../support/soon.ts'

const api = useApi()

const file = (query: string) => fetch(`${api.url}/scope/v1/generations/g_1/export?${query}`)

test.each([
  ['jsonl', 'application/x-ndjson'],
  ['csv', 'text/csv; charset=utf-8'],
  ['txt', 'text/plain; charset=utf-8'],
] as const)('a generation is a file in the form %s', async (format, type) => {
  api.records.add('g_1', { text: 'ein Gruß' })
  const answer = await file(`format=${format}`)
  expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
    200,
    type,
    'no-store',
  ])
  expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="g_1.${format}"`)
  const whole: Uint8Array[] = []
  for await (const piece of api.records.export('g_1', format)) whole.push(piece)
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.concat(whole))
})

test('its name is that of the generation', async () => {
  api.records.add('g_1', { name: 'Ein "Gruß"/..\\an: Österreich' })
  expect((await file('format=txt')).headers.get('content-disposition')).toBe(
    `attachment; filename="Ein _Gru___.._an_ _sterreich.txt"; filename*=UTF-8''Ein%20_Gru%C3%9F__.._an_%20%C3%96sterreich.txt`,
  )
})

test.each([
  ['', '"format" is missing; it must be one of jsonl, csv, txt, png.'],
  ['format=xml', '"format" is "xml"; it must be one of jsonl, csv, txt, png.'],
  ['format=png&w=0', '"w" is "0"; it must be a whole number from 1 to 8192.'],
])('it is none for "%s"', async (query, error) => {
  const { status, body } = await api.ask('GET', `/generations/g_1/export?${query}`)
  expect([status, body.error]).toEqual([400, error])
})

test('what fails with the first piece is answered as what it is, and is no file', async () => {
  api.records.add('g_1')
  const next = () => Promise.reject(new TokenscopeError('RECORDS_UNAVAILABLE', 'The records are gone.'))
  api.records.pieces = () => ({ [Symbol.asyncIterator]: () => ({ next }) })
  const { status, headers, body } = await api.ask('GET', '/generations/g_1/export?format=csv')
  expect([status, body.error_code, headers.get('content-disposition')]).toEqual([
    503,
    'RECORDS_UNAVAILABLE',
    null,
  ])
})

test('what fails midway ends as a broken connection', async () => {
  api.records.add('g_1')
  api.records.pieces = async function* () {
    yield Buffer.from('first')
    throw new Error('gone')
  }
  const answer = await send(api.url, {
    method: 'GET',
    path: '/scope/v1/generations/g_1/export?format=txt',
    headers: {},
  })
  const { body, complete } = await received(answer)
  expect([answer.statusCode, body.toString(), complete]).toEqual([200, 'first', false])
})

test('an empty file is one', async () => {
  api.records.add('g_1')
  api.records.pieces = async function* () {}
  expect(await (await file('format=txt')).text()).toBe('')
})

test('is read only as fast as it is taken, and no further once nobody takes it', async () => {
  api.records.add('g_1')
  let given = 0
  let left = false
  api.records.pieces = async function* () {
    try {
      for (; given < 10_000; given++) yield Buffer.alloc(64 * 1024)
    } finally {
      left = true
    }
  }
  const answer = await send(api.url, {
    method: 'GET',
    path: '/scope/v1/generations/g_1/export?format=txt',
    headers: {},
  })
  // Nobody reads: it stops where the buffers between are full.
  let before = -1
  await vi.waitFor(
    () => {
      const stands = given === before && given > 0
      before = given
      expect(stands).toBe(true)
    },
    { interval: 100, timeout: 10_000 },
  )
  expect(given).toBeLessThan(1000)
  answer.destroy()
  await vi.waitFor(() => expect(left).toBe(true), { timeout: 10_000 })
  expect(given).toBeLessThan(1000)
})

test('HEAD reads nothing of it', async () => {
  api.records.add('g_1')
  let asked = false
  api.records.pieces = async function* () {
    asked = true
    yield Buffer.from('x')
  }
  const answer = await fetch(`${api.url}/scope/v1/generations/g_1/export?format=csv`, { method: 'HEAD' })
  expect([answer.status, answer.headers.get('content-type'), asked]).toEqual([
    200,
    'text/csv; charset=utf-8',
    false,
  ])
})

test('is let go of if who asked has gone before its first piece', async () => {
  api.records.add('g_1')
  const asked = Promise.withResolvers<void>()
  const piece = Promise.withResolvers<IteratorResult<Uint8Array>>()
  const left = Promise.withResolvers<void>()
  api.records.pieces = () => ({
    [Symbol.asyncIterator]: () => ({
      next: () => {
        asked.resolve()
        return piece.promise
      },
      return: async () => {
        left.resolve()
        return { done: true, value: undefined }
      },
    }),
  })
  const gone = new AbortController()
  const answer = fetch(`${api.url}/scope/v1/generations/g_1/export?format=txt`, { signal: gone.signal })
  await asked.promise
  gone.abort()
  await expect(answer).rejects.toThrow()
  // The server has seen it by the time that it answers another request.
  await fetch(`${api.url}/scope/v1/upstreams`)
  piece.resolve({ done: false, value: Buffer.from('first') })
  await left.promise
})

test('exports that nobody reads take all places, which are free again once they are given up', async () => {
  api.records.add('g_1')
  api.records.pieces = async function* () {
    for (;;) yield Buffer.alloc(65_536)
  }
  const ask = () =>
    send(api.url, { method: 'GET', path: '/scope/v1/generations/g_1/export?format=txt', headers: {} })
  const unread = await Promise.all(Array.from({ length: 64 }, ask))
  expect(unread.map(({ statusCode }) => statusCode)).toEqual(unread.map(() => 200))
  const { status, headers, body } = await api.ask('GET', '/generations/g_1/export?format=txt')
  expect([status, body.error_code, headers.get('retry-after')]).toEqual([503, 'POOL_FULL', '2'])
  for (const answer of unread) answer.destroy()
  await soon(async () => {
    const answer = await ask()
    answer.destroy()
    expect(answer.statusCode).toBe(200)
  })
})
