import type { LogEntry } from '../../events/generation.ts'
import { MODELS, type makeStreams } from './view-answers.ts'

/** The log that would bring these tokens: in the order of their times, after their generations' states. */
export function entriesOf(made: ReturnType<typeof makeStreams>): LogEntry[] {
  const entries: LogEntry[] = []
  const begun = new Set<string>()
  const push = (entry: Omit<LogEntry, 'seq'>) =>
    entries.push({ ...entry, seq: entries.length + 1 } as LogEntry)
  for (const { token, map } of [...made].sort((a, b) => a.token.timestamp - b.token.timestamp)) {
    const [generation, index] = token.id.split(':') as [string, string]
    if (!begun.has(generation)) push(stateOf(generation, MODELS[token.model ?? 0] as string))
    begun.add(generation)
    const { confidence, entropy, kind, text, timestamp } = token
    push({
      type: 'token_activation',
      generation,
      index: Number(index),
      token_id: null,
      token_text: text,
      kind,
      timestamp,
      position: map,
      logprob: confidence === null ? null : Math.log(confidence + 1e-9),
      confidence,
      entropy,
      top: [],
    } as Omit<LogEntry, 'seq'>)
  }
  return entries
}

function stateOf(generation: string, model: string): Omit<LogEntry, 'seq'> {
  return {
    type: 'neural_state',
    generation,
    state: 'generating',
    model,
    upstream: 'none',
    tokens_processed: 0,
    total_tokens: null,
    estimated: false,
    elapsed_ms: 1,
    ttft_ms: 1,
    progress: null,
    ending: null,
    error: null,
    timings: null,
    parent: null,
    cached: false,
  } as Omit<LogEntry, 'seq'>
}
