import type { IncomingHttpHeaders } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { Meter } from '../../events/metrics.ts'
import type { Ask } from '../ask.ts'
import type { Exchange } from '../exchange.ts'
import type { AnswerHead, AnswerListener } from '../transport.ts'
import { cacheKeyOf } from './cache-key.ts'
import { type CacheWish, cacheWishOf } from './cache-wish.ts'
import { joined, type KeptAnswer, keptHead, mayBeKept, sizeOf } from './kept-answer.ts'

const TTL_MS = 300_000
const MAX_ENTRIES = 1000
const MAX_BYTES = 64 * 1024 * 1024
const MAX_ENTRY_BYTES = 8 * 1024 * 1024

export interface ResponseCacheOptions {
  meter: Meter
  /** Whether requests use it that do not say; others may ask for it one by one. */
  byDefault: boolean
  ttlMs?: number
  maxEntries?: number
  /** Of all entries together, and of all answers that are being taken down. */
  maxBytes?: number
  maxEntryBytes?: number
}

/** For `/scope/v1/cache`. */
export interface CacheStatistics {
  /** Whether requests use it that do not say. */
  enabled: boolean
  entries: number
  bytes: number
  max_entries: number
  max_bytes: number
  max_entry_bytes: number
  ttl_seconds: number
  hits: number
  misses: number
  /** Hits of all look-ups, 0..1; null before the first. */
  hit_rate: number | null
}

/** What the cache has to do with one request. */
export interface CacheVisit {
  /**
   * Flat list of headers that tell its answer's reader: `HIT` (with its age in seconds, RFC 9111 §5.1), `MISS`, or
   * `BYPASS` where it was not looked up. Empty where nobody asked for the cache.
   */
  headers: string[]
  /** Its answer, on a hit. */
  answer: KeptAnswer | null
  /**
   * Lets the cache listen to the answer of the upstream; gives `listener` itself where nothing will be kept. The
   * listener gets everything first and is not held up. Called at most once.
   *
   * @param exchange judges whether the answer is whole
   * @param upstream the label of the instance that answers, asked at the end
   */
  recorded(listener: AnswerListener, exchange: Exchange | null, upstream: () => string): AnswerListener
  /** The exchange has judged the answer: it is kept if it was found whole. */
  over(): void
}

/**
 * Whole answers of generations, to be given again to the same caller who asks the same of the same upstreams.
 *
 * An answer is kept from the moment at which all of it had come and its generations were judged complete; one that
 * failed, broke off, was cut by a caller's going, is empty or could not be followed never is. Two equal requests
 * at the same time both go upstream. At most `maxBytes` are kept, the least recently used goes first, and nothing
 * longer than the time to live. What is being taken down when the cache is emptied is not kept.
 */
export class ResponseCache {
  readonly #meter: Meter
  readonly #byDefault: boolean
  readonly #maxEntryBytes: number
  readonly #answers: LRUCache<string, KeptAnswer>
  #hits = 0
  #misses = 0
  /** Bytes of the answers that are being taken down. */
  #recording = 0
  #emptied = 0

