import { ulid } from 'ulid'
import type { Ask } from './ask.ts'
import { backoffMs } from './backoff.ts'
import { isConnectError } from './connect-error.ts'
import { mediaTypeOf } from './dialects/index.ts'
import type { Exchange } from './exchange.ts'
import { headerOf } from './headers.ts'
import type { AnswerHead, AnswerListener, Sending, UpstreamRequest } from './transport.ts'
import type { Upstream } from './upstream.ts'

/** The request header that has llama.cpp keep a stream's last bytes, and go on with it without its client. */
const CONVERSATION_HEADER = 'X-Conversation-Id'
/** Tries in a row that bring no byte. */
const MAX_TRIES = 5
/** A request that was just sent may come to the server after the word that it is not wanted, ms. */
const OVERTAKEN_MS = 1000
/** How long the server may take to say how much it has, or that it has stopped. */
const PATIENCE_MS = 5000
const MAX_LOOKUP_BYTES = 64 * 1024
/** Paths on which llama.cpp generates. */
const OWN_PATH = /(\/v1)?\/(chat\/completions|completions?|infill|responses|messages)$/
/** What of the request's headers is about its body, or about another stream than the one that is asked for. */
const OF_THE_REQUEST = /^(content-.*|transfer-encoding|accept|x-conversation-id)$/i

export interface ResumptionOptions {
  ask: Ask
  upstream: Upstream
  request: UpstreamRequest
  /** Told of one answer, however many connections it came over. */
  listener: AnswerListener
  exchange: Exchange | null
  /** Where jitter is drawn from, 0..1. */
  random: () => number
}

/**
 * Sends a request of which the upstream may keep the stream: one of llama.cpp's, or of a kind that is not known, if
 * the app names a conversation or the upstream is to be resumed.
 *
 * @returns null, with nothing sent, for any other request
 */
export function resumable(options: ResumptionOptions): Sending | null {
  const { ask, upstream, request } = options
  const canKeep = upstream.kind === null || upstream.kind === 'llamacpp' || upstream.kind === 'demo'
  if (ask.endpoint === null || ask.facts === null || !canKeep) return null
  const given = headerOf(request.headers, CONVERSATION_HEADER.toLowerCase())
  if (given !== null && given !== '') return new Resumption(options, given)
  if (!upstream.resume || !ask.facts.stream || given !== null) return null
  const own = ulid()
  const headers = [...request.headers, CONVERSATION_HEADER, own]
  return new Resumption({ ...options, request: { ...request, headers } }, own)
}

/**
 * A stream that goes on after its connection broke: it is asked for again from the byte up to which it was passed
 * on, so that the listener gets exactly the bytes of an answer that did not break.
 *
 * Where it cannot be had (the server knows nothing of it, has lost that byte, or cannot be reached in several
 * tries) it is broken by what broke it first. A body that ends in good order without a finish is looked into
 * once, for a server may end a connection so as well.
 *
 * A server that keeps a stream does not stop when its client goes, so `abort` also tells it to.
 */
class Resumption implements Sending {
  readonly #options: ResumptionOptions
  readonly #conversation: string
  #sending: Sending
  /** Bytes of the body that were passed on. */
  #passed = 0
  /** What the answer is; only a stream may have been kept. */
  #kind: 'unknown' | 'stream' | 'other' = 'unknown'
  #failures = 0
  #timer: NodeJS.Timeout | null = null
  /** What broke it. */
  #error = new Error('the answer ended without saying that it was complete')
  #reason: Error | null = null
  /** Whether the server has been told to stop, and the connection is gone. */
  #stopped = false
  #closed = false
  #isOver = false

