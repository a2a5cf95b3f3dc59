import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chunksOf, Demo } from '../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

const hasHead = ({ head }: { head: string }) => head !== ''
const idle = async () => {
  while (demo.server.active > 0) await new Promise(setImmediate)
}

describe('a server that keeps one waiting', () => {
  it('sends a status at once and nothing after it, until the client goes', async () => {
    const exchange = demo.raw('silence=forever')
    await exchange.until(hasHead)
    expect(exchange.body.length).toBe(0)
    expect(demo.server.active).toBe(1)
    exchange.close()
    await idle()
  })

  it('is silent after so many tokens', async () => {
    const exchange = demo.raw('silence=forever@4')
    const deltas = () => chunksOf(exchange.body.toString()).filter(({ choices }) => choices[0].delta.content)
    await exchange.until(() => deltas().length === 4)
    exchange.close()
    await idle()
  })

  it('goes on after a silence', async () => {
    const exchange = demo.raw('silence=20ms@2', { max_tokens: 5 })
    expect(await exchange.ended).toBe('fin')
    expect(exchange.body.toString()).toMatch(/\[DONE\]\n\n$/)
  })

  it.each(['silence=forever', 'slow-prefill=forever', 'slow-load=forever', 'slow-headers=forever'])(
    'can be stopped with %s',
    async directive => {
      const one = await new Demo().start()
      const exchange = one.raw(directive)
      while (one.server.active === 0) await new Promise(setImmediate)
      await one.stop()
      await exchange.ended
      expect(one.server.active).toBe(0)
    },
  )

  it('sends keep-alives of its kind before the first token and between tokens', async () => {
    for (const [kind, comment] of [
      ['llamacpp', ':\n\n'],
      ['vllm', ': keep-alive\n\n'],
      ['lmstudio', ':\n\n'],
    ] as const) {
      const exchange = demo.raw('pings=1ms,silence=40ms@2', {}, { path: `/${kind}/v1/chat/completions` })
      await exchange.ended
      const text = exchange.body.toString()
      expect(text.startsWith(comment)).toBe(true)
      expect(text.split('data:').slice(2).join('data:')).toContain(`\n\n${comment}`)
    }
  })

  it('has no keep-alive among lines of JSON', async () => {
    const body = { model: 'tokenscope-demo', max_tokens: 5 }
    const exchange = demo.raw('pings=1ms,silence=20ms@2', body, { path: '/ollama/api/chat' })
    await exchange.ended
    for (const line of exchange.body.toString().trim().split('\n'))
      expect(JSON.parse(line)).toBeTypeOf('object')
  })

  it('tells how far the prompt is where it is asked to, with pings between', async () => {
    const body = { return_progress: true, max_tokens: 2 }
    const exchange = demo.raw('slow-prefill=8ms', body, { path: '/llamacpp/v1/chat/completions' })
    await exchange.ended
    const text = exchange.body.toString()
    const told = chunksOf(text).flatMap(chunk => chunk.prompt_progress ?? [])
    expect(told.map(({ processed }) => processed)).toEqual(
      [0, 1, 2, 3, 4].map(step => Math.floor((told[0].total * step) / 4)),
    )
    expect(told.map(({ cache }) => cache)).toEqual([0, 0, 0, 0, 0])
    expect(text.split(':\n\n').length).toBe(5)
  })

  it.each([
    ['/api/v1/chat', '', ['prompt_processing.start', 'prompt_processing.end']],
    ['/api/v1/chat', 'Hi', ['prompt_processing.start', 'prompt_processing.end']],
    ['/v1/messages', '', ['message_start', 'message_stop']],
    ['/v1/messages', 'Hi', ['message_start', 'message_stop']],
  ])('tells %s once where a prompt of %j begins and ends', async (path, said, names) => {
    const body = { model: 'tokenscope-demo', input: said, stream: true }
    const messages = path === '/v1/messages' ? [{ role: 'user', content: said }] : undefined
    const { input: _, ...rest } = body
    const asked = messages === undefined ? body : { ...rest, messages }
    const text = await (await demo.post(path, asked, 'slow-prefill=8ms')).text()
    const events = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)
    expect(names.map(name => events.filter(one => one === name).length)).toEqual([1, 1])
  })

  it('tells how far the model is loaded on LM Studio’s own path, and nothing elsewhere', async () => {
    const body = {
      model: 'tokenscope-demo',
      input: 'Rivers?',
      messages: undefined,
      seed: undefined,
      stream: true,
    }
    const own = demo.raw('slow-load=8ms', body, { path: '/lmstudio/api/v1/chat' })
    await own.ended
    const events = [...own.body.toString().matchAll(/^event: (.*)$/gm)].map(([, name]) => name)
    expect(events.slice(0, 2)).toEqual(['chat.start', 'model_load.start'])
    expect(events.filter(name => name === 'model_load.progress').length).toBeGreaterThan(1)
    expect(events.indexOf('model_load.end')).toBeLessThan(events.indexOf('prompt_processing.start'))
    const other = demo.raw('slow-load=forever', {}, { path: '/vllm/v1/chat/completions' })
    while (demo.server.active === 0) await new Promise(setImmediate)
    expect(other.received.length).toBe(0)
    other.close()
    await idle()
  })

  it('is as fast as a directive says, faster than the server', async () => {
    const slow = await new Demo({ tokensPerSecond: 0.001 }).start()
    const exchange = slow.raw('rate=max', { max_tokens: 30 })
    expect(await exchange.ended).toBe('fin')
    await slow.stop()
  })
})