  constructor(options: ResponseCacheOptions) {
    this.#meter = options.meter
    this.#byDefault = options.byDefault
    const maxBytes = options.maxBytes ?? MAX_BYTES
    this.#maxEntryBytes = Math.min(maxBytes, options.maxEntryBytes ?? MAX_ENTRY_BYTES)
    this.#answers = new LRUCache({
      max: options.maxEntries ?? MAX_ENTRIES,
      maxSize: maxBytes,
      maxEntrySize: this.#maxEntryBytes,
      sizeCalculation: sizeOf,
      ttl: options.ttlMs ?? TTL_MS,
      // The clock is read each time: its resolution is kept by a timer otherwise.
      ttlResolution: 0,
      perf: { now: () => performance.now() },
    })
  }

  /**
   * A request comes by: looks for its answer.
   *
   * @param headers of the request, our own included
   * @param upstreams labels of the instances whose answers it may get, the first to be looked for first
   */
  visit(ask: Ask, headers: IncomingHttpHeaders, upstreams: readonly string[]): CacheVisit {
    const wish = ask.endpoint === null ? null : cacheWishOf(headers, this.#byDefault)
    if (wish === null) return { ...BYPASSED, headers: [] }
    const key = wish.reads || wish.writes ? cacheKeyOf(ask) : null
    if (key === null) return BYPASSED
    const answer = wish.reads ? this.#find(key, upstreams, wish) : null
    if (answer !== null) {
      const age = Math.floor((performance.now() - answer.storedAt) / 1000)
      return { ...BYPASSED, headers: [MARK, 'HIT', 'Age', String(age)], answer }
    }
    let keep = () => {}
    return {
      headers: [MARK, wish.reads ? 'MISS' : 'BYPASS'],
      answer: null,
      recorded: (listener, exchange, upstream) => {
        if (!wish.writes || exchange === null) return listener
        const recording = this.#record(listener, exchange, key, upstream)
        keep = recording.keep
        return recording.listener
      },
      over: () => keep(),
    }
  }

  /** What it holds and how often that helped. */
  statistics(): CacheStatistics {
    this.#answers.purgeStale()
    const lookups = this.#hits + this.#misses
    return {
      enabled: this.#byDefault,
      entries: this.#answers.size,
      bytes: this.#answers.calculatedSize,
      max_entries: this.#answers.max,
      max_bytes: this.#answers.maxSize,
      max_entry_bytes: this.#maxEntryBytes,
      ttl_seconds: this.#answers.ttl / 1000,
      hits: this.#hits,
      misses: this.#misses,
      hit_rate: lookups === 0 ? null : this.#hits / lookups,
    }
  }

  /**
   * Forgets every answer; hits and misses go on counting.
   *
   * @returns how many there were
   */
  empty(): number {
    const { entries } = this.statistics()
    this.#emptied++
    this.#answers.clear()
    return entries
  }

  #find(key: string, upstreams: readonly string[], { maxAgeMs }: CacheWish): KeptAnswer | null {
    const now = performance.now()
    for (const upstream of upstreams) {
      const answer = this.#answers.get(`${key} ${upstream}`)
      if (answer === undefined || now - answer.storedAt > maxAgeMs) continue
      this.#hits++
      this.#meter.count('tokenscope_cache_hits_total', {})
      return answer
    }
    this.#misses++
    this.#meter.count('tokenscope_cache_misses_total', {})
    return null
  }

  #record(
    listener: AnswerListener,
    exchange: Exchange,
    key: string,
    upstream: () => string,
  ): { listener: AnswerListener; keep: () => void } {
    const emptied = this.#emptied
    let endedAt: number | null = null
    let head: AnswerHead | null = null
    let pieces: Buffer[] = []
    let bytes = 0
    const forget = () => {
      this.#recording -= bytes
      head = null
      pieces = []
      bytes = 0
    }
    const recording: AnswerListener = {
      head: (answer, readAt) => {
        if (mayBeKept(answer)) head = answer
        listener.head(answer, readAt)
      },
      chunk: (piece, readAt) => {
        const more = listener.chunk(piece, readAt)
        if (head === null || piece.length === 0) return more
        pieces.push(piece)
        bytes += piece.length
        this.#recording += piece.length
        if (bytes > this.#maxEntryBytes || this.#recording > this.#answers.maxSize) forget()
        return more
      },
      end: readAt => {
        endedAt = readAt
        listener.end(readAt)
      },
      broken: (error, readAt) => {
        forget()
        listener.broken(error, readAt)
      },
    }
    const keep = () => {
      if (head !== null && endedAt !== null && exchange.complete && emptied === this.#emptied) {
        const answer = {
          head: keptHead(head),
          ...joined(pieces, bytes),
          upstream: upstream(),
          storedAt: endedAt,
        }
        this.#answers.set(`${key} ${answer.upstream}`, answer)
      }
      forget()
    }
    return { listener: recording, keep }
  }
}

const MARK = 'X-Tokenscope-Cache'

const BYPASSED: CacheVisit = {
  headers: [MARK, 'BYPASS'],
  answer: null,
  recorded: listener => listener,
  over: () => {},
}
