import type * as sqlite from 'node:sqlite'
import { TokenscopeError } from '../../events/errors.ts'
import { isFinal } from '../../events/generation.ts'
import { prepareWrite } from '../database.ts'
import type { ImportedExchange, ImportedRecording } from '../file/import-batch.ts'
import { type GenerationRow, recordOf } from '../generation-record.ts'
import type { Edit, GenerationRecord } from '../recording.ts'
import { storedText } from '../stored-text.ts'
import { EntryBlocks } from './entry-blocks.ts'
import type { GenerationTables } from './generation-tables.ts'
import { Removals } from './removals.ts'
import { RowIds } from './row-ids.ts'
import { Words } from './words.ts'

const TICKS_PER_MS = 10

/** Changes what is recorded as users ask for it, each change in a transaction of its own. */
export class RecordChanges {
  readonly #db: sqlite.DatabaseSync
  readonly #generations: GenerationTables
  readonly #blocks: EntryBlocks
  readonly #words: Words
  readonly #removals: Removals
  readonly #generationIds: RowIds
  readonly #exchangeIds: RowIds
  readonly #find: sqlite.StatementSync
  readonly #edit: sqlite.StatementSync
  readonly #insert: sqlite.StatementSync
  readonly #exchange: sqlite.StatementSync
  readonly #insertExchange: sqlite.StatementSync
  readonly #insertPart: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync, generations: GenerationTables) {
    this.#db = db
    this.#generations = generations
    this.#blocks = new EntryBlocks(db)
    this.#words = new Words(db)
    this.#removals = new Removals(db)
    this.#generationIds = new RowIds(db, 'generations')
    this.#exchangeIds = new RowIds(db, 'exchanges')
    this.#find = db.prepare('SELECT * FROM generations WHERE generation = ?')
    this.#edit = prepareWrite(
      db,
      'UPDATE generations SET name = ?, tags = ?, note = ?, version = version + 1 WHERE id = ?',
    )
    this.#insert = prepareWrite(
      db,
      `INSERT INTO generations (id, generation, origin, exchange, state, model, last, began, ended_at, entries,
         tokens, missing, mean_logprob, preview, prompt, name, tags, note, recorded_at)
       VALUES (?, ?, 'import', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#exchange = db.prepare('SELECT id FROM exchanges WHERE id = ?')
    this.#insertExchange = prepareWrite(
      db,
      `INSERT INTO exchanges (id, request, body, body_codec, body_bytes, response, bytes, outcome, lost)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertPart = prepareWrite(
      db,
      'INSERT INTO exchange_parts (exchange, ord, codec, data) VALUES (?, ?, ?, ?)',
    )
  }

  /** @throws TokenscopeError NOT_FOUND, VERSION_CONFLICT with `details.current` */
  edit(generation: string, edit: Edit): GenerationRecord {
    return this.#transaction(() => {
      const row = this.#row(generation)
      if (row.version !== edit.version) {
        throw new TokenscopeError(
          'VERSION_CONFLICT',
          `The recording of ${generation} was changed meanwhile: it is at version ${row.version}, and the change ` +
            `was made to version ${edit.version}. Look at it as it is now and change that.`,
          { param: 'version', details: { current: recordOf(row) } },
        )
      }
      const name = edit.name === undefined ? row.name : textOrNull(edit.name)
      const tags = edit.tags === undefined ? row.tags : JSON.stringify(edit.tags.map(storedText))
      const note = edit.note === undefined ? row.note : textOrNull(edit.note)
      this.#edit.run(name, tags, note, row.id)
      if (isFinal(row.state)) this.#generations.rewrite(generation)
      return recordOf(this.#row(generation))
    })
  }

  /** @throws TokenscopeError NOT_FOUND, STILL_RUNNING */
  remove(generation: string): void {
    this.#transaction(() => {
      const row = this.#row(generation)
      if (!isFinal(row.state)) {
        throw new TokenscopeError(
          'STILL_RUNNING',
          `The generation ${generation} still runs. Stop it, or wait for its end, before you remove its recording.`,
        )
      }
      this.#removals.generation(row.id)
    })
  }

  /** @throws TokenscopeError ALREADY_RECORDED if there is a recording of this id, whatever is in it */
  import(recording: ImportedRecording): void {
    this.#transaction(() => {
      const { generation, state, model, last, began, exchange: request } = recording
      if (this.#find.get(storedText(generation)) !== undefined) {
        throw new TokenscopeError('ALREADY_RECORDED', `There is a recording of ${generation} already.`)
      }
      const exchange = request === null ? null : this.#importExchange(request)
      const id = this.#generationIds.next(began / TICKS_PER_MS)
      const { ended_at, entries, tokens, missing, mean_logprob, preview, prompt, name, tags, note } =
        recording
      const told = [
        ended_at,
        entries,
        tokens,
        missing,
        mean_logprob,
        preview,
        prompt,
        name,
        tags,
        note,
        Date.now(),
      ]
      this.#insert.run(id, storedText(generation), exchange, state, model, last, began, ...told)
      this.#blocks.add(id, recording.blocks)
      this.#generations.measure({ id, exchange })
      this.#words.put({ id, state, model, name, tags, note }, prompt, recording.text)
    })
  }

  #importExchange(exchange: ImportedExchange): number {
    if (exchange.same !== null && this.#exchange.get(exchange.same) !== undefined) return exchange.same
    const id = this.#exchangeIds.next(exchange.started_ms)
    const { request, body, body_codec, body_bytes, response, bytes, outcome, lost } = exchange
    this.#insertExchange.run(id, request, body, body_codec, body_bytes, response, bytes, outcome, lost)
    for (const { ord, codec, data } of exchange.parts) this.#insertPart.run(id, ord, codec, data)
    return id
  }

  #row(generation: string): GenerationRow {
    const row = this.#find.get(storedText(generation)) as unknown as GenerationRow | undefined
    if (row !== undefined) return row
    throw new TokenscopeError('NOT_FOUND', `There is no recording of ${generation}.`)
  }

  /** Somebody waits for it to be kept: so it is on the disk when it is answered. */
  #transaction<T>(change: () => T): T {
    this.#db.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    try {
      const result = change()
      this.#db.exec('COMMIT')
      this.#generations.commit()
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#generations.rollback()
      throw error
    }
  }
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : storedText(text)
}
