import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LogEntry } from '../../events/generation.ts'
import { type EntryBlock, readBlock } from '../entry-block.ts'

/** Which generation's entries are read: of its row. */
export interface EntriesOf {
  id: number
  generation: string
  began: number
}

/** A block's entries; `next` is the place behind them. */
export interface EntryStretch {
  entries: LogEntry[]
  next: number
}

const COLUMNS = 'ord, entries, first_token, tokens, handle, codec, data'

/**
 * Reads the entries of generations by their place: how many of the same generation are before it. A place keeps
 * its meaning while blocks are added, and when small ones become large ones, so a reader that comes back later
 * needs no transaction that stays open.
 */
export class StoredEntries {
  readonly #at: StatementSync
  readonly #after: StatementSync

  constructor(database: DatabaseSync) {
    const select = `SELECT ${COLUMNS} FROM entry_blocks WHERE generation = ? AND ord`
    this.#at = database.prepare(`${select} <= ? ORDER BY ord DESC LIMIT 1`)
    this.#after = database.prepare(`${select} > ? ORDER BY ord LIMIT 1`)
  }

  /** The block in which a place is, or the next one behind it; null behind the last. */
  block(generation: number, place: number): EntryBlock | null {
    const block = this.#at.get(generation, place) as EntryBlock | undefined
    if (block !== undefined && place < block.ord + block.entries) return block
    return (this.#after.get(generation, place) as EntryBlock | undefined) ?? null
  }

  /** The entries from a place on, up to the end of their block; null if there are none. */
  from(of: EntriesOf, place: number): EntryStretch | null {
    const block = this.block(of.id, place)
    if (block === null) return null
    const entries = readBlock(block, of.generation, of.began)
    return {
      // Types of entry that are not known are left out, and have a place.
      entries: place > block.ord ? entries.filter(entry => entry.seq > place) : entries,
      next: block.ord + block.entries,
    }
  }

  /** All entries from a place on that lie before `end`, block by block. */
  *stretches(of: EntriesOf, place = 0, end: number = Number.POSITIVE_INFINITY): Generator<LogEntry[], void> {
    let at = place
    while (at < end) {
      const stretch = this.from(of, at)
      if (stretch === null) return
      yield stretch.next > end ? stretch.entries.filter(entry => entry.seq <= end) : stretch.entries
      at = stretch.next
    }
  }
}
