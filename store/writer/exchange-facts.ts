import type * as sqlite from 'node:sqlite'
import { unpacked } from '../packed.ts'
import { promptText } from './prompt-text.ts'

/** What generations take over from their requests. */
export class ExchangeFacts {
  readonly #body: sqlite.StatementSync
  readonly #bytes: sqlite.StatementSync
  readonly #generations: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync) {
    this.#body = db.prepare('SELECT body_codec AS codec, body AS data FROM exchanges WHERE id = ?')
    this.#bytes = db.prepare(
      `SELECT coalesce(length(body), 0) +
         (SELECT coalesce(sum(length(data)), 0) FROM exchange_parts WHERE exchange = exchanges.id) AS bytes
       FROM exchanges WHERE id = ?`,
    )
    this.#generations = db.prepare('SELECT count(*) AS n FROM generations WHERE exchange = ?')
  }

  /** What the user asked; null where it is not known. */
  prompt(exchange: number): string | null {
    const row = this.#body.get(exchange) as { codec: number; data: Uint8Array | null } | undefined
    return row === undefined || row.data === null
      ? null
      : promptText(unpacked({ codec: row.codec, data: row.data }))
  }

  /** The bytes that request and answer take, divided among the request's generations. */
  share(exchange: number): number {
    const bytes = (this.#bytes.get(exchange) as { bytes: number } | undefined)?.bytes ?? 0
    const { n } = this.#generations.get(exchange) as { n: number }
    return Math.round(bytes / Math.max(1, n))
  }
}
