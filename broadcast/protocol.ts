/**
 * The WebSocket protocols of `/scope/v1/stream`, shared by server and clients: what is said, as types, and the
 * binary form of the log's entries. docs/protocol.md describes both to the byte.
 *
 * A JSON message is one object or an array of them. Receivers ignore types and fields they do not know.
 */
import { confidenceOf, entropyOf } from '../events/confidence.ts'
import {
  type Alternative,
  isFinal,
  type LogEntry,
  type NeuralStateEvent,
  TOKEN_KINDS,
  type TokenEntry,
  type TokenEvent,
} from '../events/generation.ts'
import { ByteReader, type ByteWriter, ProtocolError, varintBytes } from './protocol/byte-codec.ts'
import { readViewPart, VIEW, type ViewPart } from './protocol/view-codec.ts'

export type * from './protocol/messages.ts'

/** Everything as JSON text; spoken where nothing else is asked for. */
export const JSON_SUBPROTOCOL = 'tokenscope.json.v1'
/** Entries as binary messages, the rest as in JSON. */
export const BIN_SUBPROTOCOL = 'tokenscope.bin.v1'

export type Subprotocol = typeof JSON_SUBPROTOCOL | typeof BIN_SUBPROTOCOL

/** What the entries of a generation leave out. */
export interface GenerationKey {
  /** Number that stands for the generation within an epoch. */
  readonly handle: number
  readonly id: string
  /** When the log first heard of it, in ticks since 1970. */
  readonly began: number
}

/** A tick is 0.1 ms: what the time of a token is rounded to. */
export const TICKS_PER_SECOND = 10_000

/** Types of binary messages; a receiver skips those it does not know. */
export const GENERATIONS = 1
export const ENTRIES = 2

/** Bits 0 and 1 of an entry's first byte. Type 3 is not used yet: receivers skip it, and it takes a seq. */
export const TOKEN = 0
export const STATE = 1
export const OPENING_TOKEN = 2
export const TYPE_MASK = 3
/** Bits 2 and 3: the token's kind. */
const KIND_SHIFT = 2
const KIND_MASK = 3
const HAS_LOGPROB = 1 << 4
/** Logprobs as f64, where one of them is no f32. */
const WIDE = 1 << 5
const HAS_TOKEN_ID = 1 << 6
const HAS_ALTERNATIVES = 1 << 7
const MAX_ID = 2 ** 52

/** Seconds since 1970 as ticks. */
export function ticksOf(seconds: number): number {
  return Math.round(seconds * TICKS_PER_SECOND)
}

/**
 * Writes a token as an entry.
 *
 * @param opens whether its generation has to be told with it, since nothing told it before
 */
export function writeToken(
  out: ByteWriter,
  token: TokenEvent,
  position: readonly [number, number],
  key: GenerationKey,
  opens: boolean,
): void {
  const { logprob, token_id: id, top } = token
  // What no zigzag holds is no id of any vocabulary.
  const hasId = id !== null && Number.isInteger(id) && Math.abs(id) < MAX_ID
  const wide = isWide(logprob, top)
  out.u8(
    (opens ? OPENING_TOKEN : TOKEN) |
      (TOKEN_KINDS.indexOf(token.kind) << KIND_SHIFT) |
      (logprob === null ? 0 : HAS_LOGPROB) |
      (wide ? WIDE : 0) |
      (hasId ? HAS_TOKEN_ID : 0) |
      (top.length === 0 ? 0 : HAS_ALTERNATIVES),
  )
  const sized = out.beginSized()
  out.varint(key.handle)
  if (opens) writeDefinition(out, key)
  out.varint(token.index)
  out.u16(position[0])
  out.u16(position[1])
  out.zigzag(ticksOf(token.timestamp) - key.began)
  if (logprob !== null) out.float(logprob, wide)
  if (hasId) out.zigzag(id)
  if (top.length > 0) {
    out.varint(top.length)
    for (const alternative of top) {
      out.float(alternative.logprob, wide)
      const text = out.beginSized()
      out.text(alternative.text)
      out.endSized(text)
    }
  }
  out.text(token.token_text)
  out.endSized(sized)
}

/** Writes a change of state as an entry. */
export function writeState(out: ByteWriter, state: NeuralStateEvent, key: GenerationKey): void {
  const { type: _type, ...rest } = state
  out.u8(STATE)
  const sized = out.beginSized()
  out.varint(key.handle)
  out.varint(key.began)
  out.text(JSON.stringify(rest))
  out.endSized(sized)
}

