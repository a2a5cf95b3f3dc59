import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { openRecords } from '../../store/database.ts'

/** How much is in records that a test makes. */
export interface RecordsSize {
  generations?: number
  /** Of each generation's block. */
  bytes?: number
  logId?: string
}

/** Makes records in a data folder, closed in order; each generation has five tokens and a block of random bytes. */
export function makeRecords(
  folder: string,
  { generations = 3, bytes = 100, logId = 'firsthistory' }: RecordsSize = {},
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'records.db')
  const records = openRecords(file)
  records.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES ('log_id', ?), ('run', 1)").run(logId)
  addGenerations(records, 1, generations, bytes)
  records.close()
  return file
}

/** Adds generations, numbered on from `first`, in one transaction. */
export function addGenerations(
  records: sqlite.DatabaseSync,
  first: number,
  count: number,
  bytes: number,
): void {
  const generation = records.prepare(
    "INSERT INTO generations (id, generation, origin, state, last, began, entries, tokens) VALUES (?, ?, 'live', 'done', '{}', 0, 7, 5)",
  )
  const block = records.prepare(
    'INSERT INTO entry_blocks (generation, ord, entries, first_token, tokens, handle, codec, data) VALUES (?, 0, 7, 0, 5, 1, 0, ?)',
  )
  records.exec('BEGIN')
  for (let id = first; id < first + count; id++) {
    generation.run(id, `g_${id}`)
    block.run(id, randomBytes(bytes))
  }
  records.exec('COMMIT')
}

/** What is in records that nobody has open, and that they are whole. */
export function readRecords(file: string): { generations: number; logId: string; integrity: string } {
  const records = new sqlite.DatabaseSync(file)
  try {
    const count = records.prepare('SELECT count(*) AS n FROM generations').get() as { n: number }
    const fact = records.prepare("SELECT value FROM facts WHERE name = 'log_id'").get() as { value: string }
    const check = records.prepare('PRAGMA integrity_check').get() as { integrity_check: string }
    return { generations: count.n, logId: fact.value, integrity: check.integrity_check }
  } finally {
    records.close()
  }
}
