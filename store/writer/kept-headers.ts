/** Headers and fields of a query that hold what lets somebody in are not kept. */
const SECRET_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
])
const SECRET_NAME =
  /secret|passw|credential|cookie|authori[sz]ation|authentication|bearer|jwt|(?:^|[-_])(?:(?:access|api|auth|id|refresh)?(?:token|key)|auth|signature|sig)$/i
/** As in `accessToken`. */
const SECRET_CAMEL = /[a-z\d](?:Token|Key|Auth|Signature|Sig)$/

/**
 * The headers that are kept, by their names in lower case; several of one name are joined by ", ".
 *
 * @param raw a flat list of names and values
 */
export function keptHeaders(raw: readonly string[]): Record<string, string> {
  const kept = new Map<string, string>()
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (SECRET_HEADERS.has(name) || isSecret(raw[i] as string)) continue
    const before = kept.get(name)
    const value = raw[i + 1] as string
    kept.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(kept)
}

/** A target of a request without the values of such fields of its query. */
export function keptTarget(target: string): string {
  const start = target.indexOf('?')
  if (start === -1) return target
  const fields = target.slice(start + 1).split('&')
  const kept = fields.map(field => {
    const equals = field.indexOf('=')
    return equals !== -1 && isSecret(decoded(field.slice(0, equals))) ? `${field.slice(0, equals)}=` : field
  })
  return `${target.slice(0, start)}?${kept.join('&')}`
}

function isSecret(name: string): boolean {
  return SECRET_NAME.test(name) || SECRET_CAMEL.test(name)
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
