import type { NeuralStateEvent } from '../../events/generation.ts'

/** A state as it stands in an entry: without `type`. */
export type KeptState = Omit<NeuralStateEvent, 'type'>

export function withoutType({ type: _type, ...state }: { type: 'neural_state' } & KeptState): KeptState {
  return state
}

/** Its state where Tokenscope ended before it did. */
export function interrupted(state: KeptState): KeptState {
  return {
    ...state,
    state: 'interrupted',
    progress: null,
    ending: 'lost',
    error: {
      kind: 'unknown',
      code: 'TOKENSCOPE_ENDED',
      message: 'Tokenscope ended before the answer did',
      retryable: true,
    },
  }
}

/** What is said of a generation whose states were not seen. */
export function unknownState(generation: string): KeptState {
  return {
    generation,
    state: 'generating',
    model: null,
    upstream: '',
    tokens_processed: 0,
    total_tokens: null,
    estimated: true,
    elapsed_ms: 0,
    ttft_ms: null,
    progress: null,
    ending: null,
    error: null,
    timings: null,
    parent: null,
    cached: false,
  }
}
