import { ByteReader, ByteWriter } from '../broadcast/protocol/byte-codec.ts'
import { type GenerationKey, readEntry, writeState, writeToken } from '../broadcast/protocol.ts'
import type { LogEntry, NeuralStateEvent, TokenEvent } from '../events/generation.ts'
import { packed, unpacked } from './packed.ts'
import { CODEC_RAW } from './schema.ts'

/** A row of `entry_blocks` without its ids: entries of one generation, one behind the other as the log encodes them. */
export interface EntryBlock {
  /** Entries of the generation before it. */
  ord: number
  entries: number
  /** Index of its first token; of the next one to come if it has none. */
  first_token: number
  tokens: number
  /** What its entries carry in place of the generation. */
  handle: number
  codec: number
  data: Uint8Array
}

/** Bytes of entries in a block, unless one entry alone has more. */
const BLOCK_BYTES = 64 * 1024

/** The encoded entries of a block, one behind the other. @throws Error if it is damaged */
export function blockBytes(row: Pick<EntryBlock, 'codec' | 'data'>): Uint8Array {
  return unpacked(row)
}

/**
 * The entries of a block. Their seqs count within the generation, from 1.
 *
 * @param began of the generation's row, in ticks
 * @throws Error if it is damaged
 */
export function readBlock(row: EntryBlock, generation: string, began: number): LogEntry[] {
  const input = new ByteReader(blockBytes(row))
  const keys = new Map([[row.handle, { handle: row.handle, id: generation, began }]])
  const entries: LogEntry[] = []
  let seq = row.ord
  while (input.at < input.end) {
    seq++
    const entry = readEntry(input, seq, keys)
    if (entry !== null) entries.push(entry)
  }
  return entries
}

/** Makes the blocks of a generation from its entries, in their order. */
export class BlockBuilder {
  readonly #key: GenerationKey
  readonly #compressed: boolean
  readonly #blocks: EntryBlock[] = []
  readonly #entry = new ByteWriter()
  #bytes = new ByteWriter(1024)
  #ord: number
  #entries = 0
  #firstToken: number
  #nextToken: number
  #tokens = 0
  #kept = 0

  /**
   * @param key what the entries carry; `began` is that of the generation's row
   * @param options.ord entries of the generation that are there already
   * @param options.nextToken index of the token that comes next
   * @param options.compressed false for what will soon be replaced: one block then, however large
   */
  constructor(key: GenerationKey, options: { ord?: number; nextToken?: number; compressed?: boolean } = {}) {
    this.#key = key
    this.#compressed = options.compressed ?? true
    this.#ord = options.ord ?? 0
    this.#firstToken = options.nextToken ?? 0
    this.#nextToken = this.#firstToken
  }

  /** Adds a change of state. */
  state(state: NeuralStateEvent): void {
    this.#entry.length = 0
    writeState(this.#entry, state, this.#key)
    this.encoded(this.#entry.written, 1, null, 0)
  }

  /** Adds a token. */
  token(token: TokenEvent, position: readonly [number, number]): void {
    this.#entry.length = 0
    writeToken(this.#entry, token, position, this.#key, false)
    this.encoded(this.#entry.written, 1, token.index, 1)
  }

  /**
   * Adds entries that are encoded with this key; they are not cut.
   *
   * @param firstToken index of the first token among them; null if there is none
   * @param nextToken what is expected after them; of one token the index after its own
   */
  encoded(
    bytes: Uint8Array,
    entries: number,
    firstToken: number | null,
    tokens: number,
    nextToken: number = firstToken === null ? this.#nextToken : firstToken + tokens,
  ): void {
    if (this.#compressed && this.#entries > 0 && this.#bytes.length + bytes.length > BLOCK_BYTES) this.#cut()
    if (this.#tokens === 0 && firstToken !== null) this.#firstToken = firstToken
    this.#bytes.raw(bytes)
    this.#entries += entries
    this.#tokens += tokens
    this.#nextToken = nextToken
  }

  /** Of the blocks that were made so far. */
  get bytes(): number {
    return this.#kept
  }

  /** What was made of all that was added; nothing is to be added after it. */
  blocks(): EntryBlock[] {
    if (this.#entries > 0) this.#cut()
    return this.#blocks
  }

  #cut(): void {
    const bytes = this.#bytes.written
    const { codec, data } = this.#compressed ? packed(bytes) : { codec: CODEC_RAW, data: bytes }
    this.#blocks.push({
      ord: this.#ord,
      entries: this.#entries,
      first_token: this.#firstToken,
      tokens: this.#tokens,
      handle: this.#key.handle,
      codec,
      // The writer's own memory is written anew.
      data: data === bytes ? bytes.slice() : data,
    })
    this.#kept += data.length
    this.#ord += this.#entries
    this.#bytes.length = 0
    this.#entries = 0
    this.#tokens = 0
    this.#firstToken = this.#nextToken
  }
}
