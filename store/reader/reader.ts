import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { TokenscopeError } from '../../events/errors.ts'
import type { TokenEntry } from '../../events/generation.ts'
import { exported, type RecordingSource } from '../file/recording-export.ts'
import { type GenerationRow, recordOf } from '../generation-record.ts'
import type {
  ExportFormat,
  GenerationDetail,
  GenerationRecord,
  ListQuestion,
  Page,
  RecordedToken,
} from '../recording.ts'
import { storedText } from '../stored-text.ts'
import { cursorOf, placeOf } from './cursor.ts'
import { type ListColumn, listSql, searchSql } from './list-sql.ts'
import { matchOf } from './search-query.ts'
import { StoredEntries } from './stored-entries.ts'
import { recordedRequest, recordedResponse, StoredExchanges } from './stored-exchanges.ts'

/** How long to wait for who writes, in ms; in WAL that is only where the file is opened or closed. */
const BUSY_MS = 5000

/**
 * UTF-16 units of a page, about, unless one item alone has more: a page has fewer items than were asked for where they
 * are large, as names of models and what servers say of an error can be.
 */
const PAGE_UNITS = 4 * 1024 * 1024
/** What an item has beside its texts. */
const ITEM_UNITS = 200
const ALTERNATIVE_UNITS = 40

/** Opens records for reading alone. */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS })
  database.exec('PRAGMA query_only = ON; PRAGMA cache_size = -16384')
  return database
}

/**
 * Answers what is asked of the records, from a connection of its own that cannot write. Every answer is of one
 * moment. Blocking: it belongs into a thread.
 */
export class Reader {
  readonly source: RecordingSource
  readonly #database: DatabaseSync
  readonly #row: StatementSync
  /** By SQL, of which there are a few. */
  readonly #lists = new Map<string, StatementSync>()

  constructor(path: string) {
    this.#database = openForReading(path)
    this.source = {
      entries: new StoredEntries(this.#database),
      exchanges: new StoredExchanges(this.#database),
    }
    this.#row = this.#database.prepare('SELECT * FROM generations WHERE generation = ?')
  }

  /** @throws TokenscopeError as `Records.list` */
  list(question: ListQuestion): Page<GenerationRecord> {
    const { limit, state, q } = question
    const from = question.cursor === null ? Number.MAX_SAFE_INTEGER : placeOf('generations', question.cursor)
    // A number is bound as a real, which FTS5 takes for no bound at all: it would read from the newest on.
    const before = BigInt(from)
    const model = question.model === null ? null : storedText(question.model)
    const filters = { ...(state === null ? {} : { state }), ...(model === null ? {} : { model }) }
    const columns = Object.keys(filters) as ListColumn[]
    const values = [before, ...Object.values(filters), limit + 1]
    const rows = (q === null
      ? this.#list(listSql(columns)).iterate(...values)
      : this.#list(searchSql(columns)).iterate(
          matchOf(q, state, model),
          ...values,
        )) as unknown as Iterable<GenerationRow>
    const items: GenerationRecord[] = []
    let units = 0
    let last = 0
    for (const row of rows) {
      units += unitsOf(row)
      if (items.length === limit || (items.length > 0 && units > PAGE_UNITS)) {
        return { items, next: cursorOf('generations', last) }
      }
      items.push(recordOf(row))
      last = row.id
    }
    return { items, next: null }
  }

  /** @throws TokenscopeError NOT_FOUND */
  record(generation: string): GenerationRecord {
    return recordOf(this.#found(generation))
  }

  /** @throws TokenscopeError NOT_FOUND */
  get(generation: string): GenerationDetail {
    return this.#atOnce(() => {
      const row = this.#found(generation)
      const exchange = this.source.exchanges.find(row.exchange)
      const texts: string[] = []
      for (const stretch of this.source.entries.stretches(row)) {
        for (const entry of stretch) if (entry.type === 'token_activation') texts.push(entry.token_text)
      }
      return {
        ...recordOf(row),
        text: texts.join(''),
        request: exchange && recordedRequest(exchange),
        response: exchange && recordedResponse(exchange),
      }
    })
  }

  /** @throws TokenscopeError as `Records.tokens` */
  tokens(generation: string, limit: number, cursor: string | null): Page<RecordedToken> {
    return this.#atOnce(() => {
      const row = this.#found(generation)
      const place = cursor === null ? 0 : placeOf('tokens', cursor)
      const items: RecordedToken[] = []
      let units = 0
      for (const stretch of this.source.entries.stretches(row, place)) {
        for (const entry of stretch) {
          if (entry.type !== 'token_activation') continue
          units += unitsOfToken(entry)
          if (items.length === limit || (items.length > 0 && units > PAGE_UNITS)) {
            return { items, next: cursorOf('tokens', entry.seq - 1) }
          }
          items.push(recordedToken(entry, row.origin !== 'import'))
        }
      }
      return { items, next: null }
    })
  }

  /**
   * A generation's bytes as it is by now, however much later they are taken.
   *
   * @throws TokenscopeError NOT_FOUND; with a piece RECORDS_UNAVAILABLE if it was removed since
   */
  *export(generation: string, format: ExportFormat): Generator<Uint8Array, void> {
    const row = this.#found(generation)
    for (const piece of exported(row, format, this.source)) {
      if (this.find(generation)?.id !== row.id) {
        throw new TokenscopeError(
          'RECORDS_UNAVAILABLE',
          `Generation ${generation} was removed while it was exported.`,
        )
      }
      yield piece
    }
  }

  /** The row of a generation; null if it is not recorded. */
  find(generation: string): GenerationRow | null {
    return (this.#row.get(storedText(generation)) as GenerationRow | undefined) ?? null
  }

  close(): void {
    this.#database.close()
  }

  #found(generation: string): GenerationRow {
    const row = this.find(generation)
    if (row !== null) return row
    throw new TokenscopeError(
      'NOT_FOUND',
      `Nothing is recorded of a generation ${JSON.stringify(generation)}.`,
    )
  }

  #list(sql: string): StatementSync {
    let statement = this.#lists.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#lists.set(sql, statement)
    }
    return statement
  }

  /** Has all reads within it see the same moment. */
  #atOnce<T>(read: () => T): T {
    this.#database.exec('BEGIN')
    try {
      return read()
    } finally {
      this.#database.exec('COMMIT')
    }
  }
}

function unitsOf({ last, preview, prompt, name, tags, note }: GenerationRow): number {
  let units = ITEM_UNITS
  for (const text of [last, preview, prompt, name, tags, note]) units += text?.length ?? 0
  return units
}

function unitsOfToken({ token_text, top }: TokenEntry): number {
  let units = ITEM_UNITS + token_text.length
  for (const { text } of top) units += ALTERNATIVE_UNITS + text.length
  return units
}

/** Without a place on the map where it was read from a file. */
function recordedToken(entry: TokenEntry, isPlaced: boolean): RecordedToken {
  const { type: _type, seq: _seq, generation: _generation, position, ...token } = entry
  return { ...token, position: isPlaced ? position : null }
}
