import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** 128 bits: enough that no two keys meet. */
const DIGEST_DIGITS = 32

/**
 * Who asks, for shares and for what is kept per caller: `key:` and the digest of the credential, else `addr:` and
 * the address. The credential itself is in no log, no key and no answer.
 *
 * The same secret is one caller, whether it comes as `Authorization: Bearer` or as `x-api-key`.
 */
export function callerOf({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string {
  const secret = secretOf(headers.authorization) ?? secretOf(headers['x-api-key'])
  if (secret !== null) return `key:${hash('sha256', secret, 'hex').slice(0, DIGEST_DIGITS)}`
  return `addr:${normalAddress(socket.remoteAddress)}`
}

function secretOf(header: string | string[] | undefined): string | null {
  const value = Array.isArray(header) ? header[0] : header
  // RFC 9110 §11.1: the name of a scheme has no case.
  const secret = value?.replace(/^\s*bearer(\s+|$)/i, '').trim() ?? ''
  return secret === '' ? null : secret
}

/** An IPv4 address reads the same on a socket of either family; a zone says the way to a host, not the host. */
function normalAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  return address
    .toLowerCase()
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '')
}
