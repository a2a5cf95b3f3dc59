import type { DatabaseSync } from 'node:sqlite'
import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import { writeEntriesHead, writeGenerations } from '../../broadcast/protocol.ts'
import { blockBytes } from '../entry-block.ts'
import { openForReading } from './reader.ts'
import { type EntriesOf, StoredEntries } from './stored-entries.ts'

const MESSAGE_BYTES = 256 * 1024

/**
 * Not what was read from files, which has no cells, nor what ended without a token. Where the log has to be read from
 * its beginning, since this run is recorded without text or not whole from the first entry on, nothing of this run:
 * what the log has of it is better.
 */
const PLACED = `SELECT id, generation, began, tokens FROM generations
  WHERE origin <> 'import' AND (tokens > 0 OR state NOT IN ('done', 'interrupted', 'cancelled', 'failed'))
    AND (? > 0 OR run IS NOT (SELECT value FROM facts WHERE name = 'run'))
  ORDER BY id DESC`

/** One reading of what is recorded, in a transaction of its own that sees one moment until it is closed. */
export class PastSnapshot {
  readonly seq: number
  /** Of the generations that are read, in all. */
  readonly tokens: number
  readonly #database: DatabaseSync
  readonly #entries: StoredEntries
  /** What is to be read, newest first. */
  readonly #generations: EntriesOf[] = []
  #place = 0

  /** @param maxTokens as `Past.open` has it */
  constructor(path: string, maxTokens: number) {
    this.#database = openForReading(path)
    try {
      this.#database.exec('BEGIN')
      const seq = this.#database.prepare("SELECT value FROM facts WHERE name = 'seq'").get() as
        | { value: number }
        | undefined
      this.seq = seq?.value ?? 0
      let tokens = 0
      for (const row of this.#database.prepare(PLACED).iterate(this.seq)) {
        const { id, generation, began, tokens: own } = row as unknown as EntriesOf & { tokens: number }
        if (this.#generations.length > 0 && tokens + own > maxTokens) break
        tokens += own
        this.#generations.push({ id, generation, began })
      }
      this.tokens = tokens
      this.#entries = new StoredEntries(this.#database)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** As `PastReading.next`. */
  next(): Uint8Array | null {
    const out = new ByteWriter(MESSAGE_BYTES + MESSAGE_BYTES / 2)
    while (out.length < MESSAGE_BYTES) {
      const of = this.#generations.at(-1)
      if (of === undefined) break
      const block = this.#entries.block(of.id, this.#place)
      if (block === null) {
        this.#generations.pop()
        this.#place = 0
        continue
      }
      const bytes = blockBytes(block)
      // A final state has a reader forget what its handle stands for.
      writeGenerations(out, [{ handle: block.handle, id: of.generation, began: of.began }])
      writeEntriesHead(out, block.ord + 1, bytes.length)
      out.raw(bytes)
      this.#place = block.ord + block.entries
    }
    return out.length === 0 ? null : out.written.slice()
  }

  close(): void {
    this.#database.close()
  }
}
