import { BinaryReader, firstDefinition, TICKS_PER_SECOND } from '../broadcast/protocol.ts'
import type { LogEntry } from '../events/generation.ts'

const DAY_SECONDS = 86_400
/**
 * Times are kept as u32 milliseconds, 49.7 days. What is older than this is left out, so that there is time left for
 * what comes.
 */
export const OLDEST_SECONDS = 30 * DAY_SECONDS
/** What is later than now by more than this was written by a clock that went wrong. */
const FUTURE_SECONDS = DAY_SECONDS
/** A token may be told to be somewhat older than its generation: of when its bytes were read. */
const MARGIN_SECONDS = 60

/** Reads what was recorded: entries of earlier runs and of this one, generation by generation. */
export class PastEntries {
  /** Of its own: a handle stands for something else in each run. */
  readonly #reader = new BinaryReader(undefined, false)
  readonly #now: number
  #origin: number | null = null

  /** @param now Unix seconds */
  constructor(now = Date.now() / 1000) {
    this.#now = now
  }

  /**
   * Unix seconds, whole ones, that no token of it lies before, though it come later in the reading; null while
   * nothing was read.
   */
  get origin(): number | null {
    return this.#origin
  }

  /**
   * The entries of the next messages, without tokens whose time is too far from now.
   *
   * @throws ProtocolError if they cannot be read
   */
  read(bytes: Uint8Array): LogEntry[] {
    const oldest = this.#now - OLDEST_SECONDS
    const latest = this.#now + FUTURE_SECONDS
    this.#origin ??= this.#originOf(bytes)
    return this.#reader
      .read(bytes)
      .filter(
        entry =>
          entry.type !== 'token_activation' || (entry.timestamp >= oldest && entry.timestamp <= latest),
      )
  }

  #originOf(bytes: Uint8Array): number | null {
    const first = firstDefinition(bytes)
    if (first === null) return null
    // The generation that began first; the first token need not be the earliest one.
    const began = first.began / TICKS_PER_SECOND - MARGIN_SECONDS
    return Math.floor(Math.max(this.#now - OLDEST_SECONDS, Math.min(began, this.#now)))
  }
}
