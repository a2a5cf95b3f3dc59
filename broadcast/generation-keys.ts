import { type GenerationKey, ticksOf } from './protocol.ts'

/** A generation that the log knows. */
export interface KnownGeneration extends GenerationKey {
  /** Seq of the entry that told its handle first. */
  readonly opened: number
  /** Seq of its newest entry; 0 until it has one. */
  last: number
  /** Whether its last state was final. */
  final: boolean
}

/**
 * The handles of generations, numbered 1, 2, 3, … in the order in which the log hears of them. One is forgotten
 * when its generation is final and the log keeps no entry of it; a generation that comes again gets another.
 */
export class GenerationKeys {
  /** What the handles stand for. */
  readonly keys = new Map<number, GenerationKey>()
  readonly #byId = new Map<string, KnownGeneration>()
  #given = 0

  /** The generation, or undefined if there is none. */
  find(id: string): KnownGeneration | undefined {
    return this.#byId.get(id)
  }

  /** Gives a generation its handle, with the entry `seq`. */
  open(id: string, seq: number): KnownGeneration {
    const handle = ++this.#given
    const began = ticksOf(Date.now() / 1000)
    const known: KnownGeneration = { handle, id, began, opened: seq, last: 0, final: false }
    this.#byId.set(id, known)
    this.keys.set(handle, { handle, id, began })
    return known
  }

  /** The id that `handle` stands for. */
  idOf(handle: number): string | undefined {
    return this.keys.get(handle)?.id
  }

  /** Tells that entry `seq`, of this handle, is kept no longer. */
  dropped(handle: number, seq: number): void {
    const id = this.idOf(handle)
    if (id === undefined) return
    const known = this.#byId.get(id)
    if (known === undefined || !known.final || known.last > seq) return
    this.#byId.delete(id)
    this.keys.delete(handle)
  }

  /** Those that a reader has to know who begins after entry `after`: no entry after it tells them first. */
  before(after: number): GenerationKey[] {
    const keys: GenerationKey[] = []
    for (const { handle, id, began, opened, last, final } of this.#byId.values()) {
      if (opened <= after && (last > after || !final)) keys.push({ handle, id, began })
    }
    return keys
  }
}
