import type { EntryBlock } from '../entry-block.ts'
import type { GenerationRow } from '../generation-record.ts'

/** Columns of `generations` that are the writer's: its ids, the origin `import`, the version 1, the bytes it measures. */
type OwnColumn = 'id' | 'origin' | 'exchange' | 'version' | 'bytes'

/**
 * A recording that was read from a file and is to be put into the tables, all of it in one transaction. Its state is a
 * final one. All text is well formed.
 */
export interface ImportedRecording extends Omit<GenerationRow, OwnColumn> {
  blocks: EntryBlock[]
  /** All its text, for the words that are searched. */
  text: string
  exchange: ImportedExchange | null
}

/** A row of `exchanges`, and its parts. What went on when the file was written has no outcome, and gets none. */
export interface ImportedExchange {
  /**
   * The row that holds the same to the last byte, since another choice of the request was imported or recorded
   * here: if it is still there it is this one's, and nothing is put in. Null: there is none.
   */
  same: number | null
  /** Unix milliseconds, for the id of its row. */
  started_ms: number
  request: string
  body: Uint8Array | null
  body_codec: number
  body_bytes: number
  response: string | null
  bytes: number
  outcome: string | null
  lost: number
  parts: ImportedPart[]
}

/** A row of `exchange_parts`. */
export interface ImportedPart {
  /** Chunks before it. */
  ord: number
  codec: number
  data: Uint8Array
}

/** The memory that a recording's bytes lie in, each piece in its own: to be handed on instead of copied. */
export function memoryOf({ blocks, exchange }: ImportedRecording): ArrayBuffer[] {
  const pieces = [...blocks, ...(exchange?.parts ?? [])].map(({ data }) => data)
  if (exchange?.body) pieces.push(exchange.body)
  return pieces.map(({ buffer }) => buffer as ArrayBuffer)
}
