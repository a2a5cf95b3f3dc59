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

/**
 * The headers that go upstream: without Host, hop-by-hop ones and Expect (which is answered on this hop),
 * and asking for an unencoded answer, since it is read on the way.
 *
 * @param raw as `IncomingMessage.rawHeaders`
 * @param contentLength bytes of the body if it is held whole, which replaces what the client announced
 */
export function requestHeaders(raw: readonly string[], contentLength: number | null): string[] {
  const dropped = new Set([...namedByConnection(raw), 'host', 'expect', 'accept-encoding'])
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
  return [
    ...without(raw, names),
    'X-Content-Type-Options',
    'nosniff',
    'Content-Security-Policy',
    'sandbox',
    ...added,
  ]
}

/** The first value of a header, or null. */
export function headerOf(raw: readonly string[], name: string): string | null {
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === name) return raw[i + 1] ?? null
  }
  return null
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
