import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import {
  type GenerationKey,
  ticksOf,
  writeEntriesHead,
  writeGenerations,
  writeState,
  writeToken,
} from '../../broadcast/protocol.ts'
import type { LogEntry } from '../../events/generation.ts'

/** Writes entries as a server does on one connection: with a generation's first entry its handle is told. */
export class BinaryTeller {
  readonly #keys = new Map<string, GenerationKey>()

  /** One binary message with these entries, whose seqs count on by one. */
  entries(entries: readonly LogEntry[]): Uint8Array {
    const body = new ByteWriter()
    for (const entry of entries) this.#write(body, entry)
    const out = new ByteWriter()
    writeEntriesHead(out, entries[0]?.seq ?? 1, body.length)
    out.raw(body.written)
    return out.written
  }

  /** The message that tells all handles so far, as it comes before entries from the middle of the log. */
  generations(): Uint8Array {
    const out = new ByteWriter()
    writeGenerations(out, this.#keys.values())
    return out.written
  }

  #write(out: ByteWriter, entry: LogEntry): void {
    const known = this.#keys.get(entry.generation)
    const began = entry.type === 'token_activation' ? ticksOf(entry.timestamp) : 0
    const key = known ?? { handle: this.#keys.size, id: entry.generation, began }
    this.#keys.set(entry.generation, key)
    if (entry.type === 'neural_state') {
      const { seq: _seq, ...state } = entry
      writeState(out, state, key)
    } else writeToken(out, entry, entry.position, key, known === undefined)
  }
}
