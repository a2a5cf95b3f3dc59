import type { EncodedBlock } from './encoded-block.ts'
import type { LogBlock } from './log-block.ts'
import { ByteWriter, varintBytes } from './protocol/byte-codec.ts'
import { BIN_SUBPROTOCOL, type Subprotocol, writeEntriesHead } from './protocol.ts'

/** Which generations somebody follows. */
export interface Filter {
  /** Equal for equal filters. */
  readonly key: string
  has(generation: string): boolean
}

/** Entries as they go over the wire. */
export interface Payload {
  readonly payload: Buffer
  /** Seq up to which a reader has all that it asked for once it has this. */
  readonly to: number
  readonly entries: number
  /** How many of them are tokens. */
  readonly tokens: number
}

/** Entries of one block, one behind the other. */
interface Stretch {
  readonly encoded: EncodedBlock
  /** Seq of the first. */
  readonly first: number
  readonly from: number
  to: number
  bytes: number
}

/** Bytes of a binary message's type and size. */
const HEAD_BYTES = 5
const OPEN = 0x5b
const COMMA = 0x2c
const CLOSE = 0x5d

/** Gathers entries, in their order, until they fill a payload. */
export class PayloadMaker {
  readonly #binary: boolean
  readonly #maxBytes: number
  readonly #stretches: Stretch[] = []
  /** Bytes of the payload; of JSON without the last bracket. */
  #bytes = 0
  #entries = 0
  #tokens = 0

  /** @param maxBytes that a payload with more than one entry may have */
  constructor(protocol: Subprotocol, maxBytes: number) {
    this.#binary = protocol === BIN_SUBPROTOCOL
    this.#maxBytes = maxBytes
  }

  /** Adds the entry at `index` of a block; false if it does not fit any more. */
  add(block: LogBlock, encoded: EncodedBlock, index: number): boolean {
    const last = this.#stretches.at(-1)
    const seq = block.first + index
    const follows = last !== undefined && seq === last.first + (last.to - last.from) + 1
    const size = encoded.sizeOf(index)
    const more = this.#binary ? size + (follows ? 0 : HEAD_BYTES + varintBytes(seq)) : size + 1
    const ending = this.#binary ? 0 : 1
    if (this.#entries > 0 && this.#bytes + more + ending > this.#maxBytes) return false
    if (follows && last.encoded === encoded) {
      last.to = index
      last.bytes += size
    } else this.#stretches.push({ encoded, first: seq, from: index, to: index, bytes: size })
    this.#bytes += more
    this.#entries++
    if (!Number.isNaN(block.cell(index))) this.#tokens++
    return true
  }

  /** What was added, as a payload that leads to `to`. */
  payload(to: number): Payload {
    const out = new ByteWriter(this.#entries === 0 ? 0 : this.#bytes + 16)
    if (this.#binary) this.#writeBinary(out)
    else if (this.#entries > 0) this.#writeJson(out)
    const payload = Buffer.from(out.bytes.buffer, 0, out.length)
    return { payload, to, entries: this.#entries, tokens: this.#tokens }
  }

  #writeJson(out: ByteWriter): void {
    if (this.#entries > 1) out.u8(OPEN)
    this.#stretches.forEach(({ encoded, from, to }, i) => {
      if (i > 0) out.u8(COMMA)
      encoded.copyTo(out, from, to)
    })
    if (this.#entries > 1) out.u8(CLOSE)
  }

  /** A message for each run of stretches that follow each other without a hole. */
  #writeBinary(out: ByteWriter): void {
    const stretches = this.#stretches
    for (let begin = 0, end = 0; begin < stretches.length; begin = end) {
      const { first } = stretches[begin] as Stretch
      let next = first
      let bytes = 0
      for (; end < stretches.length; end++) {
        const stretch = stretches[end] as Stretch
        if (stretch.first !== next) break
        next += stretch.to - stretch.from + 1
        bytes += stretch.bytes
      }
      writeEntriesHead(out, first, bytes)
      for (const { encoded, from, to } of stretches.slice(begin, end)) encoded.copyTo(out, from, to)
    }
  }
}
