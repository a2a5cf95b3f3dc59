import { createHash, type Hash } from 'node:crypto'
import { ByteWriter } from '../../broadcast/protocol/byte-codec.ts'
import { ticksOf } from '../../broadcast/protocol.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { isFinal, type NeuralStateEvent } from '../../events/generation.ts'
import { BlockBuilder } from '../entry-block.ts'
import { packed } from '../packed.ts'
import type { Reader } from '../reader/reader.ts'
import { filedRequest, filedResponse } from '../reader/stored-exchanges.ts'
import { beginningOf, storedText } from '../stored-text.ts'
import type { ImportedExchange, ImportedPart, ImportedRecording } from './import-batch.ts'
import { checksumOf } from './recording-export.ts'
import {
  type FiledChunk,
  type FiledRequest,
  type FiledResponse,
  type RecordingEnd,
  type RecordingHead,
  requestLine,
  responseLine,
} from './recording-lines.ts'
import { type RecordingItem, RecordingReader } from './recording-reader.ts'

/** How far a file was read. */
export type ImportStep =
  /** Up to where its bytes have come. */
  | { type: 'more' }
  /** To the end of a recording that is not there yet. */
  | { type: 'recording'; recording: ImportedRecording }
  /** To the end of one that is there, the same to the last byte. */
  | { type: 'present'; generation: string }

const HANDLE = 1
const PART_BYTES = 64 * 1024
const PREVIEW_UNITS = 200
/** Of one recording, in the form in which it is kept: all of it is in memory until it is taken in. */
const MAX_RECORDING_BYTES = 256 * 1024 * 1024
/** In one file: so much is remembered of each. */
const MAX_RECORDINGS = 100_000

/** Reads a file of recordings and looks at which of them are there already. It writes nothing. */
export class RecordingImport {
  readonly #reader: Reader
  readonly #file = new RecordingReader()
  #items: Iterator<RecordingItem, void> | null = null
  #open: RecordingDraft | null = null
  #firstLine = 0
  /** Recordings that this file has had, and their checksums. */
  readonly #had = new Map<string, string>()

  readonly #maxBytes: number
  readonly #maxRecordings: number

  /** @param limits of a recording as it is kept, and of the file: 256 MiB and 100,000 if not given */
  constructor(reader: Reader, limits: { bytes?: number; recordings?: number } = {}) {
    this.#reader = reader
    this.#maxBytes = limits.bytes ?? MAX_RECORDING_BYTES
    this.#maxRecordings = limits.recordings ?? MAX_RECORDINGS
  }

  /** The next bytes; `step` is to have said `more` of those before. Null: there are no more. */
  take(bytes: Uint8Array | null): void {
    this.#items = bytes === null ? this.#file.end() : this.#file.read(bytes)
  }

  /**
   * Reads on, to the end of the next recording at most.
   *
   * @throws TokenscopeError BAD_RECORDING, ALREADY_RECORDED
   */
  step(): ImportStep {
    for (;;) {
      const item = this.#items?.next()
      if (item === undefined || item.done === true) return { type: 'more' }
      const { value } = item
      if (value.type === 'recording') {
        if (this.#had.size >= this.#maxRecordings)
          throw this.#refused(
            `begins the recording after ${this.#maxRecordings} others, which is as many as are taken in at a time. Send the rest in a file of its own.`,
          )
        this.#open = new RecordingDraft(value.head)
        this.#firstLine = this.#file.line
      } else if (value.type === 'end') return this.#ended(this.#open as RecordingDraft, value.end)
      else {
        const draft = this.#open as RecordingDraft
        draft.add(value)
        if (draft.bytes > this.#maxBytes)
          throw this.#refused(
            `goes beyond the size to which a recording is taken in: ${this.#maxBytes / 2 ** 20} MiB as it is kept. Nothing was taken of that recording.`,
          )
      }
    }
  }

