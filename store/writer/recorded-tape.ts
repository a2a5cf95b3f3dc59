import type { Tape, TapedRequest, TapeOutcome } from '../../bridge/tape.ts'
import type { BatchBuffer } from './batch-items.ts'

/** Where a tape puts what it is told. */
export interface TapeSink {
  readonly buffer: BatchBuffer
  hasRoom(bytes: number): boolean
  gathered(): void
  ended(tape: RecordedTape, outcome: TapeOutcome): void
}

const TICKS_PER_MS = 10

/** Puts what is told of one request into the recorder's buffer. */
export class RecordedTape implements Tape {
  readonly number: number
  /** Whether bytes of the answer could not be kept. */
  lost = false
  readonly #request: TapedRequest
  readonly #sink: TapeSink
  /** Generations that are told already. */
  #told: number

  constructor(number: number, request: TapedRequest, told: number, sink: TapeSink) {
    this.number = number
    this.#request = request
    this.#told = told
    this.#sink = sink
  }

  head(status: number, headers: readonly string[], _readAt: number): void {
    this.#sink.buffer.head(this.number, status, headers)
    this.#sink.gathered()
  }

  bytes(chunk: Uint8Array, readAt: number): void {
    if (!this.#sink.hasRoom(chunk.length)) {
      this.lost = true
      return
    }
    const ticks = Math.max(0, Math.round((readAt - this.#request.startedAt) * TICKS_PER_MS))
    this.#sink.buffer.bytes(this.number, ticks, chunk)
    this.#sink.gathered()
  }

  end(outcome: TapeOutcome): void {
    this.#sink.ended(this, outcome)
  }

  /** Ids of generations that came to be since this was asked last. */
  newGenerations(): string[] {
    const generations = this.#request.generations()
    const more = generations.slice(this.#told)
    this.#told = generations.length
    return more
  }
}
