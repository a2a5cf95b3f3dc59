import { Gcra } from '../events/gcra.ts'
import { LIMITS } from './limits.ts'
import type { Filter } from './payload.ts'
import { ByteWriter } from './protocol/byte-codec.ts'
import {
  BIN_SUBPROTOCOL,
  type SnapshotGeneration,
  type SnapshotMessage,
  type Subprotocol,
  writeGenerations,
} from './protocol.ts'
import type { TokenLog } from './token-log.ts'
import { type WireFrame, wireFrame } from './wire.ts'

/** Frames kept at most: viewers that come back stand at as many places of the log as there are of them. */
const KEPT_FRAMES = 64
/** Bytes of them at most: one entry may be as large as all that. */
const KEPT_BYTES = 16 * 1024 * 1024
/** What making snapshots may take of the time, in ms a minute and at once, before they are shared. */
const SNAPSHOT_BUDGET = { perMinute: 6000, burst: 100 }
/** Beyond it a snapshot may be so many times as old as it took to make. */
const SNAPSHOT_AGE = 10
/** Generations in one part of a snapshot at most. */
const PART_GENERATIONS = 100

/** A WebSocket frame with entries of the log. */
export interface Frame extends WireFrame {
  /** Seq after which it begins. */
  readonly after: number
  /** Seq up to which a viewer has been served once it has this: where its cursor goes. */
  readonly to: number
  readonly entries: number
  readonly tokens: number
}

/** A snapshot in its parts; entries after `upto` follow. */
export interface Snapshot {
  readonly upto: number
  readonly frames: WireFrame[]
}

/** What a frame was made of. */
interface Place {
  protocol: Subprotocol
  after: number
  upTo: number
  filterKey: string | null
  frame: Frame
}

/**
 * Makes the frames of entries and the snapshots, each once: viewers at the same cursor, with the same protocol
 * and filter, get the same Buffer.
 */
export class FrameCache {
  readonly #log: TokenLog
  readonly #frames = new Map<string, Frame>()
  #frameBytes = 0
  readonly #definitions = new Map<number, WireFrame | null>()
  /** The last frame that was asked for, which mostly is the next one, too. */
  #front: Place | null = null
  #upTo = -1
  #definitionsHead = -1
  /** The snapshots that may be shared yet, by the key of their filter. */
  readonly #snapshotBudget = new Gcra(SNAPSHOT_BUDGET)
  readonly #snapshots = new Map<string | null, { snapshot: Snapshot; goodTo: number }>()

  constructor(log: TokenLog) {
    this.#log = log
  }

  /**
   * The entries with `after` < seq ≤ `upTo` that pass `filter` (null: all), as many as fit one frame, at least
   * one if there is any. Without an entry that passes, `entries` is 0, `to` is `upTo` and the frame is not to
   * be sent.
   */
  frame(protocol: Subprotocol, after: number, upTo: number, filter: Filter | null): Frame {
    const filterKey = filter === null ? null : filter.key
    const front = this.#front
    if (
      front !== null &&
      front.after === after &&
      front.upTo === upTo &&
      front.protocol === protocol &&
      front.filterKey === filterKey
    ) {
      return front.frame
    }
    if (upTo > this.#upTo) {
      this.#upTo = upTo
      this.#frames.clear()
      this.#frameBytes = 0
    }
    const key = `${protocol} ${after} ${upTo} ${filterKey === null ? '' : `:${filterKey}`}`
    const kept = this.#frames.get(key)
    const frame = kept ?? this.#make(protocol, after, upTo, filter)
    if (kept === undefined) this.#keep(key, frame)
    this.#front = { protocol, after, upTo, filterKey, frame }
    return frame
  }

