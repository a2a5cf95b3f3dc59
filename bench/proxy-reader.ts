/** The app's side of the proxy bench: asks, reads, and takes the time. */
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { CANNED_HEADER, requestBody } from './canned.ts'
import type { Written } from './canned-process.ts'
import { now, readStamp } from './stamp.ts'

const PATH = '/v1/chat/completions'
const STREAM_BODY = requestBody({ stream: true })
const WHOLE_BODY = requestBody({ stream: false })
/** A token's event: what is between the content's quotes carries the stamp. */
const CONTENT = '"content":"'
const PATIENCE_MS = 5000

/** Streams that stay open between the measurements, so that chunks alone are measured. */
export class HeldStreams {
  readonly #streams: HeldStream[]
  readonly #where: string

  private constructor(streams: HeldStream[], where: string) {
    this.#streams = streams
    this.#where = where
  }

  /** Opens `count` streams of that name. */
  static async open(url: string, name: string, count: number): Promise<HeldStreams> {
    const opened = Array.from({ length: count }, async () => new HeldStream(await ask(url, `held ${name}`)))
    return new HeldStreams(await Promise.all(opened), `${name} (${url})`)
  }

  /**
   * Waits until all bytes were read; gives milliseconds from write to read of each chunk since the last call.
   *
   * @param bytes what was written to all of them since they were opened
   * @throws Error if chunks were lost or came in another order
   */
  async latencies(bytes: number): Promise<number[]> {
    const read = () => this.#streams.reduce((sum, stream) => sum + stream.bytes, 0)
    const patience = performance.now() + PATIENCE_MS
    while (read() < bytes && performance.now() < patience) {
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    if (read() !== bytes) throw new Error(`${this.#where} passed ${read()} bytes of ${bytes}`)
    return this.#streams.flatMap(stream => stream.take())
  }

  /**
   * Waits for the ends of the streams and compares what was read with what was written.
   *
   * @throws Error if a byte differs
   */
  async end(written: readonly Written[]): Promise<void> {
    await Promise.all(this.#streams.map(stream => stream.ended))
    const hashes = new Set(written.map(({ sha256 }) => sha256))
    const read = new Set(this.#streams.map(stream => stream.sha256()))
    if (read.size !== hashes.size || read.difference(hashes).size > 0) {
      throw new Error(`${this.#where} changed bytes of a stream`)
    }
  }
}

class HeldStream {
  readonly ended: Promise<unknown>
  bytes = 0
  readonly #hash: Hash = createHash('sha256')
  /** What was read and when; looked into later, so that reading takes no time from the next. */
  #reads: { chunk: Buffer; at: number }[] = []
  #rest = ''
  #next = 0

  constructor(response: IncomingMessage) {
    response.on('data', (chunk: Buffer) => {
      this.#reads.push({ chunk, at: now() })
      this.bytes += chunk.length
    })
    this.ended = once(response, 'end')
    // Awaited at the end only; until then a break is seen by the bytes that are missing.
    this.ended.catch(() => {})
  }

  take(): number[] {
    const latencies: number[] = []
    for (const { chunk, at } of this.#reads.splice(0)) {
      this.#hash.update(chunk)
      const events = (this.#rest + chunk.toString('latin1')).split('\n\n')
      this.#rest = events.pop() as string
      for (const event of events) {
        const begin = event.indexOf(CONTENT)
        if (begin < 0) continue
        const from = begin + CONTENT.length
        const stamp = readStamp(event.slice(from, event.indexOf('"', from)))
        if (stamp.index !== this.#next++) throw new Error(`chunk ${stamp.index} came out of its order`)
        latencies.push((at - stamp.at) / 1000)
      }
    }
    return latencies
  }

  sha256(): string {
    this.take()
    return this.#hash.digest('hex')
  }
}

/** What a stream was when it was read to its end, or as far as it came. */
export interface FloodRead {
  sha256: string
  bytes: number
  /** Events, by the empty lines that end them. */
  events: number
}

/** Reads `count` flooding streams of that name at once. */
export async function readFlood(url: string, name: string, count: number): Promise<FloodRead[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const response = await ask(url, `flood ${name}`)
      const hash = createHash('sha256')
      let bytes = 0
      let newlines = 0
      response.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        bytes += chunk.length
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) newlines++
      })
      // A stream that breaks is one that lost something, which its bytes tell.
      await once(response, 'close')
      return { sha256: hash.digest('hex'), bytes, events: newlines / 2 }
    }),
  )
}

/** Between two requests, so that what a proxy does after an answer is not counted to the next. */
const PAUSE_MS = 1

/** Whole requests one after another, a pause between them, on one connection that is kept. */
export class WholeRequests {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #url: string
  readonly #expected: Buffer

  constructor(url: string, expected: Buffer) {
    this.#url = url
    this.#expected = expected
  }

  /**
   * Milliseconds from the sending of each of `count` requests to the last byte of its answer.
   *
   * @throws Error if an answer is not the one that the upstream gave
   */
  async times(count: number): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
      const sentAt = performance.now()
      const sent = post(this.#url, this.#agent, null, WHOLE_BODY)
      const response = await answerOf(sent)
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      times.push(performance.now() - sentAt)
      if (response.statusCode !== 200 || !Buffer.concat(chunks).equals(this.#expected)) {
        throw new Error(`${this.#url} gave another answer, with ${response.statusCode}`)
      }
    }
    return times
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Asks for a stream on a connection of its own. */
async function ask(url: string, what: string): Promise<IncomingMessage> {
  const response = await answerOf(post(url, new Agent({ keepAlive: false }), what, STREAM_BODY))
  const type = response.headers['content-type']
  if (response.statusCode !== 200 || type !== 'text/event-stream') {
    throw new Error(`${url} answered with ${response.statusCode} ${type}`)
  }
  return response
}

function post(url: string, agent: Agent, what: string | null, body: Buffer) {
  const sent = request(`${url}${PATH}`, {
    method: 'POST',
    agent,
    headers: {
      'content-type': 'application/json',
      'content-length': body.length,
      ...(what === null ? {} : { [CANNED_HEADER]: what }),
    },
  })
  sent.end(body)
  return sent
}

async function answerOf(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}
