/**
 * The lines of a recording as a file, form `jsonl`: what each says, and how it is written. A field's place is part
 * of the form, and numbers are as JSON.stringify prints them, so that what is equal is equal to the byte.
 * docs/recordings.md describes them; `recording-reader.ts` reads them.
 */
import type { Alternative, NeuralStateEvent, TokenEvent } from '../../events/generation.ts'
import type { RecordedResponse } from '../recording.ts'

export const RECORDING_VERSION = 1
/** Bytes of a line that is read, and its end. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024
/** A body is in the file as text up to so many bytes of JSON; every control character takes six. */
const MAX_TEXT_BODY_BYTES = 8 * 1024 * 1024

/** First line of a recording. */
export interface RecordingHead {
  generation: string
  /** Unix seconds, in steps of 0.1 ms. */
  started_at: number
  ended_at: number | null
  /** As its last state says. */
  model: string | null
  upstream: string
  /** Which of the generations of its request it is, from 0; null where no request is recorded. */
  choice: number | null
  /** Tokens that came and are not in the recording. */
  missing: number
  prompt: string | null
  name: string | null
  tags: string[]
  note: string | null
}

/** Second line, where a request is recorded. */
export interface FiledRequest {
  method: string
  target: string
  headers: Record<string, string>
  correlation_id: string | null
  /** Unix seconds. */
  started_at: number
  generations: string[]
  body: Uint8Array | null
}

/** Third line, behind a request; status and headers are null where no answer came. */
export interface FiledResponse {
  status: number | null
  headers: Record<string, string> | null
  /** `interrupted` where there is more of the answer than the recording has. */
  outcome: NonNullable<RecordedResponse['outcome']>
  /** Whether bytes of the answer came that are not in the recording. */
  lost: boolean
}

/** A chunk of the answer. */
export interface FiledChunk {
  /** Since the request came, in steps of 0.1. */
  at_ms: number
  data: Uint8Array
}

/** Last line. */
export interface RecordingEnd {
  entries: number
  tokens: number
  chunks: number
  /** Of all chunks. */
  bytes: number
  /** Of all bytes of the recording before this line, in hex. */
  sha256: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function headLine(head: RecordingHead): string {
  const { generation, started_at, ended_at, model, upstream, choice, missing, prompt, name, tags, note } =
    head
  const facts = {
    generation,
    started_at,
    ended_at,
    model,
    upstream,
    choice,
    missing,
    prompt,
    name,
    tags,
    note,
  }
  return JSON.stringify({ type: 'recording', version: RECORDING_VERSION, ...facts })
}

/** A body that is UTF-8 is told as text, if that is not too long; another in base64. */
export function requestLine(request: FiledRequest): string {
  const { method, target, headers, correlation_id, started_at, generations, body } = request
  const text = textOf(body)
  const base64 = body === null || text !== null ? null : Buffer.from(body).toString('base64')
  const facts = { method, target, headers, correlation_id, started_at, generations }
  return JSON.stringify({ type: 'request', ...facts, body: text, body_base64: base64 })
}

export function responseLine({ status, headers, outcome, lost }: FiledResponse): string {
  return JSON.stringify({ type: 'response', status, headers, outcome, lost })
}

/** A change of state as the stream tells it, without its seq. */
export function stateLine(state: Omit<NeuralStateEvent, 'type'>): string {
  return `{"type":"neural_state",${JSON.stringify(state).slice(1)}`
}

/** A token as the stream tells it, without its seq, its cell, and what follows from its logprobs. */
export function tokenLine(token: TokenEvent): string {
  const { generation, index, token_id, token_text, kind, timestamp, logprob } = token
  const top: Alternative[] = token.top.map(({ text, logprob }) => ({ text, logprob }))
  const facts = { generation, index, token_id, token_text, kind, timestamp, logprob, top }
  return JSON.stringify({ type: 'token_activation', ...facts })
}

export function chunkLine({ at_ms, data }: FiledChunk): string {
  const base64 = Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64')
  return `{"type":"bytes","at_ms":${JSON.stringify(at_ms)},"data":"${base64}"}`
}

export function endLine({ entries, tokens, chunks, bytes, sha256 }: RecordingEnd): string {
  return JSON.stringify({ type: 'end', entries, tokens, chunks, bytes, sha256 })
}

/** A body as text; null where there is none, it is no UTF-8, or is too long as JSON. */
function textOf(body: Uint8Array | null): string | null {
  if (body === null) return null
  try {
    const text = utf8.decode(body)
    return Buffer.byteLength(JSON.stringify(text)) <= MAX_TEXT_BODY_BYTES ? text : null
  } catch {
    return null
  }
}
