import { isDeepStrictEqual } from 'node:util'
import type {
  GapMessage,
  GapReason,
  PongMessage,
  Position,
  ServerMessage,
  SnapshotGeneration,
  SnapshotMessage,
} from '../../broadcast/protocol.ts'
import type { LogEntry } from '../../events/generation.ts'
import type { ReferenceLog } from './reference-log.ts'

export interface ResumeAuditOptions {
  /** The logs that there are or were, by epoch. */
  logs: ReadonlyMap<string, ReferenceLog>
  /** The generations subscribed to; null for all. */
  filter: ReadonlySet<string> | null
}

/**
 * Holds what a viewer is told, over one connection after another, against what was appended: every entry
 * once, in order and with its contents; or a gap that says where it begins, a whole snapshot, and the
 * entries after that. Keeps the first thing that is wrong.
 */
export class ResumeAudit {
  /** Up to where this viewer has been told; null before its first snapshot. */
  position: Position | null = null
  readonly gaps: GapReason[] = []
  snapshots = 0
  entries = 0
  replayed = 0
  failure: Error | null = null
  readonly #logs: ResumeAuditOptions['logs']
  readonly #filter: ResumeAuditOptions['filter']
  /** Of the last `hello`. */
  #epoch = ''
  /** A gap on this connection that no snapshot has followed yet. */
  #gap: GapMessage | null = null
  /** The parts of a snapshot so far. */
  #parts: SnapshotMessage[] = []
  #snapshotUpto = 0
  /** The last entry that came again, as history. */
  #replayedTo: number | null = null
  #wake: (() => void)[] = []

  constructor({ logs, filter }: ResumeAuditOptions) {
    this.#logs = logs
    this.#filter = filter
  }

  /** Takes what was received; `replay` where the viewer was told that it is detail of a snapshot's time. */
  read(message: ServerMessage, replay = false): void {
    try {
      if (this.failure === null) this.#read(message, replay)
    } catch (error) {
      this.fail(error as Error)
    }
    for (const wake of this.#wake.splice(0)) wake()
  }

  /** Whether all that this viewer is to have of `reference` has come. */
  hasAllOf(reference: ReferenceLog): boolean {
    const { position } = this
    if (position === null || position.epoch !== reference.log.epoch) return false
    return this.#next(reference, position.seq) === undefined
  }

  /** Waits until `condition` is true, or something was wrong, which is thrown. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.failure !== null) throw this.failure
      await new Promise<void>(resolve => this.#wake.push(resolve))
    }
    if (this.failure !== null) throw this.failure
  }

  /** Ends every wait, unless something was wrong before. */
  fail(error: Error): void {
    this.failure ??= error
    for (const wake of this.#wake.splice(0)) wake()
  }

  #read(message: ServerMessage, replay: boolean): void {
    switch (message.type) {
      case 'hello':
        this.#greeted(message.epoch)
        return
      case 'neural_state':
      case 'token_activation':
        if (replay) this.#replay(message)
        else this.#entry(message)
        return
      case 'gap':
        this.#gapped(message)
        return
      case 'snapshot':
        this.#part(message)
        return
      case 'pong':
        this.#served(message)
        return
      case 'drain':
        return
      default:
        throw new Error(`was sent ${JSON.stringify(message)}`)
    }
  }

  #greeted(epoch: string): void {
    if (!this.#logs.has(epoch)) throw new Error(`was greeted with the epoch ${epoch}, which no log has`)
    this.#epoch = epoch
    this.#gap = null
    this.#parts = []
  }

  #entry(entry: LogEntry): void {
    const position = this.#present(`entry ${entry.seq}`)
    const wanted = this.#next(this.#log, position.seq)
    if (wanted === undefined) throw new Error(`was sent ${entry.seq} after ${position.seq}, where nothing is`)
    assertSame(entry, wanted, `after ${position.seq}`)
    position.seq = entry.seq
    this.entries++
  }

  #replay(entry: LogEntry): void {
    const wanted = this.#log.entries[entry.seq - 1]
    assertSame(entry, wanted, 'as history')
    if (entry.seq > this.#snapshotUpto) throw new Error(`history goes beyond the snapshot: ${entry.seq}`)
    if (this.#replayedTo !== null && this.#next(this.#log, this.#replayedTo) !== wanted) {
      throw new Error(`history goes from ${this.#replayedTo} to ${entry.seq}`)
    }
    this.#replayedTo = entry.seq
    this.replayed++
  }

