/**
 * Reading and writing the bytes of the binary protocol: LEB128 varints, little-endian numbers, and text as
 * WTF-8 (UTF-8 that lets half of a surrogate pair through: a model's token may be one).
 */

/** A binary message that is not what the protocol says. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** Up to so many bytes, reading ASCII byte by byte beats asking the decoder. */
const SHORT_TEXT = 24

/** Bytes that a varint of `value` takes. */
export function varintBytes(value: number): number {
  let bytes = 1
  for (let left = value; left >= 128; left /= 128) bytes++
  return bytes
}

/** Bytes that are written one after the other, with room made by doubling. */
export class ByteWriter {
  bytes: Uint8Array
  /** Bytes written so far. */
  length = 0
  #view: DataView

  /** @param room bytes to begin with */
  constructor(room = 256) {
    this.bytes = new Uint8Array(room)
    this.#view = new DataView(this.bytes.buffer)
  }

  /** What was written; a view, valid until the next write. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Writes an integer 0 … 255. */
  u8(value: number): void {
    this.#room(1)
    this.bytes[this.length++] = value
  }

  /** Writes an integer 0 … 65,535. */
  u16(value: number): void {
    this.#room(2)
    this.bytes[this.length++] = value
    this.bytes[this.length++] = value >>> 8
  }

  /** Writes an integer 0 … 2^32 − 1. */
  u32(value: number): void {
    this.#room(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
  }

  /** Puts a u32 over what was written at `at`. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  /** Writes a safe integer from 0 on, seven bits a byte, the low ones first. */
  varint(value: number): void {
    this.#room(8)
    let left = value
    // Shifts work on 32 bits only.
    while (left > 0x7fff_ffff) {
      this.bytes[this.length++] = (left % 128) | 0x80
      left = Math.floor(left / 128)
    }
    while (left > 0x7f) {
      this.bytes[this.length++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    this.bytes[this.length++] = left
  }

  /** Writes a signed integer of at most 52 bits: 0, −1, 1, −2, … as the varints 0, 1, 2, 3, … */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** Writes a number as f64 if `wide`, else as f32. */
  float(value: number, wide: boolean): void {
    this.#room(8)
    if (wide) this.#view.setFloat64(this.length, value, true)
    else this.#view.setFloat32(this.length, value, true)
    this.length += wide ? 8 : 4
  }

  /** Writes text; how long it is has to be told by something else. */
  text(text: string): void {
    this.#room(text.length * 3)
    const { bytes } = this
    let at = this.length
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        this.length = at
        this.#unicode(i === 0 ? text : text.slice(i))
        return
      }
      bytes[at++] = unit
    }
    this.length = at
  }

  /** Writes bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Begins something whose size stands before it as a varint; what it returns goes to `endSized`. */
  beginSized(): number {
    this.u8(0)
    return this.length
  }

  /** Ends what began at `start`. Most is short, so that one byte was kept for its size; else it moves. */
  endSized(start: number): void {
    const size = this.length - start
    if (size < 0x80) {
      this.bytes[start - 1] = size
      return
    }
    this.#room(8)
    const moved = start - 1 + varintBytes(size)
    this.bytes.copyWithin(moved, start, this.length)
    this.length = start - 1
    this.varint(size)
    this.length = moved + size
  }

  #unicode(text: string): void {
    if (text.isWellFormed()) {
      this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written
      return
    }
    for (const char of text) {
      const code = char.codePointAt(0) as number
      if (code >= 0xd800 && code <= 0xdfff) {
        this.bytes[this.length++] = 0xe0 | (code >> 12)
        this.bytes[this.length++] = 0x80 | ((code >> 6) & 0x3f)
        this.bytes[this.length++] = 0x80 | (code & 0x3f)
      } else this.length += encoder.encodeInto(char, this.bytes.subarray(this.length)).written
    }
  }

  #room(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more))
    bytes.set(this.bytes)
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

/** Bytes that are read one after the other. Whoever reads beyond their end gets a ProtocolError. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  /** Where the next byte is read. */
  at: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** A reader of the next `size` bytes alone, which are passed over here. */
  part(size: number): ByteReader {
    const from = this.#take(size)
    return new ByteReader(this.bytes, from, from + size)
  }

  u8(): number {
    return this.bytes[this.#take(1)] as number
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 128
      if (scale > Number.MAX_SAFE_INTEGER) break
    }
    if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolError('a varint goes beyond 53 bits')
    return value
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  float(wide: boolean): number {
    return wide ? this.#view.getFloat64(this.#take(8), true) : this.#view.getFloat32(this.#take(4), true)
  }

  /** The text up to `end`. */
  text(end: number): string {
    const from = this.#take(end - this.at)
    const { bytes } = this
    if (end - from <= SHORT_TEXT) {
      let text = ''
      let i = from
      for (; i < end; i++) {
        const byte = bytes[i] as number
        if (byte > 0x7f) break
        text += String.fromCharCode(byte)
      }
      if (i === end) return text
    }
    const text = decoder.decode(bytes.subarray(from, end))
    return text.includes('\ufffd') ? wtf8(bytes, from, end) : text
  }

  #take(size: number): number {
    const from = this.at
    if (size < 0 || from + size > this.end) throw new ProtocolError('a message ends too early')
    this.at = from + size
    return from
  }
}

/** Reads text that may hold single surrogates, which UTF-8's own decoder replaces. */
function wtf8(bytes: Uint8Array, from: number, end: number): string {
  let text = ''
  let plain = from
  for (let i = from; i + 2 < end; i++) {
    // ED A0 80 … ED BF BF: the surrogates, which are nothing in UTF-8.
    if (bytes[i] !== 0xed || (bytes[i + 1] as number) < 0xa0) continue
    text += decoder.decode(bytes.subarray(plain, i))
    text += String.fromCharCode(
      0xd000 | (((bytes[i + 1] as number) & 0x3f) << 6) | ((bytes[i + 2] as number) & 0x3f),
    )
    i += 2
    plain = i + 1
  }
  return text + decoder.decode(bytes.subarray(plain, end))
}
