/**
 * An upstream that does nothing but write, in a process of its own: whole answers at once from bytes that
 * are ready, and streams whose chunks carry the time of their write.
 */
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  CANNED_HEADER,
  CANNED_MODEL,
  endEvents,
  paddedEvent,
  shortStream,
  tokenEvent,
  wholeAnswer,
} from './canned.ts'
import { answer } from './children.ts'
import { pace } from './stamp.ts'

/** What was written to one stream. */
export interface Written {
  sha256: string
  bytes: number
  chunks: number
}

export interface WriteOrder {
  /** The held streams of that name. */
  name: string
  /** Chunks for each of them. */
  count: number
  perSecond: number
  /** Each stream at its own time, or one chunk to all of them at once. */
  together: boolean
}

const PADDING_BYTES = 16 * 1024

class Stream {
  readonly response: ServerResponse
  readonly #hash: Hash = createHash('sha256')
  bytes = 0
  chunks = 0

  constructor(response: ServerResponse) {
    this.response = response
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  }

  /** Whether more may be written now. */
  write(chunk: Buffer): boolean {
    this.#hash.update(chunk)
    this.bytes += chunk.length
    this.chunks++
    return this.response.write(chunk)
  }

  end(): Written {
    const { bytes, chunks } = this
    this.response.end()
    return { sha256: this.#hash.digest('hex'), bytes, chunks }
  }
}

const held = new Map<string, Stream[]>()
const floods = new Map<string, Written[]>()
const endless = new Set<Stream>()
let floodChunks = 0

const MODELS = Buffer.from(JSON.stringify({ object: 'list', data: [{ id: CANNED_MODEL, object: 'model' }] }))
const WHOLE = wholeAnswer()
const SHORT = shortStream()

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => respond(request, response))
})
server.keepAliveTimeout = 75_000

function respond(request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'POST') {
    sendJson(response, MODELS)
    return
  }
  const [what, name = ''] = String(request.headers[CANNED_HEADER] ?? 'whole').split(' ')
  if (what === 'whole') sendJson(response, WHOLE)
  else if (what === 'short') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    response.end(SHORT)
  } else if (what === 'held') {
    const stream = new Stream(response)
    // A proxy may keep an answer's head until the first bytes of its body.
    stream.write(tokenEvent(0))
    listOf(held, name).push(stream)
  } else if (what === 'flood') void flood(new Stream(response), name)
  else void writeEndlessly(new Stream(response))
}

function sendJson(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

async function flood(stream: Stream, name: string): Promise<void> {
  for (let index = 0; index < floodChunks; index++) {
    if (!stream.write(tokenEvent(index))) await drained(stream)
  }
  stream.write(endEvents())
  listOf(floods, name).push(stream.end())
}

async function writeEndlessly(stream: Stream): Promise<void> {
  endless.add(stream)
  stream.response.on('close', () => endless.delete(stream))
  while (!stream.response.destroyed) {
    if (!stream.write(paddedEvent(stream.chunks, PADDING_BYTES))) await drained(stream)
  }
}

/** Until more may be written, or nobody is there to write to. */
async function drained({ response }: Stream): Promise<void> {
  if (response.destroyed) return
  const over = new AbortController()
  const { signal } = over
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  over.abort()
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? []
  lists.set(name, list)
  return list
}

answer({
  async listen() {
    server.listen(0, '127.0.0.1', 1024)
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  /** Writes to held streams; gives the bytes that all of them have had by then. */
  async write({ name, count, perSecond, together }: WriteOrder): Promise<number> {
    const streams = listOf(held, name)
    const write = (stream: Stream) => stream.write(tokenEvent(stream.chunks))
    if (together) await pace(count, perSecond, () => streams.forEach(write))
    else {
      await pace(count * streams.length, perSecond * streams.length, index =>
        write(streams[index % streams.length] as Stream),
      )
    }
    return streams.reduce((sum, { bytes }) => sum + bytes, 0)
  },
  /** Ends held streams. */
  endHeld(name: string): Written[] {
    const streams = listOf(held, name)
    held.delete(name)
    return streams.map(stream => {
      stream.write(endEvents())
      return stream.end()
    })
  },
  /** So many chunks has each flooding stream from now on. */
  setFlood(chunks: number) {
    floodChunks = chunks
  },
  /** The flooding streams of that name that were written to their end. */
  flooded(name: string): Written[] {
    return listOf(floods, name)
  },
  /** Endless streams that are open, and the bytes that were given to them. */
  endless() {
    return { streams: endless.size, bytes: [...endless].reduce((sum, { bytes }) => sum + bytes, 0) }
  },
})
