import type { LogEntry } from '../../events/generation.ts'
import type { LostEntries } from './writer-messages.ts'

/** Keeps of entries that could not be kept what their generations are to be told of, whatever their number. */
export class LossTally {
  readonly #lost = new Map<string, LostEntries>()

  /** Generations that lost something. */
  get size(): number {
    return this.#lost.size
  }

  /** Counts an entry in; undefined is one of which nothing is known. */
  add(entry: LogEntry | undefined): void {
    if (entry === undefined) return
    const { generation } = entry
    const lost = this.#lost.get(generation) ?? { generation, nextToken: null, state: null }
    this.#lost.set(generation, lost)
    if (entry.type === 'token_activation') lost.nextToken = Math.max(lost.nextToken ?? 0, entry.index + 1)
    else {
      const { seq: _seq, ...state } = entry
      lost.state = state
    }
  }

  /** What was counted, in the order in which it began; it begins anew. */
  take(): LostEntries[] {
    const all = [...this.#lost.values()]
    this.#lost.clear()
    return all
  }
}
