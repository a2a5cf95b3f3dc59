import type { CloseName } from '../events/close-codes.ts'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import { Gcra } from '../events/gcra.ts'
import { MalformedQuestion, readClientMessages } from './client-message.ts'
import type { ClientMessage, ServerMessage } from './protocol.ts'

const MESSAGES_PER_SECOND = 100
const MESSAGES_AT_ONCE = 300
const MALFORMED_PER_MINUTE = 10

export interface InboxOptions {
  /** Does what a message asks; what it throws is told as an `error` message. */
  onMessage(message: ClientMessage): void
  tell(message: ServerMessage): void
  close(code: CloseName): void
}

/**
 * What one viewer sends: read, counted, and handed on in order. Who sends over 100 messages a second, after a burst
 * of 300, each of an array counted, is closed with TOO_MANY; whoever sends ten malformed ones within a minute,
 * with PROTOCOL_ABUSE. After that nothing is read any more. How large a message may be is WebSocket's to say.
 */
export class Inbox {
  readonly #options: InboxOptions
  readonly #rate = new Gcra({ perMinute: MESSAGES_PER_SECOND * 60, burst: MESSAGES_AT_ONCE })
  /** When the malformed ones of the last minute came. */
  #malformed: number[] = []
  #closed = false

  constructor(options: InboxOptions) {
    this.#options = options
  }

  /**
   * Reads one WebSocket message. Never throws.
   *
   * @param now on the clock of `performance.now()`
   */
  read(data: Buffer, isBinary: boolean, now: number = performance.now()): void {
    if (this.#closed) return
    if (!this.#rate.take(1, now)) {
      this.#close('TOO_MANY')
      return
    }
    let messages: ClientMessage[]
    try {
      messages = readClientMessages(data, isBinary)
    } catch (error) {
      this.#complain(error, now)
      return
    }
    if (messages.length > 1 && !this.#rate.take(messages.length - 1, now)) {
      this.#close('TOO_MANY')
      return
    }
    for (const message of messages) {
      if (this.#closed) return
      // The rest of an array is heard, whatever becomes of one.
      try {
        this.#options.onMessage(message)
      } catch (error) {
        this.#complain(error, now)
      }
    }
  }

  #complain(error: unknown, now: number): void {
    const code = error instanceof TokenscopeError ? error.code : 'INTERNAL'
    const question = error instanceof MalformedQuestion ? { id: error.id } : {}
    this.#options.tell({ type: 'error', code, message: reasonOf(error), ...question })
    if (code !== 'INVALID_MESSAGE') return
    this.#malformed = this.#malformed.filter(at => at > now - 60_000)
    this.#malformed.push(now)
    if (this.#malformed.length >= MALFORMED_PER_MINUTE) this.#close('PROTOCOL_ABUSE')
  }

  #close(code: CloseName): void {
    this.#closed = true
    this.#options.close(code)
  }
}
