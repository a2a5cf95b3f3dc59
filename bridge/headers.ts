/**
 * What of a message's headers crosses a proxy (RFC 9110 §7.6.1) and what this one adds or drops.
 * Headers are flat lists `[name, value, name, value, …]` with their case, order and repetitions kept.
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Headers that are meant for us begin with this. */
const OWN_PREFIX = 'x-tokenscope-'

/**
 * The headers that go upstream: without Host, hop-by-hop ones, Expect (which is answered on this hop) and ours,
 * and asking for an unencoded answer, since it is read on the way.
 *
 * @param raw as `IncomingMessage.rawHeaders`
 * @param contentLength bytes of the body if it is held whole, which replaces what the client announced
 */
export function requestHeaders(raw: readonly string[], contentLength: number | null): string[] {
  const dropped = new Set([...namedByConnection(raw), 'host', 'expect', 'accept-encoding'])
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (name.startsWith(OWN_PREFIX)) dropped.add(name)
  }
  if (contentLength !== null) dropped.add('content-length')
  const headers = without(raw, dropped)
  headers.push('accept-encoding', 'identity')
  if (contentLength !== null) headers.push('content-length', String(contentLength))
  return headers
}

/**
 * The headers that go to the client: the upstream's without hop-by-hop ones, its cookies and what would
 * let its answer act as a page of this origin, and with `added` last.
 *
 * @param dropped further names, in lower case
 */
export function responseHeaders(
  raw: readonly string[],
  added: readonly string[],
  dropped: Iterable<string> = [],
): string[] {
  const names = new Set([
    ...namedByConnection(raw),
    ...dropped,
    'set-cookie',
    'x-content-type-options',
    'content-security-policy',
    'x-correlation-id',
  ])
  const isStreamed = /^(text\/event-stream|application\/x-ndjson)\b/i.test(
    headerOf(raw, 'content-type') ?? '',
  )
  const isTold = headerOf(raw, 'x-accel-buffering') !== null
  return [
    ...without(raw, names),
    // A proxy like nginx would hold the stream back until it is long.
    ...(isStreamed && !isTold ? ['X-Accel-Buffering', 'no'] : []),
    'X-Content-Type-Options',
    'nosniff',
    'Content-Security-Policy',
    'sandbox',
    ...added,
  ]
}

/**
 * The same headers with an upstream's own key in place of whatever key the client sent, in the header that the
 * client used for its own; without one in `x-api-key` for Anthropic's path, else in `authorization`.
 *
 * @param path without its query
 */
export function keyedHeaders(raw: readonly string[], key: string, path: string): string[] {
  const isAnthropic =
    headerOf(raw, 'x-api-key') !== null ||
    (headerOf(raw, 'authorization') === null && path.endsWith('/v1/messages'))
  const headers = without(raw, new Set(['authorization', 'x-api-key']))
  if (isAnthropic) headers.push('x-api-key', key)
  else headers.push('authorization', `Bearer ${key}`)
  return headers
}

/**
 * The fields after an answer's body that go to the client (RFC 9110 §6.5.1: those that frame, route or secure a
 * message mean nothing there).
 *
 * @param raw as `IncomingMessage.rawTrailers`
 * @returns pairs, as `addTrailers` takes them
 */
export function passedTrailers(raw: readonly string[]): [string, string][] {
  const refused = /^(content-.*|host|authorization|set-cookie|cache-control|te|trailer|transfer-encoding)$/i
  const kept = without(raw, namedByConnection([]))
  return Array.from({ length: kept.length / 2 }, (_, i): [string, string] => [
    kept[2 * i] as string,
    kept[2 * i + 1] as string,
  ]).filter(([name]) => !refused.test(name))
}

/** The first value of a header, or null. */
export function headerOf(raw: readonly string[], name: string): string | null {
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === name) return raw[i + 1] ?? null
  }
  return null
}

/**
 * The wait that a Retry-After header asks for (RFC 9110 §10.2.3): seconds, or a date.
 *
 * @param now Unix milliseconds
 * @returns ms, or null without a header that can be read
 */
export function retryAfterMs(value: string | null, now: number): number | null {
  if (value === null) return null
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

function namedByConnection(raw: readonly string[]): Set<string> {
  const names = new Set(HOP_BY_HOP)
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== 'connection') continue
    for (const name of raw[i + 1]?.split(',') ?? []) names.add(name.trim().toLowerCase())
  }
  return names
}

function without(raw: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    if (!names.has(name.toLowerCase())) kept.push(name, raw[i + 1] as string)
  }
  return kept
}
