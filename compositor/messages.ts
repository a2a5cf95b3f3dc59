/**
 * What the compositor and its process say to each other, in structured clones over the process's channel. Every
 * request but `stop`, which is answered by the end of the process, is answered by one message: `view`, `pick` and
 * `frame` under their `id` in any order, those of any other kind in the order in which they were asked. `failed`
 * may come at any time and is the last.
 */
import type { LayoutName, PickQuestion, Placed, ViewQuestion } from '../broadcast/protocol/view.ts'
import type { ErrorCode } from '../events/errors.ts'
import type { AdapterAnswer, BackendName } from './adapter.ts'
import type { FrameQuestion } from './frame/frame-question.ts'
import type { PackedAnswer } from './packed-answer.ts'

export type Request =
  /** Which adapter is there? The process ends after its answer. */
  | { type: 'probe' }
  /** Begin with this engine; whatever is not `probe` or `stop` waits for the answer. */
  | ({ type: 'start' } & StartOptions)
  | PastBatch
  | Batch
  /** Lay these out from now on, and no others. */
  | { type: 'watch'; layouts: LayoutName[] }
  | ({ id: number } & Question)
  /** End in order. */
  | { type: 'stop' }

/**
 * Take in these entries, which were recorded: all of these batches come before the first `batch`. Nobody is told where
 * they were laid out.
 */
export interface PastBatch {
  type: 'past'
  /**
   * Messages of the protocol `tokenscope.bin.v1`, one behind the other: generation by generation in the order in which
   * they began. Handles and seqs are those of whichever run they were recorded in.
   */
  bytes: Uint8Array
  /** With the last one: seq up to which the log has been told with them; else 0. */
  upto: number
}

/** Take in these entries, which are newer than all before. */
export interface Batch {
  type: 'batch'
  /** Messages of the protocol `tokenscope.bin.v1`, one behind the other. */
  bytes: Uint8Array
  /** Seq up to which the log has been told with it. */
  upto: number
}

/** What can be asked about what is laid out. */
export type Question =
  | { type: 'view'; question: ViewQuestion }
  | { type: 'pick'; question: PickQuestion }
  | { type: 'frame'; question: FrameQuestion }

export interface StartOptions {
  backend: BackendName
  /** Folder that shaders are written to as they are compiled; null for none. */
  dump: string | null
  /** Pages of tokens kept at most. */
  maxPages: number
}

export type Reply =
  | ({ type: 'adapter' } & AdapterAnswer)
  | { type: 'ready' }
  | Done
  | { type: 'watched' }
  /** Answer to `view` and `pick`. */
  | { type: 'view'; id: number; answer: PackedAnswer }
  /** Answer to `frame`: a PNG. */
  | { type: 'frame'; id: number; png: Uint8Array }
  /** The question cannot be answered; others can. */
  | { type: 'refused'; id: number; code: ErrorCode; message: string; param: string | null }
  /** The process ends now, and why. */
  | { type: 'failed'; reason: string }

/** The batch is laid out. */
export interface Done {
  type: 'done'
  upto: number
  /** How long that took by itself, in s. */
  seconds: number
  /** What was laid out, and how long each took by itself, in s. */
  layouts: { layout: LayoutName; seconds: number }[]
  /** Tokens kept now. */
  tokens: number
  /** Tokens that came and could not be kept, since the log had let go of those before them. */
  dropped: number
  /** Memory of the process, in bytes. */
  bytes: number
  placed: Placed[]
}
