import { headerOf } from '../headers.ts'
import type { AnswerHead } from '../transport.ts'
import { directivesOf } from './cache-wish.ts'

/** Headers that are true of one message only: of its hop, its time or its number. */
const OF_THE_MOMENT: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'transfer-encoding', 'trailer', 'upgrade', 'proxy-connection'],
  ...['date', 'age', 'set-cookie', 'server-timing', 'retry-after'],
  ...['x-request-id', 'request-id', 'x-correlation-id'],
])

/** An answer as it was, in the pieces in which it came. */
export interface KeptAnswer {
  head: AnswerHead
  /** All of its body, in memory of its own. */
  body: Buffer
  /** Where each piece of the body ends. */
  ends: Uint32Array
  /** The label of the instance that gave it. */
  upstream: string
  /** `performance.now()` when its last byte had come. */
  storedAt: number
}

/** The head without what was true of that message only; its trailers are read now, since all of it has come. */
export function keptHead({ status, statusText, headers, trailers }: AnswerHead): AnswerHead {
  const fields = trailers?.() ?? []
  const head = { status, statusText, headers: lastingHeaders(headers) }
  return fields.length === 0 ? head : { ...head, trailers: () => fields }
}

function lastingHeaders(headers: readonly string[]): string[] {
  const ofHop = new Set((headerOf(headers, 'connection') ?? '').toLowerCase().split(/\s*,\s*/))
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (OF_THE_MOMENT.has(name) || ofHop.has(name) || name.startsWith('x-ratelimit-')) continue
    kept.push(headers[i] as string, headers[i + 1] as string)
  }
  return kept
}

/**
 * Whether an answer with this head may be kept, if it ends well. `no-store` is respected. `no-cache` is not: model
 * servers put it on every stream, to hold proxies off that nobody asked, and this cache was asked for. `Vary` is
 * answered by the key, which all headers of a request are in that an answer can depend on; `*` is not.
 */
export function mayBeKept({ status, headers }: AnswerHead): boolean {
  if (status !== 200) return false
  if (directivesOf(headerOf(headers, 'cache-control') ?? '').has('no-store')) return false
  return (headerOf(headers, 'vary') ?? '').trim() !== '*'
}

/** The pieces in one block of memory, since each may be a small part of a large one that it would hold on to. */
export function joined(pieces: readonly Buffer[], bytes: number): Pick<KeptAnswer, 'body' | 'ends'> {
  const body = Buffer.allocUnsafeSlow(bytes)
  const ends = new Uint32Array(pieces.length)
  let end = 0
  for (const [i, piece] of pieces.entries()) {
    body.set(piece, end)
    end += piece.length
    ends[i] = end
  }
  return { body, ends }
}

/** What it takes of memory, in bytes, near enough. */
export function sizeOf({ head, body, ends }: KeptAnswer): number {
  const headers = head.headers.reduce((sum, text) => sum + 2 * text.length, 0)
  return body.length + ends.byteLength + headers + 500
}
