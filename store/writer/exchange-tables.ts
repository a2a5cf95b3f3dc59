import type * as sqlite from 'node:sqlite'
import { ByteReader, ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import { prepareWrite } from '../database.ts'
import { packed } from '../packed.ts'
import { CODEC_RAW } from '../schema.ts'
import { storedText } from '../stored-text.ts'
import type { GenerationTables } from './generation-tables.ts'
import { keptHeaders, keptTarget } from './kept-headers.ts'
import { RowIds } from './row-ids.ts'
import { TransactionalMap } from './transactional-map.ts'
import type { TapeItem } from './writer-messages.ts'

/** Bytes of chunks in a part, unless one chunk alone has more. */
const PART_BYTES = 64 * 1024
/** What stands before a chunk, about. */
const CHUNK_HEAD_BYTES = 8

/** An exchange that goes on. */
interface OpenExchange {
  id: number
  /** Chunks that are written. */
  chunks: number
  /** Bytes of the answer's body. */
  bytes: number
  generations: readonly string[]
}

/** Chunks of one exchange, as they came in one batch. */
interface Chunks {
  readonly items: (TapeItem & { type: 'bytes' })[]
  bytes: number
}

interface Part {
  /** Chunks before it. */
  ord: number
  codec: number
  data: Uint8Array
}

/** Writes requests and answers into their tables; of its transactions as GenerationTables. */
export class ExchangeTables {
  readonly #generations: GenerationTables
  readonly #ids: RowIds
  /** By the number of the tape. */
  readonly #open = new TransactionalMap<number, OpenExchange>()
  /** Chunks that came with the end of their exchange: they are written with it. */
  readonly #last = new Map<number, Part>()
  readonly #insert: sqlite.StatementSync
  readonly #respond: sqlite.StatementSync
  readonly #size: sqlite.StatementSync
  readonly #tell: sqlite.StatementSync
  readonly #tellMissing: sqlite.StatementSync
  readonly #named: sqlite.StatementSync
  readonly #end: sqlite.StatementSync
  readonly #parts: sqlite.StatementSync
  readonly #addPart: sqlite.StatementSync
  readonly #removeParts: sqlite.StatementSync
  readonly #running: sqlite.StatementSync
  readonly #own: sqlite.StatementSync

  constructor(db: sqlite.DatabaseSync, generations: GenerationTables) {
    this.#generations = generations
    this.#ids = new RowIds(db, 'exchanges')
    this.#insert = prepareWrite(
      db,
      'INSERT INTO exchanges (id, request, body, body_codec, body_bytes) VALUES (?, ?, ?, ?, ?)',
    )
    this.#respond = prepareWrite(db, 'UPDATE exchanges SET response = ? WHERE id = ?')
    this.#size = prepareWrite(db, 'UPDATE exchanges SET bytes = ? WHERE id = ?')
    // By then all are known; they stay what they are, whatever is removed of them.
    const tell = "UPDATE exchanges SET request = json_set(request, '$.generations', json(?)) WHERE id = ?"
    this.#tell = prepareWrite(db, tell)
    this.#tellMissing = prepareWrite(db, `${tell} AND json_type(request, '$.generations') IS NULL`)
    this.#named = db.prepare('SELECT generation FROM generations WHERE exchange = ? ORDER BY id')
    this.#end = prepareWrite(db, 'UPDATE exchanges SET outcome = ?, lost = ? WHERE id = ?')
    this.#parts = db.prepare('SELECT ord, codec, data FROM exchange_parts WHERE exchange = ? ORDER BY ord')
    this.#addPart = prepareWrite(
      db,
      'INSERT INTO exchange_parts (exchange, ord, codec, data) VALUES (?, ?, ?, ?)',
    )
    this.#removeParts = prepareWrite(
      db,
      `DELETE FROM exchange_parts WHERE exchange = ? AND codec = ${CODEC_RAW}`,
    )
    this.#running = db.prepare('SELECT id FROM exchanges WHERE outcome IS NULL ORDER BY id')
    this.#own = db.prepare('SELECT id, exchange FROM generations WHERE exchange = ?')
  }

  /** Takes in all items but ends, which have to wait for the entries that came before them. */
  begin(items: TapeItem[]): void {
    const chunks = new Map<number, Chunks>()
    const ending = new Set<number>()
    this.#last.clear()
    for (const item of items) {
      if (item.type === 'open') this.#begin(item)
      else if (item.type === 'generations') this.#link(item.tape, item.generations)
      else if (item.type === 'head') this.#head(item)
      else if (item.type === 'bytes') addChunk(chunks, item)
      else ending.add(item.tape)
    }
    for (const [tape, part] of chunks) this.#add(tape, part, ending.has(tape))
  }

  /** Takes in the ends; whether there was one. */
  end(items: TapeItem[]): boolean {
    let ended = false
    for (const item of items) {
      if (item.type !== 'end') continue
      ended = true
      const exchange = this.#open.get(item.tape)
      if (exchange === undefined) continue
      this.#open.delete(item.tape)
      this.#tell.run(JSON.stringify(exchange.generations), exchange.id)
      this.#finish(exchange.id, item.outcome, item.lost, this.#last.get(item.tape))
      for (const generation of exchange.generations) this.#generations.unlink(generation)
    }
    return ended
  }

  /** Ends what goes on by the tables: Tokenscope ended before it did. */
  interruptAll(): void {
    for (const { id } of this.#running.all() as { id: number }[]) {
      const generations = this.#named.all(id).map(({ generation }) => generation)
      // What was imported while it went on has them already.
      this.#tellMissing.run(JSON.stringify(generations), id)
      this.#finish(id, 'interrupted', false)
    }
  }

  commit(): void {
    this.#open.commit()
  }

  rollback(): void {
    this.#open.rollback()
  }

  #begin({ tape, request, body }: TapeItem & { type: 'open' }): void {
    const { method, target, headers, correlationId, startedMs, generations } = request
    const id = this.#ids.next(startedMs)
    const kept = {
      method,
      target: keptTarget(target),
      headers: keptHeaders(headers),
      correlation_id: correlationId,
      started_at: startedMs / 1000,
    }
    const { codec, data } = body === null ? { codec: CODEC_RAW, data: null } : packed(body)
    this.#insert.run(id, storedText(JSON.stringify(kept)), data, codec, body?.length ?? 0)
    this.#open.set(tape, { id, chunks: 0, bytes: 0, generations: [] })
    this.#link(tape, generations)
  }

  #link(tape: number, generations: readonly string[]): void {
    const exchange = this.#open.get(tape)
    if (exchange === undefined) return
    for (const generation of generations) this.#generations.link(generation, exchange.id)
    this.#open.set(tape, { ...exchange, generations: [...exchange.generations, ...generations] })
  }

  #head({ tape, status, headers }: TapeItem & { type: 'head' }): void {
    const exchange = this.#open.get(tape)
    if (exchange === undefined) return
    this.#respond.run(storedText(JSON.stringify({ status, headers: keptHeaders(headers) })), exchange.id)
  }

  #add(tape: number, { items, bytes }: Chunks, isEnding: boolean): void {
    const exchange = this.#open.get(tape)
    if (exchange === undefined) return
    const grown = { ...exchange, chunks: exchange.chunks + items.length, bytes: exchange.bytes + bytes }
    if (this.#size.run(grown.bytes, exchange.id).changes === 0n) {
      // Its generation was removed in the meantime.
      this.#open.delete(tape)
      return
    }
    const data = dataOf(items, bytes)
    const part = { ord: exchange.chunks, codec: CODEC_RAW, data }
    if (isEnding) this.#last.set(tape, part)
    else if (data.length < PART_BYTES) this.#addPart.run(exchange.id, part.ord, CODEC_RAW, data)
    else {
      // So much at once is compressed now and stays as it is: it would be written twice otherwise.
      const parts = new PartBuilder()
      parts.add(part)
      this.#addParts(exchange.id, parts)
    }
    this.#open.set(tape, grown)
  }

  #addParts(exchange: number, parts: PartBuilder): void {
    for (const { ord, codec, data } of parts.finish()) this.#addPart.run(exchange, ord, codec, data)
  }

  /** Puts its raw parts together and compresses them; counts its bytes to its generations. */
  #finish(exchange: number, outcome: string, lost: boolean, last?: Part): void {
    const parts = new PartBuilder()
    for (const row of this.#parts.iterate(exchange)) parts.add(row as unknown as Part)
    if (last !== undefined) parts.add(last)
    this.#removeParts.run(exchange)
    this.#addParts(exchange, parts)
    this.#end.run(outcome, lost ? 1 : 0, exchange)
    for (const row of this.#own.all(exchange)) {
      this.#generations.measure(row as unknown as { id: number; exchange: number })
    }
  }
}

