import type * as sqlite from 'node:sqlite'
import { prepareWrite } from '../database.ts'
import type { FactName } from '../schema.ts'

/** The facts of the records, each of which has one value. */
export class Facts {
  readonly #get: sqlite.StatementSync
  readonly #set: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync) {
    this.#get = db.prepare('SELECT value FROM facts WHERE name = ?')
    this.#set = prepareWrite(
      db,
      'INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    )
  }

  /** Undefined where it was never set. */
  get(name: FactName): string | number | undefined {
    return (this.#get.get(name) as { value: string | number } | undefined)?.value
  }

  set(name: FactName, value: string | number): void {
    this.#set.run(name, value)
  }
}
