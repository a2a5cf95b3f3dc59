/**
 * The WebSocket protocol of `/scope/v1/stream`, as types that server and clients share.
 *
 * A JSON message is one object or an array of them. Receivers ignore types and fields they do not know.
 */
import type { LogEntry, NeuralStateEvent } from '../events/generation.ts'

export const JSON_SUBPROTOCOL = 'tokenscope.json.v1'

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

/** The server stops; come back after `retry_in_ms`. */
export interface DrainMessage {
  type: 'drain'
  retry_in_ms: number
}

export interface ErrorMessage {
  type: 'error'
  code: string
  message: string
}

/** Answer to `ping`: up to where this client has been served. */
export interface PongMessage extends Position {
  type: 'pong'
}

export type ServerMessage =
  | HelloMessage
  | SnapshotMessage
  | GapMessage
  | DrainMessage
  | ErrorMessage
  | PongMessage
  | LogEntry

export interface SubscribeMessage {
  type: 'subscribe'
  /** `"*"`, or the ids of the generations to follow. */
  generations?: '*' | string[]
  layout?: string
  since?: Position
}

export type ClientMessage =
  | SubscribeMessage
  | { type: 'layout'; layout: string }
  | { type: 'stop'; generation: string }
  | { type: 'ack'; seq: number }
  | { type: 'ping' }
