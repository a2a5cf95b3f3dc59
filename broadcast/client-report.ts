import type { Subprotocol } from './protocol.ts'

/** How a viewer stands, for `/scope/v1/clients`. */
export interface ClientReport {
  /** Name of the connection, of no use but to tell it from others. */
  client: string
  address: string | null
  protocol: Subprotocol
  /** What it follows; `*` before it has subscribed, too. */
  generations: '*' | string[]
  /** Not subscribed yet; with the head; over 100 entries behind; waiting for it to acknowledge. */
  state: 'connecting' | 'live' | 'behind' | 'held'
  /** Unix seconds. */
  connected_at: number
  /** Seq up to which it was sent, acknowledged, and said to have applied; null: not yet. */
  cursor: number | null
  acknowledged: number | null
  applied: number | null
  /** Entries between what it acknowledged and the head. */
  lag: number
  unacknowledged_bytes: number
  /** Entries and frames sent; entries it was moved past; how often, and how often it got a snapshot. */
  delivered: number
  frames: number
  skipped: number
  gaps: number
  snapshots: number
  /** From the last ping to its pong. */
  rtt_ms: number | null
}
