import { ByteReader, ByteWriter, ProtocolError } from '../../broadcast/protocol/byte-codec.ts'
import {
  ENTRIES,
  GENERATIONS,
  type GenerationKey,
  OPENING_TOKEN,
  readDefinition,
  STATE,
  TYPE_MASK,
} from '../../broadcast/protocol.ts'
import { isFinal } from '../../events/generation.ts'
import type { KeptState } from './kept-state.ts'

/** Entries of one generation, as they came in a row, one behind the other. */
export interface Stretch {
  /** What they carry. */
  readonly key: GenerationKey
  readonly bytes: ByteWriter
  entries: number
  /** Indexes of its tokens. */
  readonly tokens: number[]
  /** The last state among them; null if there is none. */
  state: KeptState | null
  /** Where that stands among all that was read: later ones have more. */
  stateAt: number
}

/**
 * Sorts the log's entries by generation without decoding them. It keeps what handles stand for from batch to
 * batch.
 */
export class StretchReader {
  readonly #keys = new Map<number, GenerationKey>()
  /** States read, ever. */
  #states = 0

  /**
   * The entries of messages, by generation in the order in which they began; several of one generation only if
   * their keys differ. What cannot be read is left out, and costs as little else as can be.
   *
   * @param onFault told what could not be read
   */
  read(messages: Uint8Array, onFault: (fault: unknown) => void): Stretch[] {
    const input = new ByteReader(messages)
    const found = new Map<number, Stretch>()
    try {
      while (input.at < input.end) {
        const type = input.u8()
        const message = input.part(input.u32())
        if (type === GENERATIONS) this.#define(message)
        else if (type === ENTRIES) this.#sort(message, found, onFault)
      }
    } catch (fault) {
      onFault(fault)
    }
    return [...found.values()]
  }

  #define(input: ByteReader): void {
    while (input.at < input.end) {
      const handle = input.varint()
      this.#keys.set(handle, readDefinition(input, handle))
    }
  }

  #sort(input: ByteReader, found: Map<number, Stretch>, onFault: (fault: unknown) => void): void {
    input.varint()
    while (input.at < input.end) {
      const start = input.at
      const type = input.u8() & TYPE_MASK
      const end = input.varint() + input.at
      if (end > input.end) throw new ProtocolError('an entry goes beyond its message')
      try {
        this.#take(input, type, start, end, found)
      } catch (fault) {
        onFault(fault)
      }
      input.at = end
    }
  }

  /** Takes in the entry from `start` to `end`, of which type and size are read. */
  #take(input: ByteReader, type: number, start: number, end: number, found: Map<number, Stretch>): void {
    const handle = input.varint()
    let state: KeptState | null = null
    let index = 0
    if (type === STATE) {
      const began = input.varint()
      state = JSON.parse(input.text(end)) as KeptState
      this.#keys.set(handle, { handle, began, id: state.generation })
    } else {
      if (type === OPENING_TOKEN) this.#keys.set(handle, readDefinition(input, handle))
      index = input.varint()
    }
    const stretch = this.#stretchOf(handle, found)
    stretch.bytes.raw(input.bytes.subarray(start, end))
    stretch.entries++
    if (state === null) {
      stretch.tokens.push(index)
      return
    }
    stretch.state = state
    stretch.stateAt = ++this.#states
    // What comes after an end is told anew.
    if (isFinal(state.state)) this.#keys.delete(handle)
  }

  #stretchOf(handle: number, found: Map<number, Stretch>): Stretch {
    const known = found.get(handle)
    if (known !== undefined) return known
    const key = this.#keys.get(handle)
    if (key === undefined) throw new ProtocolError(`an entry is of generation ${handle}, which nobody told`)
    const stretch = { key, bytes: new ByteWriter(1024), entries: 0, tokens: [], state: null, stateAt: -1 }
    found.set(handle, stretch)
    return stretch
  }
}
