import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Ask } from '../../../bridge/ask.ts'
import { type Endpoint, endpointOf } from '../../../bridge/dialects/index.ts'
import type { Exchange } from '../../../bridge/exchange.ts'
import { durationText, estimatedTokens, RateLimits } from '../../../bridge/limits/rate-limits.ts'
import type { AnswerHead } from '../../../bridge/transport.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function askOf(caller: string, body: object | null, changes: Partial<Ask> = {}): Ask {
  const endpoint = body === null ? null : (endpointOf('POST', '/v1/chat/completions') as Endpoint)
  return {
    method: 'POST',
    target: '/v1/chat/completions',
    path: '/v1/chat/completions',
    headers: [],
    body: body === null ? null : Buffer.from(JSON.stringify(body)),
    endpoint,
    facts: endpoint?.request.request(body) ?? null,
    model: null,
    only: null,
    parent: null,
    caller,
    priority: 0,
    ...changes,
  }
}

/** What a request has come to. */
function ended(part: { usage?: Exchange['usage']; tokens?: number; cancelled?: boolean }): Exchange {
  return { usage: null, tokens: 0, cancelled: false, ...part } as Exchange
}

/** The headers that an answer gets, one line each. */
function markedHeaders(limits: RateLimits, ask: Ask, headers: string[] = []): string[] {
  let marked: AnswerHead | null = null
  const listener = {
    head: (head: AnswerHead) => (marked = head),
    chunk: () => true,
    end: () => {},
    broken: () => {},
  }
  const admission = limits.admit(ask)
  admission?.marked(listener).head({ status: 200, statusText: 'OK', headers }, 0)
  const flat = (marked as AnswerHead | null)?.headers ?? []
  return flat.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${flat[i + 1]}`] : []))
}

test('callers do not share, and only POSTs count', () => {
  const limits = new RateLimits({ requestsPerMinute: 1, tokensPerMinute: null, waitMs: 0 })
  for (let i = 0; i < 10; i++) expect(limits.admit(askOf('a', null, { method: 'GET' }))).toBeNull()
  expect(limits.admit(askOf('a', {}))).not.toBeNull()
  expect(limits.admit(askOf('b', {}))).not.toBeNull()
  expect(() => limits.admit(askOf('a', null))).toThrow(/1 requests a minute here; ask again in 60 s/)
})

test('without limits nothing is counted', () => {
  const limits = new RateLimits({ requestsPerMinute: null, tokensPerMinute: null, waitMs: 0 })
  expect(limits.admit(askOf('a', {}))).toBeNull()
  expect(limits.callers).toBe(0)
})

test('an estimate is a quarter of the bytes and what is allowed for every answer', () => {
  const body = { max_tokens: 100, n: 3, messages: [{ role: 'user', content: 'x'.repeat(400) }] }
  const bytes = JSON.stringify(body).length
  expect(estimatedTokens(askOf('a', body))).toBe(Math.ceil(bytes / 4) + 300)
  expect(estimatedTokens(askOf('a', { n: 2 }))).toBe(2 + 1024)
  expect(estimatedTokens(askOf('a', null))).toBe(0)
  const streamed = askOf('a', {}, { body: null, headers: ['Content-Length', '8000000'] })
  expect(estimatedTokens(streamed)).toBe(2_000_000 + 512)
})

test.each<[string, Parameters<typeof ended>[0] | null, number]>([
  [
    'the upstream’s total',
    { usage: { promptTokens: 7, completionTokens: 5, totalTokens: 40 }, tokens: 5 },
    40,
  ],
  ['its sum', { usage: { promptTokens: 7, completionTokens: 5, totalTokens: null }, tokens: 5 }, 12],
  [
    'its answer and the prompt’s estimate',
    { usage: { promptTokens: null, completionTokens: 5, totalTokens: null } },
    5 + 5,
  ],
  ['what was seen', { tokens: 30 }, 5 + 30],
  ['the prompt alone, if the client gave up', { cancelled: true }, 5],
  ['nothing, if no token came', {}, 0],
  ['nothing, if it reached nobody', null, 0],
])('a request comes to %s', (_name, end, used) => {
  const limits = new RateLimits({ requestsPerMinute: null, tokensPerMinute: 1000, waitMs: 0 })
  const ask = askOf('a', { max_tokens: 100 })
  limits.admit(ask)?.settle(end === null ? null : ended(end))
  const left = markedHeaders(limits, askOf('a', null, { facts: null }))
  expect(left).toContain(`x-ratelimit-remaining-tokens: ${1000 - used}`)
})

test('what is left is told in OpenAI’s headers, unless the upstream tells it', async () => {
  const limits = new RateLimits({ requestsPerMinute: 60, tokensPerMinute: 6000, waitMs: 0 })
  const ask = askOf('a', { max_tokens: 2000 })
  expect(markedHeaders(limits, ask, ['X-RateLimit-Remaining-Tokens', '12'])).toEqual([
    'X-RateLimit-Remaining-Tokens: 12',
    'x-ratelimit-limit-requests: 60',
    'x-ratelimit-remaining-requests: 59',
    'x-ratelimit-reset-requests: 1s',
    'x-ratelimit-limit-tokens: 6000',
    'x-ratelimit-reset-tokens: 20.05s',
  ])
  const open = new RateLimits({ requestsPerMinute: null, tokensPerMinute: 60, waitMs: 0 })
  expect(markedHeaders(open, askOf('a', { max_tokens: 4 }))).toEqual([
    'x-ratelimit-limit-tokens: 60',
    'x-ratelimit-remaining-tokens: 52',
    'x-ratelimit-reset-tokens: 8s',
  ])
})

test.each([
  [0, '0ms'],
  [12.2, '13ms'],
  [999.5, '1s'],
  [7660, '7.66s'],
  [59_999, '1m0s'],
  [360_000, '6m0s'],
  [61_500, '1m1.5s'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test('callers are forgotten when their share is whole, and there are never more than 10,000', async () => {
  const limits = new RateLimits({ requestsPerMinute: 60, tokensPerMinute: 60_000, waitMs: 0 })
  for (let i = 0; i < 12_000; i++) limits.admit(askOf(`${i}`, {}))?.settle(null)
  expect(limits.callers).toBe(10_000)
  const open = limits.admit(askOf('open', {}))
  await vi.advanceTimersByTimeAsync(1001)
  expect(limits.callers).toBe(1)
  open?.settle(null)
  expect(limits.callers).toBe(0)
})
