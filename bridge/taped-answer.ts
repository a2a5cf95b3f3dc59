import type { Ask } from './ask.ts'
import type { Tape, TapedRequest, TapeOutcome, Tapes } from './tape.ts'
import type { AnswerListener } from './transport.ts'

export interface TapedAnswerOptions {
  tapes: Tapes
  ask: Ask
  correlationId: string | null
  /** `performance.now()` when the request came. */
  startedAt: number
  generations: () => readonly string[]
  /** Aborted once somebody here wants no more of it. */
  signal: AbortSignal
  /** Told of what a tape threw, which did not hurt the answer. */
  onFault: (fault: unknown) => void
}

/**
 * A request and its answer on their way to who records. Whoever waits for the answer gets everything first: the tape
 * is asked for once the request has been sent, and told of bytes that are on their way already.
 */
export class TapedAnswer {
  readonly #options: TapedAnswerOptions
  /** Undefined until it was asked for. */
  #tape: Tape | null | undefined
  #opening: NodeJS.Immediate | null
  #outcome: TapeOutcome | null = null

  constructor(options: TapedAnswerOptions) {
    this.#options = options
    // What is sent in this turn goes out first.
    this.#opening = setImmediate(() => this.#open())
  }

  /** The same listener, of whose answer the tape is told. To be asked for at most once. */
  listening(listener: AnswerListener): AnswerListener {
    return {
      head: (head, readAt) => {
        listener.head(head, readAt)
        this.#tell(tape => tape.head(head.status, head.headers, readAt))
      },
      chunk: (bytes, readAt) => {
        const more = listener.chunk(bytes, readAt)
        if (this.#tape !== null) this.#tell(tape => tape.bytes(bytes, readAt))
        return more
      },
      end: readAt => {
        this.#outcome = 'complete'
        listener.end(readAt)
      },
      broken: (error, readAt) => {
        this.#outcome = this.#options.signal.aborted ? 'cancelled' : 'broken'
        listener.broken(error, readAt)
      },
    }
  }

  /** The answer is over and its generations were judged: all of them are known by now. */
  over(): void {
    const outcome = this.#outcome ?? 'broken'
    this.#tell(tape => tape.end(outcome))
    this.#tape = null
  }

  #open(): void {
    if (this.#opening === null) return
    clearImmediate(this.#opening)
    this.#opening = null
    const { tapes, ask, correlationId, startedAt, generations } = this.#options
    const { method, target, headers, body } = ask
    const request: TapedRequest = {
      method,
      target,
      headers,
      body: Buffer.isBuffer(body) ? body : null,
      correlationId,
      startedAt,
      generations,
    }
    this.#tape = this.#guarded(() => tapes.open(request)) ?? null
  }

  #tell(what: (tape: Tape) => void): void {
    this.#open()
    const tape = this.#tape
    if (tape) this.#guarded(() => what(tape))
  }

  /** An answer does not suffer from who records it: one fault, and it is not recorded any more. */
  #guarded<T>(what: () => T): T | null {
    try {
      return what()
    } catch (fault) {
      this.#tape = null
      this.#options.onFault(fault)
      return null
    }
  }
}
