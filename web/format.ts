import type { GenerationState, Replay } from '../events/generation.ts'

/** The sign for a value that nobody gave. */
export const NOTHING = '–'

/** A rate: whole numbers, but one decimal below 10. */
export function formatRate(rate: number | null): string {
  if (rate === null || !Number.isFinite(rate)) return NOTHING
  return rate < 9.95 && rate > 0 ? rate.toFixed(1) : Math.round(rate).toString()
}

/** Milliseconds as a number and its unit: `84 ms`, `0.21 s`, `3.4 s`, `2 min 05 s`. */
export function formatDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return NOTHING
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 100) return `${Math.round(ms)} ms`
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** A probability as a percentage that never claims certainty the number does not have. */
export function formatPercent(p: number | null): string {
  if (p === null || Number.isNaN(p)) return NOTHING
  if (p >= 1) return '100 %'
  if (p > 0.9995) return '> 99.9 %'
  if (p < 0.0005) return p <= 0 ? '0 %' : '< 0.1 %'
  return `${(p * 100).toFixed(1)} %`
}

/** A count with a thin space between thousands. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u2009')
}

const STATE_WORDS: Record<GenerationState, string> = {
  queued: 'queued',
  loading_model: 'loading model',
  processing_prompt: 'reading prompt',
  generating: 'generating',
  cancelling: 'stopping',
  done: 'done',
  interrupted: 'interrupted',
  cancelled: 'stopped',
  failed: 'failed',
}

const ENDING_WORDS: Record<string, string> = {
  empty: 'no content',
  length: 'at the length limit',
  tool_calls: 'for a tool call',
  content_filter: 'by a content filter',
  client_gone: 'the app left',
  stopped: 'by request',
  shutdown: 'the server stopped',
  lost: 'the server ended',
  truncated: 'ended without saying so',
  connection: 'the connection broke',
  timeout: 'silent for too long',
  opaque: 'too large to follow',
  overflow: 'too much to follow',
  // The words of llama.cpp and Anthropic for what others call otherwise.
  limit: 'at the length limit',
  word: 'at a stop word',
  stop_sequence: 'at a stop word',
  tool_use: 'for a tool call',
}

/** Endings that say no more than that the model had finished. */
const PLAIN_ENDINGS: ReadonlySet<string> = new Set(['stop', 'error', 'eos', 'end_turn', 'completed'])

/** A generation's state in words. */
export function stateWords(state: GenerationState): string {
  return STATE_WORDS[state] ?? state
}

/** That it is played again, and how fast. */
export function replayWords({ speed }: Replay): string {
  if (speed === null) return 'replay ×max'
  return speed === 1 ? 'replay' : `replay ×${speed}`
}

/** What refines the end, in words; null where the state says it all. */
export function endingWords(ending: string | null): string | null {
  if (ending === null || PLAIN_ENDINGS.has(ending)) return null
  return ENDING_WORDS[ending] ?? ending.replaceAll('_', ' ')
}

/** The group that a state's colour goes by. */
export function stateTone(state: GenerationState): 'live' | 'waiting' | 'failed' | 'quiet' {
  if (state === 'generating') return 'live'
  if (state === 'failed') return 'failed'
  if (state === 'done' || state === 'cancelled') return 'quiet'
  return 'waiting'
}
