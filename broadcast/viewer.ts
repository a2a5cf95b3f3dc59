/**
 * One viewer: a cursor into the log, and what is known of how far the other side has come.
 *
 * Nothing is queued for a viewer. What it has not got yet lies in the log, and is sent when it can take
 * it; so a slow viewer costs no memory beyond its socket's, and catches up with larger frames. How far it
 * has come is known from pongs: each ping carries the cursor's seq, and every WebSocket stack answers with
 * the same payload by itself. (`bufferedAmount` would be blind for the first 4 MB that the kernel takes.)
 *
 * Viewers are served in rounds, up to the same entry each, so that they stand at the same place when the next
 * begins. One that could not take all of it is *held*, and goes on by itself when a pong makes room.
 */
import type { WebSocket } from 'ws'
import { CLOSE_CODES, type CloseName } from '../events/close-codes.ts'
import type { ClientReport } from './client-report.ts'
import type { Delivery } from './delivery.ts'
import type { Frame } from './frames.ts'
import type { GenerationFilter } from './generation-filter.ts'
import { LIMITS } from './limits.ts'
import {
  BIN_SUBPROTOCOL,
  type GapReason,
  type Position,
  type ServerMessage,
  type Subprotocol,
} from './protocol.ts'
import { Window } from './window.ts'
import { type WireFrame, wireFrame, writeFrame, writePing } from './wire.ts'

interface Subscription {
  filter: GenerationFilter | null
  since: Position | null
}

export interface ViewerOptions {
  name: string
  address: string | null
  protocol: Subprotocol
}

export class Viewer {
  readonly socket: WebSocket
  readonly protocol: Subprotocol
  readonly #name: string
  readonly #address: string | null
  readonly #delivery: Delivery
  readonly #connectedAt = performance.now()
  /** What was asked for and waits until the viewer can take it. */
  #asked: Subscription | null = null
  #filter: GenerationFilter | null = null
  /** Seq up to which this viewer has been served; null until it subscribed. */
  #cursor: number | null = null
  /** Where it began to follow what it follows. */
  #from = Number.POSITIVE_INFINITY
  /** Until it first reaches the head after a resume, being behind is its right. */
  #catchingUp = false
  /** It could not take all that there was. */
  #held = false
  readonly #window = new Window()
  /** A ping is to go out, with the next frame if one comes soon. */
  #pingDue = false
  /** The next frame did not fit the window, and no pong has made room since. */
  #full = false
  #advancedAt = 0
  #closed: CloseName | null = null
  #applied: number | null = null
  #delivered = 0
  #frames = 0
  #skipped = 0
  #gaps = 0
  #snapshots = 0

  constructor(socket: WebSocket, delivery: Delivery, { name, address, protocol }: ViewerOptions) {
    this.socket = socket
    this.#delivery = delivery
    this.#name = name
    this.#address = address
    this.protocol = protocol
  }

  /** Seq up to which this viewer has been served; 0 before it subscribed. */
  get cursor(): number {
    return this.#cursor ?? 0
  }

  /** Seq up to which it has all that it asked for last; 0 while that waits. */
  get served(): number {
    return this.#asked === null ? this.cursor : 0
  }

  /** What it follows; null: everything. */
  get filter(): GenerationFilter | null {
    return this.#filter
  }

  /** What it was closed with, if it was. */
  get closedWith(): CloseName | null {
    return this.#closed
  }

