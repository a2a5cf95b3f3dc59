import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CacheStatistics } from '../../../bridge/cache/response-cache.ts'
import type { Tokenscope } from '../../../main.ts'
import { bytesOf, received, send } from '../../support/app.ts'
import { CHAT, QUESTION } from '../../support/demo.ts'
import { RawUpstream } from '../../support/raw-upstream.ts'
import { startScope } from '../../support/scope.ts'
import { Spectator } from '../../support/spectator.ts'
import { useStage } from '../../support/stage.ts'

const stage = useStage({}, { cache: true })
beforeEach(async () => {
  await fetch(`${stage.url}/scope/v1/cache`, { method: 'DELETE' })
})

async function statistics(url = stage.url): Promise<CacheStatistics> {
  const answer = await fetch(`${url}/scope/v1/cache`)
  return (await answer.json()).data
}

interface Answered {
  mark: string | undefined
  age: string | undefined
  status: number
  body: Buffer
}

/** Asks for a chat completion, and reads what comes. */
async function asked(
  headers: Record<string, string> = {},
  body: object = {},
  url = stage.url,
): Promise<Answered> {
  const answer = await send(url, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: { ...CHAT, ...body },
  })
  const got = await received(answer)
  return {
    mark: answer.headers['x-tokenscope-cache'] as string | undefined,
    age: answer.headers.age,
    status: answer.statusCode as number,
    body: got.body,
  }
}

const marks = (answers: readonly Answered[]) => answers.map(({ mark }) => mark)

test.each([
  'error=10',
  'error-done=10',
  'no-finish',
  'no-finish,no-done',
  'empty',
  'drop=900',
  'cut=900',
  'end=900',
  'json',
  '429',
  '500',
  '503',
  'no-done,error=0',
])('an answer with %s is passed on and not kept', async directive => {
  const answers: Answered[] = []
  for (let i = 0; i < 2; i++) {
    answers.push(
      await asked({ 'x-demo': directive }).catch(() => ({ mark: 'MISS', body: Buffer.alloc(0) }) as Answered),
    )
    await stage.viewer.end(i)
  }
  expect(marks(answers)).toEqual(['MISS', 'MISS'])
  expect(stage.demo.seen).toHaveLength(2)
  expect(await statistics()).toMatchObject({ entries: 0, bytes: 0 })
})

test.each(['length', 'tool_calls', 'no-done'])(
  'an answer that ended otherwise but well is kept: %s',
  async how => {
    const body = {
      length: { max_tokens: 5 },
      tool_calls: {
        tools: [
          { type: 'function', function: { name: 'look_up', parameters: { type: 'object', properties: {} } } },
        ],
        tool_choice: 'required',
      },
      'no-done': {},
    }[how] as object
    const headers: Record<string, string> = how === 'no-done' ? { 'x-demo': how } : {}
    const answers = [await asked(headers, body), await asked(headers, body)]
    expect(marks(answers)).toEqual(['MISS', 'HIT'])
    expect(answers[1]?.body).toEqual(answers[0]?.body)
  },
)

test('an answer whose client left before its end is not kept', async () => {
  const answer = await send(stage.url, {
    headers: { 'Content-Type': 'application/json', 'X-Demo': 'silence=forever@3' },
    body: CHAT,
  })
  answer.on('error', () => {})
  answer.once('data', () => answer.destroy())
  expect(await stage.viewer.end()).toMatchObject({ state: 'cancelled', ending: 'client_gone' })
  expect(await statistics()).toMatchObject({ entries: 0, misses: expect.any(Number) })
})

