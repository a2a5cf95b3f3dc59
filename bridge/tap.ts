import { reasonOf } from '../events/errors.ts'
import type { GenerationError } from '../events/generation.ts'
import type { Exchange } from './exchange.ts'

/** More than that does not wait. */
const MAX_WAITING_BYTES = 1024 * 1024

/** A request that has no answer yet is told of after so long. */
const ANNOUNCED_MS = 4

/**
 * Lets an exchange read an answer that somebody else is waiting for: at the end of the event-loop turn, when what came
 * in it, for this app and for others, is on its way. In order, and nothing is left out; what waits is what came in one
 * turn, and 1 MiB of it at most. A fault in reading ends the reading, not the answer and not the program.
 */
export class Tap {
  readonly #exchange: Exchange
  readonly #onFault: (fault: unknown) => void
  #waiting: (() => void)[] = []
  #bytes = 0
  #turn: NodeJS.Immediate | null = null
  readonly #announcement: NodeJS.Timeout

  /**
   * @param exchange one that keeps quiet until it is told to announce itself, a moment later
   * @param onFault told of what reading threw, which is a fault of Tokenscope
   */
  constructor(exchange: Exchange, onFault: (fault: unknown) => void) {
    this.#exchange = exchange
    this.#onFault = onFault
    // What the app waits for goes out first; who is answered within it is announced with the answer.
    this.#announcement = setTimeout(() => this.#read(() => exchange.announce()), ANNOUNCED_MS)
  }

  head(status: number, contentType: string | null, readAt: number): void {
    this.#later(() => this.#exchange.head(status, contentType, readAt))
  }

  bytes(chunk: Buffer, readAt: number): void {
    this.#later(() => this.#exchange.bytes(chunk, readAt))
    this.#bytes += chunk.length
    if (this.#bytes > MAX_WAITING_BYTES) this.flush()
  }

  /** @param over called when the exchange has judged the answer */
  end(readAt: number, over: () => void): void {
    this.#later(() => {
      try {
        this.#exchange.end(readAt)
      } finally {
        over()
      }
    })
  }

  /** Has been read and judged when this returns. */
  broken(error: GenerationError, readAt: number): void {
    this.flush()
    this.#read(() => this.#exchange.broken(error, readAt))
  }

  /** Reads all that waits, now. */
  flush(): void {
    if (this.#turn !== null) clearImmediate(this.#turn)
    this.#turn = null
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    clearTimeout(this.#announcement)
    this.#read(() => this.#exchange.announce())
    for (const what of waiting) this.#read(what)
  }

  /** Nobody above it in this turn could bear what it throws. */
  #read(what: () => void): void {
    try {
      what()
    } catch (fault) {
      this.#onFault(fault)
      this.#exchange.giveUp(reasonOf(fault))
    }
  }

  #later(what: () => void): void {
    this.#waiting.push(what)
    this.#turn ??= setImmediate(() => this.flush())
  }
}
