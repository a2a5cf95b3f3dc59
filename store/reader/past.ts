import type { Past, PastReading } from '../../compositor/past.ts'
import type { ThreadHandle } from '../thread-handle.ts'
import type { OpenedPast } from './reader-messages.ts'

export interface RecordedPastOptions {
  /** The thread that reads (`reader-thread.ts`). */
  reader: () => Pick<ThreadHandle, 'call'>
  /** Resolves once all that was appended so far is in the tables, or cannot be. */
  flush: () => Promise<void>
}

/** What is recorded, for who lays it out: all but what was read from files, which has no cells. */
export class RecordedPast implements Past {
  readonly #options: RecordedPastOptions

  constructor(options: RecordedPastOptions) {
    this.#options = options
  }

  async open(maxTokens: number): Promise<PastReading> {
    await this.#options.flush()
    const reader = this.#options.reader()
    const { id, seq, tokens } = await reader.call<OpenedPast>('pastOpen', maxTokens)
    return {
      seq,
      tokens,
      next: () => reader.call<Uint8Array | null>('pastNext', id),
      close: () => {
        // A thread that is gone has closed it.
        reader.call('pastClose', id).catch(() => {})
      },
    }
  }
}
