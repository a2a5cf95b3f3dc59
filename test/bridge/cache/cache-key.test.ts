import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Ask } from '../../../bridge/ask.ts'
import { cacheKeyOf, canonicalBody } from '../../../bridge/cache/cache-key.ts'
import { type Endpoint, endpointOf } from '../../../bridge/dialects/index.ts'

const PATH = '/v1/chat/completions'
const JSON_HEADERS = ['content-type', 'application/json', 'accept-encoding', 'identity']

function askOf(body: unknown, changes: Partial<Ask> = {}): Ask {
  const endpoint = endpointOf('POST', changes.path ?? PATH) as Endpoint
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    method: 'POST',
    target: changes.path ?? PATH,
    path: PATH,
    headers: JSON_HEADERS,
    body: bytes,
    endpoint,
    facts: endpoint.request.request(typeof body === 'object' ? body : null),
    model: null,
    only: null,
    parent: null,
    caller: 'addr:127.0.0.1',
    priority: 0,
    ...changes,
  }
}

/** The same JSON with its keys in another order and its text spelled another way. */
function respelled(value: unknown, spaces: string): string {
  if (Array.isArray(value)) return `[${value.map(one => respelled(one, spaces)).join(`,${spaces}`)}]`
  if (typeof value === 'string') return JSON.stringify(value).replace(/[b-y]/g, spelledOut)
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e9) return `${value}.0`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).reverse()
  return `{${members.map(([key, one]) => `${JSON.stringify(key)}${spaces}:${spaces}${respelled(one, spaces)}`).join(',')}}${spaces}`
}

function spelledOut(letter: string, at: number, text: string): string {
  // What follows a backslash is a part of an escape.
  if (/[\\][^\\]{0,5}$/.test(text.slice(0, at))) return letter
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const objects = fc.dictionary(fc.string(), fc.jsonValue())

test('order of keys, whitespace and spelling of numbers and strings make no other request', () => {
  fc.assert(
    fc.property(objects, fc.constantFrom('', ' ', '\n\t'), (body, spaces) => {
      const spelled = respelled(body, spaces)
      expect(JSON.parse(spelled)).toEqual(JSON.parse(JSON.stringify(body)))
      expect(cacheKeyOf(askOf(spelled))).toBe(cacheKeyOf(askOf(body)))
    }),
  )
})

test('any other value makes another request', () => {
  fc.assert(
    fc.property(objects, objects, (one, other) => {
      const same = fc.stringify(JSON.parse(canonicalBody(Buffer.from(JSON.stringify(one))) as string))
      const isSame =
        same === fc.stringify(JSON.parse(canonicalBody(Buffer.from(JSON.stringify(other))) as string))
      expect(cacheKeyOf(askOf(one)) === cacheKeyOf(askOf(other))).toBe(isSame)
    }),
  )
  expect(canonicalBody(Buffer.from('{"b": [1.0, "\\u0041"], "a": {"d": -0, "c": 1e2}}'))).toBe(
    '{"a":{"c":100,"d":0},"b":[1,"A"]}',
  )
})

test.each([
  ['order in a list', { messages: [1, 2] }, { messages: [2, 1] }],
  ['a seed beyond 2^53', '{"seed":9007199254740993}', '{"seed":9007199254740992}'],
  ['a number and its text', { n: 1 }, { n: '1' }],
  ['null and nothing', { stop: null }, {}],
  ['a key that is no member', '{"__proto__":{"a":1}}', '{}'],
  ['half a character', '{"a":"\\ud83d"}', '{"a":"\\ud83e"}'],
])('%s makes another request', (_name, one, other) => {
  const keys = [cacheKeyOf(askOf(one)), cacheKeyOf(askOf(other))]
  expect(keys[0]).toMatch(/^[\w-]{43}$/)
  expect(keys[1]).toMatch(/^[\w-]{43}$/)
  expect(keys[0]).not.toBe(keys[1])
})

test('path, query, caller and whatever header may matter make another request', () => {
  const body = { messages: [] }
  const key = cacheKeyOf(askOf(body))
  const others: Partial<Ask>[] = [
    { target: `${PATH}?a=1` },
    { target: `/prefix${PATH}` },
    { caller: 'key:1' },
    ...['anthropic-beta', 'openai-organization', 'x-api-key', 'accept', 'x-of-tomorrow'].map(name => ({
      headers: [...JSON_HEADERS, name, 'x'],
    })),
  ]
  const keys = [key, ...others.map(changes => cacheKeyOf(askOf(body, changes)))]
  expect(new Set(keys).size).toBe(keys.length)
})

test('headers that say nothing of what is asked do not', () => {
  const names = ['User-Agent', 'traceparent', 'X-Stainless-Retry-Count', 'Idempotency-Key', 'Cache-Control']
  const headers = [...JSON_HEADERS, ...names.flatMap(name => [name, String(Math.random())])]
  expect(cacheKeyOf(askOf({}, { headers }))).toBe(cacheKeyOf(askOf({})))
  const turned = ['accept-encoding', 'identity', 'Content-Type', 'application/json']
  expect(cacheKeyOf(askOf({}, { headers: turned }))).toBe(cacheKeyOf(askOf({})))
})

test.each<[string, Ask]>([
  ['a body that is no JSON', askOf('{"a":')],
  ['a list', askOf('[1]')],
  ['no body', askOf({}, { body: null })],
  ['bytes that are no text', askOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
  ['what nests too deep to be read', askOf(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)],
  ['what is no generation', askOf({}, { endpoint: null, facts: null })],
  [
    'an answer that goes on from another',
    askOf({}, { facts: { ...(askOf({}).facts as NonNullable<Ask['facts']>), previous: 'resp_1' } }),
  ],
  ['a conversation that is kept at the server', askOf({}, { headers: ['X-Conversation-Id', 'c'] })],
])('%s has no key', (_name, ask) => {
  expect(cacheKeyOf(ask)).toBeNull()
})
