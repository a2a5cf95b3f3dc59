import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerKind } from '../../../bridge/demo/surface.ts'
import { type Chunk, Demo } from '../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

async function get(path: string, init: RequestInit = {}): Promise<[number, string, unknown]> {
  const response = await fetch(demo.url + path, init)
  const type = response.headers.get('content-type') ?? ''
  return [response.status, type, type.includes('json') ? await response.json() : await response.text()]
}

describe('a path that a server does not have', () => {
  it.each<[ServerKind, number, string, unknown]>([
    [
      'demo',
      404,
      'application/json; charset=utf-8',
      {
        error: {
          message: 'GET /nowhere is not a path of the demo model',
          type: 'invalid_request_error',
          param: null,
          code: 'not_found',
        },
      },
    ],
    [
      'lmstudio',
      200,
      'application/json; charset=utf-8',
      { error: 'Unexpected endpoint or method. (GET /nowhere)' },
    ],
    [
      'llamacpp',
      404,
      'application/json; charset=utf-8',
      { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } },
    ],
    ['ollama', 404, 'text/plain; charset=utf-8', '404 page not found'],
    ['vllm', 404, 'application/json', { detail: 'Not Found' }],
  ])('is answered by %s with %d', async (kind, status, type, body) => {
    expect(await get(`/${kind}/nowhere`)).toEqual([status, type, body])
  })

  it('and a method that it does not have, too', async () => {
    expect((await get('/lmstudio/v1/chat/completions'))[2]).toEqual({
      error: 'Unexpected endpoint or method. (GET /v1/chat/completions)',
    })
    expect((await get('/vllm/v1/chat/completions'))[2]).toEqual({ detail: 'Method Not Allowed' })
    expect((await get('/ollama/v1/chat/completions'))[0]).toBe(405)
    for (const kind of ['lmstudio', 'llamacpp']) {
      const { headers } = await fetch(`${demo.url}/${kind}/v1/chat/completions`)
      expect(headers.has('allow')).toBe(false)
    }
    const response = await fetch(`${demo.url}/v1/chat/completions`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    await response.body?.cancel()
  })
})

describe('the list of models', () => {
  const entry = { id: 'tokenscope-demo', object: 'model', created: expect.any(Number) }

  it.each<[ServerKind, object]>([
    ['demo', { ...entry, owned_by: 'tokenscope' }],
    ['lmstudio', { id: entry.id, object: 'model', owned_by: 'organization_owner' }],
    ['ollama', { ...entry, owned_by: 'library' }],
    [
      'llamacpp',
      {
        ...entry,
        owned_by: 'llamacpp',
        meta: expect.objectContaining({ n_vocab: expect.any(Number), n_ctx_train: 65_536 }),
      },
    ],
    [
      'vllm',
      {
        ...entry,
        owned_by: 'vllm',
        root: entry.id,
        parent: null,
        max_model_len: 65_536,
        permission: [expect.objectContaining({ object: 'model_permission' })],
      },
    ],
  ])('of %s has what it says about a model', async (kind, card) => {
    const [status, , body] = await get(`/${kind}/v1/models`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ object: 'list', data: [card] })
    expect((body as Chunk).data[0]).toEqual(card)
    expect('models' in (body as object)).toBe(kind === 'llamacpp')
  })

  it('has an entry by its name, and none by another', async () => {
    expect((await get('/vllm/v1/models/tokenscope-demo'))[0]).toBe(200)
    expect(await get('/ollama/v1/models/org%2Fother')).toMatchObject([404, expect.any(String), { error: {} }])
  })
})

describe('whom the server plays', () => {
  it('is a kind by the path’s prefix, or by the switch', async () => {
    const one = await new Demo({ kind: 'ollama' }).start()
    const at = (path: string) => fetch(one.url + path).then(response => response.text())
    expect(await at('/nowhere')).toBe('404 page not found')
    expect(await at('/vllm/nowhere')).toBe('{"detail":"Not Found"}')
    expect(await at('/demo/nowhere')).toContain('is not a path of the demo model')
    expect(await at('/vllm')).toBe('{"detail":"Not Found"}')
    await one.stop()
  })

  it('is nobody and everybody without either', async () => {
    const paths = ['/v1/models', '/api/v1/models', '/api/tags', '/props', '/version']
    for (const path of paths) expect((await get(path))[0]).toBe(200)
  })

  it('has the headers of its kind', async () => {
    const headersOf = async (kind: ServerKind) => (await fetch(`${demo.of(kind)}/v1/models`)).headers
    expect((await headersOf('llamacpp')).get('server')).toBe('llama.cpp')
    expect((await headersOf('vllm')).get('server')).toBe('uvicorn')
    expect((await headersOf('vllm')).get('content-type')).toBe('application/json')
    const types = await Promise.all(
      (['lmstudio', 'llamacpp', 'ollama', 'vllm'] as const).map(async kind => {
        const response = await demo.chat(kind, { stream: true, max_tokens: 1 })
        await response.text()
        return response.headers.get('content-type')
      }),
    )
    expect(types).toEqual([
      'text/event-stream',
      'text/event-stream',
      'text/event-stream',
      'text/event-stream; charset=utf-8',
    ])
  })

  it('decides when headers come: with the prompt, or not before the first token', async () => {
    for (const [kind, early] of [
      ['llamacpp', true],
      ['vllm', true],
      ['lmstudio', false],
      ['ollama', false],
    ] as const) {
      const exchange = demo.raw('silence=forever', {}, { path: `/${kind}/v1/chat/completions` })
      while (demo.server.active === 0) await new Promise(setImmediate)
      if (early) await exchange.until(({ head }) => head !== '')
      expect(exchange.body.length).toBe(0)
      exchange.close()
      while (demo.server.active > 0) await new Promise(setImmediate)
      if (!early) expect(exchange.received.length).toBe(0)
    }
  })
})
