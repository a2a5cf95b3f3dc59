import { createHash, type Hash } from 'node:crypto'
import { ticksOf } from '../../broadcast/protocol.ts'
import { confidenceOf, entropyOf } from '../../events/confidence.ts'
import { TokenscopeError } from '../../events/errors.ts'
import type { GenerationEvent, NeuralStateEvent, TokenEvent } from '../../events/generation.ts'
import * as check from './recording-checks.ts'
import {
  chunkLine,
  endLine,
  type FiledChunk,
  type FiledRequest,
  type FiledResponse,
  headLine,
  MAX_LINE_BYTES,
  RECORDING_VERSION,
  type RecordingEnd,
  type RecordingHead,
  requestLine,
  responseLine,
  stateLine,
  tokenLine,
} from './recording-lines.ts'

/** What a file of recordings says, in its order: each recording from its `recording` to its `end`. */
export type RecordingItem =
  | { type: 'recording'; head: RecordingHead }
  | { type: 'request'; request: FiledRequest }
  | { type: 'response'; response: FiledResponse }
  /** With `confidence` and `entropy`, which follow from its logprobs. */
  | { type: 'entry'; entry: GenerationEvent }
  | { type: 'bytes'; chunk: FiledChunk }
  | { type: 'end'; end: RecordingEnd }

/** A line as JSON. */
type Fields = Record<string, unknown>

/** Types of lines, in the order in which a recording has them. */
const ORDER = ['recording', 'request', 'response', 'entry', 'bytes', 'end'] as const
const NEWLINE = 0x0a
/** What is kept for the line that is read, unless it is longer. */
const LINE_BYTES = 64 * 1024
/** Of a change of state: each list of generations holds the last one of each, whatever is in it. */
const MAX_STATE_BYTES = 4 * 1024 * 1024
/** Generations of one request. */
const MAX_CHOICES = 4096
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a file of recordings, form `jsonl`, as its bytes come. A line is taken only if it is, to the byte, what
 * Tokenscope writes for what it says, and a recording's end only if counts and checksum are right: so whatever was
 * read to its end is what was written. Memory is bounded by a line.
 */
export class RecordingReader {
  /** Number of the line that was read last, from 1. */
  line = 0
  /** What came of the next line: `#held` bytes, in memory that grows. */
  #line = new Uint8Array(0)
  #held = 0
  /** The recording that is read; null before its first line. */
  #open: OpenRecording | null = null;

  /**
   * The lines that end in `bytes`. Items are made as they are asked for, and all are to be taken before the next bytes.
   *
   * @throws TokenscopeError BAD_RECORDING naming the line, which is `details.line`, too
   */
  *read(bytes: Uint8Array): Generator<RecordingItem, void> {
    let from = 0
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from)
      const piece = bytes.subarray(from, end === -1 ? bytes.length : end)
      this.#measure(piece)
      if (end === -1 || this.#held > 0) this.#hold(piece)
      if (end === -1) return
      from = end + 1
      yield this.#take(this.#held > 0 ? this.#line.subarray(0, this.#held) : piece)
    }
  }

  /**
   * The file ends here. Its last line may lack its end.
   *
   * @throws TokenscopeError BAD_RECORDING if a recording is not at its end, or there is none at all
   */
  *end(): Generator<RecordingItem, void> {
    if (this.#held > 0) yield this.#take(this.#line.subarray(0, this.#held))
    if (this.#open !== null) throw this.#bad('the file ends before its recording does: it was cut off')
    if (this.line > 0) return
    const message = 'Line 1 is missing: the file is empty, and no recording is in it.'
    throw new TokenscopeError('BAD_RECORDING', message, { details: { line: 1 } })
  }

  #measure(piece: Uint8Array): void {
    if (this.#held + piece.length <= MAX_LINE_BYTES) return
    this.line++
    throw this.#bad('it is longer than 16 MiB')
  }

  /** Copies it: the next bytes may come in the same memory, and a line in so small pieces that keeping each costs more. */
  #hold(piece: Uint8Array): void {
    const held = this.#held + piece.length
    if (held > this.#line.length) {
      const larger = new Uint8Array(Math.min(MAX_LINE_BYTES, Math.max(LINE_BYTES, held * 2)))
      larger.set(this.#line.subarray(0, this.#held))
      this.#line = larger
    }
    this.#line.set(piece, this.#held)
    this.#held = held
  }

  #take(bytes: Uint8Array): RecordingItem {
    this.#held = 0
    // A long line is not to take its memory for as long as the file is read.
    if (this.#line.length > LINE_BYTES) this.#line = new Uint8Array(0)
    this.line++
    try {
      return this.#itemOf(bytes)
    } catch (error) {
      if (error instanceof check.NotSo) throw this.#bad(error.message)
      if (error instanceof SyntaxError) throw this.#bad('it is no JSON')
      if (error instanceof RangeError) throw this.#bad('it goes too deep')
      if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
        throw this.#bad('it is not UTF-8')
      }
      throw error
    }
  }

  #itemOf(bytes: Uint8Array): RecordingItem {
    const text = utf8.decode(bytes)
    const fields = check.object(JSON.parse(text) as unknown, 'the line') as Fields
    const type = fields.type === 'neural_state' || fields.type === 'token_activation' ? 'entry' : fields.type
    if (fields.type === 'neural_state' && bytes.length > MAX_STATE_BYTES) {
      throw new check.NotSo('it is longer than 4 MiB, as no change of state is')
    }
    const open = this.#open
    if (open === null) {
      if (type !== 'recording') throw new check.NotSo('a recording begins with a line of type "recording"')
      const opened = new OpenRecording(headOf(fields))
      same(text, headLine(opened.head))
      opened.hash(bytes)
      this.#open = opened
      return { type, head: opened.head }
    }
    open.follow(type)
    const item = open.itemOf(type as 'request' | 'response' | 'entry' | 'bytes' | 'end', fields, text)
    if (item.type === 'end') this.#open = null
    else open.hash(bytes)
    return item
  }

  #bad(what: string): TokenscopeError {
    const { line } = this
    const message = `Line ${line} is not of a whole recording of Tokenscope, since ${what}. Export that recording anew.`
    return new TokenscopeError('BAD_RECORDING', message, { details: { line } })
  }
}

