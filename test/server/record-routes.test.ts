import { describe, expect, test } from 'vitest'
import { useApi } from '../support/api-stage.ts'
import { send, textOf } from '../support/app.ts'

const api = useApi()

const names = (body: { data: { generation: string }[] }) => body.data.map(({ generation }) => generation)

describe('recorded generations', () => {
  test('are listed a page at a time, the newest first', async () => {
    for (let i = 1; i <= 5; i++) api.records.add(`g_${i}`)
    const pages: string[][] = []
    let cursor: string | null = null
    do {
      const { body, headers } = await api.ask(
        'GET',
        `/generations?limit=2${cursor ? `&cursor=${cursor}` : ''}`,
      )
      expect(headers.get('cache-control')).toBe('no-store')
      pages.push(names(body))
      cursor = body.metadata.pagination.next_cursor
      expect(body.metadata.pagination).toEqual({ limit: 2, next_cursor: cursor, has_more: cursor !== null })
    } while (cursor !== null)
    expect(pages).toEqual([['g_5', 'g_4'], ['g_3', 'g_2'], ['g_1']])
  })

  test('are found by state, model and words', async () => {
    api.records.add('g_1', { state: 'failed', model: 'a b&c' })
    api.records.add('g_2', { name: 'Ein Gruß', text: 'Guten Tag' })
    expect(names((await api.ask('GET', '/generations?state=failed')).body)).toEqual(['g_1'])
    expect(names((await api.ask('GET', '/generations?model=a%20b%26c')).body)).toEqual(['g_1'])
    expect(names((await api.ask('GET', '/generations?q=gru%C3%9F+guten')).body)).toEqual(['g_2'])
    expect(names((await api.ask('GET', '/generations?whatever=1&whatever=2')).body)).toEqual(['g_2', 'g_1'])
  })

  test.each([
    ['limit=0', '"limit" is "0"; it must be a whole number from 1 to 1000.'],
    ['limit=1001', '"limit" is "1001"; it must be a whole number from 1 to 1000.'],
    ['limit=1.0', '"limit" is "1.0"; it must be a whole number from 1 to 1000.'],
    ['limit=2&limit=3', '"limit" is ["2","3"]; it must be a whole number from 1 to 1000.'],
    ['cursor=', '"cursor" is ""; it must be the next_cursor of the page before.'],
    ['cursor=x', '"cursor" is "x"; it must be a number.'],
    ['model=', '"model" is ""; it must be a name.'],
    ['q=', '"q" is ""; it must be words to look for, 1000 characters at most.'],
    [
      'state=toString',
      '"state" is "toString"; it must be one of queued, loading_model, processing_prompt, generating, cancelling, done, interrupted, cancelled, failed.',
    ],
  ])('are not listed for %s', async (query, error) => {
    const { status, body } = await api.ask('GET', `/generations?${query}`)
    expect([status, body.error_code, body.error]).toEqual([400, 'BAD_REQUEST', error])
  })

  test('are told with all but their tokens, and these a page at a time', async () => {
    const detail = api.records.add('g_1', { text: 'one two three' })
    expect((await api.ask('GET', '/generations/g_1')).body).toEqual({
      success: true,
      data: detail,
      metadata: {},
    })
    const { body } = await api.ask('GET', '/generations/g_1/tokens?limit=2')
    expect(body.data.map(({ token_text }: { token_text: string }) => token_text)).toEqual(['one', ' two'])
    expect(body.metadata.pagination).toEqual({ limit: 2, next_cursor: '2', has_more: true })
    const rest = await api.ask('GET', '/generations/g_1/tokens?cursor=2')
    expect(rest.body.data).toEqual(api.records.kept[0]?.tokens.slice(2))
    expect(rest.body.metadata.pagination).toEqual({ limit: 1000, next_cursor: null, has_more: false })
    const bad = await api.ask('GET', '/generations/g_1/tokens?limit=10001')
    expect([bad.status, bad.body.error]).toEqual([
      400,
      '"limit" is "10001"; it must be a whole number from 1 to 10000.',
    ])
  })

  test.each([
    ['GET', '/generations/g_none'],
    ['GET', '/generations/g_none/tokens'],
    ['GET', '/generations/g_none/export?format=jsonl'],
    ['DELETE', '/generations/g_none/record'],
    ['POST', '/generations/g_none/replay'],
  ])('that are not there are not found: %s %s', async (method, path) => {
    const { status, body } = await api.ask(method, path)
    expect([status, body.error_code]).toEqual([404, 'NOT_FOUND'])
    expect(body.error).toContain('g_none')
  })

  test('are removed, but not while they run', async () => {
    api.records.add('g_1')
    api.records.add('g_2', { state: 'generating' })
    expect((await api.ask('DELETE', '/generations/g_1/record')).body).toEqual({
      success: true,
      data: { generation: 'g_1', removed: true },
      metadata: {},
    })
    const running = await api.ask('DELETE', '/generations/g_2/record')
    expect([running.status, running.body.error_code]).toEqual([409, 'STILL_RUNNING'])
    expect(api.records.kept.map(({ detail }) => detail.generation)).toEqual(['g_2'])
  })
})

