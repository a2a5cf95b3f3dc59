import type { IncomingMessage } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { askOf, mayBeDoneTwice } from '../../bridge/ask.ts'
import { endpointOf } from '../../bridge/dialects/index.ts'

function requestTo(url: string, method = 'POST'): IncomingMessage {
  return { method, url, rawHeaders: [], headers: {}, socket: {} } as unknown as IncomingMessage
}

afterEach(() => vi.restoreAllMocks())

test('the body of what generates nothing is read once, and only if somebody asks for its model', () => {
  const held = Buffer.from(JSON.stringify({ model: 'nomic', input: 'x'.repeat(1000) }))
  const parse = vi.spyOn(JSON, 'parse')
  const ask = askOf(requestTo('/v1/embeddings'), { held, send: held })
  expect(parse).not.toHaveBeenCalled()
  expect([ask.model, ask.model, parse.mock.calls.length]).toEqual(['nomic', 'nomic', 1])
})

test('the model stands in the path of a list’s entry, and in the body of a generation', () => {
  const none = { held: null, send: null }
  expect(askOf(requestTo('/v1/models/a%2Fb?x=1', 'GET'), none).model).toBe('a/b')
  const held = Buffer.from('{"model":"m","messages":[]}')
  expect(askOf(requestTo('/v1/chat/completions'), { held, send: held }).model).toBe('m')
  const broken = Buffer.from('{"model":')
  expect(askOf(requestTo('/v1/embeddings'), { held: broken, send: broken }).model).toBeNull()
})

test.each<[boolean, string, string]>([
  [true, 'POST', '/v1/chat/completions'],
  [true, 'POST', '/api/v1/chat'],
  [true, 'POST', '/v1/embeddings'],
  [true, 'POST', '/api/embed'],
  [true, 'POST', '/rerank'],
  [true, 'POST', '/detokenize'],
  [true, 'GET', '/whatever'],
  [true, 'PUT', '/whatever'],
  [true, 'DELETE', '/api/delete'],
  [false, 'PATCH', '/v1/embeddings'],
  [false, 'POST', '/api/v1/models/download'],
  [false, 'POST', '/api/v1/models/load'],
  [false, 'POST', '/api/pull'],
  [false, 'POST', '/v1/files'],
])('it is %j that %s %s may be done twice', (expected, method, path) => {
  expect(mayBeDoneTwice({ method, path, endpoint: endpointOf(method, path) })).toBe(expected)
})
