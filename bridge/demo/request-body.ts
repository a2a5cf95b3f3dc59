/** The body of a request, up to a limit. */
import type { IncomingMessage } from 'node:http'
import { TokenscopeError } from '../../events/errors.ts'

const MAX_BODY = 4 * 1024 * 1024
/** A body over the limit is read on so that the client sees the answer, but not for ever. */
const MAX_DISCARDED = 64 * 1024 * 1024

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
