import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Ask } from '../../../bridge/ask.ts'
import { ResponseCache, type ResponseCacheOptions } from '../../../bridge/cache/response-cache.ts'
import { type Endpoint, endpointOf } from '../../../bridge/dialects/index.ts'
import type { Exchange } from '../../../bridge/exchange.ts'
import type { AnswerListener } from '../../../bridge/transport.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  // No clock of a program that runs stands at 0, which lru-cache takes for none.
  vi.advanceTimersByTime(1000)
})
afterEach(() => {
  vi.useRealTimers()
})

const PATH = '/v1/chat/completions'
const LABEL = 'server:1'
const COMPLETE = { complete: true } as Exchange

function askOf(seed: number): Ask {
  const endpoint = endpointOf('POST', PATH) as Endpoint
  const body = Buffer.from(JSON.stringify({ seed }))
  const facts = endpoint.request.request({ seed })
  return {
    ...{ method: 'POST', target: PATH, path: PATH, headers: [], body, endpoint, facts, model: null },
    ...{ only: null, parent: null, caller: 'addr:127.0.0.1', priority: 0 },
  }
}

/** Takes note of what it is told, and takes so many pieces before it asks for a pause. */
function createListener(): AnswerListener & { said: string[] } {
  const said: string[] = []
  return {
    said,
    head: ({ status }) => void said.push(`head ${status}`),
    chunk: bytes => {
      said.push(bytes.toString('latin1'))
      return said.length % 2 === 0
    },
    end: () => void said.push('end'),
    broken: error => void said.push(`broken ${error.message}`),
  }
}

const cacheOf = (options: Partial<ResponseCacheOptions> = {}) =>
  new ResponseCache({ meter: new RecordingMeter(), byDefault: true, ...options })

/** Has the cache listen to an answer; the listener is told the rest by the test. */
function begun(cache: ResponseCache, seed: number, exchange: Exchange | null = COMPLETE, upstream = LABEL) {
  const listener = createListener()
  const visit = cache.visit(askOf(seed), {}, [])
  const recorded = visit.recorded(listener, exchange, () => upstream)
  recorded.head({ status: 200, statusText: 'OK', headers: ['content-type', 'text/plain'] }, 0)
  return { recorded, listener, over: () => visit.over() }
}

function keep(cache: ResponseCache, seed: number, pieces: string[], upstream = LABEL): string[] {
  const { recorded, listener, over } = begun(cache, seed, COMPLETE, upstream)
  for (const piece of pieces) recorded.chunk(Buffer.from(piece), 0)
  recorded.end(performance.now())
  over()
  return listener.said
}

const found = (cache: ResponseCache, seed: number, labels = [LABEL]) =>
  cache.visit(askOf(seed), {}, labels).answer?.body.toString() ?? null

test('the listener is told everything as if nobody listened along', () => {
  const cache = cacheOf()
  const { recorded, listener, over } = begun(cache, 1)
  expect([recorded.chunk(Buffer.from('a'), 0), recorded.chunk(Buffer.from('b'), 0)]).toEqual([true, false])
  recorded.broken(new Error('gone'), 0)
  over()
  expect(listener.said).toEqual(['head 200', 'a', 'b', 'broken gone'])
  expect(found(cache, 1)).toBeNull()
  expect(keep(cache, 1, ['a', 'b'])).toEqual(['head 200', 'a', 'b', 'end'])
  expect(found(cache, 1)).toBe('ab')
})

test('nothing is there before the last byte was judged, nor what was judged incomplete', () => {
  const cache = cacheOf()
  const { recorded, over } = begun(cache, 1)
  recorded.chunk(Buffer.from('half'), 0)
  expect(found(cache, 1)).toBeNull()
  recorded.end(0)
  expect(found(cache, 1)).toBeNull()
  over()
  expect(found(cache, 1)).toBe('half')
  const incomplete = begun(cache, 2, { complete: false } as Exchange)
  incomplete.recorded.chunk(Buffer.from('half'), 0)
  incomplete.recorded.end(0)
  incomplete.over()
  expect(found(cache, 2)).toBeNull()
})

test('an entry has its bytes for itself, so that no larger buffer is held on to', () => {
  const cache = cacheOf()
  const slab = Buffer.alloc(1024 * 1024, 'x')
  const { recorded, over } = begun(cache, 1)
  recorded.chunk(slab.subarray(10, 20), 0)
  recorded.end(0)
  over()
  slab.fill('y')
  const body = cache.visit(askOf(1), {}, [LABEL]).answer?.body as Buffer
  expect(body.toString()).toBe('x'.repeat(10))
  expect(body.buffer.byteLength).toBe(10)
})