describe('a name, tags and a note', () => {
  const edit = (body: object) => api.ask('PATCH', '/generations/g_1', body)

  test('are changed and taken away; what is not given stays', async () => {
    api.records.add('g_1')
    const full = { name: 'n'.repeat(200), tags: Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(50, 'ü')) }
    const first = await edit({ version: 1, ...full, note: 'a\n'.repeat(5000) })
    expect(first.status).toBe(200)
    expect(first.body.data).toMatchObject({ ...full, note: 'a\n'.repeat(5000), version: 2 })
    expect((await edit({ version: 2, name: null })).body.data).toMatchObject({
      ...full,
      name: null,
      version: 3,
    })
    expect((await edit({ version: 3, tags: [], note: null })).body.data).toMatchObject({
      tags: [],
      note: null,
    })
  })

  test('are not changed by who saw an older version, who is told how it is now', async () => {
    api.records.add('g_1')
    await edit({ version: 1, name: 'mine' })
    const late = await edit({ version: 1, name: 'yours' })
    expect(late.status).toBe(409)
    expect(late.body).toEqual({
      success: false,
      error: expect.stringMatching(/changed since version 1/),
      error_code: 'VERSION_CONFLICT',
      correlation_id: late.headers.get('x-correlation-id'),
      current: (await api.ask('GET', '/generations')).body.data[0],
    })
  })

  test.each<[object, RegExp]>([
    [{ name: 'a' }, /^"version" is missing; it must be a whole number, 1 or more\.$/],
    [{ version: '1', name: 'a' }, /^"version" is "1"; it must be a whole number, 1 or more\.$/],
    [{ version: 1 }, /nothing to change: give "name", "tags" or "note"\./],
    [
      { version: 1, name: '' },
      /^"name" is ""; it must be a text that is not empty, 200 characters at most, or null\.$/,
    ],
    [
      { version: 1, name: 'n'.repeat(201) },
      /^"name" is "n{99}; it must be a text that is not empty, 200 characters at most, or null\.$/,
    ],
    [{ version: 1, name: 'a\nb' }, /^"name" has characters that it may not have\.$/],
    [{ version: 1, name: 'half a \ud800 pair' }, /^"name" has characters that it may not have\.$/],
    [{ version: 1, tags: ['a', 'a'] }, /^"tags" has one more than once\.$/],
    [
      { version: 1, tags: ['a', ''] },
      /^"tags\/1" is ""; it must be a text that is not empty, 50 characters at most\.$/,
    ],
    [
      { version: 1, tags: ['t'.repeat(51)] },
      /^"tags\/0" is "t{51}"; it must be a text that is not empty, 50 characters at most\.$/,
    ],
    [
      { version: 1, tags: Array.from({ length: 51 }, (_, i) => `${i}`) },
      /^"tags" is .*; it must be a list, 50 at most\.$/,
    ],
    [{ version: 1, tags: null }, /^"tags" is null; it must be a list, 50 at most\.$/],
    [
      { version: 1, note: 'n'.repeat(10_001) },
      /^"note" is "n{99}; it must be a text that is not empty, 10000 characters at most, or null\.$/,
    ],
    [{ version: 1, note: 'a\0b' }, /^"note" has characters that it may not have\.$/],
    [{ version: 1, title: 'a' }, /^"title" is not known here\.$/],
  ])('are not changed by %j', async (body, words) => {
    api.records.add('g_1')
    const answer = await edit(body)
    expect([answer.status, answer.body.error_code]).toEqual([400, 'BAD_REQUEST'])
    expect(answer.body.error).toMatch(words)
    expect(api.records.kept[0]?.detail.version).toBe(1)
  })
})

test.each([
  ['PUT', '/generations', 'GET, HEAD, POST'],
  ['POST', '/generations/g_1', 'DELETE, GET, HEAD, PATCH'],
  ['GET', '/replays', 'POST'],
  ['TRACE', '/openapi.json', 'GET, HEAD'],
])('%s %s is refused with the methods that there are', async (method, path, allow) => {
  const answer = await send(api.url, { method, path: `/scope/v1${path}`, headers: {} })
  expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow])
  expect(JSON.parse(await textOf(answer))).toMatchObject({ error_code: 'METHOD_NOT_ALLOWED' })
})
