import type { Meter } from '../../events/metrics.ts'
import type { AnswerListener, Sending } from '../transport.ts'
import type { KeptAnswer } from './kept-answer.ts'

/** What is told in one turn of the event loop: more would hold up everybody else's tokens. */
const BYTES_IN_A_TURN = 64 * 1024
/** What a piece costs beside its bytes, in bytes that cost as much. */
const BYTES_OF_A_PIECE = 2048

export interface ReplayOptions {
  answer: KeptAnswer
  listener: AnswerListener
  signal: AbortSignal
}

/**
 * A kept answer on its way, as if an upstream gave it: the same head, the same bytes in the same pieces, as fast
 * as they are taken. Begins in a later turn, so that whoever makes it can be asked to go on.
 */
export class Replay implements Sending {
  readonly #answer: KeptAnswer
  readonly #listener: AnswerListener
  #piece = 0
  #toldInTurn = 0
  #paused = false
  #over = false

  constructor({ answer, listener, signal }: ReplayOptions) {
    this.#answer = answer
    this.#listener = listener
    signal.addEventListener('abort', () => this.abort(signal.reason), { once: true })
    setImmediate(() => {
      // Someone may have let go of it before it began.
      if (signal.aborted) this.abort(signal.reason)
      if (this.#over) return
      this.#tell(() => listener.head(answer.head, performance.now()))
      this.#goOn()
    })
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#goOnNextTurn()
  }

  abort(reason: Error): void {
    if (this.#over) return
    this.#over = true
    this.#listener.broken(reason, performance.now())
  }

  #goOn(): void {
    if (this.#over) return
    const { body, ends } = this.#answer
    if (this.#piece === ends.length) {
      this.#over = true
      this.#listener.end(performance.now())
      return
    }
    const start = this.#piece === 0 ? 0 : (ends[this.#piece - 1] as number)
    const piece = body.subarray(start, ends[this.#piece++])
    if (this.#tell(() => this.#listener.chunk(piece, performance.now())) === false) {
      this.#paused = true
      return
    }
    this.#toldInTurn += piece.length + BYTES_OF_A_PIECE
    // What is written within a tick goes out as one chunk, so each piece has its own.
    if (this.#toldInTurn < BYTES_IN_A_TURN) process.nextTick(() => this.#goOn())
    else this.#goOnNextTurn()
  }

  #goOnNextTurn(): void {
    setImmediate(() => {
      this.#toldInTurn = 0
      this.#goOn()
    })
  }

  /** What a listener cannot bear ends its own answer, not the program. */
  #tell<T>(what: () => T): T | undefined {
    try {
      return what()
    } catch (fault) {
      this.abort(fault instanceof Error ? fault : new Error(String(fault)))
      return undefined
    }
  }
}

/**
 * A meter for generations that are told again: that they ended is counted, but no token and no time (what goes
 * through a handle or is observed), since no upstream made them.
 */
export function replayMeter(meter: Meter): Meter {
  return {
    count: (name, labels, by) => meter.count(name, labels, by),
    set: () => {},
    observe: () => {},
    handle: () => () => {},
  }
}
