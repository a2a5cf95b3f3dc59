/** The messages of the stream, as types; docs/protocol.md describes them. */
import type { LogEntry, NeuralStateEvent } from '../../events/generation.ts'
import type { LayoutName, PickQuestion, TileCell, ViewAnswer, ViewQuestion, ViewToken } from './view.ts'

/** A place in the log: `seq` counts entries within an `epoch`. */
export interface Position {
  epoch: string
  seq: number
}

export type GapReason = 'slow_consumer' | 'expired' | 'epoch'

/** A generation as a whole, for a viewer who did not see it come: its last state and all of its text. */
export interface SnapshotGeneration extends Omit<NeuralStateEvent, 'type'> {
  text: string
  tokens: number
  /**
   * UTF-16 units of this generation's text that earlier parts of the same snapshot hold; absent where the text
   * begins here. A text that does not fit one part goes on in the next.
   */
  text_from?: number
}

/** First message of a connection, and again when an upstream came or went (`demo` may have changed). */
export interface HelloMessage {
  type: 'hello'
  epoch: string
  head: number
  protocol: string
  layouts: string[]
  /** True while the demo model stands in or was asked for. */
  demo: boolean
}

/** Everything up to and including entry `upto`; entries after it follow. Parts count from 0. */
export interface SnapshotMessage {
  type: 'snapshot'
  upto: number
  part: number
  last: boolean
  generations: SnapshotGeneration[]
}

/** Entries `from`..`to` will not come; both are null where the epoch is another one. */
export interface GapMessage {
  type: 'gap'
  from: number | null
  to: number | null
  reason: GapReason
}

/** The log goes on under another epoch, after `upto`. */
export interface ResetMessage {
  type: 'reset'
  epoch: string
  upto: number
}

/** The server stops; come back after `retry_in_ms`. */
export interface DrainMessage {
  type: 'drain'
  retry_in_ms: number
}

export interface ErrorMessage {
  type: 'error'
  code: string
  message: string
  /** Of the question about a layout that it answers; absent where it answers none. */
  id?: number
}

/** Answer to `ping`: up to where this client has been served. */
export interface PongMessage extends Position {
  type: 'pong'
}

/** What is said of an answer once, in its first part. */
export type ViewHead = Omit<ViewAnswer, 'tokens' | 'tiles'>

/** A tile in a part of an answer, or a piece of one. */
export interface TilePiece {
  z: number
  x: number
  y: number
  version: number
  count: number
  /** One of them is there, or, where the asker has this version, neither. */
  cells?: TileCell[]
  tokens?: ViewToken[]
  /** It goes on in the next part, where the piece that follows has the same other fields. */
  more?: true
}

/** Part of the answer to the `viewport` or `pick` with this id. Parts count from 0. */
export interface ViewMessage extends Partial<ViewHead> {
  type: 'view'
  id: number
  part: number
  last: boolean
  tokens: ViewToken[]
  tiles: TilePiece[]
}

/** Tokens have just been laid out, or moved. */
export interface TokenVisualizationMessage {
  type: 'token_visualization'
  layout: LayoutName
  /** It tells of the entries with `after` < seq <= `upto`. */
  after: number
  upto: number
  tokens: { id: string; text: string; x: number; y: number }[]
}

export type ServerMessage =
  | HelloMessage
  | SnapshotMessage
  | GapMessage
  | ResetMessage
  | DrainMessage
  | ErrorMessage
  | PongMessage
  | ViewMessage
  | TokenVisualizationMessage
  | LogEntry

export interface SubscribeMessage {
  type: 'subscribe'
  /** `"*"`, or the ids of the generations to follow. */
  generations?: '*' | string[]
  /** That `token_visualization` tells of; `map`, of which there is nothing to tell, if not given. */
  layout?: LayoutName
  since?: Position
}

/** Asks what is in a viewport. */
export interface ViewportMessage extends ViewQuestion {
  type: 'viewport'
  id: number
}

/** Asks which token lies at a place. */
export interface PickMessage extends PickQuestion {
  type: 'pick'
  id: number
}

export type ClientMessage =
  | SubscribeMessage
  | ViewportMessage
  | PickMessage
  | { type: 'layout'; layout: LayoutName }
  | { type: 'stop'; generation: string }
  | { type: 'ack'; seq: number }
  | { type: 'ping' }
  | { type: 'auth'; token: string }
