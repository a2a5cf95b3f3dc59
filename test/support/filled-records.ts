import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import { ticksOf } from '../../broadcast/protocol.ts'
import type { GenerationEvent, NeuralStateEvent } from '../../events/generation.ts'
import { isFinal } from '../../events/generation.ts'
import { openRecords } from '../../store/database.ts'
import { BlockBuilder, type EntryBlock } from '../../store/entry-block.ts'
import type { ImportedRecording } from '../../store/file/import-batch.ts'
import { packed } from '../../store/packed.ts'
import type { Origin, RecordedRequest, RecordedResponse } from '../../store/recording.ts'
import { IDS_PER_MS } from '../../store/schema.ts'
import { modelFacet, stateFacet, storedText } from '../../store/stored-text.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'

/** A generation that is to be in the tables. */
export interface PutRecording {
  /** Its entries, in their order; one of them is a state. */
  events: GenerationEvent[]
  /** Unix seconds. */
  startedAt?: number
  origin?: Origin
  missing?: number
  prompt?: string | null
  name?: string | null
  tags?: string[]
  note?: string | null
  /** Row of its exchange. */
  exchange?: number | null
  /** Entries after which its blocks are cut, beside where they are full. */
  cuts?: number[]
  position?: (index: number) => [number, number]
}

export interface PutExchange {
  startedAt: number
  method?: string
  target?: string
  headers?: Record<string, string>
  correlationId?: string | null
  body?: Uint8Array | null
  response?: { status: number; headers: Record<string, string> } | null
  outcome?: RecordedResponse['outcome']
  lost?: number
  /** Chunks of the answer, and the ms after which they came. */
  chunks?: { atMs: number; data: Uint8Array }[]
  /** Chunks after which its parts are cut. */
  cuts?: number[]
}