test('two equal requests at the same time both get a whole answer of the upstream', async () => {
  const held = { 'x-demo': 'silence=forever@3' }
  const both = [asked(held), asked(held)]
  await stage.viewer.until(() => stage.viewer.tokens.length >= 6)
  stage.demo.server.goOn()
  const [first, second] = await Promise.all(both)
  expect(marks([first as Answered, second as Answered])).toEqual(['MISS', 'MISS'])
  expect(await statistics()).toMatchObject({ entries: 1 })
  const third = await asked(held)
  expect(third.mark).toBe('HIT')
  // Ids differ between answers: what is given is one of the two, whole.
  expect([first?.body, second?.body].some(body => body?.equals(third.body))).toBe(true)
})

test('what comes in while the cache is emptied is not kept', async () => {
  const running = asked({ 'x-demo': 'silence=forever@3' })
  await stage.viewer.until(() => stage.viewer.tokens.length >= 3)
  await fetch(`${stage.url}/scope/v1/cache`, { method: 'DELETE' })
  stage.demo.server.goOn()
  expect((await running).mark).toBe('MISS')
  expect(await statistics()).toMatchObject({ entries: 0 })
})

test('callers, paths and prompts do not share answers', async () => {
  const answers = [
    await asked({ authorization: 'Bearer a' }),
    await asked({ authorization: 'Bearer b' }),
    await asked(),
    await asked({}, { seed: 6 }),
    await asked({ authorization: 'Bearer a' }),
  ]
  expect(marks(answers)).toEqual(['MISS', 'MISS', 'MISS', 'MISS', 'HIT'])
  expect(answers[4]?.body).toEqual(answers[0]?.body)
})

test('Cache-Control of a request is respected', async () => {
  expect((await asked({ 'cache-control': 'no-store' })).mark).toBe('BYPASS')
  expect((await asked({ 'x-tokenscope-cache': 'off' })).mark).toBe('BYPASS')
  expect(await statistics()).toMatchObject({ entries: 0 })
  const first = await asked()
  const renewed = await asked({ 'cache-control': 'no-cache' })
  const again = await asked({ 'cache-control': 'max-age=60' })
  expect(marks([first, renewed, again])).toEqual(['MISS', 'BYPASS', 'HIT'])
  expect(again.body).toEqual(renewed.body)
  expect(again.body).not.toEqual(first.body)
  expect(again.age).toBe('0')
  expect(renewed.age).toBeUndefined()
})

test('what goes on from another answer, what is no generation and what cannot be read are not looked up', async () => {
  const post = async (path: string, body: string) => {
    const answer = await send(stage.url, { path, headers: { 'Content-Type': 'application/json' }, body })
    await bytesOf(answer)
    return answer.headers['x-tokenscope-cache']
  }
  const { hits, misses } = await statistics()
  expect(
    await post('/v1/responses', '{"model":"tokenscope-demo","input":"x","previous_response_id":"resp_1"}'),
  ).toBe('BYPASS')
  expect(await post('/v1/chat/completions', '{"model":')).toBe('BYPASS')
  expect(await post('/v1/embeddings', '{"model":"tokenscope-demo","input":"x"}')).toBeUndefined()
  expect(await statistics()).toMatchObject({ entries: 0, hits, misses })
})

test('a hit is counted as one, and not as anything that an upstream did', async () => {
  const metrics = async () => {
    const text = await (await fetch(`${stage.url}/metrics`)).text()
    return (name: string) => {
      const rows = [...text.matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'gm'))]
      return rows.reduce((sum, [, value]) => sum + Number(value), 0)
    }
  }
  await asked()
  await stage.viewer.end(0)
  const before = await metrics()
  await asked()
  await stage.viewer.end(1)
  const after = await metrics()
  const more = (name: string) => after(name) - before(name)
  expect(more('tokenscope_cache_hits_total')).toBe(1)
  expect(more('tokenscope_cache_misses_total')).toBe(0)
  expect(more('tokenscope_tokens_total')).toBe(0)
  expect(more('tokenscope_time_to_first_token_seconds_count')).toBe(0)
  expect(more('tokenscope_inter_token_seconds_count')).toBe(0)
  expect(more('tokenscope_generations_total')).toBe(1)
  expect(before('tokenscope_tokens_total')).toBeGreaterThan(0)
})