  constructor(options: ResumptionOptions, conversation: string) {
    this.#options = options
    this.#conversation = conversation
    const { upstream, request, listener } = options
    this.#sending = upstream.send(request, {
      head: (head, readAt) => {
        this.#kind = isStream(head) ? 'stream' : 'other'
        listener.head(head, readAt)
      },
      chunk: (bytes, readAt) => this.#pass(bytes, readAt),
      end: readAt => this.#ended(readAt),
      broken: (error, readAt) => this.#lost(error, readAt),
    })
  }

  resume(): void {
    this.#sending.resume()
  }

  abort(reason: Error): void {
    if (this.#isOver) return
    if (this.#reason !== null) {
      // Whoever does not want to wait either need not: it has been told.
      this.#sending.abort(reason)
      return
    }
    this.#reason = reason
    const waits = this.#timer !== null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#sending.abort(reason)
    if (waits) this.#closed = true
    const stopped = () => {
      this.#stopped = true
      this.#letGo(performance.now())
    }
    if (this.#kind === 'other') stopped()
    else this.#stop(stopped)
    // Under a name that the app gave a later word could stop a later request.
    if (this.#kind === 'unknown' && !this.#isNamed)
      setTimeout(() => this.#stop(() => {}), OVERTAKEN_MS).unref()
  }

  #pass(bytes: Buffer, readAt: number): boolean {
    this.#passed += bytes.length
    this.#failures = 0
    return this.#options.listener.chunk(bytes, readAt)
  }

  /** A connection brought the body to its end. */
  #ended(readAt: number): void {
    if (this.#reason !== null) {
      this.#closed = true
      this.#letGo(readAt)
      return
    }
    if (this.#isWhole) this.#end(readAt)
    // Who reads along may do so at the end of this turn only.
    else setImmediate(() => this.#judge(readAt))
  }

  /** Whether nothing speaks for more of it at the server. */
  get #isWhole(): boolean {
    return this.#kind !== 'stream' || this.#options.exchange?.finished !== false
  }

  #judge(readAt: number): void {
    if (this.#reason !== null) {
      this.#closed = true
      this.#letGo(readAt)
    } else if (this.#isWhole) this.#end(readAt)
    else this.#lookUp()
  }

  /** A connection broke. */
  #lost(error: Error, readAt: number): void {
    if (this.#reason !== null) {
      this.#closed = true
      this.#letGo(readAt)
      return
    }
    if (this.#kind === 'stream') {
      if (this.#failures === 0) this.#error = error
      this.#again()
      return
    }
    this.#isOver = true
    // It may go on there although it is asked for anew; under the name that the app gave, that replaces it.
    if (this.#kind === 'unknown' && !isConnectError(error) && !this.#isNamed) this.#stop(() => {})
    this.#options.listener.broken(error, readAt)
  }

  /** The answer was given up: that is over once the server knows and the connection is gone. */
  #letGo(readAt: number): void {
    if (this.#isOver || !this.#stopped || !this.#closed) return
    this.#isOver = true
    this.#options.listener.broken(this.#reason as Error, readAt)
  }

  #end(readAt: number): void {
    this.#isOver = true
    this.#options.listener.end(readAt)
  }

  /** It cannot be resumed. */
  #giveUp(): void {
    this.#isOver = true
    this.#options.listener.broken(this.#error, performance.now())
  }

  #again(): void {
    this.#failures++
    if (this.#failures > MAX_TRIES) {
      // It still goes on there, for nobody.
      this.#stop(() => {})
      this.#giveUp()
      return
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        this.#follow()
      },
      backoffMs(this.#failures, this.#options.random),
    )
  }

  #follow(): void {
    const { upstream } = this.#options
    let status = 0
    let follows = false
    const path = `${this.#streamPath}&from=${this.#passed}`
    const request = { method: 'GET', path, headers: this.#headers('text/event-stream'), body: null }
    this.#sending = upstream.send(request, {
      head: head => {
        status = head.status
        follows = isStream(head)
      },
      chunk: (bytes, readAt) => (follows ? this.#pass(bytes, readAt) : true),
      end: readAt => {
        if (follows || this.#reason !== null) this.#ended(readAt)
        else if (status === 429 || status >= 500) this.#again()
        else this.#giveUp()
      },
      broken: (error, readAt) => this.#lost(error, readAt),
    })
  }

  /** Asks how much there is of a stream that ended in good order, but without a finish. */
  #lookUp(): void {
    const body = Buffer.from(JSON.stringify({ conversation_ids: [this.#conversation] }))
    const headers = [
      ...this.#headers('application/json'),
      ...['content-type', 'application/json', 'content-length', String(body.length)],
    ]
    const chunks: Buffer[] = []
    let bytes = 0
    const timer = setTimeout(() => sending.abort(new Error('no answer')), PATIENCE_MS)
    const over = (found: Buffer) => {
      clearTimeout(timer)
      if (this.#reason !== null) {
        this.#closed = true
        this.#letGo(performance.now())
      } else if (hasMore(found, this.#conversation, this.#passed)) this.#again()
      else this.#end(performance.now())
    }
    const sending = this.#options.upstream.send(
      { method: 'POST', path: `${this.#prefix}/v1/streams/lookup`, headers, body },
      {
        head: () => {},
        chunk: chunk => {
          bytes += chunk.length
          if (bytes <= MAX_LOOKUP_BYTES) chunks.push(chunk)
          else sending.abort(new Error('its answer is too long'))
          return true
        },
        end: () => over(Buffer.concat(chunks)),
        broken: () => over(Buffer.alloc(0)),
      },
    )
    this.#sending = sending
  }

  /** What stands before the server's own paths in the request's, for one that stands below a prefix. */
  get #prefix(): string {
    return this.#options.ask.path.replace(OWN_PATH, '')
  }

  get #streamPath(): string {
    return `${this.#prefix}/v1/stream?conv_id=${encodeURIComponent(this.#conversation)}`
  }

  /** Whether the app gave the conversation its name. */
  get #isNamed(): boolean {
    return headerOf(this.#options.ask.headers, CONVERSATION_HEADER.toLowerCase()) !== null
  }

  /** Has the server stop; `done` is called once it has answered, or has not in time. */
  #stop(done: () => void): void {
    const path = this.#streamPath
    const request = { method: 'DELETE', path, headers: this.#headers('*/*'), body: null }
    const timer = setTimeout(() => sending.abort(new Error('no answer')), PATIENCE_MS)
    const over = () => {
      clearTimeout(timer)
      done()
    }
    const sending = this.#options.upstream.send(request, {
      head: () => {},
      chunk: () => true,
      end: over,
      broken: over,
    })
  }

  /** Who asks is the same as for the request, so that it has the same rights. */
  #headers(accept: string): string[] {
    const { headers } = this.#options.request
    const kept = ['accept', accept]
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      if (!OF_THE_REQUEST.test(name)) kept.push(name, headers[i + 1] as string)
    }
    return kept
  }
}

function isStream({ status, headers }: AnswerHead): boolean {
  return status === 200 && mediaTypeOf(headerOf(headers, 'content-type')) === 'text/event-stream'
}

/** Whether the answer to a lookup says that there is more of a conversation's stream than so many bytes. */
function hasMore(answer: Buffer, conversation: string, bytes: number): boolean {
  let found: unknown
  try {
    found = JSON.parse(answer.toString('utf8'))
  } catch {
    return false
  }
  if (!Array.isArray(found)) return false
  return found.some(
    one =>
      one?.conversation_id === conversation &&
      (one.is_done === false || (typeof one.total_bytes === 'number' && one.total_bytes > bytes)),
  )
}