  /** Sends a message that is no log entry. */
  tell(message: ServerMessage): void {
    if (!this.#open) return
    this.#write(wireFrame(Buffer.from(JSON.stringify(message)), false))
    // Who asks and does not read is not asked to go on: the next questions wait in its own socket.
    if (this.socket.bufferedAmount > LIMITS.replyBytes) this.socket.pause()
  }

  /** Closes with a code of the table. */
  close(code: CloseName): void {
    if (!this.#open) return
    this.#closed = code
    this.socket.close(CLOSE_CODES[code].code, CLOSE_CODES[code].reason)
  }

  /** Cuts the connection without a closing handshake, for one that does not answer any more. */
  terminate(): void {
    this.socket.terminate()
  }

  /**
   * Starts, or starts anew, with a filter (null: everything): from `since` if it is kept, else from a
   * snapshot.
   *
   * @param target up to where viewers are served now
   */
  subscribe(filter: GenerationFilter | null, since: Position | null, target: number): void {
    this.#asked = { filter, since }
    this.pump(target)
  }

  /** Sends what the viewer has not got yet up to entry `target`, as far as it can take it now. */
  pump(target: number): void {
    if (!this.#open) return
    // One that asks again and again without reading is owed one snapshot, not one each.
    if (this.#asked !== null && this.#canTake()) this.#begin(this.#asked)
    let held = this.#asked !== null
    while (this.#cursor !== null && this.#cursor < target) {
      held = !this.#canTake()
      if (held) break
      if (this.#tooFarBehind(this.#cursor) && this.#skip(this.#cursor, 'slow_consumer')) continue
      const frame = this.#delivery.frame(this.protocol, this.#cursor, target, this.#filter)
      const { unacked } = this.#window
      if (unacked > 0 && unacked + frame.bytes.length > LIMITS.unackedBytes) {
        this.#full = true
        held = true
        break
      }
      this.#cursor = frame.to
      if (this.#catchingUp) this.#advancedAt = performance.now()
      if (frame.entries > 0) this.#send(frame)
    }
    this.#held = held
    // Not yet, while it is still being sent a large snapshot.
    if (this.#catchingUp && !held && this.#canTake()) this.#catchingUp = false
  }

  /** Goes on, if it was held. */
  goOn(target: number): void {
    if (this.#held) this.pump(target)
  }

  /** Whether a full frame of something besides entries can be sent now, such as a part of an answer. */
  get hasRoom(): boolean {
    return this.#hasRoomFor(LIMITS.frameBytes)
  }

  /** Sends something besides entries, if it can be sent now; says whether it was. */
  offer(frame: WireFrame): boolean {
    const { length } = frame.bytes
    if (!this.#hasRoomFor(length)) return false
    const { unpinged } = this.#window
    this.#write(frame)
    if (unpinged + length >= LIMITS.pingBytes) this.#ping()
    return true
  }

  /** Once a second: makes a ping due, and closes a viewer that has left something unanswered for a minute. */
  tick(target: number): void {
    if (!this.#open) return
    if (this.#window.silentMs > LIMITS.silentMs) {
      this.close('TOO_SLOW')
      // Nobody answers there; the closing handshake would only wait as well.
      setTimeout(() => this.terminate(), 1000).unref()
      return
    }
    if (this.socket.isPaused && this.socket.bufferedAmount < LIMITS.highWaterBytes) this.socket.resume()
    this.#pingDue = this.#window.unanswered < LIMITS.unansweredPings
    this.goOn(target)
  }

  /** Does not hold it against the viewer that nothing was heard of it for so many ms. */
  excuse(ms: number): void {
    this.#window.excuse(ms)
    this.#advancedAt += ms
  }

  /** Sends the ping that is due, if no frame has taken it along. */
  pingIfDue(): void {
    if (this.#pingDue && this.#open) this.#ping()
  }

  /** The other side has answered the ping that carried `seq`. */
  onPong(seq: number, target: number): void {
    const answered = this.#window.pong(seq)
    if (answered === null) return
    this.#full = false
    // It takes the snapshot that it is still being sent.
    if (performance.now() - this.#advancedAt <= LIMITS.lagMs) this.#advancedAt = performance.now()
    // An older one tells nothing of what it follows now.
    if (answered >= this.#from) this.#delivery.lag(Math.max(0, this.#delivery.log.head - answered))
    this.goOn(target)
  }

  /** The other side says that it has applied everything up to `seq`. It is shown, and rules nothing. */
  onAck(seq: number): void {
    this.#applied = Math.min(seq, this.cursor)
  }

  /** How it stands now. */
  report(): ClientReport {
    const acknowledged = this.#cursor === null ? null : this.#window.acknowledged
    const { head } = this.#delivery.log
    const lag = head - (acknowledged ?? this.cursor)
    // Between two pings nobody can tell: who has answered all of them has what it was sent.
    const late = this.#window.unanswered === 0 ? head - this.cursor : lag
    const behind = late > LIMITS.behindEntries ? 'behind' : 'live'
    return {
      client: this.#name,
      address: this.#address,
      protocol: this.protocol,
      generations: this.#filter?.ids ?? '*',
      state: this.#held ? 'held' : this.#cursor === null ? 'connecting' : behind,
      connected_at: (performance.timeOrigin + this.#connectedAt) / 1000,
      cursor: this.#cursor,
      acknowledged,
      applied: this.#applied,
      lag,
      unacknowledged_bytes: this.#window.unacked,
      delivered: this.#delivered,
      frames: this.#frames,
      skipped: this.#skipped,
      gaps: this.#gaps,
      snapshots: this.#snapshots,
      rtt_ms: this.#window.rttMs,
    }
  }

  get #open(): boolean {
    return this.socket.readyState === this.socket.OPEN
  }

  #begin({ filter, since }: Subscription): void {
    const { log } = this.#delivery
    this.#asked = null
    this.#filter = filter
    this.#catchingUp = true
    this.#held = false
    this.#advancedAt = performance.now()
    if (since === null) this.#sendSnapshot(this.#delivery.snapshot(filter))
    else if (since.epoch !== log.epoch || since.seq > log.head) {
      this.#tellGap(null, null, 'epoch')
      this.#sendSnapshot(this.#delivery.snapshot(filter))
    } else {
      this.#cursor = since.seq
      if (since.seq + 1 >= log.tail || !this.#skip(since.seq, 'expired')) this.#sendDefinitions(since.seq)
    }
    this.#from = this.cursor
  }

  #canTake(): boolean {
    return (
      !this.#full &&
      this.#window.unacked < LIMITS.unackedBytes &&
      this.socket.bufferedAmount < LIMITS.highWaterBytes
    )
  }

  /** Entries come first, and room is left for those to come. What is larger by itself goes alone. */
  #hasRoomFor(bytes: number): boolean {
    const { unacked } = this.#window
    return (
      this.#open &&
      this.#asked === null &&
      !this.#held &&
      !this.#full &&
      this.socket.bufferedAmount === 0 &&
      (unacked === 0 || unacked + bytes <= LIMITS.answerBytes)
    )
  }

  #tooFarBehind(cursor: number): boolean {
    const { log } = this.#delivery
    // One that took all there was the last time is behind through no fault of its own.
    const late = this.#held && cursor + 1 >= log.tail && this.#isLate(cursor)
    // Asked last: to count the bytes of JSON makes it, and that may take others' place in the log.
    return late || cursor + 1 < log.tail
  }

  #isLate(cursor: number): boolean {
    const { log } = this.#delivery
    const now = performance.now()
    if (this.#catchingUp) return now - this.#advancedAt > LIMITS.lagMs
    // JSON of what a filter keeps back would be made for nobody.
    const protocol = this.#filter === null ? this.protocol : BIN_SUBPROTOCOL
    return (
      now - log.appendedAt(cursor + 1) > LIMITS.lagMs || log.bytesAfter(cursor, protocol) > LIMITS.lagBytes
    )
  }

  /** Moves on from `cursor` to a snapshot, saying what will not come; false if there is none beyond it. */
  #skip(cursor: number, reason: GapReason): boolean {
    const snapshot = this.#delivery.snapshot(this.#filter)
    if (snapshot.upto <= cursor) return false
    this.#tellGap(cursor + 1, snapshot.upto, reason)
    this.#sendSnapshot(snapshot)
    this.#held = false
    return true
  }

  #tellGap(from: number | null, to: number | null, reason: GapReason): void {
    const entries = from === null || to === null ? 0 : to - from + 1
    this.tell({ type: 'gap', from, to, reason })
    this.#gaps++
    this.#skipped += entries
    this.#delivery.skipped(reason, entries)
  }

  #sendSnapshot({ upto, frames }: { upto: number; frames: WireFrame[] }): void {
    for (const frame of frames) {
      const { unpinged, unanswered } = this.#window
      // On a slow line they take their time, and each is a sign of life.
      if (unpinged >= LIMITS.pingBytes && unanswered < LIMITS.unansweredPings) this.#ping()
      this.#write(frame)
    }
    this.#snapshots++
    this.#cursor = upto
    this.#advancedAt = performance.now()
    this.#sendDefinitions(upto)
    this.#ping()
  }

  #sendDefinitions(cursor: number): void {
    if (this.protocol !== BIN_SUBPROTOCOL) return
    const definitions = this.#delivery.definitions(cursor)
    if (definitions !== null) this.#write(definitions)
  }

  #send(frame: Frame): void {
    const pings = this.#pingDue || this.#window.unpinged + frame.bytes.length >= LIMITS.pingBytes
    // The ping's few bytes are not the viewer's to acknowledge.
    this.#write(pings ? this.#delivery.pinged(frame) : frame, frame.bytes.length)
    if (pings) this.#pinged()
    this.#delivered += frame.entries
    this.#frames++
    this.#delivery.delivered(frame)
  }

  #write(frame: WireFrame, bytes = frame.bytes.length): void {
    this.#window.send(bytes)
    writeFrame(this.socket, frame)
  }

  #ping(): void {
    writePing(this.socket, this.#delivery.ping(this.cursor))
    this.#pinged()
  }

  /** A ping with the cursor went out. */
  #pinged(): void {
    this.#window.ping(this.cursor)
    this.#pingDue = false
  }
}
