import type { GenerationState, NeuralStateEvent } from '../events/generation.ts'
import type { GenerationRecord, Origin } from './recording.ts'

/** A row of `generations`, as it is read. */
export interface GenerationRow {
  id: number
  generation: string
  origin: Origin
  /** Row of `exchanges`. */
  exchange: number | null
  state: GenerationState
  model: string | null
  /** JSON of its last `neural_state`, without `type`. */
  last: string
  /** When the log first heard of it, in ticks of 0.1 ms since 1970. */
  began: number
  /** Unix seconds. */
  ended_at: number | null
  entries: number
  tokens: number
  /** Tokens that came and could not be recorded. */
  missing: number
  mean_logprob: number | null
  preview: string
  prompt: string | null
  name: string | null
  /** JSON of an array of strings. */
  tags: string
  note: string | null
  version: number
  bytes: number
}

const TICKS_PER_SECOND = 10_000

/** What lists say of a row. */
export function recordOf(row: GenerationRow): GenerationRecord {
  const last = JSON.parse(row.last) as Partial<NeuralStateEvent>
  return {
    generation: row.generation,
    origin: row.origin,
    state: row.state,
    model: last.model ?? null,
    upstream: last.upstream ?? '',
    ending: last.ending ?? null,
    error: last.error ?? null,
    parent: last.parent ?? null,
    cached: last.cached ?? false,
    replay: last.replay ?? null,
    started_at: row.began / TICKS_PER_SECOND,
    ended_at: row.ended_at,
    elapsed_ms: last.elapsed_ms ?? 0,
    ttft_ms: last.ttft_ms ?? null,
    tokens: row.tokens,
    tokens_processed: last.tokens_processed ?? 0,
    total_tokens: last.total_tokens ?? null,
    estimated: last.estimated ?? false,
    timings: last.timings ?? null,
    mean_logprob: row.mean_logprob,
    preview: row.preview,
    prompt: row.prompt,
    name: row.name,
    tags: JSON.parse(row.tags) as string[],
    note: row.note,
    version: row.version,
    complete: row.missing === 0,
    bytes: row.bytes,
  }
}
