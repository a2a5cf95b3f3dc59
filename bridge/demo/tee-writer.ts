/** Writes a body to its connection and to a ring, and to the ring alone once the connection has gone. */
import { setImmediate } from 'node:timers/promises'
import type { Faults } from './faults.ts'
import { type BodyWriter, BYTE_ORDER_MARK } from './faulty-writer.ts'
import type { StreamSession } from './stream-sessions.ts'

export class TeeWriter implements BodyWriter {
  readonly #writer: BodyWriter
  readonly #session: StreamSession
  readonly #gone: AbortSignal

  /** `gone` is aborted once the connection takes no more; `faults` are those that `writer` follows. */
  constructor(writer: BodyWriter, session: StreamSession, gone: AbortSignal, { bom }: Faults) {
    this.#writer = writer
    this.#session = session
    this.#gone = gone
    if (bom) session.append(BYTE_ORDER_MARK)
  }

  write(bytes: Buffer): Promise<void> | null {
    this.#session.append(bytes)
    return this.#onConnection(() => this.#writer.write(bytes))
  }

  end(): Promise<void> | null {
    return this.#onConnection(() => this.#writer.end())
  }

  #onConnection(write: () => Promise<void> | null): Promise<void> | null {
    // Nobody slows it down now, and others want their turn.
    if (this.#gone.aborted) return setImmediate()
    return (
      write()?.catch(error => {
        if (!this.#gone.aborted) throw error
      }) ?? null
    )
  }
}