/** A file of records that a test fills itself. */
export class FilledRecords {
  readonly path: string
  readonly database: DatabaseSync
  readonly #folder: string
  #handle = 0

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'records-'))
    this.path = join(this.#folder, 'records.db')
    this.database = openRecords(this.path)
    this.database.exec('PRAGMA synchronous = OFF')
  }

  [Symbol.dispose](): void {
    this.database.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Gives the id of its row. */
  put(recording: PutRecording): number {
    this.database.exec('BEGIN')
    const id = this.#put(recording)
    this.database.exec('COMMIT')
    return id
  }

  /** Adds a block to a generation's. */
  putBlock(generation: number, { ord, entries, first_token, tokens, handle, codec, data }: EntryBlock): void {
    this.#insert('entry_blocks', { generation, ord, entries, first_token, tokens, handle, codec, data })
  }

  /** Gives the id of its row. */
  putExchange(exchange: PutExchange): number {
    const { startedAt, body = null, chunks = [], cuts = [], response } = exchange
    const id = this.#id('exchanges', startedAt)
    const request: Omit<RecordedRequest, 'body' | 'body_bytes' | 'generations'> = {
      started_at: startedAt,
      correlation_id: exchange.correlationId ?? null,
      headers: exchange.headers ?? {},
      target: exchange.target ?? '/v1/chat/completions',
      method: exchange.method ?? 'POST',
    }
    const kept = body === null ? null : packed(body)
    this.#insert('exchanges', {
      id,
      request: JSON.stringify(request),
      body: kept?.data ?? null,
      body_codec: kept?.codec ?? 0,
      body_bytes: body?.length ?? 0,
      response: response ? JSON.stringify(response) : null,
      bytes: chunks.reduce((sum, { data }) => sum + data.length, 0),
      outcome: exchange.outcome === undefined ? 'complete' : exchange.outcome,
      lost: exchange.lost ?? 0,
    })
    let out = new ByteWriter()
    let ord = 0
    const cut = (before: number) => {
      if (out.length === 0) return
      const { codec, data } = packed(out.written)
      this.#insert('exchange_parts', { exchange: id, ord, codec, data })
      ord = before
      out = new ByteWriter()
    }
    chunks.forEach(({ atMs, data }, i) => {
      out.varint(Math.round(atMs * 10))
      out.varint(data.length)
      out.raw(data)
      if (cuts.includes(i + 1)) cut(i + 1)
    })
    cut(chunks.length)
    return id
  }

  /** Puts in what was read from a file, as it stands. */
  import(recording: ImportedRecording): void {
    const { blocks, text, exchange, ...row } = recording
    let exchangeId: number | null = exchange?.same ?? null
    if (exchange !== null && exchangeId === null) {
      const { same: _same, started_ms, parts, ...facts } = exchange
      exchangeId = this.#id('exchanges', started_ms / 1000)
      this.#insert('exchanges', { id: exchangeId, ...facts })
      for (const part of parts) this.#insert('exchange_parts', { exchange: exchangeId, ...part })
    }
    const id = this.#id('generations', recording.began / 10_000)
    const bytes = blocks.reduce((sum, { data }) => sum + data.length, 0)
    this.#insert('generations', { id, ...row, origin: 'import', exchange: exchangeId, bytes })
    for (const block of blocks) this.#insert('entry_blocks', { generation: id, ...block })
    this.#words(id, { ...row, tags: JSON.parse(row.tags) as string[], text })
  }

  /** Rows of a table. */
  count(table: string): number {
    return (this.database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
  }

  #put(recording: PutRecording): number {
    const { events, cuts = [], position = () => [0, 0], tags = [] } = recording
    const startedAt = recording.startedAt ?? 1_700_000_000
    const began = ticksOf(startedAt)
    const generation = (events[0] as GenerationEvent).generation
    const key = { handle: ++this.#handle, id: generation, began }
    const id = this.#id('generations', startedAt)
    let [ord, tokens, bytes, text] = [0, 0, 0, '']
    let last: NeuralStateEvent | null = null
    const logprobs: number[] = []
    let blocks = new BlockBuilder(key)
    let nextToken = 0
    const cut = () => {
      for (const block of blocks.blocks()) {
        ord = block.ord + block.entries
        bytes += block.data.length
        this.putBlock(id, block)
      }
      blocks = new BlockBuilder(key, { ord, nextToken })
    }
    events.forEach((event, i) => {
      if (event.type === 'neural_state') {
        blocks.state(event)
        last = event
      } else {
        blocks.token(event, position(event.index))
        nextToken = event.index + 1
        tokens++
        text += event.token_text
        if (event.logprob !== null) logprobs.push(event.logprob)
      }
      if (cuts.includes(i + 1)) cut()
    })
    cut()
    const { type: _type, ...state } = last as unknown as NeuralStateEvent
    const model = state.model === null ? null : storedText(state.model)
    const {
      prompt = null,
      name = null,
      note = null,
      missing = 0,
      origin = 'live',
      exchange = null,
    } = recording
    const final = isFinal(state.state)
    const shown = final ? storedText(text) : ''
    this.#insert('generations', {
      id,
      generation,
      origin,
      exchange,
      state: state.state,
      model,
      last: JSON.stringify(state),
      began,
      ended_at: final ? startedAt + state.elapsed_ms / 1000 : null,
      entries: events.length,
      tokens,
      missing,
      mean_logprob: logprobs.length === 0 ? null : logprobs.reduce((a, b) => a + b) / logprobs.length,
      preview: shown.slice(0, 200).toWellFormed(),
      prompt,
      name,
      tags: JSON.stringify(tags),
      note,
      bytes,
    })
    if (final) this.#words(id, { name, tags, note, prompt, text: shown, state: state.state, model })
    return id
  }

  #id(table: string, startedAt: number): number {
    const first = Math.floor(startedAt * 1000) * IDS_PER_MS
    const { id } = this.database
      .prepare(`SELECT max(id) AS id FROM ${table} WHERE id >= ? AND id < ?`)
      .get(first, first + IDS_PER_MS) as { id: number | null }
    return id === null ? first : id + 1
  }

  #insert(table: string, row: Record<string, string | number | Uint8Array | null>): void {
    const names = Object.keys(row)
    const places = names.map(() => '?').join(', ')
    this.database
      .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`)
      .run(...Object.values(row))
  }

  #words(
    id: number,
    of: {
      name: string | null
      tags: string[]
      note: string | null
      prompt: string | null
      text: string
      state: NeuralStateEvent['state']
      model: string | null
    },
  ): void {
    const facets = [stateFacet(of.state), ...(of.model === null ? [] : [modelFacet(of.model)])].join(' ')
    this.database
      .prepare(
        'INSERT INTO words (rowid, name, tags, note, prompt, text, facets) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(id, of.name, storedText(of.tags.join(' ')), of.note, of.prompt, of.text, facets)
  }
}

/** A generation that says these texts and ends. */
export function saying(id: string, texts: string[], more: Partial<PutRecording> = {}): PutRecording {
  const tokens = texts.map((text, index) => tokenEvent(id, index, text))
  return { events: [stateEvent(id, 'queued'), ...tokens, stateEvent(id, 'done')], ...more }
}
