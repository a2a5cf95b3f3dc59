import type { Meter, MeterHandle } from '../events/metrics.ts'
import { type Frame, FrameCache } from './frames.ts'
import type { GapReason, Subprotocol } from './protocol.ts'
import type { Filter, TokenLog } from './token-log.ts'
import { type PingFrame, pingFrame, type WireFrame, withPing } from './wire.ts'

/**
 * What the viewers of a hub share: the frames, each made once, and the measuring of what they are sent. Counters are
 * added to once per round, not once per viewer.
 */
export class Delivery {
  readonly log: TokenLog
  readonly #frames: FrameCache
  readonly #meter: Meter
  readonly #messages: MeterHandle
  readonly #lag: MeterHandle
  readonly #latency: MeterHandle
  readonly #tokensPerFrame: MeterHandle
  readonly #pinged = new WeakMap<Frame, WireFrame>()
  /** The ping that was sent last, and its seq: while nothing happens everybody gets the same. */
  #ping: { seq: number; frame: PingFrame } | null = null
  /** Frames that somebody got. */
  readonly #seen = new WeakSet<Frame>()
  /** The one that was delivered last: most often it is the next one's, too. */
  #last: Frame | null = null
  /** Entries delivered and not counted yet. */
  #uncounted = 0
  /** Seq up to which the pipeline latency has been observed. */
  #observedTo = 0

  constructor(log: TokenLog, meter: Meter) {
    this.log = log
    this.#frames = new FrameCache(log)
    this.#meter = meter
    this.#messages = meter.handle('tokenscope_broadcast_messages_total', {})
    this.#lag = meter.handle('tokenscope_broadcast_lag_entries', {})
    this.#latency = meter.handle('tokenscope_pipeline_latency_seconds', {})
    this.#tokensPerFrame = meter.handle('tokenscope_broadcast_tokens_per_frame', {})
  }

  /** The entries with `after` < seq <= `upTo` that pass `filter`, or as many of the first as fit one frame. */
  frame(protocol: Subprotocol, after: number, upTo: number, filter: Filter | null): Frame {
    return this.#frames.frame(protocol, after, upTo, filter)
  }

  /** The frame with a ping after it that carries the seq of its last entry. */
  pinged(frame: Frame): WireFrame {
    let pinged = this.#pinged.get(frame)
    if (pinged === undefined) {
      pinged = withPing(frame, String(frame.to))
      this.#pinged.set(frame, pinged)
    }
    return pinged
  }

  /** A ping that carries `seq`. */
  ping(seq: number): PingFrame {
    if (this.#ping?.seq !== seq) this.#ping = { seq, frame: pingFrame(String(seq)) }
    return this.#ping.frame
  }

  /** A snapshot of what passes `filter`; see `FrameCache`. */
  snapshot(filter: Filter | null): { upto: number; frames: WireFrame[] } {
    return this.#frames.snapshot(filter)
  }

  /** What somebody who begins after `cursor` has to be told before its binary entries; null: nothing. */
  definitions(cursor: number): WireFrame | null {
    return this.#frames.definitions(cursor)
  }

  /** Forgets how long entries have waited: what nobody watched was not late. */
  beginObserving(): void {
    this.#observedTo = this.log.head
  }

  /** A viewer was written `frame`. */
  delivered(frame: Frame): void {
    this.#uncounted += frame.entries
    if (frame === this.#last) return
    this.#last = frame
    if (this.#seen.has(frame)) return
    this.#seen.add(frame)
    this.#tokensPerFrame(frame.tokens)
    const now = performance.now()
    // What everybody was moved past was never written.
    for (let seq = Math.max(this.#observedTo, frame.after) + 1; seq <= frame.to; seq++) {
      const readAt = this.log.readAt(seq)
      if (!Number.isNaN(readAt)) this.#latency((now - readAt) / 1000)
    }
    this.#observedTo = Math.max(this.#observedTo, frame.to)
  }

  /** A viewer was moved past `entries`. */
  skipped(reason: GapReason, entries: number): void {
    this.#meter.count('tokenscope_broadcast_skipped_total', { reason }, entries)
  }

  /** A viewer acknowledged: so many entries were between it and the head. */
  lag(entries: number): void {
    this.#lag(entries)
  }

  /** Counts what was delivered since the last time. */
  count(): void {
    const entries = this.#uncounted
    this.#uncounted = 0
    if (entries > 0) this.#messages(entries)
  }
}
