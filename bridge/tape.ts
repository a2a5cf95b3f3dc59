/** What the bridge tells of the bytes of a request and its answer to who records them. */

/** A request that generates, as it is recorded. */
export interface TapedRequest {
  method: string
  /** Path and query as the client wrote them. */
  target: string
  /** Flat list, as they go to the upstream; keys and cookies among them. */
  headers: readonly string[]
  /** Null where it was not held, being over 4 MiB, or there is none. */
  body: Uint8Array | null
  /** The name under which the program's log speaks of it; null for a request of the page's own. */
  correlationId: string | null
  /** `performance.now()` when it came. */
  startedAt: number
  /**
   * Ids of its generations, that of choice 0 first: more may come to be while it is answered, and all of them have
   * ended when the tape is told its end.
   */
  generations: () => readonly string[]
}

/**
 * Takes what comes of one request, in order: `head`, any number of `bytes`, `end`; or `end` alone, where there was no
 * answer. Of several attempts only the one whose answer was passed on is told. No call throws or waits, and none keeps
 * what it is given after it returned: bytes are copied.
 */
export interface Tape {
  /**
   * @param headers flat list, as they came
   * @param readAt `performance.now()`
   */
  head(status: number, headers: readonly string[], readAt: number): void
  /** The next bytes of the answer, as they came from the upstream. */
  bytes(chunk: Uint8Array, readAt: number): void
  end(outcome: TapeOutcome): void
}

/** `complete`: the answer ended as HTTP says; `broken`: its connection broke; `cancelled`: nobody wanted more of it. */
export type TapeOutcome = 'complete' | 'broken' | 'cancelled'

/** Whoever records. */
export interface Tapes {
  /** @returns null where nothing is recorded of it */
  open(request: TapedRequest): Tape | null
}

/** For who records nothing. */
export const noTapes: Tapes = { open: () => null }