  /**
   * A snapshot in parts, which are JSON in both protocols: of the log as it is at its head. When so many ask that
   * making them takes a tenth of the time, as after a restart, it is shared and may be older than the head, up to
   * ten times as old as it took to make; all that comes after it is kept.
   */
  snapshot(filter: Filter | null): Snapshot {
    const { head, tail } = this.#log
    const key = filter === null ? null : filter.key
    const shared = this.#snapshots.get(key)
    const begun = performance.now()
    if (shared !== undefined && shared.snapshot.upto >= tail - 1) {
      if (shared.snapshot.upto === head) return shared.snapshot
      if (begun < shared.goodTo && this.#snapshotBudget.balance(begun) <= 0) return shared.snapshot
    }
    for (const [old, { goodTo }] of this.#snapshots) if (begun >= goodTo) this.#snapshots.delete(old)
    const snapshot = this.#makeSnapshot(filter)
    const ended = performance.now()
    this.#snapshotBudget.charge(ended - begun, ended)
    this.#snapshots.set(key, { snapshot, goodTo: ended + SNAPSHOT_AGE * (ended - begun) })
    return snapshot
  }

  /**
   * What a viewer of the binary protocol has to be told before entries after `after`, if it was not sent those
   * up to there; null if there is nothing to tell.
   */
  definitions(after: number): WireFrame | null {
    const { head } = this.#log
    if (head !== this.#definitionsHead) {
      this.#definitionsHead = head
      this.#definitions.clear()
    }
    const kept = this.#definitions.get(after)
    if (kept !== undefined) return kept
    const keys = this.#log.definitions(after)
    let frame: WireFrame | null = null
    if (keys.length > 0) {
      const out = new ByteWriter()
      writeGenerations(out, keys)
      frame = wireFrame(out.written, true)
    }
    if (this.#definitions.size === KEPT_FRAMES) this.#definitions.clear()
    this.#definitions.set(after, frame)
    return frame
  }

  /** Keeps a frame, and not too many. */
  #keep(key: string, frame: Frame): void {
    this.#frames.set(key, frame)
    this.#frameBytes += frame.bytes.length
    for (const [oldest, { bytes }] of this.#frames) {
      if (this.#frames.size <= KEPT_FRAMES && this.#frameBytes <= KEPT_BYTES) return
      this.#frames.delete(oldest)
      this.#frameBytes -= bytes.length
    }
  }

  #make(protocol: Subprotocol, after: number, upTo: number, filter: Filter | null): Frame {
    const { payload, ...rest } = this.#log.collect(protocol, after, upTo, LIMITS.frameBytes, filter)
    return { ...wireFrame(payload, protocol === BIN_SUBPROTOCOL), after, ...rest }
  }

  #makeSnapshot(filter: Filter | null): Snapshot {
    const upto = this.#log.head
    const groups = partsOf(this.#log.generations(filter))
    const frames = groups.map((generations, part) => {
      const last = part === groups.length - 1
      const message: SnapshotMessage = { type: 'snapshot', upto, part, last, generations }
      return wireFrame(Buffer.from(JSON.stringify(message)), false)
    })
    return { upto, frames }
  }
}

/** Divides generations into parts of 64 Ki units of text; a text is divided only where it fits no part. */
function partsOf(generations: SnapshotGeneration[]): SnapshotGeneration[][] {
  const most = LIMITS.snapshotPartChars
  let group: SnapshotGeneration[] = []
  const groups = [group]
  let units = 0
  for (const generation of generations) {
    for (const piece of piecesOf(generation, most)) {
      if (group.length === PART_GENERATIONS || (units > 0 && units + piece.text.length > most)) {
        group = []
        groups.push(group)
        units = 0
      }
      group.push(piece)
      units += piece.text.length
    }
  }
  return groups
}

/** A generation in pieces of at most `most` units of text, none of which cuts a surrogate pair. */
function piecesOf(generation: SnapshotGeneration, most: number): SnapshotGeneration[] {
  const { text } = generation
  if (text.length <= most) return [generation]
  const pieces: SnapshotGeneration[] = []
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + most, text.length)
    if (to < text.length && isPair(text.charCodeAt(to - 1), text.charCodeAt(to))) to--
    const piece = { ...generation, text: text.slice(from, to) }
    pieces.push(from === 0 ? piece : { ...piece, text_from: from })
    from = to
  }
  return pieces
}

/** Whether two units are the halves of one character. */
function isPair(first: number, second: number): boolean {
  return first >= 0xd800 && first < 0xdc00 && second >= 0xdc00 && second < 0xe000
}
