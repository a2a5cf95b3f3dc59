/** What options say of addresses, checked against each other. */
import { isIPv4 } from 'node:net'
import type { UpstreamSpec } from '../events/upstream-spec.ts'
import { words } from './option-shapes.ts'
import { bad } from './refusal.ts'

/** Two names for one place would count its places twice. @throws TokenscopeError CONFIG */
export function refuseTwins(upstreams: readonly UpstreamSpec[]): void {
  const seen = new Set<string>()
  for (const { url } of upstreams) {
    const place = URL.parse(url)?.href.replace(/\/+$/, '').replace(/\/v1$/, '') ?? url
    if (seen.has(place)) throw bad('--upstream', `--upstream ${url} is given twice.`)
    seen.add(place)
  }
}

/** A server that passes requests to itself would do so for ever. @throws TokenscopeError CONFIG */
export function refuseSelf(upstreams: readonly UpstreamSpec[], host: string, port: number): void {
  for (const { url: upstream } of upstreams) {
    const url = URL.parse(upstream)
    if (url === null || port === 0 || Number(url.port || 80) !== port) continue
    if (['localhost', '127.0.0.1', '[::1]', host].includes(url.hostname)) {
      throw bad(
        '--upstream',
        `--upstream ${upstream} is where Tokenscope itself would listen. Change it or --port.`,
      )
    }
  }
}

/** An origin as browsers write it. @throws TokenscopeError CONFIG */
export function originOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || url.origin === 'null' || url.href !== `${url.origin}/`) {
    throw bad('--allow-origin', `--allow-origin ${text}: it must be ${words('allow-origin')}.`)
  }
  return url.origin
}

/** A host that may be listened on. @throws TokenscopeError CONFIG */
export function hostOf(host: string): string {
  if (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))) return host
  throw bad(
    '--host',
    `--host ${host}: beyond loopback Tokenscope needs authentication, which this version does not have. Use 127.0.0.1, ::1 or localhost.`,
  )
}

/** Where a running Tokenscope is asked, without a slash at its end. @throws TokenscopeError CONFIG */
export function serverOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.href !== `${url.origin}/`) {
    throw bad('--url', `--url ${text}: it must be where Tokenscope is, as http://127.0.0.1:8787.`)
  }
  return url.origin
}