/** The head of a message with entries: `bytes` of them follow, the first one's seq is `firstSeq`. */
export function writeEntriesHead(out: ByteWriter, firstSeq: number, bytes: number): void {
  out.u8(ENTRIES)
  out.u32(varintBytes(firstSeq) + bytes)
  out.varint(firstSeq)
}

/** Writes a whole message that tells what handles stand for. */
export function writeGenerations(out: ByteWriter, keys: Iterable<GenerationKey>): void {
  out.u8(GENERATIONS)
  const sizeAt = out.length
  out.u32(0)
  for (const key of keys) {
    out.varint(key.handle)
    writeDefinition(out, key)
  }
  out.patchU32(sizeAt, out.length - sizeAt - 4)
}

/**
 * Reads the entry that begins where `input` stands and leaves it behind it.
 *
 * @param keys what handles stand for; an entry that tells it adds to them
 * @param alternatives whether to give a token's alternatives; without them it is read faster
 * @returns null for an entry of a type that is not known
 * @throws ProtocolError if it cannot be read, or its handle stands for nothing
 */
export function readEntry(
  input: ByteReader,
  seq: number,
  keys: Map<number, GenerationKey>,
  alternatives = true,
): LogEntry | null {
  const head = input.u8()
  const end = input.varint() + input.at
  if (end > input.end) throw new ProtocolError(`entry ${seq} goes beyond its message`)
  const type = head & TYPE_MASK
  let entry: LogEntry | null = null
  if (type === STATE) entry = readState(input, end, seq, keys)
  else if (type === TOKEN || type === OPENING_TOKEN)
    entry = readToken(input, head, end, seq, keys, alternatives)
  input.at = end
  return entry
}

/**
 * What the first handle stands for that messages tell of, whether by itself or with an entry; null if they tell none.
 *
 * @throws ProtocolError if they cannot be read
 */
export function firstDefinition(data: Uint8Array): GenerationKey | null {
  const input = new ByteReader(data)
  while (input.at < input.end) {
    const type = input.u8()
    const message = input.part(input.u32())
    if (message.at === message.end) continue
    if (type === GENERATIONS) return readDefinition(message, message.varint())
    if (type !== ENTRIES) continue
    const keys = new Map<number, GenerationKey>()
    for (let seq = message.varint(); message.at < message.end; seq++) {
      readEntry(message, seq, keys)
      for (const key of keys.values()) return key
    }
  }
  return null
}

/** What of a token can be told without reading its alternatives. */
export interface TokenGist {
  index: number
  text: string
  /** Unix seconds. */
  timestamp: number
  logprob: number | null
}

/**
 * As `readEntry`, of tokens alone and a good deal faster where they have alternatives.
 *
 * @param began of the generation, in ticks, for what does not tell it
 * @returns null for an entry that is no token
 * @throws ProtocolError if it cannot be read
 */
export function readTokenGist(input: ByteReader, began: number): TokenGist | null {
  const head = input.u8()
  const end = input.varint() + input.at
  if (end > input.end) throw new ProtocolError('an entry goes beyond its message')
  const type = head & TYPE_MASK
  if (type !== TOKEN && type !== OPENING_TOKEN) {
    input.at = end
    return null
  }
  const handle = input.varint()
  const since = type === OPENING_TOKEN ? readDefinition(input, handle).began : began
  const wide = (head & WIDE) !== 0
  const index = input.varint()
  input.u32()
  const timestamp = (since + input.zigzag()) / TICKS_PER_SECOND
  const logprob = head & HAS_LOGPROB ? input.float(wide) : null
  if (head & HAS_TOKEN_ID) input.varint()
  if (head & HAS_ALTERNATIVES) {
    for (let left = input.varint(); left > 0; left--) {
      input.at += wide ? 8 : 4
      const size = input.varint()
      input.at += size
    }
  }
  return { index, text: input.text(end), timestamp, logprob }
}

/**
 * A receiver's end of the binary protocol: reads messages in the order in which they came over one
 * connection, and keeps what handles stand for.
 */
export class BinaryReader {
  readonly #keys = new Map<number, GenerationKey>()
  readonly #onView: (part: ViewPart) => void
  readonly #alternatives: boolean

  /**
   * @param onView told each part of an answer about a layout that is read
   * @param alternatives whether to give tokens' alternatives; who does not need them reads faster
   */
  constructor(onView: (part: ViewPart) => void = () => {}, alternatives = true) {
    this.#onView = onView
    this.#alternatives = alternatives
  }

