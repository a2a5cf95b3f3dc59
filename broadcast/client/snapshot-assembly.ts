import { ProtocolError } from '../protocol/byte-codec.ts'
import type { SnapshotGeneration, SnapshotMessage } from '../protocol.ts'

/** A snapshot put together: one part, and each text whole. */
export interface WholeSnapshot extends SnapshotMessage {
  part: 0
  last: true
}

/**
 * Puts the parts of a snapshot together. A text may begin in one part and go on in the next; nobody is shown
 * a piece of it.
 */
export class SnapshotAssembly {
  #generations: Map<string, SnapshotGeneration> | null = null
  #upto = 0
  #next = 0

  /** Whether a part came, and not yet the last one. */
  get begun(): boolean {
    return this.#generations !== null
  }

  /**
   * Takes the next part.
   *
   * @returns the snapshot with its last part, before that null
   * @throws ProtocolError if a part or a piece of a text is missing
   */
  add({ upto, part, last, generations }: SnapshotMessage): WholeSnapshot | null {
    if (part === 0) {
      this.#generations = new Map()
      this.#upto = upto
    } else if (this.#generations === null || part !== this.#next || upto !== this.#upto) {
      throw new ProtocolError(`part ${part} of the snapshot at ${upto} does not follow what came before`)
    }
    this.#next = part + 1
    const whole = this.#generations as Map<string, SnapshotGeneration>
    for (const generation of generations) {
      const { text_from = 0, ...told } = generation
      const before = text_from === 0 ? '' : (whole.get(told.generation)?.text ?? '')
      if (before.length !== text_from) {
        throw new ProtocolError(
          `the text of ${told.generation} goes on at ${text_from}, not at ${before.length}`,
        )
      }
      whole.set(told.generation, { ...told, text: before + told.text })
    }
    if (!last) return null
    this.#generations = null
    return { type: 'snapshot', upto, part: 0, last: true, generations: [...whole.values()] }
  }

  /** Forgets the parts of a snapshot that will not go on. */
  reset(): void {
    this.#generations = null
  }
}
