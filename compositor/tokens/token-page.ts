/** A page of tokens: what is kept of 2^20 numbers, column by column. See record.ts for what the words mean. */
import { CHUNK_WORDS, COLUMNS, PAGE_CHUNKS, PAGE_TOKENS, SHAPE_PIECES_MASK } from './record.ts'

const KNOWN_PIECES_BITS = 12
const MAX_TEXT_BYTES = 2 ** 31

/** Bytes up to which a text is read one by one. */
const SHORT = 24

export class TokenPage {
  /** The high 12 bits of its tokens' numbers. */
  readonly number: number
  /** {@link COLUMNS} columns of {@link PAGE_TOKENS} words. */
  readonly records = new Uint32Array(COLUMNS * PAGE_TOKENS)
  readonly chunks = new Uint32Array(PAGE_CHUNKS * CHUNK_WORDS)
  /** Pieces of complex shapes, grown by replacement; only added to. */
  pieces = new Uint32Array(1024)
  piecesUsed = 0
  /** Where `flow` has each token, a word each (record.ts); null while that is not laid out. */
  flow: Uint32Array<ArrayBuffer> | null = null
  /** A bit a token: whether there is a line feed in it. */
  readonly newlines = new Uint32Array(PAGE_TOKENS / 32)
  /** Tokens in it. */
  tokens = 0

  /** Where some pieces begin, by their hash. */
  readonly #knownPieces = new Uint32Array(1 << KNOWN_PIECES_BITS)
  /** Texts, one after the other: their length in bytes as a varint, then UTF-8. */
  #texts = new Uint8Array(4096)
  #textsUsed = 0
  readonly #textAt = new Uint32Array(PAGE_TOKENS)

  constructor(number: number) {
    this.number = number
  }

  /** Bytes of its texts and where they stand. */
  get textBytes(): number {
    return this.#texts.byteLength + this.#textAt.byteLength
  }

  /**
   * Adds the first `count` of `words` as pieces, or finds them: most complex texts are one of few, as a line feed
   * and an indent, and what stands once is read faster.
   *
   * @returns where they begin; -1 if there is no room for them
   */
  addPieces(words: Uint32Array, count: number): number {
    let hash = count
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ (words[i] as number), 0x9e3779b1)
    const slot = hash >>> (32 - KNOWN_PIECES_BITS)
    const known = this.#knownPieces[slot] as number
    if (this.#holds(known, words, count)) return known
    const at = this.piecesUsed
    const end = at + count + 1
    if (end > SHAPE_PIECES_MASK) return -1
    if (end > this.pieces.length) {
      const grown = new Uint32Array(Math.max(end, this.pieces.length * 2))
      grown.set(this.pieces)
      this.pieces = grown
    }
    this.pieces[at] = count
    for (let i = 0; i < count; i++) this.pieces[at + 1 + i] = words[i] as number
    this.piecesUsed = end
    this.#knownPieces[slot] = at
    return at
  }

  /** Keeps the text of the token at `place`; an empty one if the page has no room for it. */
  setText(place: number, text: string): void {
    const units = text.length
    // A UTF-16 unit is at most three bytes, a length at most five.
    if (!this.#reserve(units * 3 + 5)) {
      this.setText(place, '')
      return
    }
    this.#textAt[place] = this.#textsUsed
    const texts = this.#texts
    let at = this.#textsUsed
    if (units < 128) {
      const lengthAt = at++
      let i = 0
      for (; i < units; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 127) break
        texts[at++] = unit
      }
      if (i === units) {
        texts[lengthAt] = units
        this.#textsUsed = at
        return
      }
      at = lengthAt
    }
    const bytes = encoder.encode(text)
    let length = bytes.length
    for (; length > 127; length >>>= 7) texts[at++] = (length & 127) | 128
    texts[at++] = length
    texts.set(bytes, at)
    this.#textsUsed = at + bytes.length
  }

  /** The text of the token at `place`, which has one. */
  text(place: number): string {
    const texts = this.#texts
    let at = this.#textAt[place] as number
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = texts[at++] as number
      length |= (byte & 127) << shift
      if (byte < 128) break
    }
    const end = at + length
    if (length <= SHORT) {
      // Most are short and ASCII: done before a decoder would have begun.
      let text = ''
      let i = at
      for (; i < end && (texts[i] as number) < 128; i++) text += String.fromCharCode(texts[i] as number)
      if (i === end) return text
    }
    return decoder.decode(texts.subarray(at, end))
  }

  /** Bytes that {@link copyText} writes. */
  encodedTextBytes(place: number): number {
    const texts = this.#texts
    let at = this.#textAt[place] as number
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = texts[at++] as number
      length |= (byte & 127) << shift
      if (byte < 128) break
    }
    return at + length - (this.#textAt[place] as number)
  }

  /** Writes the text of the token at `place` at `to`: its length in bytes as a varint, then UTF-8. @returns where it ends */
  copyText(place: number, into: Uint8Array, to: number): number {
    const texts = this.#texts
    const from = this.#textAt[place] as number
    const bytes = this.encodedTextBytes(place)
    if (bytes > SHORT) into.set(texts.subarray(from, from + bytes), to)
    else for (let i = 0; i < bytes; i++) into[to + i] = texts[from + i] as number
    return to + bytes
  }

  #holds(at: number, words: Uint32Array, count: number): boolean {
    if (at >= this.piecesUsed || this.pieces[at] !== count) return false
    for (let i = 0; i < count; i++) if (this.pieces[at + 1 + i] !== words[i]) return false
    return true
  }

  /** Makes room for texts. @returns whether there is any; for an empty one there always is */
  #reserve(bytes: number): boolean {
    const end = this.#textsUsed + bytes
    if (end <= this.#texts.length) return true
    if (end > MAX_TEXT_BYTES && bytes > 5) return false
    const grown = new Uint8Array(Math.max(end, Math.ceil(this.#texts.length * 1.5)))
    grown.set(this.#texts)
    this.#texts = grown
    return true
  }
}

const encoder = new TextEncoder()
// The bytes are all of the text: a byte order mark at its beginning is part of it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
