import type { GenerationEvent, LogEntry } from '../events/generation.ts'
import { BLOCK_ENTRIES, EncodedBlock } from './encoded-block.ts'
import { ByteReader } from './protocol/byte-codec.ts'
import {
  BIN_SUBPROTOCOL,
  type GenerationKey,
  readEntry,
  type Subprotocol,
  writeState,
  writeToken,
} from './protocol.ts'

/** Bytes that a block begins with. */
const BINARY_ROOM = 16 * 1024
const JSON_ROOM = 64 * 1024

/** What handles stand for. */
export type Keys = Map<number, GenerationKey>

/**
 * A block of the log: up to 256 entries, each at its index, as bytes and numbers and not as objects.
 *
 * The binary encoding is the store; JSON is made of it, entry by entry, when it is asked for, and kept.
 */
export class LogBlock {
  /** Seq of the entry at index 0. */
  readonly first: number
  readonly binary = new EncodedBlock(BINARY_ROOM, false)
  #json: EncodedBlock | null = null
  #length = 0
  readonly #handles: Uint32Array
  /** NaN for what is no token. */
  readonly #cells: Float64Array
  readonly #readAt: Float64Array
  readonly #appendedAt: Float64Array

  constructor(first: number) {
    this.first = first
    const column = BLOCK_ENTRIES * Float64Array.BYTES_PER_ELEMENT
    const columns = new ArrayBuffer(3.5 * column)
    this.#cells = new Float64Array(columns, 0, BLOCK_ENTRIES)
    this.#readAt = new Float64Array(columns, column, BLOCK_ENTRIES)
    this.#appendedAt = new Float64Array(columns, 2 * column, BLOCK_ENTRIES)
    this.#handles = new Uint32Array(columns, 3 * column, BLOCK_ENTRIES)
  }

  /** Entries appended, the dropped ones among them. */
  get length(): number {
    return this.#length
  }

  /**
   * Appends an event; gives the bytes it takes.
   *
   * @param cell null for what is no token, else with its position on the map
   * @param opens whether a token has to tell what its handle stands for
   */
  append(
    event: GenerationEvent,
    key: GenerationKey,
    token: { cell: number; position: readonly [number, number]; opens: boolean } | null,
    readAt: number,
  ): number {
    const index = this.#length
    const out = this.binary.begin(index)
    if (event.type === 'neural_state') writeState(out, event, key)
    else if (token !== null) writeToken(out, event, token.position, key, token.opens)
    this.#handles[index] = key.handle
    this.#cells[index] = token === null ? Number.NaN : token.cell
    this.#readAt[index] = readAt
    this.#appendedAt[index] = performance.now()
    this.#length++
    return this.binary.end(index)
  }

  handle(index: number): number {
    return this.#handles[index] as number
  }

  /** NaN for what is no token. */
  cell(index: number): number {
    return this.#cells[index] as number
  }

  readAt(index: number): number {
    return this.#readAt[index] as number
  }

  appendedAt(index: number): number {
    return this.#appendedAt[index] as number
  }

  /** The entry at `index`, decoded anew. */
  entry(index: number, keys: Keys): LogEntry {
    const reader = new ByteReader(this.binary.memory, this.binary.startOf(index), this.binary.endOf(index))
    return readEntry(reader, this.first + index, keys) as LogEntry
  }

  /** An encoding of the entries from `from` to `to`: those that have none yet are encoded. */
  encoded(protocol: Subprotocol, from: number, to: number, keys: Keys): EncodedBlock {
    if (protocol === BIN_SUBPROTOCOL) return this.binary
    this.#json ??= new EncodedBlock(JSON_ROOM, true)
    const json = this.#json
    for (let index = from; index <= to; index++) {
      if (json.has(index)) continue
      json.begin(index).text(JSON.stringify(this.entry(index, keys)))
      json.end(index)
    }
    return json
  }

  /** Bytes of JSON that are kept. */
  get jsonBytes(): number {
    return this.#json?.bytes ?? 0
  }

  /** Drops the entry at `index`; gives the bytes of all its encodings. */
  drop(index: number): number {
    return this.binary.drop(index) + (this.#json?.drop(index) ?? 0)
  }

  /** Drops all JSON; gives its bytes. */
  forgetJson(): number {
    const bytes = this.jsonBytes
    this.#json = null
    return bytes
  }
}
