import { createParser } from 'eventsource-parser'
import { createUtf8Decoder } from './utf8-decoder.ts'

/** Characters that one unfinished line or event may hold, unless more are allowed. */
const MAX_EVENT_CHARS = 1024 * 1024

/** Divides the bytes of an answer into messages. It never throws, and holds one message at most. */
export interface Framing {
  /** Takes the next bytes, however they are divided, and tells each message that became complete. */
  feed(bytes: Buffer): void
  /** There are no more bytes: tells a last message that needs no terminator, and discards what is unfinished. */
  end(): void
}

/** A server-sent event. */
export interface SseEvent {
  /** What it is named, or undefined without a name: what the standard then calls `message`. */
  type: string | undefined
  data: string
  /** The id that was last given when it came, which need not be its own; "" before there is one. */
  lastEventId: string
}

/** Who is told what a stream of server-sent events says; each synchronously from `feed`, in order. */
export interface SseListener {
  onEvent(event: SseEvent): void
  /** An event grew beyond its bound. Told once: nothing is told after it. */
  onOversized(): void
  /** The stream asks to wait so many milliseconds before its connection is made anew. */
  onRetry?(ms: number): void
}

export interface SseFraming extends Framing {
  /** What `Last-Event-ID` has to say when the connection is made anew; "" for nothing. */
  readonly lastEventId: string
}

/**
 * Divides a byte stream into server-sent events, as the WHATWG HTML standard §9.2.6 says.
 *
 * @param lastEventId what is left of the connection before this one: an id holds until another is given
 * @param maxChars that one unfinished line or event may hold
 */
export function createSseFraming(
  listener: SseListener,
  lastEventId = '',
  maxChars = MAX_EVENT_CHARS,
): SseFraming {
  const decoder = createUtf8Decoder()
  let oversized = false
  const overflow = () => {
    if (oversized) return
    oversized = true
    listener.onOversized()
  }
  const parser = createParser({
    maxBufferSize: maxChars,
    onId(id) {
      if (!oversized) lastEventId = id
    },
    onEvent({ event, data }) {
      // The parser holds one that comes in a single piece to no bound.
      if (data.length > maxChars) overflow()
      if (!oversized) listener.onEvent({ type: event, data, lastEventId })
    },
    onRetry(ms) {
      if (!oversized) listener.onRetry?.(ms)
    },
    onError({ type }) {
      if (type === 'max-buffer-size-exceeded') overflow()
    },
  })
  // The decoder has stripped the one byte order mark that may be. The parser would strip another one, or the
  // three characters that its bytes are in Latin-1; an empty line before everything ends its search for them.
  parser.feed('\n')
  return {
    feed(bytes) {
      if (!oversized) parser.feed(decoder.decode(bytes))
    },
    // An event that no empty line ended is discarded, as the standard says.
    end() {},
    get lastEventId() {
      return lastEventId
    },
  }
}
