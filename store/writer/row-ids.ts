import type * as sqlite from 'node:sqlite'
import { IDS_PER_MS } from '../schema.ts'

/** Beyond it, in the year 2248, no number holds the ids. */
const MAX_MS = 2 ** 53 / IDS_PER_MS - 2 ** 20

/** Gives rows their ids: by when they began, so that the order of ids is the order of beginnings. */
export class RowIds {
  readonly #newest: sqlite.StatementSync
  readonly #taken: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync, table: 'generations' | 'exchanges') {
    this.#newest = db.prepare(`SELECT max(id) AS id FROM ${table} WHERE id >= ? AND id < ?`)
    this.#taken = db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`)
  }

  /** An id that is free, of what began at this Unix time in ms. */
  next(ms: number): number {
    const first = firstIdOf(Math.min(Math.max(0, ms), MAX_MS))
    const { id } = this.#newest.get(first, first + IDS_PER_MS) as { id: number | null }
    let next = id === null ? first : id + 1
    if (this.#taken.get(next) === undefined) return next
    // The millisecond is full, and ids of the next ones are taken: looked over in runs that double, so that filling
    // them with many thousands does not go through them one by one each time.
    for (let run = IDS_PER_MS; ; run *= 2) {
      const { id: last } = this.#newest.get(next, next + run) as { id: number | null }
      if (last === null) return next
      next = last + 1
    }
  }
}

/** The first id that what began at this Unix time in ms, or later, can have. */
export function firstIdOf(ms: number): number {
  return Math.floor(ms) * IDS_PER_MS
}
