import type * as sqlite from 'node:sqlite'
import { ByteReader } from '../../broadcast/protocol/byte-codec.ts'
import { type GenerationKey, readTokenGist } from '../../broadcast/protocol.ts'
import { prepareWrite } from '../database.ts'
import { BlockBuilder, blockBytes, type EntryBlock } from '../entry-block.ts'

/** What was seen in all the entries of a generation. */
export interface Content {
  text: string
  /** Mean of the logprobs that are known, in nats. */
  meanLogprob: number | null
  /** Unix seconds of the last token; null without one. */
  lastTokenAt: number | null
}

/** The blocks of entries. */
export class EntryBlocks {
  readonly #read: sqlite.StatementSync
  readonly #last: sqlite.StatementSync
  readonly #insert: sqlite.StatementSync
  readonly #remove: sqlite.StatementSync
  readonly #bytes: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync) {
    const columns = 'ord, entries, first_token, tokens, handle, codec, data'
    this.#read = db.prepare(`SELECT ${columns} FROM entry_blocks WHERE generation = ? ORDER BY ord`)
    this.#last = db.prepare(
      `SELECT ${columns} FROM entry_blocks WHERE generation = ? ORDER BY ord DESC LIMIT 1`,
    )
    this.#insert = prepareWrite(
      db,
      `INSERT INTO entry_blocks (generation, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#remove = prepareWrite(db, 'DELETE FROM entry_blocks WHERE generation = ?')
    this.#bytes = db.prepare(
      'SELECT coalesce(sum(length(data)), 0) AS bytes FROM entry_blocks WHERE generation = ?',
    )
  }

  /** Adds blocks to those of a generation; gives the bytes they take. */
  add(generation: number, blocks: EntryBlock[]): number {
    let bytes = 0
    for (const { ord, entries, first_token, tokens, handle, codec, data } of blocks) {
      this.#insert.run(generation, ord, entries, first_token, tokens, handle, codec, data)
      bytes += data.length
    }
    return bytes
  }

  /** The last block; undefined if there is none. */
  last(generation: number): EntryBlock | undefined {
    return this.#last.get(generation) as unknown as EntryBlock | undefined
  }

  bytes(generation: number): number {
    return (this.#bytes.get(generation) as { bytes: number }).bytes
  }

  remove(generation: number): void {
    this.#remove.run(generation)
  }

  /** What is in all of them. */
  content(generation: number, key: GenerationKey): Content {
    const reading = new ContentReading(key.began)
    for (const row of this.#read.iterate(generation)) reading.read(row as unknown as EntryBlock, null)
    return reading.content
  }

  /**
   * Puts them together to as few as can be, and compresses them.
   *
   * @param last.isNew whether there are none yet
   * @param last.blocks what comes behind them and was not added
   */
  compact(
    generation: number,
    key: GenerationKey,
    last: { isNew: boolean; blocks: EntryBlock[] } = { isNew: false, blocks: [] },
  ): Content {
    const reading = new ContentReading(key.began)
    const builder = new BlockBuilder(key)
    if (!last.isNew) {
      for (const row of this.#read.iterate(generation)) reading.read(row as unknown as EntryBlock, builder)
      this.remove(generation)
    }
    for (const block of last.blocks) reading.read(block, builder)
    this.add(generation, builder.blocks())
    return reading.content
  }
}

/** Reads the entries of one generation, block by block. */
class ContentReading {
  readonly #began: number
  readonly #texts: string[] = []
  #logprobs = 0
  #logprobSum = 0
  #lastTokenAt: number | null = null

  constructor(began: number) {
    this.#began = began
  }

  /** @param builder where each entry is put, too */
  read(row: EntryBlock, builder: BlockBuilder | null): void {
    const bytes = blockBytes(row)
    const input = new ByteReader(bytes)
    while (input.at < input.end) {
      const start = input.at
      const token = readTokenGist(input, this.#began)
      builder?.encoded(bytes.subarray(start, input.at), 1, token?.index ?? null, token === null ? 0 : 1)
      if (token === null) continue
      this.#texts.push(token.text)
      this.#lastTokenAt = token.timestamp
      if (token.logprob === null) continue
      this.#logprobs++
      this.#logprobSum += token.logprob
    }
  }

  get content(): Content {
    return {
      text: this.#texts.join(''),
      meanLogprob: this.#logprobs === 0 ? null : this.#logprobSum / this.#logprobs,
      lastTokenAt: this.#lastTokenAt,
    }
  }
}
