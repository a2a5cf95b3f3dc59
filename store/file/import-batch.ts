import type { GenerationState } from '../../events/generation.ts'

/**
 * A recording that was read from a file and is to be put into the tables, all of it in one transaction. Every
 * field is a column's value as it goes in; ids of rows are the writer's, as are `origin` (`import`), `version` (1)
 * and `bytes`. All text is well formed.
 */
export interface ImportedRecording {
  generation: string
  /** Ticks since 1970. */
  began: number
  /** Unix seconds. */
  ended_at: number | null
  /** A final one. */
  state: GenerationState
  model: string | null
  /** JSON of the last state, without `type`. */
  last: string
  entries: number
  tokens: number
  missing: number
  mean_logprob: number | null
  preview: string
  prompt: string | null
  name: string | null
  /** JSON of an array of strings. */
  tags: string
  note: string | null
  blocks: ImportedBlock[]
  /** All its text, for the words that are searched. */
  text: string
  exchange: ImportedExchange | null
}

/** A row of `entry_blocks`. */
export interface ImportedBlock {
  ord: number
  entries: number
  first_token: number
  tokens: number
  handle: number
  codec: number
  data: Uint8Array
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