/** What has been read of a recording that has not ended. */
class OpenRecording {
  readonly head: RecordingHead
  readonly #sha256: Hash = createHash('sha256')
  #at = 0
  #request: FiledRequest | null = null
  #last: NeuralStateEvent | null = null
  #index = -1
  #entries = 0
  #tokens = 0
  #chunks = 0
  #bytes = 0

  constructor(head: RecordingHead) {
    this.head = head
  }

  /** Takes a line into the checksum. */
  hash(line: Uint8Array): void {
    this.#sha256.update(line).update('\n')
  }

  /** Checks that a line of this type may come now. */
  follow(type: unknown): void {
    const place = ORDER.indexOf(type as (typeof ORDER)[number])
    const from = ORDER[this.#at] as (typeof ORDER)[number]
    const repeats = from === 'entry' || from === 'bytes'
    const fits =
      place > 0 &&
      (repeats ? place >= this.#at : place > this.#at) &&
      // A response comes with each request, and its bytes with both.
      (from === 'request') === (type === 'response') &&
      (type !== 'bytes' || this.#request !== null)
    if (!fits) {
      if (place === -1)
        throw new check.NotSo(`there is no line of type ${JSON.stringify(type) ?? 'undefined'}`)
      throw new check.NotSo(`"${type as string}" does not come behind "${from}"`)
    }
    this.#at = place
  }

  itemOf(
    type: 'request' | 'response' | 'entry' | 'bytes' | 'end',
    fields: Fields,
    text: string,
  ): RecordingItem {
    if (type === 'request') {
      const request = requestOf(fields)
      same(text, requestLine(request))
      this.#request = request
      return { type, request }
    }
    if (type === 'response') {
      const response = responseOf(fields)
      same(text, responseLine(response))
      return { type, response }
    }
    if (type === 'bytes') {
      const chunk = chunkOf(fields)
      same(text, chunkLine(chunk))
      this.#chunks++
      this.#bytes += chunk.data.length
      return { type, chunk }
    }
    if (type === 'end') {
      const end = this.#endOf(fields)
      same(text, endLine(end))
      return { type, end }
    }
    return {
      type,
      entry: fields.type === 'neural_state' ? this.#state(fields, text) : this.#token(fields, text),
    }
  }

  #state(fields: Fields, text: string): NeuralStateEvent {
    check.state(fields)
    check.equal(fields.generation, this.head.generation, 'generation')
    const { type: _type, ...rest } = fields as unknown as NeuralStateEvent
    same(text, stateLine(rest))
    this.#entries++
    this.#last = fields as unknown as NeuralStateEvent
    return this.#last
  }

  #token(fields: Fields, text: string): TokenEvent {
    const token = tokenOf(fields)
    same(text, tokenLine(token))
    check.equal(token.generation, this.head.generation, 'generation')
    if (token.index <= this.#index) throw new check.NotSo('index does not go up')
    this.#index = token.index
    this.#entries++
    this.#tokens++
    return token
  }

  #endOf(fields: Fields): RecordingEnd {
    const sha256 = this.#sha256.digest('hex')
    if (fields.sha256 !== sha256)
      throw new check.NotSo('its checksum is another one: something was changed or lost')
    check.equal(fields.entries, this.#entries, 'entries')
    check.equal(fields.tokens, this.#tokens, 'tokens')
    check.equal(fields.chunks, this.#chunks, 'chunks')
    check.equal(fields.bytes, this.#bytes, 'bytes')
    const { generation, model, upstream, choice } = this.head
    if (this.#last === null) throw new check.NotSo('there is no state in it')
    check.equal(model, this.#last.model, 'model of the first line')
    check.equal(upstream, this.#last.upstream, 'upstream of the first line')
    const place = this.#request?.generations.indexOf(generation) ?? -1
    check.equal(choice, place === -1 ? null : place, 'choice of the first line')
    const [entries, tokens, chunks, bytes] = [this.#entries, this.#tokens, this.#chunks, this.#bytes]
    return { entries, tokens, chunks, bytes, sha256 }
  }
}

function headOf(fields: Fields): RecordingHead {
  if (fields.version !== RECORDING_VERSION) {
    const version = JSON.stringify(fields.version) ?? 'none'
    throw new check.NotSo(`its version is ${version}, and this Tokenscope reads ${RECORDING_VERSION}`)
  }
  return {
    generation: check.generation(fields.generation),
    started_at: check.ticks(fields.started_at, 'started_at'),
    ended_at: check.nullable(fields.ended_at, 'ended_at', check.time),
    model: check.nullable(fields.model, 'model', check.string),
    upstream: check.string(fields.upstream, 'upstream'),
    choice: check.nullable(fields.choice, 'choice', check.count),
    missing: check.count(fields.missing, 'missing'),
    prompt: check.nullable(fields.prompt, 'prompt', check.text),
    name: check.nullable(fields.name, 'name', check.text),
    tags: check.array(fields.tags, 'tags', check.string),
    note: check.nullable(fields.note, 'note', check.text),
  }
}

function requestOf(fields: Fields): FiledRequest {
  const text = check.nullable(fields.body, 'body', check.string)
  const base64 = check.nullable(fields.body_base64, 'body_base64', check.string)
  const body = text === null ? base64 && Buffer.from(base64, 'base64') : Buffer.from(text)
  return {
    method: check.string(fields.method, 'method'),
    target: check.string(fields.target, 'target'),
    headers: check.headers(fields.headers),
    correlation_id: check.nullable(fields.correlation_id, 'correlation_id', check.string),
    started_at: check.time(fields.started_at, 'started_at'),
    generations: check.atMost(
      MAX_CHOICES,
      check.array(fields.generations, 'generations', check.generation),
      'generations',
    ),
    body: body === '' ? Buffer.alloc(0) : body,
  }
}

function responseOf(fields: Fields): FiledResponse {
  return {
    status: check.nullable(fields.status, 'status', check.count),
    headers: fields.headers === null ? null : check.headers(fields.headers),
    outcome: check.outcome(fields.outcome),
    lost: check.boolean(fields.lost, 'lost'),
  }
}

function chunkOf(fields: Fields): FiledChunk {
  const at = check.number(fields.at_ms, 'at_ms')
  if (at < 0 || Math.round(at * 10) / 10 !== at) throw new check.NotSo('at_ms is no step of 0.1')
  return { at_ms: at, data: Buffer.from(check.string(fields.data, 'data'), 'base64') }
}

function tokenOf(fields: Fields): TokenEvent {
  const logprob = check.nullable(fields.logprob, 'logprob', check.number)
  const top = check.array(fields.top, 'top', alternative => {
    const { text, logprob } = check.object(alternative, 'top')
    // JSON has no word for what is no finite number.
    return {
      text: check.string(text, 'text'),
      logprob: logprob === null ? Number.NaN : check.number(logprob, 'logprob'),
    }
  })
  const timestamp = check.ticks(fields.timestamp, 'timestamp')
  return {
    type: 'token_activation',
    generation: check.string(fields.generation, 'generation'),
    index: check.count(fields.index, 'index'),
    token_id: check.nullable(fields.token_id, 'token_id', check.tokenId),
    token_text: check.string(fields.token_text, 'token_text'),
    kind: check.kind(fields.kind),
    timestamp: ticksOf(timestamp) / 10_000,
    logprob,
    confidence: confidenceOf(logprob),
    entropy: entropyOf(top),
    top,
  }
}

/** Throws if a line is not as it would be written. */
function same(text: string, written: string): void {
  if (text !== written) throw new check.NotSo('it is not as Tokenscope writes it')
}
