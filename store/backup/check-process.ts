/**
 * The process that checks a database for `checkContent`: it is sent a path, answers once, and ends. Nobody writes
 * to the file meanwhile, so it is read without a lock and nothing is made beside it.
 */
import * as sqlite from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { reasonOf } from '../../events/errors.ts'
import type { CheckAnswer, RecordCounts } from './check-file.ts'

const COUNTS = `SELECT
  (SELECT count(*) FROM generations) AS generations,
  (SELECT coalesce(sum(tokens), 0) FROM generations) AS tokens,
  (SELECT count(*) FROM exchanges) AS exchanges`

// Ctrl-C reaches all processes of a terminal: whoever asked says whether this ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

process.once('message', (file: string) => {
  process.send?.(check(file), undefined, undefined, () => process.disconnect?.())
})

function check(file: string): CheckAnswer {
  try {
    const url = pathToFileURL(file)
    url.searchParams.set('immutable', '1')
    using database = new sqlite.DatabaseSync(url, { readOnly: true })
    const { integrity_check: found } = database.prepare('PRAGMA integrity_check(1)').get() as {
      integrity_check: string
    }
    if (found !== 'ok') return { damage: found.replaceAll('\n', ' ') }
    const { generations, tokens, exchanges } = database.prepare(COUNTS).get() as unknown as RecordCounts
    return { counts: { generations, tokens, exchanges } }
  } catch (error) {
    return { damage: reasonOf(error) }
  }
}
