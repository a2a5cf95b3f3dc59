/**
 * What the recorder gathers, as bytes of one buffer, which crosses to the writer's thread without a copy: items,
 * each `u8 kind, u32 size` and so many bytes.
 */
import type { TapeOutcome } from '../../bridge/tape.ts'
import { ByteReader, ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import type { LostEntries, OpenedRequest, TapeItem } from './writer-messages.ts'

/** Messages of the log's binary protocol. */
const MESSAGES = 1
const LOST = 2
const OPEN = 3
const GENERATIONS = 4
const HEAD = 5
const BYTES = 6
const END = 7

const ITEM_HEAD_BYTES = 5
/** Bytes to begin with; then as many as were gathered last, within these bounds. */
const ROOM = 16 * 1024
const MAX_ROOM = 320 * 1024
const OUTCOMES: readonly TapeOutcome[] = ['complete', 'broken', 'cancelled']

/** Gathers items. */
export class BatchBuffer {
  #out = new ByteWriter(ROOM)

  /** Bytes gathered. */
  get length(): number {
    return this.#out.length
  }

  messages(definitions: Uint8Array, entries: Uint8Array): void {
    this.#item(MESSAGES, out => {
      out.raw(definitions)
      out.raw(entries)
    })
  }

  lost(lost: LostEntries[]): void {
    this.#item(LOST, out => out.text(JSON.stringify(lost)))
  }

  open(tape: number, request: OpenedRequest, body: Uint8Array | null): void {
    this.#item(OPEN, out => {
      out.varint(tape)
      writeJson(out, request)
      out.u8(body === null ? 0 : 1)
      if (body !== null) out.raw(body)
    })
  }

  generations(tape: number, generations: readonly string[]): void {
    this.#item(GENERATIONS, out => {
      out.varint(tape)
      writeJson(out, generations)
    })
  }

  head(tape: number, status: number, headers: readonly string[]): void {
    this.#item(HEAD, out => {
      out.varint(tape)
      out.varint(status)
      writeJson(out, headers)
    })
  }

  bytes(tape: number, ticks: number, chunk: Uint8Array): void {
    this.#item(BYTES, out => {
      out.varint(tape)
      out.varint(ticks)
      out.raw(chunk)
    })
  }

  end(tape: number, outcome: TapeOutcome, lost: boolean): void {
    this.#item(END, out => {
      out.varint(tape)
      out.u8(OUTCOMES.indexOf(outcome))
      out.u8(lost ? 1 : 0)
    })
  }

  /** All that was gathered, in a buffer that can be transferred; it begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const { bytes, length } = this.#out
    this.#out = new ByteWriter(Math.min(Math.max(ROOM, Math.ceil(length * 1.25)), MAX_ROOM))
    return new Uint8Array(bytes.buffer as ArrayBuffer, 0, length)
  }

  #item(kind: number, write: (out: ByteWriter) => void): void {
    const out = this.#out
    out.u8(kind)
    const sizeAt = out.length
    out.u32(0)
    write(out)
    out.patchU32(sizeAt, out.length - sizeAt - 4)
  }
}

/** What a batch is read into; bytes are views of its buffer. */
export interface BatchItems {
  messages: Uint8Array[]
  lost: LostEntries[]
  tapes: TapeItem[]
}

/**
 * Reads what a BatchBuffer gathered; an item that cannot be read is left out.
 *
 * @param onFault told what could not be read
 */
export function readBatchItems(bytes: Uint8Array, onFault: (fault: unknown) => void): BatchItems {
  const items: BatchItems = { messages: [], lost: [], tapes: [] }
  const head = new ByteReader(bytes)
  for (let at = 0; at + ITEM_HEAD_BYTES <= bytes.length; ) {
    head.at = at
    const kind = head.u8()
    const from = at + ITEM_HEAD_BYTES
    at = head.u32() + from
    const body = bytes.subarray(from, at)
    try {
      if (kind === MESSAGES) items.messages.push(body)
      else if (kind === LOST) items.lost.push(...(JSON.parse(Buffer.from(body).toString()) as LostEntries[]))
      else items.tapes.push(readTapeItem(kind, body))
    } catch (fault) {
      onFault(fault)
    }
  }
  return items
}

function readTapeItem(kind: number, bytes: Uint8Array): TapeItem {
  const input = new ByteReader(bytes)
  const tape = input.varint()
  switch (kind) {
    case OPEN: {
      const request = readJson<OpenedRequest>(input)
      const body = input.u8() === 0 ? null : bytes.subarray(input.at)
      return { type: 'open', tape, request, body }
    }
    case GENERATIONS:
      return { type: 'generations', tape, generations: readJson<string[]>(input) }
    case HEAD:
      return { type: 'head', tape, status: input.varint(), headers: readJson<string[]>(input) }
    case BYTES: {
      const ticks = input.varint()
      return { type: 'bytes', tape, ticks, chunk: bytes.subarray(input.at) }
    }
    default: {
      const outcome = OUTCOMES[input.u8()] ?? 'broken'
      return { type: 'end', tape, outcome, lost: input.u8() === 1 }
    }
  }
}

function writeJson(out: ByteWriter, value: unknown): void {
  const start = out.beginSized()
  out.text(JSON.stringify(value))
  out.endSized(start)
}

function readJson<T>(input: ByteReader): T {
  const size = input.varint()
  return JSON.parse(input.text(input.at + size)) as T
}
