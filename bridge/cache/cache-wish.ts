import type { IncomingHttpHeaders } from 'node:http'

/** The header with which a request asks for the cache, or for an answer of its own. */
export const CACHE_HEADER = 'x-tokenscope-cache'

/** What a request wants of the cache. */
export interface CacheWish {
  /** Whether a kept answer will do. */
  reads: boolean
  /** How old a kept answer may be, ms; Infinity for any age. */
  maxAgeMs: number
  /** Whether its own answer may be kept. */
  writes: boolean
}

/**
 * Reads the wish of a request: `X-Tokenscope-Cache: on` or `off`, else what the option says; within that
 * `Cache-Control` as RFC 9111 §5.2.1 has it: `no-store`, `no-cache`, `max-age` (a `Pragma: no-cache` counts where
 * there is no `Cache-Control`, §5.4).
 *
 * @param byDefault whether requests that do not say use the cache
 * @returns null if nobody asked for the cache: neither the option nor the request's own header
 */
export function cacheWishOf(headers: IncomingHttpHeaders, byDefault: boolean): CacheWish | null {
  const own = textOf(headers[CACHE_HEADER]).trim().toLowerCase()
  if (own !== 'on' && own !== 'off' && !byDefault) return null
  if (own === 'off') return { reads: false, maxAgeMs: 0, writes: false }
  const directives = directivesOf(textOf(headers['cache-control'] ?? headers.pragma))
  const writes = !directives.has('no-store')
  const seconds = Number.parseInt(directives.get('max-age') ?? '', 10)
  const maxAgeMs = Number.isNaN(seconds) ? Number.POSITIVE_INFINITY : seconds * 1000
  return { reads: writes && !directives.has('no-cache') && maxAgeMs > 0, maxAgeMs, writes }
}

/**
 * The directives of a Cache-Control, in lower case, with their arguments.
 *
 * @param value the header, its repetitions joined by commas
 */
export function directivesOf(value: string): Map<string, string> {
  const directives = new Map<string, string>()
  for (const part of value.split(',')) {
    const [name = '', argument = ''] = part.split('=', 2)
    directives.set(name.trim().toLowerCase(), argument.trim().replace(/^"(.*)"$/, '$1'))
  }
  return directives
}

function textOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '')
}