  #gapped(gap: GapMessage): void {
    if (this.#gap !== null) throw new Error('a gap after a gap, without a snapshot')
    if (gap.reason === 'epoch') {
      if (this.position === null || this.position.epoch === this.#epoch) {
        throw new Error('a gap of another epoch, which it is not')
      }
      if (gap.from !== null || gap.to !== null) throw new Error(`a gap ${JSON.stringify(gap)}`)
      this.position = null
    } else {
      const { seq } = this.#present('a gap')
      const { from, to } = gap
      if (from === null || to === null || from !== seq + 1 || to < from) {
        throw new Error(`a gap after ${seq}: ${JSON.stringify(gap)}`)
      }
    }
    this.#gap = gap
    this.gaps.push(gap.reason)
  }

  #part(part: SnapshotMessage): void {
    if (this.position !== null && this.#gap === null) throw new Error('a snapshot that nothing called for')
    if (part.part !== this.#parts.length || part.upto !== (this.#parts[0] ?? part).upto) {
      throw new Error(`part ${part.part} to ${part.upto} of a snapshot, after ${this.#parts.length} parts`)
    }
    this.#parts.push(part)
    if (!part.last) return
    const { upto } = part
    // What the snapshot stands for is what will not come, to the last entry.
    const to = this.#gap?.to ?? upto
    if (to !== upto) throw new Error(`a snapshot to ${upto} after a gap to ${to}`)
    if (upto > this.#log.entries.length) throw new Error(`a snapshot to ${upto}, which nobody appended`)
    const whole = joined(this.#parts)
    const wanted = this.#log.snapshotAt(upto)
    for (const id of wanted.keys()) if (this.#filter?.has(id) === false) wanted.delete(id)
    for (const [id, generation] of whole) assertSame(generation, wanted.get(id), `in a snapshot to ${upto}`)
    const missing = [...wanted.keys()].filter(id => !whole.has(id))
    if (missing.length > 0) throw new Error(`a snapshot to ${upto} lacks ${missing.join(', ')}`)
    this.position = { epoch: this.#epoch, seq: upto }
    this.#snapshotUpto = upto
    this.#replayedTo = null
    this.#gap = null
    this.#parts = []
    this.snapshots++
  }

  #served(pong: PongMessage): void {
    if (this.position === null || this.position.epoch !== pong.epoch) return
    const next = this.#next(this.#log, this.position.seq)
    if (next !== undefined && next.seq <= pong.seq)
      throw new Error(`served to ${pong.seq} without ${next.seq}`)
  }

  get #log(): ReferenceLog {
    return this.#logs.get(this.#epoch) as ReferenceLog
  }

  /** The position, where something can go on from it. */
  #present(what: string): Position {
    if (this.position === null) throw new Error(`${what} before any snapshot`)
    if (this.position.epoch !== this.#epoch) throw new Error(`${what} of another epoch, without a gap`)
    if (this.#gap !== null) throw new Error(`${what} between a gap and its snapshot`)
    return this.position
  }

  /** The first entry after `seq` that this viewer is to have. */
  #next(reference: ReferenceLog, seq: number): LogEntry | undefined {
    const { entries } = reference
    let index = seq
    while (index < entries.length && this.#filter?.has(entries[index]?.generation ?? '') === false) index++
    return entries[index]
  }
}

/** The generations of a snapshot, each put together from its pieces. */
function joined(parts: SnapshotMessage[]): Map<string, SnapshotGeneration> {
  const whole = new Map<string, SnapshotGeneration>()
  for (const piece of parts.flatMap(({ generations }) => generations)) {
    const { text_from: from, ...generation } = piece
    const before = whole.get(generation.generation)
    if (before === undefined && from !== undefined) throw new Error(`a text begins at unit ${from}`)
    if (before !== undefined) {
      if (from !== before.text.length) throw new Error(`a text goes on at ${from}, not ${before.text.length}`)
      if (/[\ud800-\udbff]$/.test(before.text) && /^[\udc00-\udfff]/.test(piece.text)) {
        throw new Error('a snapshot cuts a surrogate pair')
      }
      generation.text = before.text + piece.text
    }
    whole.set(generation.generation, generation)
  }
  return whole
}

function assertSame(got: object, wanted: object | undefined, where: string): void {
  if (isDeepStrictEqual(got, wanted)) return
  const brief = (value: unknown) => JSON.stringify(value, (_, part) => shortened(part))
  throw new Error(`got ${brief(got)} ${where}, not ${brief(wanted)}`)
}

function shortened(value: unknown): unknown {
  return typeof value === 'string' && value.length > 80
    ? `${value.slice(0, 80)}… (${value.length} units)`
    : value
}
