import { reasonOf } from '../events/errors.ts'
import type { PastBatch } from './messages.ts'
import type { Past } from './past.ts'
import type { Say } from './process-handle.ts'

/** Tokens that are read: taken in within a second or two, for which a first look waits. */
const MAX_TOKENS = 2 ** 20
/** Batches on their way: one at work, and the next so that the process need not wait for it. */
const MAX_BATCHES = 2
/** Readers that may end over it, one after the other, before it is taken to be the reason. */
const MAX_ENDS = 3

export interface PastFeedOptions {
  /** Null: nothing was recorded. */
  past: Past | null
  send: (batch: PastBatch) => void
  say: Say
  /** The newest generations with so many tokens in all are read. */
  maxTokens?: number | undefined
}

/**
 * Reads what was recorded, for each new reader once, and hands it out in batches, no faster than they are done with.
 * Where it cannot be read to its end, or one reader after the other ends over it, that is said, and it comes to its end
 * early: the log by itself is better than nothing.
 */
export class PastFeed {
  readonly #options: PastFeedOptions
  /** Of the reader that it is read for; null when there is none, or it has all. */
  #telling: Telling | null = null
  /** Readers that ended over it, one after the other. */
  #ends = 0
  /** Whether the last time it could not be read. */
  #failed = false

  constructor(options: PastFeedOptions) {
    this.#options = options
  }

  /** Whether a reader is being told; what it is done with then is a batch of these. */
  get active(): boolean {
    return this.#telling !== null
  }

  /**
   * Begins anew, for a reader that knows nothing.
   *
   * @param onEnd called once when it is done with all that there is, with the seq up to which it has all entries of
   *   the log as it is now; 0 where it does not
   */
  open(onEnd: (seq: number) => void): void {
    if (this.#options.past === null || this.#ends === MAX_ENDS) {
      onEnd(0)
      return
    }
    const telling: Telling = { batches: 0, lessThere: null }
    this.#telling = telling
    void this.#tell(telling, this.#options.past).then(({ seq, failure }) => {
      if (this.#telling !== telling) return
      this.#telling = null
      this.#ends = 0
      this.#sayFailed(failure)
      onEnd(seq)
    })
  }

  /** The oldest batch on its way is done with. */
  done(): void {
    if (this.#telling === null) return
    this.#telling.batches--
    this.#telling.lessThere?.()
  }

  /** The reader has ended: what it was told and what not, the next one does not know. */
  close(): void {
    if (this.#telling === null) return
    this.stop()
    if (++this.#ends < MAX_ENDS) return
    const why = `the process that lays out ended ${MAX_ENDS} times over it`
    this.#options.say('warn', `compositor: what was recorded is not shown until Tokenscope restarts: ${why}`)
  }

  /** Reads no further. */
  stop(): void {
    const telling = this.#telling
    this.#telling = null
    telling?.lessThere?.()
  }

  /** Tells all of it; resolves when that is done with, or nobody is told any more. */
  async #tell(telling: Telling, past: Past): Promise<{ seq: number; failure: string | null }> {
    let seq = 0
    let failure: string | null = null
    try {
      seq = await this.#read(telling, past)
    } catch (error) {
      failure = reasonOf(error)
    }
    await this.#untilFewer(telling, 1)
    return { seq, failure }
  }

  async #read(telling: Telling, past: Past): Promise<number> {
    const reading = await past.open(this.#options.maxTokens ?? MAX_TOKENS)
    try {
      while (this.#telling === telling) {
        const bytes = await reading.next()
        if (bytes === null) break
        this.#put(telling, bytes, 0)
        await this.#untilFewer(telling, MAX_BATCHES)
      }
      this.#put(telling, new Uint8Array(0), reading.seq)
      return reading.seq
    } finally {
      reading.close()
    }
  }

  #put(telling: Telling, bytes: Uint8Array, upto: number): void {
    if (this.#telling !== telling) return
    telling.batches++
    this.#options.send({ type: 'past', bytes, upto })
  }

  /** Resolves when fewer batches than this are on their way, or nobody is told any more. */
  async #untilFewer(telling: Telling, batches: number): Promise<void> {
    while (this.#telling === telling && telling.batches >= batches) {
      await new Promise<void>(resolve => {
        telling.lessThere = resolve
      })
    }
  }

  /** Says once that it could not be read, until it could again. */
  #sayFailed(failure: string | null): void {
    const isNews = failure !== null && !this.#failed
    this.#failed = failure !== null
    if (!isNews) return
    const what = 'compositor: what was recorded is not shown, or not all of it, since it cannot be read'
    this.#options.say('warn', `${what}: ${failure}`)
  }
}

/** What one reader is told. */
interface Telling {
  /** Batches on their way. */
  batches: number
  /** Told when one of them is done with, or none is to come. */
  lessThere: (() => void) | null
}
