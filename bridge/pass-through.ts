/**
 * The relay between an app and the upstream: what one sends the other gets, byte for byte and at the time
 * it came; what breaks on one side breaks on the other.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { TokenscopeError } from '../events/errors.ts'
import { PASSED_BODY_BYTES } from '../events/limits.ts'
import { connectionError, isConnectError } from './connect-error.ts'
import { headerOf, passedTrailers, responseHeaders } from './headers.ts'
import type { Tap } from './tap.ts'
import type { AnswerHead, AnswerListener } from './transport.ts'

/** Bodies up to this are held, so that their model is known; larger ones stream through. */
const HELD_BYTES = 4 * 1024 * 1024

export interface RequestBody {
  /** The whole body if it is held. */
  held: Buffer | null
  /** What to send: the held bytes, the stream of a larger body, or null without one. */
  send: Buffer | Readable | null
}

/**
 * Reads a request's body as far as it is to be held.
 *
 * @throws TokenscopeError BODY_TOO_LARGE if more than 64 MiB are announced; a body that turns out to be
 *   larger breaks its stream with the same error
 */
export async function takeBody(request: IncomingMessage): Promise<RequestBody> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN)
  if (announced > PASSED_BODY_BYTES) throw tooLarge()
  if (request.headers['transfer-encoding'] === undefined && !(announced > 0)) {
    // Without a body of its own a request may still carry "content-length: 0", which is kept as it is.
    const empty = announced === 0 ? Buffer.alloc(0) : null
    return { held: empty, send: empty }
  }
  if (announced > HELD_BYTES) return { held: null, send: streamOf([], request) }
  const { chunks, isWhole } = await readUpTo(HELD_BYTES, request)
  if (!isWhole) return { held: null, send: streamOf(chunks, request) }
  const held = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  return { held, send: held }
}

/** Reads a request to its end, or pauses it once there is more than `limit` bytes. Rejects if it breaks off. */
function readUpTo(limit: number, request: IncomingMessage): Promise<{ chunks: Buffer[]; isWhole: boolean }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > limit) settle(() => resolve({ chunks, isWhole: false }))
    }
    const onEnd = () => settle(() => resolve({ chunks, isWhole: true }))
    const onClose = () => settle(() => reject(new Error('the request broke off')))
    const onError = (error: Error) => settle(() => reject(error))
    const settle = (how: () => void) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError)
      request.pause()
      how()
    }
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError)
  })
}

/**
 * The chunks read so far and the rest of the request, up to 64 MiB, in a stream of our own: whoever is
 * given it may destroy it, and what was not read by then is discarded.
 */
function streamOf(chunks: Buffer[], request: IncomingMessage): Readable {
  let bytes = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > PASSED_BODY_BYTES) done(tooLarge())
      else done(null, chunk)
    },
  })
  for (const chunk of chunks) stream.write(chunk)
  request.on('error', error => stream.destroy(error))
  // Whoever sends it is told by the stream itself; while nobody does, there is nobody to tell.
  stream.on('error', () => {})
  request.pipe(stream)
  stream.on('close', () => {
    request.unpipe(stream)
    discardRest(request)
  })
  return stream
}

/**
 * Reads what is left of a request that was answered before its end, so that the client gets the answer and
 * its connection can go on; a client that goes on and on is cut.
 */
export function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > PASSED_BODY_BYTES) request.destroy()
  })
  request.resume()
}

function tooLarge(): TokenscopeError {
  return new TokenscopeError(
    'BODY_TOO_LARGE',
    'The body is over 64 MiB, which is the most that is passed on.',
  )
}

/** How an app's request went, for the log. */
export interface RelayOutcome {
  /** `cancelled` by somebody here, the app included; `unreached` without any answer. */
  outcome: 'complete' | 'broken' | 'unreached' | 'cancelled'
  error: Error | null
}

export interface RelayOptions {
  response: ServerResponse
  /** Listens along; null for what is no generation. */
  tap: Tap | null
  /** Flat list of headers to add to the answer. */
  added: readonly string[]
  /** Lower-case names of upstream headers that are answered here instead. */
  replaced: Iterable<string>
  /** Aborted once somebody here wants no more of it: then there is nobody upstream to blame. */
  signal: AbortSignal
  /** Resumes the upstream after a chunk was refused. */
  resume: () => void
  /** Answers in OpenAI's error form, for there is no answer to pass on. */
  fail: (error: TokenscopeError) => void
  done: (outcome: RelayOutcome) => void
}

/** Passes an answer on to the app and lets the tap listen. The bytes go first, the listening after. */
export function createRelay(options: RelayOptions): AnswerListener {
  const { response, tap, signal, fail, done } = options
  let trailers: () => readonly string[] = () => []
  response.on('drain', () => options.resume())
  // The app need not wait until the upstream has let go.
  const onAbort = () => {
    const { reason } = signal as { reason: unknown }
    if (!(reason instanceof TokenscopeError) || response.headersSent || response.destroyed) breakOff(response)
    else fail(reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  return {
    head(head, readAt) {
      trailers = head.trailers ?? trailers
      if (!response.destroyed) writeHead(response, head, options)
      tap?.head(head.status, headerOf(head.headers, 'content-type'), readAt)
    },
    chunk(bytes, readAt) {
      const more = response.destroyed || response.write(bytes)
      tap?.bytes(bytes, readAt)
      return more
    },
    end(readAt) {
      const fields = passedTrailers(trailers())
      if (fields.length > 0 && response.chunkedEncoding) response.addTrailers(fields)
      response.end()
      const over = () => done({ outcome: 'complete', error: null })
      if (tap === null) over()
      else tap.end(readAt, over)
    },
    broken(error, readAt) {
      tap?.broken(connectionError(error), readAt)
      if (signal.aborted) {
        done({ outcome: 'cancelled', error })
        return
      }
      if (response.headersSent) {
        breakOff(response)
        done({ outcome: 'broken', error })
        return
      }
      if (!response.destroyed) fail(noAnswer(error))
      done({ outcome: 'unreached', error })
    },
  }
}

function writeHead(response: ServerResponse, head: AnswerHead, { added, replaced }: RelayOptions): void {
  response.writeHead(head.status, reasonPhrase(head), responseHeaders(head.headers, added, replaced))
  // With the first bytes of the body if they are here already, alone if they let wait for themselves.
  setImmediate(() => {
    if (!response.destroyed && !response.writableEnded) response.flushHeaders()
  })
}

/** The reason phrase with its bytes as they came, less what none may hold. */
function reasonPhrase(head: AnswerHead): string {
  return head.statusText.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
}

/**
 * Ends the app's connection so that it cannot be taken for the answer's end. What was written before still
 * goes out. An answer without a length ends with its connection, so there only a reset tells.
 */
function breakOff(response: ServerResponse): void {
  const framed = !response.headersSent || response.chunkedEncoding || response.hasHeader('content-length')
  // A turn later, since what is written within a turn is held together until its end.
  setImmediate(() => {
    const { socket } = response
    if (socket === null) response.destroy()
    else if (framed) socket.destroySoon()
    else socket.write('', () => socket.resetAndDestroy())
  })
}

function noAnswer(error: Error): TokenscopeError {
  if (error instanceof TokenscopeError) return error
  const { message } = connectionError(error)
  return new TokenscopeError(
    isConnectError(error) ? 'UPSTREAM_UNREACHABLE' : 'UPSTREAM_BROKEN',
    `${message}.`,
  )
}
