import { reasonOf } from '../../events/errors.ts'
import { mediaTypeOf } from '../dialects/index.ts'
import { headerOf, retryAfterMs } from '../headers.ts'
import type { SseEvent, SseFraming } from '../sse-framing.ts'
import { type AnswerHead, type Sending, Transport } from '../transport.ts'
import { createResumingFraming } from './resuming-framing.ts'

/** The reconnection time until the server gives one, as browsers have it. */
const RECONNECTION_MS = 3000
/** The shortest wait, whatever the server says: one that closes at once is not to be asked in a loop. */
const MIN_WAIT_MS = 100
/** The longest wait that a server can ask for. A timer of more than 24 days would fire at once. */
const MAX_WAIT_MS = 24 * 60 * 60 * 1000
/** What is waited beyond the reconnection time after the first failure, doubled with each, is drawn from 0 to this. */
const BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 30_000
/** As fetch has it. */
const MAX_REDIRECTS = 20
const TEMPORARY_REDIRECTS: ReadonlySet<number> = new Set([302, 303, 307])
const PERMANENT_REDIRECTS: ReadonlySet<number> = new Set([301, 308])

/** What is told of an event source; synchronously and in order. */
export interface EventSourceListener {
  /** The connection is there, and is an event stream. */
  onOpen(): void
  onEvent(event: SseEvent, readAt: number): void
  /** An event was too large and passed over. */
  onOversized(): void
  /**
   * There is no connection; the next is tried after `waitMs`.
   *
   * @param trouble what went wrong, or null if the stream ended as HTTP says
   * @param wasOpen whether the connection that is gone had been an event stream
   */
  onLost(trouble: string | null, waitMs: number, wasOpen: boolean): void
  /** There is no connection and none will be tried. `trouble` is null where the server wants it so. */
  onClosed(trouble: string | null): void
}

export interface EventSourceOptions {
  /** With user and password, if it needs them; a fragment is not sent. */
  url: URL
  listener: EventSourceListener
  /** Where jitter is drawn from, 0..1. */
  random?: () => number
}

/** What is asked, and with which credentials. */
interface Place {
  url: URL
  authorization: string | null
}

/** Why there is no stream, and whether it can be asked for again. */
interface Failure {
  trouble: string | null
  isFinal: boolean
  /** What `Retry-After` says. */
  afterMs: number | null
}

/**
 * A GET event stream that is connected to again whenever its connection ends, as the WHATWG HTML standard has
 * it (§9.2.2, §9.2.3): from the last event's id on, after the reconnection time that the server gave, until it
 * answers 204.
 *
 * Where the standard is made for a page that somebody looks at, this is for a program that is left running: 5xx and
 * 429 are tried again as a failed connection is, with exponential back-off and full jitter on top of the reconnection
 * time (which the standard allows) and not before `Retry-After`. Every other status, and every other content
 * type, closes it for good, as in the standard. Silence is no failure, however long.
 *
 * After `stop` nothing is told any more.
 */
export class EventSourceClient {
  readonly #listener: EventSourceListener
  readonly #random: () => number
  /** Where a new connection begins: what permanent redirects led to. */
  #place: Place
  #transport: { origin: string; transport: Transport } | null = null
  #sending: Sending | null = null
  #timer: NodeJS.Timeout | null = null
  /** Counts connections, so that what is still told of an earlier one is known as such. */
  #connection = 0
  #reconnectionMs = RECONNECTION_MS
  #lastEventId = ''
  #failures = 0

  constructor({ url, listener, random = Math.random }: EventSourceOptions) {
    this.#listener = listener
    this.#random = random
    this.#place = { url: bare(url), authorization: basicAuthorization(url) }
  }

  /** Connects. */
  start(): void {
    this.#request(this.#place, 0, true)
  }

  /** Ends it: no connection and no timer is left. */
  async stop(): Promise<void> {
    this.#letGo()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const last = this.#transport
    this.#transport = null
    await last?.transport.close()
  }

