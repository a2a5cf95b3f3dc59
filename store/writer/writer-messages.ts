import type { TapeOutcome } from '../../bridge/tape.ts'
import type { NeuralStateEvent } from '../../events/generation.ts'
import type { Retention } from '../../events/retention.ts'

/** How much is recorded: `meta` leaves out all text. */
export type RecordMode = 'meta' | 'full'

/** What the writer's thread begins with. */
export interface WriterData {
  /** Path of the database. */
  path: string
  mode: RecordMode
  retention: Retention
}

/** What was gathered, on its way to the writer. */
export interface Batch {
  /** 1, 2, 3, … */
  number: number
  /** Items of batch-items.ts. */
  bytes: Uint8Array<ArrayBuffer>
  /** Entries in it. */
  entries: number
  /** Seq of the log up to which it leads, and all before it; less where entries were lost before. */
  upto: number
  /** The log's next block of cells by then. */
  nextBlock: number
}

/** What the writer tells. */
export type WriterNews =
  /** A batch is in the tables, but for so many of its entries, which never will be. */
  | {
      type: 'done'
      number: number
      lost: number
      /** What its transaction took; null where it is told with another batch of it. */
      seconds: number | null
    }
  /** Something can never be written and was left out: what it was, and why. */
  | { type: 'left-out'; what: string; reason: string }
  /** It cannot write, and why; null: it can again. */
  | { type: 'trouble'; reason: string | null }
  /** Bytes that the records take. */
  | { type: 'size'; bytes: number }
  | { type: 'note'; level: 'debug' | 'info' | 'warn' | 'error'; text: string }

/** What is known of a generation of which entries could not be kept. */
export interface LostEntries {
  generation: string
  /** Index after the last token that was lost; null if none was. */
  nextToken: number | null
  /** The last of its states that were lost; null if none was. */
  state: NeuralStateEvent | null
}

/** A piece of what is told of a request and its answer; `tape` is the number of the request. */
export type TapeItem =
  | { type: 'open'; tape: number; request: OpenedRequest; body: Uint8Array | null }
  | { type: 'generations'; tape: number; generations: readonly string[] }
  | { type: 'head'; tape: number; status: number; headers: readonly string[] }
  /** `ticks` of 0.1 ms since the request came. */
  | { type: 'bytes'; tape: number; ticks: number; chunk: Uint8Array }
  /** `lost`: whether something of it could not be kept. */
  | { type: 'end'; tape: number; outcome: TapeOutcome; lost: boolean }

export interface OpenedRequest {
  method: string
  target: string
  headers: readonly string[]
  correlationId: string | null
  /** Unix milliseconds, with fractions. */
  startedMs: number
  generations: readonly string[]
}