test('an answer is given until its time is over, however often it was asked for', async () => {
  const cache = cacheOf()
  keep(cache, 1, ['a'])
  await vi.advanceTimersByTimeAsync(200_000)
  expect(cache.visit(askOf(1), {}, [LABEL]).headers).toEqual(['X-Tokenscope-Cache', 'HIT', 'Age', '200'])
  await vi.advanceTimersByTimeAsync(99_999)
  expect(found(cache, 1)).toBe('a')
  await vi.advanceTimersByTimeAsync(2)
  expect(cache.statistics()).toMatchObject({ entries: 0, bytes: 0, ttl_seconds: 300 })
  expect(found(cache, 1)).toBeNull()
})

test('a request that wants nothing older than it says does not get it', async () => {
  const cache = cacheOf()
  keep(cache, 1, ['a'])
  await vi.advanceTimersByTimeAsync(10_000)
  const marks = ['max-age=9', 'max-age=10'].map(
    value => cache.visit(askOf(1), { 'cache-control': value }, [LABEL]).headers[1],
  )
  expect(marks).toEqual(['MISS', 'HIT'])
})

test('the answer of any instance that can answer now is given, the first one’s first', () => {
  const cache = cacheOf()
  keep(cache, 1, ['one'], 'a')
  keep(cache, 1, ['two'], 'b')
  expect(found(cache, 1, ['b', 'a'])).toBe('two')
  expect(found(cache, 1, ['c', 'a'])).toBe('one')
  expect(found(cache, 1, ['c'])).toBeNull()
  expect(cache.statistics()).toMatchObject({ entries: 2, hits: 2, misses: 3, hit_rate: 2 / 5 })
})

test('there are never more answers or bytes than allowed, and the one unused for longest goes first', () => {
  const cache = cacheOf({ maxEntries: 3 })
  for (const seed of [1, 2, 3]) keep(cache, seed, ['a'])
  expect(found(cache, 1)).toBe('a')
  keep(cache, 4, ['a'])
  expect([1, 2, 3, 4].map(seed => found(cache, seed) !== null)).toEqual([true, false, true, true])

  const small = cacheOf({ maxBytes: 10_000 })
  for (let seed = 0; seed < 20; seed++) {
    keep(small, seed, ['x'.repeat(2000)])
    expect(small.statistics().bytes).toBeLessThanOrEqual(10_000)
  }
  expect(small.statistics().entries).toBe(3)
})

test('an answer over the limit of one is let go of as soon as it is', () => {
  const cache = cacheOf({ maxEntryBytes: 4000 })
  const { recorded, listener } = begun(cache, 1)
  for (let i = 0; i < 5; i++) recorded.chunk(Buffer.from('x'.repeat(1000)), 0)
  recorded.end(0)
  expect(listener.said).toHaveLength(7)
  expect(cache.statistics().entries).toBe(0)
  keep(cache, 2, ['x'.repeat(3000)])
  expect(found(cache, 2)).toHaveLength(3000)
})

test('answers that come in at the same time are bounded together, and let go of it when they break', () => {
  const cache = cacheOf({ maxBytes: 10_000 })
  const all = Array.from({ length: 5 }, (_, seed) => begun(cache, seed))
  for (const { recorded } of all) recorded.chunk(Buffer.from('x'.repeat(3000)), 0)
  // Three fit; the fourth was let go of, which left room for the fifth's beginning, and so on.
  for (const { recorded } of all) recorded.chunk(Buffer.from('y'), 0)
  for (const { recorded } of all.slice(0, 2)) recorded.broken(new Error('gone'), 0)
  for (const { recorded } of all.slice(2)) recorded.end(0)
  for (const { over } of all) over()
  expect(cache.statistics().entries).toBe(1)
  const next = Array.from({ length: 3 }, (_, i) => begun(cache, 10 + i))
  for (const { recorded } of next) recorded.chunk(Buffer.from('x'.repeat(3000)), 0)
  for (const { recorded } of next) recorded.end(0)
  for (const { over } of next) over()
  expect(found(cache, 12)).toHaveLength(3000)
})

test('hits and misses are counted where they are read', () => {
  const meter = new RecordingMeter()
  const cache = cacheOf({ meter })
  expect(cache.statistics()).toEqual({
    ...{ enabled: true, entries: 0, bytes: 0, max_entries: 1000, max_bytes: 64 * 1024 * 1024 },
    ...{ max_entry_bytes: 8 * 1024 * 1024, ttl_seconds: 300, hits: 0, misses: 0, hit_rate: null },
  })
  keep(cache, 1, ['a'])
  found(cache, 1)
  found(cache, 2)
  expect(meter.total('tokenscope_cache_hits_total')).toBe(1)
  // The request whose answer was kept had been looked for, too.
  expect(meter.total('tokenscope_cache_misses_total')).toBe(2)
  expect(cache.statistics()).toMatchObject({ entries: 1, hits: 1, misses: 2, hit_rate: 1 / 3 })
  expect(cache.empty()).toBe(1)
  expect(cache.empty()).toBe(0)
  expect(cache.statistics()).toMatchObject({ entries: 0, bytes: 0, hits: 1 })
})
