import {
  BIN_SUBPROTOCOL,
  BinaryReader,
  JSON_SUBPROTOCOL,
  type ServerMessage,
} from '../../broadcast/protocol.ts'
import type { TokenEntry } from '../../events/generation.ts'
import { readStamp } from '../stamp.ts'
import type { Load } from './load.ts'

/** How a server speaks: the hub's two protocols, an entry a message as JSON, and Socket.IO's events. */
export type Speech = 'bin' | 'json' | 'plain' | 'socket.io'

export const SUBPROTOCOLS: Record<Speech, string | null> = {
  bin: BIN_SUBPROTOCOL,
  json: JSON_SUBPROTOCOL,
  plain: null,
  'socket.io': null,
}

/** Message 42 of Engine.IO 4 and Socket.IO 5: an event. */
const EVENT = '42'
/** Head of a binary message: its type and its size; then comes the seq of the first entry. */
const BINARY_HEAD = 5
/** In what begins a JSON message, the seq of the first entry is found. */
const JSON_HEAD = 64
const SEQ = '"seq":'
const KEPT = 1000

/** The tokens of one message: they follow upon each other. */
export interface Batch {
  /** Numbers of the first and the last token in the load; -1 and -2 where there is none. */
  first: number
  last: number
  /** When each was written, in microseconds of the machine's clock. */
  writtenAt: number[]
  texts: string[]
  /** Whether the texts have been kept by who reads them. */
  kept: boolean
}

interface Known {
  bytes: Buffer
  batch: Batch
}

/**
 * Reads what a server sends to many readers. All get the same messages, so that each is parsed and checked
 * once, and of every further one no more than that it is the same, byte by byte.
 */
export class Decoder {
  readonly #speech: Speech
  readonly #load: Load
  readonly #binary = new BinaryReader()
  readonly #known = new Map<number, Known>()
  /** What the server said besides tokens, or said wrongly, and how often. */
  readonly faults = new Map<string, number>()

  constructor(speech: Speech, load: Load) {
    this.#speech = speech
    this.#load = load
  }

  /** The tokens of the message that lies in `bytes` from `start` to `end`. */
  read(bytes: Buffer, start: number, end: number, isBinary: boolean): Batch {
    const key = isBinary ? binaryKey(bytes, start, end) : jsonKey(bytes, start, end)
    const known = this.#known.get(key)
    if (known !== undefined && known.bytes.compare(bytes, start, end) === 0) return known.batch
    const copy = Buffer.from(bytes.subarray(start, end))
    const batch = this.#batchOf(this.#entriesOf(copy, isBinary))
    if (this.#known.size >= KEPT) this.#known.clear()
    this.#known.set(key, { bytes: copy, batch })
    return batch
  }

  fault(what: string): void {
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1)
  }

  #entriesOf(bytes: Buffer, isBinary: boolean): readonly ServerMessage[] {
    if (isBinary) return this.#binary.read(bytes)
    const text = bytes.toString('utf8')
    if (this.#speech === 'socket.io') {
      if (!text.startsWith(EVENT)) return []
      const [name, entry] = JSON.parse(text.slice(EVENT.length)) as [string, ServerMessage]
      if (name !== 'token') this.fault(`an event ${name}`)
      return [entry]
    }
    const value = JSON.parse(text) as ServerMessage | ServerMessage[]
    return Array.isArray(value) ? value : [value]
  }

  #batchOf(messages: readonly ServerMessage[]): Batch {
    const batch: Batch = { first: -1, last: -2, writtenAt: [], texts: [], kept: false }
    for (const message of messages) {
      if (message.type === 'token_activation') this.#add(batch, message)
      else if (message.type === 'gap') this.fault(`a gap (${message.reason})`)
      else if (message.type === 'error') this.fault(`an error: ${message.message}`)
    }
    return batch
  }

  #add(batch: Batch, { generation, index, token_text: text }: TokenEntry): void {
    const { index: number, at } = readStamp(text)
    const place = this.#load.placeOf(number)
    if (place.generation !== generation || place.index !== index) {
      this.fault(`token ${number} as ${index} of ${generation}`)
    }
    if (batch.texts.length === 0) batch.first = number
    else if (number !== batch.last + 1) this.fault(`token ${number} after ${batch.last} in a message`)
    batch.last = number
    batch.writtenAt.push(at)
    batch.texts.push(text)
  }
}

/** The six bytes in which the first entry's seq lies. */
function binaryKey(bytes: Buffer, start: number, end: number): number {
  return end - start < BINARY_HEAD + 6 ? -1 : bytes.readUIntLE(start + BINARY_HEAD, 6)
}

function jsonKey(bytes: Buffer, start: number, end: number): number {
  const head = bytes.toString('latin1', start, Math.min(end, start + JSON_HEAD))
  const at = head.indexOf(SEQ)
  return at < 0 ? -1 : Number.parseInt(head.slice(at + SEQ.length), 10)
}
