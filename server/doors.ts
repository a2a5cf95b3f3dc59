/**
 * The doors: who may come in at all, by HTTP and by WebSocket alike, before anything else looks at a request.
 *
 * The Host check keeps out pages that reach a loopback server by a name of their own (DNS rebinding), the
 * Origin and Fetch Metadata checks those that call across origins. A request without an Origin, as from
 * curl or an SDK, is no page and passes.
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { TokenscopeError } from '../events/errors.ts'

const KNOWN_HOSTS = 100
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '::1'])

export interface DoorsOptions {
  host: string
  allowHosts: readonly string[]
  allowOrigins: readonly string[]
}

export class Doors {
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>
  /** Hosts that were let in, with the address they came to: reading one takes longer than the rest of it. */
  readonly #known = new Set<string>()

  constructor(options: DoorsOptions) {
    this.#hosts = new Set([...LOOPBACK_NAMES, options.host.toLowerCase(), ...options.allowHosts])
    this.#origins = new Set(options.allowOrigins)
  }

  /**
   * Lets a request in or says why not.
   *
   * @returns null, or a TokenscopeError WRONG_HOST (421) or FORBIDDEN_ORIGIN (403)
   */
  check(request: IncomingMessage): TokenscopeError | null {
    const host = request.headers.host
    if (host === undefined || !this.#isOwnHost(host, request)) {
      return new TokenscopeError(
        'WRONG_HOST',
        `This server does not answer to the host ${JSON.stringify(host ?? '')}. Use --allow-host to allow its name.`,
      )
    }
    const origin = request.headers.origin
    if (origin !== undefined && !this.#isOwnOrigin(origin, host)) {
      return new TokenscopeError(
        'FORBIDDEN_ORIGIN',
        `Pages of ${origin} may not call this server. Use --allow-origin to allow them.`,
      )
    }
    // An allowed origin's calls are cross-site by nature.
    if (
      origin === undefined &&
      request.headers['sec-fetch-site'] === 'cross-site' &&
      !isLinkToPage(request)
    ) {
      return new TokenscopeError('FORBIDDEN_ORIGIN', 'A page of another site may not call this server.')
    }
    return null
  }

  /** Whether `origin` was allowed by name, so that its pages need CORS headers. */
  isAllowedOrigin(origin: string | undefined): boolean {
    return origin !== undefined && this.#origins.has(origin)
  }

  #isOwnHost(host: string, request: IncomingMessage): boolean {
    const { localAddress } = request.socket
    const key = `${host} ${localAddress}`
    if (this.#known.has(key)) return true
    const isOwn = this.#readsAsOwn(host, localAddress)
    if (isOwn && this.#known.size < KNOWN_HOSTS) this.#known.add(key)
    return isOwn
  }

  #readsAsOwn(host: string, localAddress: string | undefined): boolean {
    const url = URL.parse(`http://${host}`)
    if (url === null || url.host === '' || url.pathname !== '/' || url.username !== '') return false
    const name = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
    if (this.#hosts.has(name)) return true
    const local = localAddress?.replace(/^::ffff:/, '')
    return isIP(name) !== 0 && name === local
  }

  #isOwnOrigin(origin: string, host: string): boolean {
    if (this.#origins.has(origin)) return true
    return origin.toLowerCase() === `http://${host.toLowerCase()}`
  }
}

function isLinkToPage(request: IncomingMessage): boolean {
  const path = request.url?.split('?', 1)[0]
  return request.method === 'GET' && path === '/' && request.headers['sec-fetch-mode'] === 'navigate'
}
