/**
 * Streams that outlive their connections, as llama.cpp keeps them for requests with `X-Conversation-Id`
 * (tools/server/server-stream.cpp): a ring of the last bytes of each, by conversation.
 */
import { once } from 'node:events'

/** The header that names the conversation. */
export const CONVERSATION_HEADER = 'x-conversation-id'

const RING_BYTES = 4 * 1024 * 1024
const KEPT_MS = 300_000

/** The bytes of one stream, the last of them kept. It ends by `finish` or `cancel`. */
export class StreamSession {
  readonly conversation: string
  /** Unix seconds. */
  readonly startedAt = Math.floor(Date.now() / 1000)
  readonly #limit: number
  readonly #cancelled = new AbortController()
  readonly #changes = new EventTarget()
  #chunks: Buffer[] = []
  #kept = 0
  #dropped = 0
  #completedAt = 0

  constructor(conversation: string, limit: number) {
    this.conversation = conversation
    this.#limit = limit
  }

  /** Aborted when somebody stops it. */
  get cancelled(): AbortSignal {
    return this.#cancelled.signal
  }

  /** Bytes that ever came. */
  get total(): number {
    return this.#dropped + this.#kept
  }

  /** Bytes at the beginning that are no longer kept. */
  get dropped(): number {
    return this.#dropped
  }

  get isDone(): boolean {
    return this.#completedAt !== 0
  }

  /** Unix seconds; 0 while it goes on. */
  get completedAt(): number {
    return this.#completedAt
  }

  append(bytes: Buffer): void {
    if (this.isDone || bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#kept += bytes.length
    while (this.#kept > this.#limit) {
      const first = this.#chunks[0] as Buffer
      const over = Math.min(first.length, this.#kept - this.#limit)
      if (over === first.length) this.#chunks.shift()
      else this.#chunks[0] = first.subarray(over)
      this.#kept -= over
      this.#dropped += over
    }
    this.#tell()
  }

  /** What there is from a byte on, nothing if that has not come; null if it is no longer kept. */
  read(from: number): Buffer | null {
    if (from < this.#dropped) return null
    let left = this.total - from
    const wanted: Buffer[] = []
    for (let i = this.#chunks.length - 1; left > 0; i--) {
      const chunk = this.#chunks[i] as Buffer
      wanted.unshift(chunk.subarray(Math.max(0, chunk.length - left)))
      left -= chunk.length
    }
    return Buffer.concat(wanted)
  }

  /** Nothing more comes. */
  finish(): void {
    if (this.isDone) return
    this.#completedAt = Math.floor(Date.now() / 1000)
    this.#tell()
  }

  /** Nobody wants more of it. */
  cancel(): void {
    this.#cancelled.abort()
    this.finish()
  }

  /** Resolves when more has come or it has ended; rejects with the signal's reason. */
  async changed(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'change', { signal })
  }

  #tell(): void {
    this.#changes.dispatchEvent(new Event('change'))
  }
}

/** At most one stream for each conversation, until 300 s after its end. */
export class StreamSessions {
  readonly #limit: number
  readonly #sessions = new Map<string, StreamSession>()
  readonly #timers = new Set<NodeJS.Timeout>()

  /** Keeps 4 MiB of each if nothing else is said. */
  constructor(limit = RING_BYTES) {
    this.#limit = limit
  }

  /** A new stream; one that its conversation had is stopped. */
  open(conversation: string): StreamSession {
    this.get(conversation)?.cancel()
    const session = new StreamSession(conversation, this.#limit)
    this.#sessions.set(conversation, session)
    return session
  }

  /** Undefined if there is none, or no longer. */
  get(conversation: string): StreamSession | undefined {
    return this.#sessions.get(conversation)
  }

  /** Those of a conversation, with the ones of single models in it (`<conversation>::<model>`). */
  of(conversation: string): StreamSession[] {
    return [...this.#sessions.values()].filter(
      one => one.conversation === conversation || one.conversation.startsWith(`${conversation}::`),
    )
  }

  /** It has ended, and is kept for a while. */
  finish(session: StreamSession): void {
    session.finish()
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.forget(session)
    }, KEPT_MS)
    timer.unref()
    this.#timers.add(timer)
  }

  /** Removes a stream that nobody is to come back to. */
  forget(session: StreamSession): void {
    session.finish()
    if (this.#sessions.get(session.conversation) === session) this.#sessions.delete(session.conversation)
  }

  /** Stops and removes the stream of a conversation, if it has one. */
  cancel(conversation: string): void {
    this.get(conversation)?.cancel()
    this.#sessions.delete(conversation)
  }

  /** Stops all of them. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const session of this.#sessions.values()) session.cancel()
    this.#sessions.clear()
  }
}
