import type * as sqlite from 'node:sqlite'
import { prepareWrite } from '../database.ts'

/** Takes generations out of the tables, each with all that is of it alone. */
export class Removals {
  readonly #statements: sqlite.StatementSync[]
  readonly #exchangeOf: sqlite.StatementSync
  readonly #isShared: sqlite.StatementSync
  readonly #exchangeStatements: sqlite.StatementSync[]

  constructor(db: sqlite.DatabaseSync) {
    this.#exchangeOf = db.prepare('SELECT exchange FROM generations WHERE id = ?')
    this.#isShared = db.prepare('SELECT 1 FROM generations WHERE exchange = ? LIMIT 1')
    this.#statements = [
      prepareWrite(db, 'DELETE FROM words WHERE rowid = ?'),
      prepareWrite(db, 'DELETE FROM entry_blocks WHERE generation = ?'),
      prepareWrite(db, 'DELETE FROM generations WHERE id = ?'),
    ]
    this.#exchangeStatements = [
      prepareWrite(db, 'DELETE FROM exchange_parts WHERE exchange = ?'),
      prepareWrite(db, 'DELETE FROM exchanges WHERE id = ?'),
    ]
  }

  /** Removes a generation, and the request if it was its last one; within a transaction of somebody else's. */
  generation(id: number): void {
    const { exchange } = this.#exchangeOf.get(id) as { exchange: number | null }
    for (const statement of this.#statements) statement.run(id)
    if (exchange !== null && this.#isShared.get(exchange) === undefined) this.exchange(exchange)
  }

  exchange(id: number): void {
    for (const statement of this.#exchangeStatements) statement.run(id)
  }
}
