import { createHash } from 'node:crypto'
import type { GenerationEvent, NeuralStateEvent } from '../../events/generation.ts'
import {
  chunkLine,
  endLine,
  type FiledRequest,
  headLine,
  requestLine,
  responseLine,
  stateLine,
  tokenLine,
} from '../../store/file/recording-lines.ts'

/** A recording as a file, form `jsonl`, without the tables. */
export function recordingBytes(
  events: readonly GenerationEvent[],
  about: { startedAt?: number; requestedAt?: number; chunks?: readonly Uint8Array[] } = {},
): Buffer {
  const states = events.filter((event): event is NeuralStateEvent => event.type === 'neural_state')
  const { generation, model, upstream } = states.at(-1) as NeuralStateEvent
  const { startedAt = 1_700_000_000, requestedAt, chunks = [] } = about
  const choice = requestedAt === undefined ? null : 0
  const facts = { generation, started_at: startedAt, ended_at: null, model, upstream, choice, missing: 0 }
  const lines = [headLine({ ...facts, prompt: null, name: null, tags: [], note: null })]
  if (requestedAt !== undefined) {
    const request: FiledRequest = {
      ...{ method: 'POST', target: '/v1/chat/completions', headers: {}, correlation_id: null },
      ...{ started_at: requestedAt, generations: [generation], body: Buffer.from('{}') },
    }
    lines.push(
      requestLine(request),
      responseLine({ status: 200, headers: {}, outcome: 'complete', lost: false }),
    )
  }
  for (const event of events) {
    if (event.type === 'token_activation') lines.push(tokenLine(event))
    else {
      const { type: _type, ...state } = event
      lines.push(stateLine(state))
    }
  }
  for (const data of chunks) lines.push(chunkLine({ at_ms: 0, data }))
  const body = lines.map(line => `${line}\n`).join('')
  const end = {
    entries: events.length,
    tokens: events.length - states.length,
    chunks: chunks.length,
    bytes: chunks.reduce((sum, { length }) => sum + length, 0),
    sha256: createHash('sha256').update(body).digest('hex'),
  }
  return Buffer.from(`${body}${endLine(end)}\n`)
}

/** The bytes in pieces of so many, each memory of its own. */
export async function* inPieces(bytes: Uint8Array, pieceBytes = 1000): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += pieceBytes)
    yield Uint8Array.from(bytes.subarray(at, at + pieceBytes))
}
