import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { ByteReader } from '../../broadcast/protocol/byte-codec.ts'
import type { FiledChunk, FiledRequest, FiledResponse } from '../file/recording-lines.ts'
import { unpacked } from '../packed.ts'
import type { RecordedRequest, RecordedResponse } from '../recording.ts'

/** A row of `exchanges`. */
export interface ExchangeRow {
  id: number
  /** JSON of a RecordedRequest without its body; with its generations where it was read from a file. */
  request: string
  body: Uint8Array | null
  body_codec: number
  body_bytes: number
  /** JSON of status and headers; null where no answer came. */
  response: string | null
  bytes: number
  outcome: RecordedResponse['outcome']
  lost: number
}

/** A request and its answer. */
export interface StoredExchange extends ExchangeRow {
  /** Ids of the request's generations. */
  generations: string[]
}

interface PartRow {
  ord: number
  codec: number
  data: Uint8Array
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads requests and the bytes of their answers. */
export class StoredExchanges {
  readonly #row: StatementSync
  readonly #generations: StatementSync
  readonly #partAt: StatementSync
  readonly #partAfter: StatementSync

  constructor(database: DatabaseSync) {
    this.#row = database.prepare('SELECT * FROM exchanges WHERE id = ?')
    this.#generations = database.prepare('SELECT generation FROM generations WHERE exchange = ? ORDER BY id')
    const part = 'SELECT ord, codec, data FROM exchange_parts WHERE exchange = ? AND ord'
    this.#partAt = database.prepare(`${part} <= ? ORDER BY ord DESC LIMIT 1`)
    this.#partAfter = database.prepare(`${part} > ? ORDER BY ord LIMIT 1`)
  }

  /** Null if there is none of this id. */
  find(id: number | null): StoredExchange | null {
    const row = id === null ? undefined : (this.#row.get(id) as ExchangeRow | undefined)
    if (row === undefined) return null
    const told = (JSON.parse(row.request) as Partial<RecordedRequest>).generations
    const generations = told ?? this.#generations.all(row.id).map(({ generation }) => generation as string)
    return { ...row, generations }
  }

  /** The chunks of the answer, in their order; `ord` of a part is the number of chunks before it. */
  *chunks(exchange: number): Generator<FiledChunk, void> {
    let place = 0
    for (;;) {
      const at = this.#partAt.get(exchange, place) as PartRow | undefined
      let part = at
      let chunks = at === undefined ? [] : chunksOf(at)
      if (part === undefined || place >= part.ord + chunks.length) {
        part = this.#partAfter.get(exchange, place) as PartRow | undefined
        if (part === undefined) return
        chunks = chunksOf(part)
      }
      yield* chunks.slice(Math.max(0, place - part.ord))
      place = part.ord + chunks.length
    }
  }
}

/** The request as it is answered. */
export function recordedRequest(row: StoredExchange): RecordedRequest {
  const { body, ...request } = filedRequest(row)
  let text: string | null = null
  try {
    if (body !== null) text = utf8.decode(body)
  } catch {
    // It is no text.
  }
  return { ...request, body: text, body_bytes: body?.length ?? 0 }
}

/** The answer as it is answered; null where none came. */
export function recordedResponse(row: StoredExchange): RecordedResponse | null {
  const { status, headers } = filedResponse(row)
  if (status === null) return null
  return { status, headers: headers ?? {}, bytes: row.bytes, outcome: row.outcome }
}

/** The request as it stands in a file. */
export function filedRequest(row: StoredExchange): FiledRequest {
  const { generations } = row
  const { method, target, headers, correlation_id, started_at } = JSON.parse(row.request) as RecordedRequest
  const body = row.body === null ? null : unpacked({ codec: row.body_codec, data: row.body })
  return { method, target, headers, correlation_id, started_at, generations, body }
}

/** The answer as it stands in a file. */
export function filedResponse(row: StoredExchange): FiledResponse {
  const response = row.response === null ? null : (JSON.parse(row.response) as RecordedResponse)
  const [status, headers] = [response?.status ?? null, response?.headers ?? null]
  return { status, headers, outcome: row.outcome ?? 'interrupted', lost: row.lost !== 0 }
}

function chunksOf(part: PartRow): FiledChunk[] {
  const input = new ByteReader(unpacked(part))
  const chunks: FiledChunk[] = []
  while (input.at < input.end) {
    const at_ms = input.varint() / 10
    const size = input.varint()
    const { at, end, bytes } = input.part(size)
    chunks.push({ at_ms, data: bytes.subarray(at, end) })
  }
  return chunks
}
