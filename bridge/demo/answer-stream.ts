/** An answer on its way to the client: headers when they are due, then frames as they come. */
import type { ServerResponse } from 'node:http'
import type { Faults } from './faults.ts'
import { type BodyWriter, createBodyWriter } from './faulty-writer.ts'
import { createFraming, type Framing } from './framing.ts'
import type { Habits } from './habits.ts'
import type { StreamSession } from './stream-sessions.ts'
import type { Frame, Wire } from './surface.ts'
import { TeeWriter } from './tee-writer.ts'

export class AnswerStream {
  readonly #response: ServerResponse
  readonly #wire: Wire
  readonly #habits: Habits
  readonly #faults: Faults
  readonly #gone: AbortController
  readonly #session: StreamSession | null
  readonly #framing: Framing
  #writer: BodyWriter | null = null
  /** What the client has yet to take; a ping and an answer's frame may meet here. */
  #writing: Promise<void> | null = null

  constructor(
    response: ServerResponse,
    wire: Wire,
    habits: Habits,
    faults: Faults,
    /** Aborted by the client's going; aborts it where the faults break the body off. */
    gone: AbortController,
    /** Where the bytes are kept, and goes on without the client; null if it goes with it. */
    session: StreamSession | null = null,
  ) {
    this.#response = response
    this.#wire = wire
    this.#habits = habits
    this.#faults = faults
    this.#gone = gone
    this.#session = session
    this.#framing = createFraming(wire.format, faults)
  }

  /** Whether a failure now is told by a status, as this server does it while nothing has been sent. */
  get failsPlainly(): boolean {
    return this.#habits.failsPlainlyFirst && this.#writer === null
  }

  /** Sends status and headers now; without it they go with the first frame. */
  open(): void {
    this.#head()
    this.#response.flushHeaders()
  }

  /**
   * Sends frames as one write. Null if more can be sent at once, else a promise of when; it rejects with an
   * AbortError when the client goes or the body is broken off.
   */
  send(frames: readonly Frame[]): Promise<void> | null {
    return frames.length === 0 ? null : this.#write(this.#framing.frames(frames))
  }

  /** Sends a keep-alive, unless the client has yet to take something or the format has none. */
  ping(): Promise<void> | null {
    const bytes = this.#framing.ping(this.#wire.keepAlive)
    return bytes === null || this.#writing !== null ? null : this.#write(bytes)
  }

  /** Ends the body. */
  async close(): Promise<void> {
    await this.#writing
    await this.#head().end()
  }

  #head(): BodyWriter {
    if (this.#writer !== null) return this.#writer
    const { contentType } = this.#framing
    this.#response.writeHead(200, {
      ...this.#habits.headers,
      ...this.#wire.headers,
      'content-type': contentType === 'sse' ? this.#habits.sseType : contentType,
    })
    const writer = createBodyWriter(this.#response, this.#faults, this.#gone)
    this.#writer =
      this.#session === null ? writer : new TeeWriter(writer, this.#session, this.#gone.signal, this.#faults)
    return this.#writer
  }

  #write(bytes: Buffer): Promise<void> | null {
    const writer = this.#head()
    const wait = this.#writing?.then(() => writer.write(bytes)) ?? writer.write(bytes)
    if (wait === null) return null
    const writing = wait.then(() => {
      if (this.#writing === writing) this.#writing = null
    })
    this.#writing = writing
    return writing
  }
}
