import type { ExportFormat } from '../recording.ts'

/** What the reader's thread begins with. */
export interface ReaderData {
  /** Path of the database, which whoever writes has open. */
  path: string
}

export interface TokensQuestion {
  generation: string
  limit: number
  cursor: string | null
}

export interface ExportQuestion {
  generation: string
  format: ExportFormat
}

/** Of something that is read in pieces, under the number that it was opened with. */
export interface ImportPiece {
  id: number
  /** Null: there are no more. Absent: read on in those that it has. */
  bytes?: Uint8Array | null
}

/** A reading of the past that was opened. */
export interface OpenedPast {
  id: number
  seq: number
  tokens: number
}
