import { hash } from 'node:crypto'
import type { Ask } from '../ask.ts'

/** Names of headers that say nothing of what is asked; they differ between requests that are the same. */
const INCIDENTAL: ReadonlySet<string> = new Set([
  ...['accept-encoding', 'content-length', 'user-agent', 'date', 'referer', 'priority', 'dnt', 'via'],
  ...['cache-control', 'pragma', 'idempotency-key', 'forwarded'],
  ...[
    'x-correlation-id',
    'x-request-id',
    'x-client-request-id',
    'traceparent',
    'tracestate',
    'baggage',
    'b3',
  ],
])
const INCIDENTAL_PREFIXES = ['sec-', 'x-b3-', 'x-forwarded-', 'x-stainless-', 'x-datadog-', 'sentry-']

/** A number that long may be an integer that a double does not hold. */
const LONG_NUMBER = /\d[\d.]{15,}/

/**
 * What a request asks for, as a digest: equal for requests that ask for the same, and for those only.
 *
 * It is taken of method, path and query, caller, body and headers. The body counts as JSON does (RFC 8785): the
 * order of keys, whitespace and the spelling of numbers and strings are no difference. A header counts unless it
 * is known to say nothing, so that one that nobody here knows cannot lead to somebody else's answer; its
 * credentials are in the digest only.
 *
 * @returns null if the answer is not that of the request alone: nothing is generated, the body is not held whole or
 *   is no JSON object, or it goes on from a conversation that lives on a server
 */
export function cacheKeyOf(ask: Ask): string | null {
  const { method, target, caller, headers, body, endpoint, facts } = ask
  if (endpoint === null || facts === null || facts.previous !== null) return null
  if (!Buffer.isBuffer(body)) return null
  const counted = headersThatCount(headers)
  // llama.cpp keeps the answer under this name, for whoever comes back for it.
  if (counted.some(([name]) => name === 'x-conversation-id')) return null
  const asked = canonicalBody(body)
  if (asked === null) return null
  return hash('sha256', `${JSON.stringify([method, target, caller, counted])}${asked}`, 'base64url')
}

/**
 * A text of JSON in canonical form, after RFC 8785: no whitespace, keys by their UTF-16 code units, numbers and
 * strings as ECMAScript writes them. Other than there, an integer beyond 2^53 keeps its digits: seeds may be as
 * long, and two of them are not the same for being the same double.
 *
 * @returns null if it is not JSON in UTF-8, not an object, or too deep
 */
export function canonicalBody(body: Buffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    const value: unknown = LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? canonical(value) : null
  } catch {
    // What it says is for the upstream to judge; it is only not for the cache.
    return null
  }
}

/** An integer that a double does not hold. */
class LongInteger {
  readonly digits: string

  constructor(digits: string) {
    this.digits = digits
  }
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isLong = typeof value === 'number' && !Number.isSafeInteger(value) && Math.abs(value) > 2 ** 53 - 1
  return isLong && context?.source !== undefined ? new LongInteger(context.source) : value
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value instanceof LongInteger) return value.digits
  const members = value as Record<string, unknown>
  const written = Object.keys(members)
    .sort()
    .map(key => `${JSON.stringify(key)}:${canonical(members[key])}`)
  return `{${written.join(',')}}`
}

/** By name, repetitions in their order. */
function headersThatCount(headers: readonly string[]): [name: string, value: string][] {
  const counted: [string, string][] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (INCIDENTAL.has(name) || INCIDENTAL_PREFIXES.some(prefix => name.startsWith(prefix))) continue
    counted.push([name, headers[i + 1] as string])
  }
  return counted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