test('without the option only who asks for it has a cache, and what it says about it stays here', async () => {
  const scope = await startScope({ upstreams: [stage.demo.url] })
  stage.demo.seen.length = 0
  try {
    const plain = await asked({}, {}, scope.url)
    const plainAgain = await asked({}, {}, scope.url)
    expect(marks([plain, plainAgain])).toEqual([undefined, undefined])
    expect(await statistics(scope.url)).toMatchObject({
      enabled: false,
      entries: 0,
      hits: 0,
      misses: 0,
      hit_rate: null,
    })
    const on = { 'X-Tokenscope-Cache': 'on' }
    const first = await asked(on, {}, scope.url)
    const again = await asked(on, {}, scope.url)
    expect(marks([first, again])).toEqual(['MISS', 'HIT'])
    expect(again.body).toEqual(first.body)
    expect(stage.demo.seen).toHaveLength(3)
    for (const { rawHeaders } of stage.demo.seen) {
      expect(rawHeaders.join('\n').toLowerCase()).not.toContain('tokenscope-cache')
    }
  } finally {
    await scope.stop()
  }
})

describe('with an upstream that is busy or away', () => {
  test('a hit needs neither a place nor an upstream', async () => {
    const scope = await startScope({ upstreams: [`${stage.demo.url},max=1`], cache: true })
    const viewer = await Spectator.watch(scope.url)
    try {
      const first = await asked({}, {}, scope.url)
      await viewer.end(0)
      const busy = asked({ 'x-demo': 'silence=forever@1' }, {}, scope.url)
      await viewer.until(() => viewer.generations.some((id, i) => i === 1 && viewer.textOf(id) !== ''))
      const whileBusy = await asked({}, {}, scope.url)
      stage.demo.server.goOn()
      await busy
      await stage.demo.stop()
      // This one finds out that nobody is there, so that all know.
      expect((await asked({}, { seed: 99 }, scope.url)).status).toBe(502)
      const whileAway = await asked({}, {}, scope.url)
      expect(marks([first, whileBusy, whileAway])).toEqual(['MISS', 'HIT', 'HIT'])
      expect(whileBusy.body).toEqual(first.body)
      expect(whileAway.body).toEqual(first.body)
    } finally {
      viewer.close()
      await scope.stop()
      await stage.demo.start()
    }
  })
})

