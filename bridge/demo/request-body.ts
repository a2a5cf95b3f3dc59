/** The body of a request: its bytes up to a limit, and what they say. */
import type { IncomingMessage } from 'node:http'
import { reasonOf, TokenscopeError } from '../../events/errors.ts'

const MAX_BODY = 4 * 1024 * 1024
/** A body over the limit is read on so that the client sees the answer, but not for ever. */
const MAX_DISCARDED = 64 * 1024 * 1024
/** Some answers give parts of the body back, and what is nested deeper than the stack cannot be written. */
const MAX_DEPTH = 1000

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Reads it whole. Throws a TokenscopeError BODY_TOO_LARGE above 4 MiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_BODY) chunks.push(chunk)
    else chunks.length = 0
    if (size > MAX_DISCARDED) break
  }
  if (size > MAX_BODY) {
    throw new TokenscopeError('BODY_TOO_LARGE', `the body is over ${MAX_BODY} bytes; send a shorter one`)
  }
  return Buffer.concat(chunks)
}

/** The value of a JSON body; undefined where it is empty. Throws a TokenscopeError that says what is wrong. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined
  if (isDeeper(body, MAX_DEPTH)) {
    throw new TokenscopeError('BAD_REQUEST', `the body is nested over ${MAX_DEPTH} deep; send a flatter one`)
  }
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new TokenscopeError('INVALID_JSON', `the body is not JSON: ${reasonOf(cause)}`, { cause })
  }
}

/** Whether more than `most` arrays and objects stand in one another somewhere. */
function isDeeper(json: Buffer, most: number): boolean {
  let depth = 0
  let isText = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number
    if (byte === QUOTE) isText = !isText
    else if (isText) at += Number(byte === BACKSLASH)
    // [ and {, ] and } differ in one bit.
    else if ((byte | 0x20) === 0x7b) depth++
    else if ((byte | 0x20) === 0x7d) depth--
    if (depth > most) return true
  }
  return false
}
