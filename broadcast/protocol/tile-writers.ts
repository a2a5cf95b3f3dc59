/**
 * Writing tiles' contents piece by piece, for those who have no list of what is in them: the bytes are those of
 * `encodeTile` in tile-codec.ts.
 */
import { ByteWriter, varintBytes } from './byte-codec.ts'
import {
  CELLS,
  FOLLOWS,
  HAS_CONFIDENCE,
  HAS_ENTROPY,
  HAS_INTERVAL,
  HAS_WRAPS,
  KIND_SHIFT,
  TOKENS,
} from './tile-words.ts'
import { TILE_SIDE, type ViewToken } from './view.ts'

/** In their place where they are not known. */
const UNKNOWN = 0xffff

/** Bytes of a cell at most: its place, its tokens and its value. */
const MAX_CELL_BYTES = 2 + 8 + 8

/** A tile's content in bytes, and the tokens in it. */
export interface EncodedContent {
  content: Uint8Array
  count: number
}

/** Writes tiles of cells, one after the other, as `encodeTile` does: for those who have no list of them. */
export class CellWriter {
  readonly #bytes = new Uint8Array(TILE_SIDE * TILE_SIDE * MAX_CELL_BYTES)
  #length = 0
  #cells = 0
  #next = 0
  #count = 0

  /** Adds a cell, after those before it in the order of their places. */
  add(at: number, count: number, value: number | null): void {
    this.#varint(at - this.#next)
    this.#varint(count)
    this.#varint(value === null ? 0 : value + 1)
    this.#next = at + 1
    this.#cells++
    this.#count += count
  }

  /** The tile of all that was added; the next one begins. */
  finish(): EncodedContent {
    const content = new Uint8Array(1 + varintBytes(this.#cells) + this.#length)
    content[0] = CELLS
    content[1] = this.#cells
    if (this.#cells > 0x7f) {
      content[1] = (this.#cells & 0x7f) | 0x80
      content[2] = this.#cells >>> 7
    }
    content.set(this.#bytes.subarray(0, this.#length), content.length - this.#length)
    const count = this.#count
    this.#length = 0
    this.#cells = 0
    this.#next = 0
    this.#count = 0
    return { content, count }
  }

  #varint(value: number): void {
    this.#length = putVarint(this.#bytes, this.#length, value)
  }
}

/** Bytes of a token at most, but for its text and its wraps. */
const MAX_TOKEN_BYTES = 80
const MAX_WRAP_BYTES = 24

/**
 * Writes tiles of tokens, one after the other, as `encodeTile` does: for those who have no list of them. Of each
 * token `token`, `place`, `values` and `time` are told, in this order; then its text is written into `room`, and
 * what it wraps to is told. All places are integers.
 */
export class TokenWriter {
  /** Where the next byte goes in what `room` gives. */
  at = 0
  #bytes = new Uint8Array(65_536)
  #table = new ByteWriter()
  readonly #places = new Map<number, number>()
  #tokens = 0
  #generation = -1
  #index = -1
  #head = 0
  #x = 0
  #y = 0
  #ticks = 0

  /** The place in the tile's table of the generation that the asker knows by this number. */
  generation(key: number, id: string, model: number | null): number {
    let place = this.#places.get(key)
    if (place !== undefined) return place
    place = this.#places.size
    this.#places.set(key, place)
    const sized = this.#table.beginSized()
    this.#table.text(id)
    this.#table.endSized(sized)
    this.#table.varint(model === null ? 0 : model + 1)
    return place
  }

  /** @param kind 0 message, 1 reasoning, 2 tool call */
  token(generation: number, index: number, kind: number, hasWraps: boolean): void {
    this.room(0)
    this.#head = this.at++
    const follows = generation === this.#generation && index === this.#index + 1
    this.#bytes[this.#head] = (follows ? FOLLOWS : 0) | (kind << KIND_SHIFT) | (hasWraps ? HAS_WRAPS : 0)
    if (!follows) {
      this.#varint(generation)
      this.#varint(index)
    }
    this.#generation = generation
    this.#index = index
    this.#tokens++
  }

  place(x: number, y: number, width: number): void {
    this.#from(x, y)
    this.#zigzag(width)
  }

  /** In the fixed point that a token is kept in, {@link UNKNOWN} where it is not known; ticks, or -1. */
  values(confidence: number, entropy: number, interval: number): void {
    let known = 0
    const bytes = this.#bytes
    if (confidence !== UNKNOWN) {
      known = HAS_CONFIDENCE
      bytes[this.at++] = confidence
      bytes[this.at++] = confidence >>> 8
    }
    if (entropy !== UNKNOWN) {
      known |= HAS_ENTROPY
      bytes[this.at++] = entropy
      bytes[this.at++] = entropy >>> 8
    }
    if (interval >= 0) {
      known |= HAS_INTERVAL
      this.#varint(interval)
    }
    bytes[this.#head] = (bytes[this.#head] as number) | known
  }

  /** In ticks since 1970. */
  time(ticks: number): void {
    this.#zigzag(ticks - this.#ticks)
    this.#ticks = ticks
  }

  /** What is written to from {@link at} on: with room for so many bytes of a text, and for a token after it. */
  room(bytes: number): Uint8Array {
    const needed = this.at + bytes + MAX_TOKEN_BYTES
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.at))
      this.#bytes = grown
    }
    return this.#bytes
  }

  wraps(wraps: NonNullable<ViewToken['wraps']>): void {
    this.room(wraps.length * MAX_WRAP_BYTES)
    this.#varint(wraps.length)
    for (const [at, x, y] of wraps) {
      this.#varint(at)
      this.#from(x, y)
    }
  }

  /** The tile of all that was told; the next one begins. */
  finish(): EncodedContent {
    const count = this.#tokens
    const head = new ByteWriter(16 + this.#table.length)
    head.u8(TOKENS)
    head.varint(this.#places.size)
    head.raw(this.#table.written)
    head.varint(count)
    const content = new Uint8Array(head.length + this.at)
    content.set(head.written)
    content.set(this.#bytes.subarray(0, this.at), head.length)
    this.at = 0
    this.#table.length = 0
    this.#places.clear()
    this.#tokens = 0
    this.#generation = -1
    this.#index = -1
    this.#x = 0
    this.#y = 0
    this.#ticks = 0
    return { content, count }
  }

  #from(x: number, y: number): void {
    this.#zigzag(x - this.#x)
    this.#zigzag(y - this.#y)
    this.#x = x
    this.#y = y
  }

  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  #varint(value: number): void {
    this.at = putVarint(this.#bytes, this.at, value)
  }
}

/** Writes a safe integer from 0 on at `at`, and gives where it ends. */
function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let left = value
  let end = at
  // Shifts work on 32 bits only.
  while (left > 0x7fff_ffff) {
    bytes[end++] = (left % 128) | 0x80
    left = Math.floor(left / 128)
  }
  while (left > 0x7f) {
    bytes[end++] = (left & 0x7f) | 0x80
    left >>>= 7
  }
  bytes[end++] = left
  return end
}