describe('answers of no model server', () => {
  const CHUNK = { object: 'chat.completion.chunk', model: 'test-model' }
  const event = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const END = `${event({}, 'stop')}data: [DONE]\n\n`
  let upstream: RawUpstream
  let scope: Tokenscope
  beforeEach(async () => {
    upstream = await new RawUpstream().start()
    scope = await startScope({ upstreams: [upstream.url], cache: true })
  })
  afterEach(async () => {
    await scope.stop()
    await upstream.stop()
  })

  const says = (headers: Record<string, string>, body: string, status = 200) => {
    upstream.script = (_request, response) => {
      response.writeHead(status, { 'content-type': 'text/event-stream', ...headers }).end(body)
    }
  }

  test.each<[string, Record<string, string>, string, number, string]>([
    ['no-store', { 'cache-control': 'private, No-Store' }, '', 200, 'MISS'],
    ['Vary: *', { vary: '*' }, '', 200, 'MISS'],
    ['a status other than 200', {}, '', 203, 'MISS'],
    ['an event that is too long to follow', {}, event({ content: 'x'.repeat(5 * 1024 * 1024) }), 200, 'MISS'],
    ['no-cache, as streams have it', { 'cache-control': 'no-cache' }, '', 200, 'HIT'],
    ['Vary: Origin', { vary: 'Origin' }, '', 200, 'HIT'],
  ])('with %s', async (_name, headers, middle, status, mark) => {
    says(headers, `${event({ content: 'Hello' })}${middle}${END}`, status)
    const answers = [await asked({}, {}, scope.url), await asked({}, {}, scope.url)]
    expect(marks(answers)).toEqual(['MISS', mark])
    expect(answers[1]?.body).toEqual(answers[0]?.body)
    expect(upstream.seen).toHaveLength(mark === 'HIT' ? 1 : 2)
  })

  test('headers of that message alone are not given again, others as they were', async () => {
    says(
      {
        ...{
          'X-Kept': 'Yes',
          'X-Hop': 'secret',
          connection: 'close, x-hop',
          date: 'Thu, 01 Jan 1970 00:00:00 GMT',
        },
        ...{ 'x-request-id': 'req_1', 'x-ratelimit-remaining-requests': '3', age: '77', 'set-cookie': 'a=b' },
      },
      `${event({ content: 'Hello' })}${END}`,
    )
    await asked({}, {}, scope.url)
    const answer = await send(scope.url, { body: CHAT })
    await bytesOf(answer)
    expect(answer.headers).toMatchObject({ 'x-kept': 'Yes', age: '0', 'x-tokenscope-cache': 'HIT' })
    expect(answer.rawHeaders).toContain('X-Kept')
    for (const name of ['x-hop', 'x-request-id', 'x-ratelimit-remaining-requests', 'set-cookie']) {
      expect(answer.headers[name]).toBeUndefined()
    }
    expect(Date.now() - Date.parse(answer.headers.date ?? '')).toBeLessThan(86_400_000)
  })

  test('what came after the body comes after it again', async () => {
    upstream.script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', trailer: 'x-checksum' })
      response.write(`${event({ content: 'Hello' })}${END}`)
      response.addTrailers({ 'x-checksum': '42' })
      response.end()
    }
    for (const mark of ['MISS', 'HIT']) {
      const answer = await send(scope.url, { body: CHAT })
      await bytesOf(answer)
      expect([answer.headers['x-tokenscope-cache'], answer.trailers]).toEqual([mark, { 'x-checksum': '42' }])
    }
  })

  test('a slow client gets a large answer at its own pace, and one that leaves stops it', async () => {
    const piece = event({ content: 'x'.repeat(64 * 1024) })
    upstream.script = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let i = 0; i < 100; i++) {
        if (!response.write(piece)) await new Promise(resolve => response.once('drain', resolve))
      }
      response.end(END)
    }
    const first = await asked({}, {}, scope.url)
    expect(first.body.length).toBeGreaterThan(100 * 64 * 1024)
    const viewer = await Spectator.watch(scope.url)
    const slow = await send(scope.url, { body: CHAT })
    expect(slow.headers['x-tokenscope-cache']).toBe('HIT')
    // Nobody reads it yet: each piece fills what the app's connection takes at once.
    await viewer.until(() => viewer.tokens.length > 0)
    const { body, complete } = await received(slow)
    expect([complete, body.equals(first.body)]).toEqual([true, true])
    expect(await viewer.end(0)).toMatchObject({ state: 'done', cached: true })

    const leaver = await send(scope.url, { body: CHAT })
    leaver.on('error', () => {})
    await viewer.until(() => viewer.generations.length === 2)
    leaver.destroy()
    expect(await viewer.end(1)).toMatchObject({ state: 'cancelled', ending: 'client_gone', cached: true })
    viewer.close()
    const again = await asked({}, {}, scope.url)
    expect(again.mark).toBe('HIT')
    expect(again.body.equals(first.body)).toBe(true)
  })
})

test('the page’s own prompts are always asked anew', async () => {
  for (let i = 0; i < 2; i++) {
    const prompt = { messages: QUESTION, temperature: 0 }
    await fetch(`${stage.url}/scope/v1/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(prompt),
    })
    expect(await stage.viewer.end(i)).toMatchObject({ state: 'done', cached: false })
  }
  expect(await statistics()).toMatchObject({ entries: 0 })
})