  /**
   * The entries of one binary WebSocket message, in their order.
   *
   * @throws ProtocolError if it cannot be read
   */
  read(data: ArrayBuffer | Uint8Array): LogEntry[] {
    const input = new ByteReader(data instanceof Uint8Array ? data : new Uint8Array(data))
    const entries: LogEntry[] = []
    while (input.at < input.end) {
      const type = input.u8()
      const message = input.part(input.u32())
      if (type === GENERATIONS) this.#readGenerations(message)
      else if (type === ENTRIES) this.#readEntries(message, entries)
      else if (type === VIEW) this.#onView(readViewPart(message))
    }
    return entries
  }

  /** What comes of it after its end is told anew; so those that are kept are not more than run. */
  #forget(generation: string): void {
    for (const [handle, { id }] of this.#keys) if (id === generation) this.#keys.delete(handle)
  }

  #readGenerations(input: ByteReader): void {
    while (input.at < input.end) {
      const handle = input.varint()
      this.#keys.set(handle, readDefinition(input, handle))
    }
  }

  #readEntries(input: ByteReader, entries: LogEntry[]): void {
    let seq = input.varint()
    while (input.at < input.end) {
      const entry = readEntry(input, seq++, this.#keys, this.#alternatives)
      if (entry === null) continue
      entries.push(entry)
      if (entry.type === 'neural_state' && isFinal(entry.state)) this.#forget(entry.generation)
    }
  }
}

function readToken(
  input: ByteReader,
  head: number,
  end: number,
  seq: number,
  keys: Map<number, GenerationKey>,
  alternatives: boolean,
): TokenEntry {
  const handle = input.varint()
  let key = keys.get(handle)
  if ((head & TYPE_MASK) === OPENING_TOKEN) {
    key = readDefinition(input, handle)
    keys.set(handle, key)
  }
  if (key === undefined) throw new ProtocolError(`entry ${seq} is of generation ${handle}, which nobody told`)
  const wide = (head & WIDE) !== 0
  const index = input.varint()
  const position: [number, number] = [input.u16(), input.u16()]
  const timestamp = (key.began + input.zigzag()) / TICKS_PER_SECOND
  const logprob = head & HAS_LOGPROB ? input.float(wide) : null
  const tokenId = head & HAS_TOKEN_ID ? input.zigzag() : null
  const top: Alternative[] = []
  if (head & HAS_ALTERNATIVES) {
    for (let left = input.varint(); left > 0; left--) {
      const alternative = input.float(wide)
      const textEnd = input.varint() + input.at
      top.push({ text: alternatives ? input.text(textEnd) : '', logprob: alternative })
      input.at = textEnd
    }
  }
  return {
    type: 'token_activation',
    seq,
    generation: key.id,
    index,
    token_id: tokenId,
    token_text: input.text(end),
    kind: TOKEN_KINDS[(head >> KIND_SHIFT) & KIND_MASK] ?? 'message',
    timestamp,
    position,
    logprob,
    confidence: confidenceOf(logprob),
    entropy: entropyOf(top),
    top: alternatives ? top : [],
  }
}

function readState(input: ByteReader, end: number, seq: number, keys: Map<number, GenerationKey>): LogEntry {
  const handle = input.varint()
  const began = input.varint()
  let state: Omit<NeuralStateEvent, 'type'>
  try {
    state = JSON.parse(input.text(end)) as Omit<NeuralStateEvent, 'type'>
  } catch {
    throw new ProtocolError(`entry ${seq} holds something that is not JSON`)
  }
  keys.set(handle, { handle, id: state.generation, began })
  return { type: 'neural_state', seq, ...state }
}

function writeDefinition(out: ByteWriter, key: GenerationKey): void {
  out.varint(key.began)
  const id = out.beginSized()
  out.text(key.id)
  out.endSized(id)
}

/** Reads what `handle` stands for, as a message of generations and an opening token tell it. */
export function readDefinition(input: ByteReader, handle: number): GenerationKey {
  const began = input.varint()
  const bytes = input.varint()
  return { handle, began, id: input.text(input.at + bytes) }
}

function isWide(logprob: number | null, top: readonly Alternative[]): boolean {
  if (logprob !== null && Math.fround(logprob) !== logprob) return true
  for (const alternative of top) if (Math.fround(alternative.logprob) !== alternative.logprob) return true
  return false
}
