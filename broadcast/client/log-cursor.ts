/**
 * Where a client is in the log: what it has applied, what it still wants, and what of the messages that come
 * is new to its owner.
 *
 * It guarantees to its owner: an entry is given once, in the order of the log. Where entries will not come
 * any more, a `gap` that names them is given, and right after it the snapshot that stands for them. Both wait
 * until the snapshot is whole: a connection that breaks in its middle has changed nothing.
 */
import type { LogEntry } from '../../events/generation.ts'
import { ProtocolError } from '../protocol/byte-codec.ts'
import type {
  GapMessage,
  PongMessage,
  Position,
  ResetMessage,
  ServerMessage,
  SnapshotMessage,
  TokenVisualizationMessage,
  ViewMessage,
} from '../protocol.ts'
import { SnapshotAssembly, type WholeSnapshot } from './snapshot-assembly.ts'

/** What an owner is told of the log; a snapshot always as one part. */
export type ScopeMessage =
  | Exclude<ServerMessage, SnapshotMessage | ViewMessage | TokenVisualizationMessage>
  | WholeSnapshot

/** How a message came to be told. */
export interface Delivery {
  /** The entry tells of a time that a snapshot already covers: detail to add, not news. */
  readonly replay: boolean
}

export interface LogCursorOptions {
  /** Where to begin; null: with a snapshot. */
  since: Position | null
  /** Entries before the first snapshot whose detail is asked for once; 0 for none. */
  historyEntries: number
  /** Not every entry is asked for: seqs have holes. */
  filtered: boolean
  /** Asks the server for what comes after `since`. */
  subscribe(since: Position): void
  deliver(message: ScopeMessage, delivery: Delivery): void
}

const NEWS: Delivery = { replay: false }
const REPLAY: Delivery = { replay: true }

export class LogCursor {
  readonly #options: LogCursorOptions
  readonly #assembly = new SnapshotAssembly()
  /** Of the log that this connection tells. */
  #epoch: string | null = null
  #position: Position | null
  /** Everything up to here was in a snapshot. */
  #snapshotUpto = 0
  /** Kept until the snapshot after it is whole. */
  #gap: GapMessage | null = null
  #wantsHistory: boolean
  /** The history asked for: entries after `from`; `at` is the last one that came, once it has begun. */
  #history: { from: number; at: number | null } | null = null
  #ended = false

  constructor(options: LogCursorOptions) {
    this.#options = options
    this.#position = options.since
    this.#wantsHistory = options.historyEntries > 0 && options.since === null
  }

  /** The last entry that was applied; null before the first snapshot. */
  get position(): Position | null {
    return this.#position
  }

  /** Seq up to which the log that this connection tells was applied; null where nothing of it was. */
  get appliedHere(): number | null {
    return this.#position !== null && this.#position.epoch === this.#epoch ? this.#position.seq : null
  }

  /** Where a new connection has to begin. */
  get resumePoint(): Position | null {
    if (this.#position === null || this.#history === null) return this.#position
    return { epoch: this.#position.epoch, seq: this.#history.at ?? this.#history.from }
  }

  /** A new connection: what the last one told by half is told again. */
  reconnected(): void {
    this.#epoch = null
    this.#gap = null
    this.#assembly.reset()
  }

  /** The owner wants nothing more: from now on nothing is given, and the position stays what it is. */
  end(): void {
    this.#ended = true
  }

  /**
   * Takes a message and gives on what is new.
   *
   * @throws ProtocolError if it does not fit what came before; a new connection from `resumePoint` helps
   */
  take(message: ServerMessage): void {
    if (this.#ended) return
    switch (message.type) {
      case 'neural_state':
      case 'token_activation':
        this.#entry(message)
        return
      case 'gap':
        this.#gap = message
        return
      case 'snapshot': {
        const whole = this.#assembly.add(message)
        if (whole !== null) this.#snapshot(whole)
        return
      }
      case 'reset':
        this.#reset(message)
        return
      case 'pong':
        this.#served(message)
        return
      case 'view':
      case 'token_visualization':
        return // not of the log
      case 'hello':
        this.#epoch = message.epoch
        break
      default:
    }
    this.#options.deliver(message, NEWS)
  }

  #entry(entry: LogEntry): void {
    const position = this.#position
    // Ahead of a snapshot, which will hold it.
    if (position === null || this.#gap !== null) return
    const { seq } = entry
    const replay = seq <= this.#snapshotUpto
    const history = this.#history
    // Until its first entry comes, others still come live.
    if (history !== null && (history.at !== null || (replay && seq > history.from))) {
      if (seq <= (history.at ?? 0)) return
      history.at = seq
      if (replay) {
        this.#options.deliver(entry, REPLAY)
        return
      }
      if (seq > position.seq) this.#history = null
    }
    if (seq <= position.seq) return
    position.seq = seq
    this.#options.deliver(entry, NEWS)
  }

  #snapshot(snapshot: WholeSnapshot): void {
    const position = this.#position
    const gap = this.#gap
    if (this.#epoch === null) throw new ProtocolError('a snapshot came before hello')
    this.#gap = null
    this.#history = null
    const isAnew = position === null || gap === null || gap.reason === 'epoch'
    if (isAnew) {
      if (gap !== null && position !== null) this.#options.deliver(gap, NEWS)
    } else {
      // The gap may be about history alone, or the snapshot older than what has come: then nothing was lost.
      const from = Math.max(gap.from ?? 0, position.seq + 1)
      this.#wantsHistory = false
      if (from > snapshot.upto) return
      this.#options.deliver({ ...gap, from, to: snapshot.upto }, NEWS)
    }
    if (this.#ended) return // the owner closed it on hearing of the gap
    this.#position = { epoch: this.#epoch, seq: snapshot.upto }
    this.#snapshotUpto = snapshot.upto
    if (gap?.reason === 'epoch') this.#wantsHistory = this.#options.historyEntries > 0
    this.#options.deliver(snapshot, NEWS)
    this.#askForHistory(snapshot.upto)
  }

  #askForHistory(upto: number): void {
    if (!this.#wantsHistory || this.#position === null) return
    this.#wantsHistory = false
    if (upto === 0) return
    const from = Math.max(0, upto - this.#options.historyEntries)
    this.#history = { from, at: null }
    this.#options.subscribe({ epoch: this.#position.epoch, seq: from })
  }

  #reset(message: ResetMessage): void {
    const position = this.#position
    const isOfThisLog = position?.epoch === this.#epoch
    this.#epoch = message.epoch
    // Where this client is from another log, the server's answer to that is on its way.
    if (position === null || !isOfThisLog || this.#gap !== null) return
    // What was applied after it is void. Coming back with the old epoch gives a snapshot, as another log would.
    if (message.upto < position.seq) {
      throw new ProtocolError(`the log went back to ${message.upto} from ${position.seq}`)
    }
    position.epoch = message.epoch
    if (!this.#options.filtered && message.upto > position.seq) {
      throw new ProtocolError(`the log went on after ${message.upto}, and nothing came after ${position.seq}`)
    }
    this.#options.deliver(message, NEWS)
  }

  /** With a filter seqs have holes: only the server knows how far this client has been served. */
  #served(pong: PongMessage): void {
    const position = this.#position
    // Not true yet: what it was served with waits for its last part.
    if (this.#gap !== null || this.#assembly.begun) return
    if (this.#options.filtered && position?.epoch === pong.epoch) {
      position.seq = Math.max(position.seq, pong.seq)
    }
    this.#options.deliver(pong, NEWS)
  }
}
