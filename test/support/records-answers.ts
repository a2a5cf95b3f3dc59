import type { GenerationDetail, GenerationRecord, RecordedToken } from '../../store/recording.ts'

/** A recorded generation as lists have it. */
export function record(generation: string, more: Partial<GenerationRecord> = {}): GenerationRecord {
  return {
    generation,
    origin: 'live',
    state: 'done',
    model: 'm',
    upstream: 'u',
    ending: 'stop',
    error: null,
    parent: null,
    cached: false,
    replay: null,
    started_at: 1000,
    ended_at: 1001,
    elapsed_ms: 1000,
    ttft_ms: 100,
    tokens: 0,
    tokens_processed: 0,
    total_tokens: null,
    estimated: false,
    timings: null,
    mean_logprob: null,
    preview: '',
    prompt: null,
    name: null,
    tags: [],
    note: null,
    version: 1,
    complete: true,
    bytes: 10,
    ...more,
  }
}

/** One with so many tokens, each of the text `x`, as it is read alone. */
export function detail(
  generation: string,
  tokens: number,
  more: Partial<GenerationDetail> = {},
): GenerationDetail {
  return {
    ...record(generation, { tokens, tokens_processed: tokens }),
    text: 'x'.repeat(tokens),
    request: null,
    response: null,
    ...more,
  }
}

/** Recorded tokens, each of the text `x`; without a cell where they came from a file. */
export function recordedTokens(count: number, placed = true): RecordedToken[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    token_id: null,
    token_text: 'x',
    kind: 'message',
    timestamp: 1000 + index / 10,
    position: placed ? [index % 16, Math.floor(index / 16)] : null,
    logprob: null,
    confidence: null,
    entropy: null,
    top: [],
  }))
}