  #refused(what: string): TokenscopeError {
    const { line } = this.#file
    return new TokenscopeError('BAD_RECORDING', `Line ${line} ${what}`, { details: { line } })
  }

  #ended(draft: RecordingDraft, end: RecordingEnd): ImportStep {
    const { generation } = draft.head
    if (!draft.isWhole) {
      throw this.#refused(
        `ends a recording of generation ${generation} that was taken before the generation ended. Export it anew, now that it has.`,
      )
    }
    const had = this.#had.get(generation) ?? this.#recorded(generation)
    if (had !== null && had !== end.sha256) {
      const message = `Line ${this.#firstLine} begins a recording of generation ${generation}, of which there is another one. Remove that one first to take this one in.`
      throw new TokenscopeError('ALREADY_RECORDED', message, {
        details: { line: this.#firstLine, generation },
      })
    }
    this.#had.set(generation, end.sha256)
    if (had !== null) return { type: 'present', generation }
    return { type: 'recording', recording: draft.recording(this.#sameExchange(draft)) }
  }

  /** The checksum of what is recorded of a generation here; null if nothing is. */
  #recorded(generation: string): string | null {
    const row = this.#reader.find(generation)
    return row === null ? null : checksumOf(row, this.#reader.source)
  }

  /** The row with the same request and answer, to the last byte, as another choice of it has it. */
  #sameExchange(draft: RecordingDraft): number | null {
    const { exchanges } = this.#reader.source
    const looked = new Set<number>()
    for (const generation of draft.siblings) {
      const row = exchanges.find(this.#reader.find(generation)?.exchange ?? null)
      if (row === null || looked.has(row.id)) continue
      looked.add(row.id)
      const sum = new ExchangeSum()
      sum.head(filedRequest(row), filedResponse(row))
      for (const chunk of exchanges.chunks(row.id)) sum.chunk(chunk)
      if (sum.digest() === draft.exchangeSum) return row.id
    }
    return null
  }
}

/** What a recording says, as it is read, in the form in which it is kept. */
class RecordingDraft {
  readonly head: RecordingHead
  readonly #began: number
  readonly #blocks: BlockBuilder
  readonly #texts: string[] = []
  #textUnits = 0
  #entries = 0
  #tokens = 0
  #logprobs = 0
  #knownLogprobs = 0
  #last: NeuralStateEvent | null = null
  #request: FiledRequest | null = null
  #response: FiledResponse | null = null
  readonly #parts = new PartsBuilder()
  readonly #sum = new ExchangeSum()
  #exchangeSum: string | null = null

  constructor(head: RecordingHead) {
    this.head = head
    this.#began = ticksOf(head.started_at)
    this.#blocks = new BlockBuilder({ handle: HANDLE, id: head.generation, began: this.#began })
  }

  add(item: Exclude<RecordingItem, { type: 'recording' | 'end' }>): void {
    if (item.type === 'request') this.#request = item.request
    else if (item.type === 'response') {
      this.#response = item.response
      this.#sum.head(this.#request as FiledRequest, item.response)
    } else if (item.type === 'bytes') {
      this.#parts.add(item.chunk)
      this.#sum.chunk(item.chunk)
    } else {
      const { entry } = item
      this.#entries++
      if (entry.type === 'neural_state') {
        this.#blocks.state(entry)
        this.#last = entry
        return
      }
      // It has no cell; where one is asked for, this is not looked at.
      this.#blocks.token(entry, [0, 0])
      this.#tokens++
      this.#texts.push(entry.token_text)
      this.#textUnits += entry.token_text.length
      if (entry.logprob === null) return
      this.#logprobs += entry.logprob
      this.#knownLogprobs++
    }
  }

  /** What it takes so far. */
  get bytes(): number {
    return this.#blocks.bytes + this.#parts.kept + this.#textUnits * 2
  }

  /** Whether it goes to the generation's end. */
  get isWhole(): boolean {
    return this.#last !== null && isFinal(this.#last.state)
  }

  /** Ids of the other generations of the request. */
  get siblings(): string[] {
    return this.#request?.generations.filter(generation => generation !== this.head.generation) ?? []
  }

  /** Stands for request and answer as they are. */
  get exchangeSum(): string {
    this.#exchangeSum ??= this.#sum.digest()
    return this.#exchangeSum
  }

  /** @param same the row that has the same request and answer; null if none does */
  recording(same: number | null): ImportedRecording {
    const { generation, ended_at, missing, prompt, name, tags, note } = this.head
    const { type: _type, ...last } = this.#last as NeuralStateEvent
    const text = storedText(this.#texts.join(''))
    return {
      generation,
      began: this.#began,
      ended_at,
      state: last.state,
      model: last.model === null ? null : storedText(last.model),
      last: JSON.stringify(last),
      entries: this.#entries,
      tokens: this.#tokens,
      missing,
      mean_logprob: this.#knownLogprobs === 0 ? null : this.#logprobs / this.#knownLogprobs,
      preview: beginningOf(text, PREVIEW_UNITS),
      prompt,
      name,
      tags: JSON.stringify(tags),
      note,
      blocks: this.#blocks.blocks().map(block => ({ ...block, data: ownBytes(block.data) })),
      text,
      exchange: this.#exchange(same),
    }
  }

  #exchange(same: number | null): ImportedExchange | null {
    if (this.#request === null || this.#response === null) return null
    const { body, ...request } = this.#request
    const { status, headers, outcome, lost } = this.#response
    const kept = body === null ? null : packed(body)
    return {
      same,
      started_ms: Math.floor(request.started_at * 1000),
      request: JSON.stringify(request),
      body: kept && ownBytes(kept.data),
      body_codec: kept?.codec ?? 0,
      body_bytes: body?.length ?? 0,
      response: status === null && headers === null ? null : JSON.stringify({ status, headers }),
      bytes: this.#parts.bytes,
      outcome,
      lost: lost ? 1 : 0,
      parts: this.#parts.parts(),
    }
  }
}

/** Makes the parts of an answer from its chunks, in their order. */
class PartsBuilder {
  /** Of all chunks. */
  bytes = 0
  /** Of what was made of them so far. */
  kept = 0
  readonly #parts: ImportedPart[] = []
  readonly #out = new ByteWriter(1024)
  #chunks = 0
  #ord = 0

  add({ at_ms, data }: FiledChunk): void {
    if (this.#out.length > 0 && this.#out.length + data.length > PART_BYTES) this.#cut()
    this.#out.varint(Math.round(at_ms * 10))
    this.#out.varint(data.length)
    this.#out.raw(data)
    this.#chunks++
    this.bytes += data.length
  }

  parts(): ImportedPart[] {
    if (this.#out.length > 0) this.#cut()
    return this.#parts
  }

  #cut(): void {
    const { codec, data } = packed(this.#out.written)
    this.#parts.push({ ord: this.#ord, codec, data: ownBytes(data) })
    this.kept += data.length
    this.#ord = this.#chunks
    this.#out.length = 0
  }
}

/** The checksum over a request and its answer. */
class ExchangeSum {
  readonly #sha256: Hash = createHash('sha256')

  head(request: FiledRequest, response: FiledResponse): void {
    this.#sha256.update(`${requestLine(request)}\n${responseLine(response)}\n`)
  }

  chunk({ at_ms, data }: FiledChunk): void {
    this.#sha256.update(`${at_ms} ${data.length}\n`).update(data)
  }

  digest(): string {
    return this.#sha256.digest('hex')
  }
}

/** Bytes in memory of their own: what else lies in it would cross to another thread with them. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
