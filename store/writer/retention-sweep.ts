import type * as sqlite from 'node:sqlite'
import type { Retention } from '../../events/retention.ts'
import { pragma, recordsBytes } from '../database.ts'
import { Removals } from './removals.ts'
import { firstIdOf } from './row-ids.ts'

/** How long a slice may hold up what is to be recorded, in ms. */
const SLICE_MS = 10
/** Free pages that are left for what comes. */
const SPARE_PAGES = 64
/** Pages that are given back to the disk at a time. */
const VACUUM_PAGES = 32
/** Pages of the index of words that are put together at a time. */
const MERGE_PAGES = 32

/** A clock that says less was not set yet: how old that is which was recorded then, nobody knows. 2020, in Unix ms. */
const CLOCK_SET_MS = 1_577_836_800_000

/** The plus keeps SQLite from sorting all of them by way of the index of states. */
const FINAL = "+state IN ('done', 'interrupted', 'cancelled', 'failed')"

/**
 * Removes what was recorded longer ago, or is more, than is to be kept: the oldest first, and never what runs. What was
 * read from a file counts as recorded when it was.
 */
export class RetentionSweep {
  readonly #db: sqlite.DatabaseSync
  readonly #retention: Retention
  readonly #removals: Removals
  readonly #oldest: sqlite.StatementSync
  readonly #tooOld: sqlite.StatementSync
  readonly #oldestLeft: sqlite.StatementSync
  readonly #strays: sqlite.StatementSync
  readonly #changes: sqlite.StatementSync
  /** Whether the index of words may still hold what was removed. */
  #merging = false

  constructor(db: sqlite.DatabaseSync, retention: Retention) {
    this.#db = db
    this.#retention = retention
    this.#removals = new Removals(db)
    this.#oldest = db.prepare(`SELECT id, bytes FROM generations WHERE ${FINAL} ORDER BY id LIMIT 1`)
    this.#tooOld = db.prepare(
      `SELECT id, bytes FROM generations WHERE recorded_at >= ${CLOCK_SET_MS} AND recorded_at < ? AND ${FINAL}
       ORDER BY recorded_at LIMIT 1`,
    )
    this.#oldestLeft = db.prepare('SELECT min(id) AS id FROM generations')
    this.#strays = db.prepare(
      `SELECT id FROM exchanges WHERE id < ? AND outcome IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM generations WHERE exchange = exchanges.id) ORDER BY id LIMIT 1`,
    )
    this.#changes = db.prepare('SELECT total_changes() AS n')
  }

  /** Whether there is more than is to be kept, by its size. */
  isOver(bytes: number): boolean {
    return this.#retention.bytes !== null && bytes > this.#retention.bytes
  }

  /** Somebody else has removed something. */
  removed(): void {
    this.#merging = true
  }

  /**
   * One slice of the work, in a transaction of its own: removes, puts the index of words together without what was
   * removed, or gives free pages back.
   *
   * @returns whether there may be more to do
   * @throws Error of SQLite's, with nothing changed
   */
  step(): boolean {
    // Only then it shows how much room was won.
    if (this.#merging && this.#merge()) return true
    this.#merging = this.#remove()
    return this.#merging || this.#vacuum()
  }

  /** Removes what is to go, about; whether there was anything. */
  #remove(): boolean {
    const { ageMs, bytes } = this.#retention
    const tooOld = ageMs === null ? 0 : Math.max(0, Date.now() - ageMs)
    let over = bytes === null ? 0 : recordsBytes(this.#db) - bytes
    const until = performance.now() + SLICE_MS
    let next = this.#next(tooOld, over > 0)
    if (next === null) return false
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (; next !== null && performance.now() < until; next = this.#next(tooOld, over > 0)) {
        next.remove()
        over -= next.room
      }
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
    return true
  }

  /**
   * The next thing that is to go, and the room that this gives at most, in bytes; null if there is none.
   *
   * @param tooOld what was recorded before this goes, in Unix ms
   */
  #next(tooOld: number, over: boolean): { remove: () => void; room: number } | null {
    const oldest = (over ? this.#oldest.get() : this.#tooOld.get(tooOld)) as
      | { id: number; bytes: number }
      | undefined
    if (oldest !== undefined) {
      const { id, bytes } = oldest
      return { remove: () => this.#removals.generation(id), room: roomOf(bytes) }
    }
    // Requests of which no generation came to be; those of the newest may still get theirs.
    const { id } = this.#oldestLeft.get() as { id: number | null }
    const before = Math.max(firstIdOf(tooOld), over ? (id ?? 0) : 0)
    const stray = this.#strays.get(before) as { id: number } | undefined
    return stray === undefined ? null : { remove: () => this.#removals.exchange(stray.id), room: 0 }
  }

  /** Whether there was something to put together. */
  #merge(): boolean {
    const before = this.#total()
    this.#db.exec(`INSERT INTO words (words, rank) VALUES ('merge', ${MERGE_PAGES})`)
    // The command itself counts as one change.
    return this.#total() - before >= 2
  }

  #total(): number {
    return (this.#changes.get() as { n: number }).n
  }

  #vacuum(): boolean {
    if (pragma(this.#db, 'freelist_count') <= SPARE_PAGES) return false
    this.#db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
    return pragma(this.#db, 'freelist_count') > SPARE_PAGES
  }
}

/** Rather too much, with its words and what pages leave empty: what is not won yet is won with the next slice. */
function roomOf(bytes: number): number {
  return 4 * bytes + 4096
}
