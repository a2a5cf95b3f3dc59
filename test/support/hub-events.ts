import type { GenerationState, NeuralStateEvent, TokenEvent } from '../../events/generation.ts'

/** A `neural_state` as the bridge would tell it. */
export function stateEvent(
  generation: string,
  state: GenerationState = 'generating',
  more: Partial<NeuralStateEvent> = {},
): NeuralStateEvent {
  return {
    type: 'neural_state',
    generation,
    state,
    model: 'test-model',
    upstream: '127.0.0.1:1234',
    tokens_processed: 0,
    total_tokens: null,
    estimated: false,
    elapsed_ms: 0,
    ttft_ms: null,
    progress: null,
    ending: null,
    error: null,
    timings: null,
    parent: null,
    cached: false,
    ...more,
  }
}

/** A `token_activation` as the bridge would tell it. */
export function tokenEvent(generation: string, index: number, text = ` ${index}`): TokenEvent {
  return {
    type: 'token_activation',
    generation,
    index,
    token_id: null,
    token_text: text,
    kind: 'message',
    timestamp: 1_700_000_000,
    logprob: null,
    confidence: null,
    entropy: null,
    top: [],
  }
}
