import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** Characters that one unfinished line or event may hold. */
const MAX_BUFFER_CHARS = 1024 * 1024

export interface SseFraming {
  /** Takes the next bytes, however they are divided, and tells each event that became complete. */
  feed(bytes: Buffer): void
}

/**
 * Divides a byte stream into server-sent events, as the WHATWG HTML standard §9.2.6 says.
 *
 * The decoder keeps the byte order mark, since the parser strips exactly one itself.
 *
 * @param onEvent called synchronously from `feed`, in order
 * @param onOversized called once if an event grows beyond 1 Mi characters; `feed` does nothing after it
 */
export function createSseFraming(
  onEvent: (event: EventSourceMessage) => void,
  onOversized: () => void,
): SseFraming {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let oversized = false
  const parser = createParser({
    onEvent,
    maxBufferSize: MAX_BUFFER_CHARS,
    onError(error) {
      if (error.type !== 'max-buffer-size-exceeded' || oversized) return
      oversized = true
      onOversized()
    },
  })
  return {
    feed(bytes) {
      if (!oversized) parser.feed(decoder.decode(bytes, { stream: true }))
    },
  }
}
