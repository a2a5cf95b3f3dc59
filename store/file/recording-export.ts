/** A recorded generation as a file: its bytes, piece by piece. docs/recordings.md has the forms. */
import { createHash, type Hash } from 'node:crypto'
import type { TokenEntry } from '../../events/generation.ts'
import { type GenerationRow, recordOf } from '../generation-record.ts'
import type { StoredEntries } from '../reader/stored-entries.ts'
import { filedRequest, filedResponse, type StoredExchanges } from '../reader/stored-exchanges.ts'
import type { ExportFormat } from '../recording.ts'
import {
  chunkLine,
  endLine,
  headLine,
  requestLine,
  responseLine,
  stateLine,
  tokenLine,
} from './recording-lines.ts'

/** Where its parts are read. */
export interface RecordingSource {
  entries: StoredEntries
  exchanges: StoredExchanges
}

/** Bytes of a piece at most. */
const PIECE_BYTES = 256 * 1024
const CSV_FIELDS = [
  'index',
  'kind',
  'token_id',
  'token_text',
  'timestamp',
  'logprob',
  'confidence',
  'entropy',
  'top',
]

/** The bytes of a generation as it was when its row was read, in pieces of at most 256 KiB. */
export function exported(
  row: GenerationRow,
  format: ExportFormat,
  source: RecordingSource,
): Generator<Uint8Array, void> {
  if (format === 'csv') return pieces(csv(row, source))
  if (format === 'txt') return pieces(txt(row, source))
  return pieces(jsonl(row, source))
}

/** The checksum that its export in the form `jsonl` ends with. */
export function checksumOf(row: GenerationRow, source: RecordingSource): string {
  const lines = jsonl(row, source)
  for (;;) {
    const { done, value } = lines.next()
    if (done === true) return value
  }
}

function* jsonl(row: GenerationRow, { entries, exchanges }: RecordingSource): Generator<string, string> {
  const sum = new LineSum()
  const exchange = exchanges.find(row.exchange)
  const request = exchange === null ? null : filedRequest(exchange)
  const choice = request?.generations.indexOf(row.generation) ?? -1
  const { generation, started_at, ended_at, model, upstream, prompt, name, tags, note } = recordOf(row)
  const facts = { generation, started_at, ended_at, model, upstream, choice: choice === -1 ? null : choice }
  yield sum.line(headLine({ ...facts, missing: row.missing, prompt, name, tags, note }))
  if (exchange !== null && request !== null) {
    yield sum.line(requestLine(request))
    yield sum.line(responseLine(filedResponse(exchange)))
  }
  const counts = { entries: 0, tokens: 0, chunks: 0, bytes: 0 }
  for (const stretch of entries.stretches(row, 0, row.entries)) {
    for (const entry of stretch) {
      counts.entries++
      if (entry.type === 'token_activation') {
        counts.tokens++
        yield sum.line(tokenLine(entry))
      } else {
        const { type: _type, seq: _seq, ...state } = entry
        yield sum.line(stateLine(state))
      }
    }
  }
  if (exchange !== null) {
    for (const chunk of exchanges.chunks(exchange.id)) {
      counts.chunks++
      counts.bytes += chunk.data.length
      yield sum.line(chunkLine(chunk))
    }
  }
  const sha256 = sum.digest()
  yield `${endLine({ ...counts, sha256 })}\n`
  return sha256
}

/** RFC 4180, with a head: a record for each token. */
function* csv(row: GenerationRow, { entries }: RecordingSource): Generator<string, void> {
  yield `${CSV_FIELDS.join(',')}\r\n`
  for (const token of tokens(row, entries)) {
    const { index, kind, token_id, token_text, timestamp, logprob, confidence, entropy, top } = token
    const numbers = [timestamp, logprob, confidence, entropy].map(numberOf).join(',')
    const alternatives = top.length === 0 ? '' : quoted(JSON.stringify(top))
    yield `${index},${kind},${token_id ?? ''},${quoted(token_text)},${numbers},${alternatives}\r\n`
  }
}

/** The text of its message; where there is none, all its text. */
function* txt(row: GenerationRow, { entries }: RecordingSource): Generator<string, void> {
  let hasMessage = false
  for (const token of tokens(row, entries)) {
    hasMessage = token.kind === 'message' && token.token_text !== ''
    if (hasMessage) break
  }
  // A token may be half of a surrogate pair, whose other half is the next one.
  let half = ''
  for (const token of tokens(row, entries)) {
    if (hasMessage && token.kind !== 'message') continue
    const text = half + token.token_text
    const last = text.charCodeAt(text.length - 1)
    half = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : ''
    yield half === '' ? text : text.slice(0, -1)
  }
  yield half
}

function* tokens(row: GenerationRow, entries: StoredEntries): Generator<TokenEntry, void> {
  for (const stretch of entries.stretches(row, 0, row.entries)) {
    for (const entry of stretch) if (entry.type === 'token_activation') yield entry
  }
}

/** As JSON has it, which has no word for what is no finite number. */
function numberOf(value: number | null): number | '' {
  return value === null || !Number.isFinite(value) ? '' : value
}

function quoted(field: string): string {
  return `"${field.replaceAll('"', '""')}"`
}

/** Gathers texts as UTF-8 in pieces; half surrogate pairs become U+FFFD. */
function* pieces(texts: Generator<string, unknown>): Generator<Uint8Array, void> {
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let at = 0
  for (const text of texts) {
    // A unit takes three bytes at most: most fits without being measured.
    if (text.length * 3 <= PIECE_BYTES - at) {
      at += piece.write(text, at)
      continue
    }
    const bytes = Buffer.from(text)
    for (let from = 0; from < bytes.length; ) {
      const taken = bytes.copy(piece, at, from)
      at += taken
      from += taken
      if (at < PIECE_BYTES) continue
      yield piece
      piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
      at = 0
    }
  }
  if (at > 0) yield new Uint8Array(piece.subarray(0, at))
}

/** The checksum over lines. */
class LineSum {
  readonly #sha256: Hash = createHash('sha256')

  /** The line with its end. */
  line(line: string): string {
    const whole = `${line}\n`
    this.#sha256.update(whole)
    return whole
  }

  digest(): string {
    return this.#sha256.digest('hex')
  }
}