describe('statuses', () => {
  it.each([
    ['demo', 429, '429=1500ms', '2', { error: { type: 'invalid_request_error', code: null } }],
    ['lmstudio', 500, '500', null, { error: { type: 'server_error' } }],
    ['vllm', 503, '503=forever', null, { error: { type: 'ServiceUnavailableError', code: 503 } }],
    [
      'llamacpp',
      503,
      '503',
      '1',
      { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
    ],
    ['ollama', 503, '503', '1', { error: { type: 'api_error', code: null } }],
  ] as const)('%s answers with %d to %s', async (kind, status, directive, after, body) => {
    const response = await demo.chat(kind, {}, directive)
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, after])
    expect(await response.json()).toMatchObject(body)
  })

  it('have the form of their path', async () => {
    const ollama = await demo.post('/ollama/api/chat', { model: 'tokenscope-demo', messages: [] }, '500')
    expect([ollama.status, await ollama.json()]).toEqual([500, { error: expect.any(String) }])
    const body = { model: 'tokenscope-demo', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }
    const messages = await demo.post('/v1/messages', body, '429')
    expect(await messages.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
  })

  it('of a bad directive are 400 and name it', async () => {
    const response = await demo.chat('demo', {}, 'drop=soon')
    expect(response.status).toBe(400)
    expect(((await response.json()) as { error: object }).error).toMatchObject({
      param: 'drop',
      message: expect.stringContaining('drop is "soon"'),
    })
  })
})

describe('the switch', () => {
  it('holds for so many requests to the model, and for no list of models', async () => {
    demo.server.setFaults('500', 2)
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) {
      expect((await fetch(`${demo.url}/v1/models`)).status).toBe(200)
      statuses.push((await demo.chat('demo', { max_tokens: 1 })).status)
    }
    expect(statuses).toEqual([500, 500, 200])
  })

  it('gives way to a request, directive by directive', async () => {
    demo.server.setFaults('500,say=switched')
    expect((await demo.chat('demo')).status).toBe(500)
    const other = await demo.chat('demo', {}, '429')
    expect(other.status).toBe(429)
    expect((await demo.chat('demo', {}, 'none')).status).toBe(200)
    demo.server.setFaults('say=switched')
    expect(await (await demo.chat('demo', {}, 'seed=1')).text()).toContain('"switched"')
    demo.server.setFaults('')
  })

  it('holds for one request at least', () => {
    for (const requests of [0, -1, Number.NaN])
      expect(() => demo.server.setFaults('500', requests)).toThrow(RangeError)
  })

  it('keeps every path of llama.cpp from answering while it loads', async () => {
    demo.server.setFaults('503=3s')
    const health = await fetch(`${demo.of('llamacpp')}/health`)
    expect([health.status, await health.json()]).toMatchObject([503, { error: { message: 'Loading model' } }])
    expect((await fetch(`${demo.of('vllm')}/health`)).status).toBe(200)
    demo.server.setFaults('')
    expect((await fetch(`${demo.of('llamacpp')}/health`)).status).toBe(200)
  })

  it('is set at the start, and refused there by name', async () => {
    expect(() => new Demo({ faults: 'drop=1,cut=2' })).toThrow(/drop and cut exclude each other/)
    expect(() => demo.server.setFaults('nothing')).toThrow(/no directive "nothing"/)
    const one = await new Demo({ faults: 'say=always', kind: 'vllm' }).start()
    const body = { messages: [{ role: 'user', content: 'Hi' }] }
    expect(await (await one.post('/v1/chat/completions', body)).text()).toContain('"always"')
    await one.stop()
  })
})