  /**
   * One request: a connection's first, or the next after redirects.
   *
   * @param isPermanent whether every redirect on the way was a permanent one
   */
  #request(place: Place, redirects: number, isPermanent: boolean): void {
    const { url } = place
    const connection = ++this.#connection
    const isCurrent = () => connection === this.#connection
    let framing: SseFraming | null = null
    let readAt = 0
    this.#sending = this.#transportTo(url).send(
      { method: 'GET', path: url.pathname + url.search, headers: this.#headers(place), body: null },
      {
        head: head => {
          if (!isCurrent()) return
          const next = redirectOf(head, url)
          if (next !== null) {
            const moved = isPermanent && PERMANENT_REDIRECTS.has(head.status)
            this.#follow(next, place, redirects + 1, moved)
            return
          }
          const failure = failureOf(head)
          if (failure !== null) {
            this.#fail(failure)
            return
          }
          this.#failures = 0
          framing = createResumingFraming(
            {
              onEvent: event => {
                if (isCurrent()) this.#listener.onEvent(event, readAt)
              },
              onOversized: () => {
                if (isCurrent()) this.#listener.onOversized()
              },
              onRetry: ms => {
                this.#reconnectionMs = Math.min(ms, MAX_WAIT_MS)
              },
            },
            this.#lastEventId,
          )
          this.#listener.onOpen()
        },
        chunk: (bytes, at) => {
          if (!isCurrent() || framing === null) return true
          readAt = at
          framing.feed(bytes)
          this.#lastEventId = framing.lastEventId
          return true
        },
        // An event that was not finished is none: the server gives it again.
        end: () => {
          if (isCurrent()) this.#reconnect({ trouble: null, isFinal: false, afterMs: null }, framing !== null)
        },
        broken: error => {
          if (!isCurrent()) return
          this.#reconnect({ trouble: reasonOf(error), isFinal: false, afterMs: null }, framing !== null)
        },
      },
    )
  }

  #headers({ authorization }: Place): string[] {
    const headers = [
      'accept',
      'text/event-stream',
      'cache-control',
      'no-store',
      'accept-encoding',
      'identity',
    ]
    const id = this.#lastEventId
    // An id may have characters that a header cannot (RFC 9110 §5.5); then the server has to do without.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
    if (id !== '' && !/[\x00-\x08\x0a-\x1f\x7f]/.test(id)) {
      headers.push('last-event-id', Buffer.from(id, 'utf8').toString('latin1'))
    }
    if (authorization !== null) headers.push('authorization', authorization)
    return headers
  }

  #follow(next: URL | string, from: Place, redirects: number, isPermanent: boolean): void {
    if (typeof next === 'string') this.#fail({ trouble: next, isFinal: true, afterMs: null })
    else if (redirects > MAX_REDIRECTS) {
      const trouble = `it redirects more than ${MAX_REDIRECTS} times`
      this.#fail({ trouble, isFinal: true, afterMs: null })
    } else {
      // What was meant for one server is for no other, nor for it again once another has a say.
      const authorization = next.origin === from.url.origin ? from.authorization : null
      const place = { url: next, authorization }
      if (isPermanent) this.#place = place
      this.#letGo()
      this.#request(place, redirects, isPermanent)
    }
  }

  /** There is an answer, and it is no stream. */
  #fail(failure: Failure): void {
    this.#letGo()
    if (failure.isFinal) {
      void this.stop()
      this.#listener.onClosed(failure.trouble)
    } else this.#reconnect(failure, false)
  }

  #reconnect({ trouble, afterMs }: Failure, wasOpen: boolean): void {
    this.#connection++
    this.#sending = null
    if (!wasOpen) this.#failures++
    const backoff = wasOpen ? 0 : Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (this.#failures - 1))
    const waitMs = Math.round(
      Math.max(
        MIN_WAIT_MS,
        Math.min(afterMs ?? 0, MAX_WAIT_MS),
        this.#reconnectionMs + this.#random() * backoff,
      ),
    )
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.start()
    }, waitMs)
    this.#listener.onLost(trouble, waitMs, wasOpen)
  }

  /** Lets go of the connection; nothing that is still told of it counts. */
  #letGo(): void {
    this.#connection++
    this.#sending?.abort(new Error('the connection is not wanted any more'))
    this.#sending = null
  }

  #transportTo(url: URL): Transport {
    if (this.#transport?.origin === url.origin) return this.#transport.transport
    void this.#transport?.transport.close()
    const transport = new Transport(url)
    this.#transport = { origin: url.origin, transport }
    return transport
  }
}

/** Where a redirect leads, or a sentence about one that leads nowhere; null for another answer. */
function redirectOf({ status, headers }: AnswerHead, from: URL): URL | string | null {
  if (!TEMPORARY_REDIRECTS.has(status) && !PERMANENT_REDIRECTS.has(status)) return null
  const location = headerOf(headers, 'location')
  if (location === null) return `it redirects (HTTP ${status}) without saying where to`
  // Bytes beyond ASCII are UTF-8.
  const url = URL.parse(Buffer.from(location, 'latin1').toString('utf8'), from)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return `it redirects (HTTP ${status}) to what is no http(s) URL`
  }
  return bare(url)
}

/** Why an answer is no event stream, or null if it is one. */
function failureOf({ status, headers }: AnswerHead): Failure | null {
  if (status === 204) return { trouble: null, isFinal: true, afterMs: null }
  if (status !== 200) {
    const isFinal = status !== 429 && status < 500
    const afterMs = retryAfterMs(headerOf(headers, 'retry-after'), Date.now())
    return { trouble: `HTTP ${status}`, isFinal, afterMs }
  }
  const mediaType = mediaTypeOf(headerOf(headers, 'content-type'))
  if (mediaType !== 'text/event-stream') {
    const what = mediaType === '' ? 'of no content type' : mediaType
    return { trouble: `what it sends is ${what}, not text/event-stream`, isFinal: true, afterMs: null }
  }
  const encoding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? ''
  if (encoding === '' || encoding === 'identity') return null
  return {
    trouble: `what it sends is compressed (${encoding}), against the request`,
    isFinal: true,
    afterMs: null,
  }
}

/** `Authorization: Basic` (RFC 7617) for the user and password of a URL; null if it has none. */
function basicAuthorization({ username, password }: URL): string | null {
  if (username === '' && password === '') return null
  const pair = `${decoded(username)}:${decoded(password)}`
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that begins no escape stands for itself.
    return text
  }
}

/** The URL without user, password and fragment: what may be asked for and told. */
function bare(url: URL): URL {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  copy.hash = ''
  return copy
}
