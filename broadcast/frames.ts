import type { SnapshotGeneration, SnapshotMessage } from './protocol.ts'
import type { LogRecord, TokenLog } from './token-log.ts'
import { type Frame, LIMITS } from './viewer.ts'

const OPEN = Buffer.from('[')
const COMMA = Buffer.from(',')
const CLOSE = Buffer.from(']')
/** Frames kept at most: viewers that come back stand at as many places of the log as there are of them. */
const KEPT_FRAMES = 64

/**
 * Makes the frames of the JSON protocol, each once while the log's head stays where it is: viewers at the
 * same cursor get the same Buffer.
 */
export class FrameCache {
  readonly #log: TokenLog
  readonly #frames = new Map<number, Frame>()
  #head = -1
  #snapshot: { upto: number; parts: Buffer[] } | null = null

  constructor(log: TokenLog) {
    this.#log = log
  }

  /**
   * The entries with seq > `after` that pass `filter` (null: all), as many as fit one frame, at least one
   * if there is any. Without an entry that passes, `entries` is 0 and `to` is the head.
   */
  frame(after: number, filter: ReadonlySet<string> | null): Frame {
    if (filter !== null) return this.#make(after, filter)
    this.#forgetIfMoved()
    let frame = this.#frames.get(after)
    if (frame === undefined) {
      frame = this.#make(after, null)
      this.#frames.set(after, frame)
      const [oldest] = this.#frames.keys()
      if (this.#frames.size > KEPT_FRAMES && oldest !== undefined) this.#frames.delete(oldest)
    }
    return frame
  }

  /** A snapshot at the head, in parts: of the generations in `filter` (null: all, shared). */
  snapshot(filter: ReadonlySet<string> | null): { upto: number; parts: Buffer[] } {
    const { head } = this.#log
    if (filter !== null) {
      const chosen = this.#log.generations().filter(({ generation }) => filter.has(generation))
      return { upto: head, parts: snapshotParts(head, chosen) }
    }
    this.#forgetIfMoved()
    this.#snapshot ??= { upto: head, parts: snapshotParts(head, this.#log.generations()) }
    return this.#snapshot
  }

  #forgetIfMoved(): void {
    if (this.#head === this.#log.head) return
    this.#head = this.#log.head
    this.#frames.clear()
    this.#snapshot = null
  }

  #make(after: number, filter: ReadonlySet<string> | null): Frame {
    const chosen: LogRecord[] = []
    let bytes = 0
    let to = after
    for (let seq = after + 1; seq <= this.#log.head; seq++) {
      const record = this.#log.record(seq) as LogRecord
      if (filter === null || filter.has(record.entry.generation)) {
        // The commas are counted in `bytes`; the two brackets come on top.
        if (chosen.length > 0 && bytes + record.json.length + 2 > LIMITS.frameBytes) break
        chosen.push(record)
        bytes += record.json.length + 1
      }
      to = seq
    }
    return { bytes: joined(chosen), to, entries: chosen.length }
  }
}

/** One object alone, several as an array. */
function joined(records: LogRecord[]): Buffer {
  const [first] = records
  if (first === undefined) return Buffer.alloc(0)
  if (records.length === 1) return first.json
  const pieces: Buffer[] = []
  for (const record of records) pieces.push(pieces.length === 0 ? OPEN : COMMA, record.json)
  pieces.push(CLOSE)
  return Buffer.concat(pieces)
}

/** Parts of about 64 Ki characters of text; a generation is never divided. */
function snapshotParts(upto: number, generations: SnapshotGeneration[]): Buffer[] {
  const groups: SnapshotGeneration[][] = [[]]
  let chars = 0
  for (const generation of generations) {
    if (chars > 0 && chars + generation.text.length > LIMITS.snapshotPartChars) {
      groups.push([])
      chars = 0
    }
    groups.at(-1)?.push(generation)
    chars += generation.text.length
  }
  return groups.map((group, part) => {
    const message: SnapshotMessage = {
      type: 'snapshot',
      upto,
      part,
      last: part === groups.length - 1,
      generations: group,
    }
    return Buffer.from(JSON.stringify(message))
  })
}
