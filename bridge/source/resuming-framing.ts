import { createSseFraming, type SseEvent, type SseFraming } from '../sse-framing.ts'

/** What is fed at once, so that an event that grows too large began before what is being fed. */
const SLICE_BYTES = 64 * 1024
const LF = 0x0a
const CR = 0x0d

export interface ResumingListener {
  onEvent(event: SseEvent): void
  /** An event was too large and is passed over, its id too. */
  onOversized(): void
  onRetry(ms: number): void
}

/**
 * A framing of server-sent events that goes on after an event which grows too large: it looks for the empty line
 * that ends that event (WHATWG HTML §9.2.6), and begins anew behind it. A feed may run for weeks, and one bad
 * event is not to be its end.
 *
 * @param lastEventId what is left of the connection before this one
 */
export function createResumingFraming(listener: ResumingListener, lastEventId: string): SseFraming {
  let isPassing = false
  /** Whether nothing of the current line was seen, and whether a line feed would belong to the line before. */
  let isLineEmpty = true
  let wasReturn = false
  const begin = (id: string) =>
    createSseFraming(
      {
        onEvent: event => listener.onEvent(event),
        onRetry: ms => listener.onRetry(ms),
        onOversized() {
          isPassing = true
          listener.onOversized()
        },
      },
      id,
    )
  let framing = begin(lastEventId)

  /** Where the next event begins, or -1 if that is not in these bytes. */
  const endOfEvent = (bytes: Buffer): number => {
    for (const [i, byte] of bytes.entries()) {
      const isPair = byte === LF && wasReturn
      wasReturn = byte === CR
      if (isPair) continue
      const isEnd = byte === LF || byte === CR
      if (isEnd && isLineEmpty) return i + 1
      isLineEmpty = isEnd
    }
    return -1
  }

  const take = (bytes: Buffer): void => {
    if (!isPassing) {
      framing.feed(bytes)
      if (!isPassing) {
        const last = bytes.at(-1)
        isLineEmpty = last === LF || last === CR
        wasReturn = last === CR
        return
      }
    }
    const end = endOfEvent(bytes)
    if (end === -1) return
    isPassing = false
    framing = begin(framing.lastEventId)
    if (end < bytes.length) take(bytes.subarray(end))
  }

  return {
    feed(bytes) {
      for (let at = 0; at < bytes.length; at += SLICE_BYTES) take(bytes.subarray(at, at + SLICE_BYTES))
    },
    end: () => framing.end(),
    get lastEventId() {
      return framing.lastEventId
    },
  }
}
