import { ByteWriter } from './protocol/byte-codec.ts'

/** Entries in a block. */
export const BLOCK_ENTRIES = 256
/** Dead bytes that are not worth moving the living for. */
const DEAD_BYTES = 64 * 1024
const COMMA = 0x2c

/**
 * One encoding of the entries of a block, in one piece of memory.
 *
 * Entries are encoded in any order, each once. Those that are encoded in the order of the log lie one behind the
 * other, so that many of them are copied at once. Entries are dropped from the front; their memory goes with the
 * block, and earlier where they make up most of it.
 */
export class EncodedBlock {
  #out: ByteWriter
  /** Bytes between neighbours: a comma, where their encoding is JSON. */
  readonly #between: 0 | 1
  readonly #starts = new Uint32Array(BLOCK_ENTRIES)
  /** 0 where an entry is not encoded, or dropped. */
  readonly #ends = new Uint32Array(BLOCK_ENTRIES)
  #encoded = 0
  #living = 0

  /**
   * @param room bytes to begin with
   * @param commas whether neighbours are to stand with a comma between them
   */
  constructor(room: number, commas: boolean) {
    this.#out = new ByteWriter(room)
    this.#between = commas ? 1 : 0
  }

  /** What entries lie in; another one after each write and each drop. */
  get memory(): Uint8Array {
    return this.#out.bytes
  }

  /** Bytes of the entries that are encoded and not dropped. */
  get bytes(): number {
    return this.#living
  }

  has(index: number): boolean {
    return this.#ends[index] !== 0
  }

  /** Where the entry at `index` begins in `memory`. */
  startOf(index: number): number {
    return this.#starts[index] as number
  }

  /** Where it ends; 0 if it is not there. */
  endOf(index: number): number {
    return this.#ends[index] as number
  }

  /** Bytes of it; 0 if it is not there. */
  sizeOf(index: number): number {
    const end = this.#ends[index] as number
    return end === 0 ? 0 : end - (this.#starts[index] as number)
  }

  /** Begins to encode the entry at `index`: what is written to the result belongs to it. */
  begin(index: number): ByteWriter {
    if (this.#between === 1) this.#out.u8(COMMA)
    this.#starts[index] = this.#out.length
    return this.#out
  }

  /** Ends it; gives its bytes, which must be some. */
  end(index: number): number {
    const { length } = this.#out
    const size = length - (this.#starts[index] as number)
    this.#ends[index] = length
    this.#living += size
    // No more is to come: what was kept for it goes.
    if (++this.#encoded === BLOCK_ENTRIES) this.#move()
    return size
  }

  /** Drops the entry at `index`, if it is there; gives its bytes. */
  drop(index: number): number {
    const size = this.sizeOf(index)
    if (size === 0) return 0
    this.#ends[index] = 0
    this.#living -= size
    const { length } = this.#out
    const dead = length - this.#living
    if (dead > DEAD_BYTES && dead > length / 2) this.#move()
    return size
  }

  /** Writes the entries from `from` to `to`, all of which must be there, as they stand one behind the other. */
  copyTo(target: ByteWriter, from: number, to: number): void {
    const between = this.#between
    for (let first = from; first <= to; ) {
      let last = first
      while (last < to && this.#starts[last + 1] === (this.#ends[last] as number) + between) last++
      if (first > from && between === 1) target.u8(COMMA)
      target.raw(this.#out.bytes.subarray(this.#starts[first], this.#ends[last]))
      first = last + 1
    }
  }

  /** Moves what lives to memory of its size. */
  #move(): void {
    const { bytes } = this.#out
    this.#out = new ByteWriter(this.#living + BLOCK_ENTRIES * this.#between)
    for (let index = 0; index < BLOCK_ENTRIES; index++) {
      const end = this.#ends[index] as number
      if (end === 0) continue
      const start = this.#starts[index] as number
      if (this.#between === 1) this.#out.u8(COMMA)
      this.#starts[index] = this.#out.length
      this.#out.raw(bytes.subarray(start, end))
      this.#ends[index] = this.#out.length
    }
  }
}