function addChunk(chunks: Map<number, Chunks>, item: TapeItem & { type: 'bytes' }): void {
  const part = chunks.get(item.tape) ?? { items: [], bytes: 0 }
  chunks.set(item.tape, part)
  part.items.push(item)
  part.bytes += item.chunk.length
}

/** Chunks as a part has them. */
function dataOf(items: Chunks['items'], bytes: number): Uint8Array {
  const data = new ByteWriter(bytes + items.length * CHUNK_HEAD_BYTES)
  for (const { ticks, chunk } of items) {
    data.varint(ticks)
    data.varint(chunk.length)
    data.raw(chunk)
  }
  return data.written
}

/** Makes compressed parts of chunks; none of them is cut. */
class PartBuilder {
  readonly #parts: Part[] = []
  readonly #part = new ByteWriter(1024)
  #ord = 0
  #chunks = 0

  /** Parts are added in their order. One that is compressed stays what it is, where it is. */
  add({ ord, codec, data: bytes }: Part): void {
    if (codec !== CODEC_RAW) return
    if (ord !== this.#ord + this.#chunks) {
      if (this.#chunks > 0) this.#cut()
      this.#ord = ord
    }
    const input = new ByteReader(bytes)
    let from = 0
    while (input.at < input.end) {
      const start = input.at
      input.varint()
      const size = input.varint()
      if (size > input.end - input.at) throw new Error('a chunk is cut off')
      input.at += size
      if (this.#chunks > 0 && this.#part.length + input.at - from > PART_BYTES) {
        this.#part.raw(bytes.subarray(from, start))
        from = start
        this.#cut()
      }
      this.#chunks++
    }
    this.#part.raw(bytes.subarray(from))
  }

  finish(): Part[] {
    if (this.#chunks > 0) this.#cut()
    return this.#parts
  }

  #cut(): void {
    const bytes = this.#part.written
    const { codec, data } = packed(bytes)
    this.#parts.push({ ord: this.#ord, codec, data: data === bytes ? bytes.slice() : data })
    this.#ord += this.#chunks
    this.#part.length = 0
    this.#chunks = 0
  }
}
