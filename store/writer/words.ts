import type * as sqlite from 'node:sqlite'
import type { GenerationState } from '../../events/generation.ts'
import { prepareWrite } from '../database.ts'
import { modelFacet, stateFacet, storedText } from '../stored-text.ts'

/** What of a generation's row is searched. */
export interface WordedRow {
  id: number
  state: GenerationState
  model: string | null
  name: string | null
  /** JSON of an array of strings. */
  tags: string
  note: string | null
}

/** The index of words. */
export class Words {
  readonly #insert: sqlite.StatementSync
  readonly #remove: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync) {
    this.#insert = prepareWrite(
      db,
      'INSERT INTO words (rowid, name, tags, note, prompt, text, facets) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#remove = prepareWrite(db, 'DELETE FROM words WHERE rowid = ?')
  }

  /** Makes these the words by which a generation is found. */
  put(row: WordedRow, prompt: string | null, text: string): void {
    const facets =
      row.model === null ? stateFacet(row.state) : `${stateFacet(row.state)} ${modelFacet(row.model)}`
    const tags = (JSON.parse(row.tags) as string[]).join('\n')
    this.#remove.run(row.id)
    const texts = [row.name ?? '', tags, row.note ?? '', prompt ?? '', text].map(storedText)
    this.#insert.run(row.id, ...texts, facets)
  }

  remove(id: number): void {
    this.#remove.run(id)
  }
}
