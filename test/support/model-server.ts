import type {
  Position,
  ServerMessage,
  SnapshotGeneration,
  SnapshotMessage,
} from '../../broadcast/protocol.ts'
import type { LogEntry, TokenEntry } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'

/** An entry of the model's log, told from all others of its seq by its text. */
type ModelEntry = TokenEntry

/**
 * What the protocol asks of a server, and every freedom that it leaves one: where frames end, when snapshots
 * are taken, how they are divided, when a viewer is skipped. One viewer, whose connection is two queues.
 */
export class ModelServer {
  epoch = 'log.1'
  entries: ModelEntry[] = []
  /** Seq of the oldest entry that is kept. */
  tail = 1
  /** On their way to the client. */
  readonly toClient: ServerMessage[] = []
  /** Asked by the client and not yet answered. */
  readonly toServer: (Position | null)[] = []
  readonly #filter: ReadonlySet<string> | null
  #cursor: number | null = null
  #epochs = 1
  #serial = 0
  #nextIndex = new Map<string, number>()

  constructor(filter: ReadonlySet<string> | null) {
    this.#filter = filter
    this.connect()
  }

  get head(): number {
    return this.entries.length
  }

  append(generation: string): void {
    const index = this.#nextIndex.get(generation) ?? 0
    this.#nextIndex.set(generation, index + 1)
    const seq = this.head + 1
    this.entries.push({ ...tokenEvent(generation, index, `<${this.#serial++}>`), seq, position: [0, 0] })
  }

  /** Forgets entries, all but `left` of them. */
  trim(left: number): void {
    this.tail = Math.max(this.tail, this.head + 1 - left)
  }

  /** A new connection; what was on its way is lost. */
  connect(): void {
    this.toClient.length = 0
    this.toServer.length = 0
    this.#cursor = null
    this.greet()
  }

  greet(): void {
    this.toClient.push({
      type: 'hello',
      epoch: this.epoch,
      head: this.head,
      protocol: 'p',
      layouts: ['map'],
      demo: false,
    })
  }

  ping(): void {
    this.toClient.push({ type: 'pong', epoch: this.epoch, seq: this.#cursor ?? 0 })
  }

  /** Answers the next question; `age` and `cut` are freedoms of a snapshot, if there is one. */
  answer(age: number, cut: number): void {
    const since = this.toServer.shift()
    if (since === undefined) return
    if (since === null) this.#snapshot(age, cut)
    else if (since.epoch !== this.epoch || since.seq > this.head) {
      this.toClient.push({ type: 'gap', from: null, to: null, reason: 'epoch' })
      this.#snapshot(age, cut)
    } else {
      this.#cursor = since.seq
      if (since.seq + 1 < this.tail) this.skip('expired', age, cut)
    }
  }

  /** Gives up telling entry by entry. */
  skip(reason: 'expired' | 'slow_consumer', age: number, cut: number): void {
    if (this.#cursor === null || this.#cursor >= this.head) return
    this.toClient.push({ type: 'gap', from: this.#cursor + 1, to: this.head, reason })
    this.#snapshot(age, cut)
  }

  /** Sends up to `count` entries. */
  pump(count: number): void {
    for (let left = count; left > 0 && this.#cursor !== null && this.#cursor < this.head; left--) {
      if (this.#cursor + 1 < this.tail) this.skip('slow_consumer', 0, 0)
      else {
        const entry = this.entries[this.#cursor++] as ModelEntry
        if (this.#passes(entry)) this.toClient.push(entry)
      }
    }
  }

  /** The log goes on under another epoch; its last `lost` entries are void. */
  reset(lost: number): void {
    const upto = Math.max(this.tail - 1, this.head - lost)
    if (this.#cursor !== null) while (this.#cursor < upto) this.pump(1)
    this.epoch = `log.${++this.#epochs}`
    this.entries = this.entries.slice(0, upto)
    this.#recount()
    if (this.#cursor !== null) this.#cursor = Math.min(this.#cursor, upto)
    this.toClient.push({ type: 'reset', epoch: this.epoch, upto })
  }

  /** Another server, with another log. */
  replace(): void {
    this.epoch = `other.${++this.#epochs}`
    this.entries = []
    this.tail = 1
    this.#recount()
    this.connect()
  }

  /** The text of each generation that passes, at `upto`. */
  texts(upto = this.head): Map<string, string> {
    const texts = new Map<string, string>()
    for (const entry of this.entries.slice(0, upto)) {
      if (this.#passes(entry))
        texts.set(entry.generation, (texts.get(entry.generation) ?? '') + entry.token_text)
    }
    return texts
  }

  /** The first entry after `seq` that passes. */
  next(seq: number): ModelEntry | undefined {
    return this.entries.slice(seq).find(entry => this.#passes(entry))
  }

  #snapshot(age: number, cut: number): void {
    const upto = Math.max(this.tail - 1, this.head - age)
    this.toClient.push(...partsOf(upto, this.texts(upto), cut))
    this.#cursor = upto
  }

  #passes(entry: LogEntry): boolean {
    return this.#filter === null || this.#filter.has(entry.generation)
  }

  #recount(): void {
    this.#nextIndex = new Map()
    for (const { generation, index } of this.entries) this.#nextIndex.set(generation, index + 1)
  }
}

/** The parts of a snapshot with at most `most` units of text each; 0 for one part. */
export function partsOf(upto: number, texts: ReadonlyMap<string, string>, most: number): SnapshotMessage[] {
  const room = most === 0 ? Number.POSITIVE_INFINITY : most
  const groups: SnapshotGeneration[][] = [[]]
  let left = room
  for (const [id, text] of texts) {
    const { type: _type, ...state } = stateEvent(id)
    let from = 0
    do {
      if (left === 0) {
        groups.push([])
        left = room
      }
      const piece = text.slice(from, from + left)
      const told = { ...state, tokens: text.length, text: piece }
      groups.at(-1)?.push(from === 0 ? told : { ...told, text_from: from })
      from += piece.length
      left -= piece.length
    } while (from < text.length)
  }
  return groups.map((generations, part) => ({
    type: 'snapshot',
    upto,
    part,
    last: part === groups.length - 1,
    generations,
  }))
}
