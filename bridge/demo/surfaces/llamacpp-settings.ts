/** What llama.cpp tells of how a completion is drawn, with what is true of the demo's sampler. */
import { DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE, DEFAULT_TOP_P } from '../model/generation.ts'
import type { LlamaRequest } from './llamacpp-request.ts'

/** llama.cpp's number for a seed that it draws itself. */
const RANDOM_SEED = 4_294_967_295

/** The settings of a request; the defaults without one. Samplers that the demo has not are off. */
export function settingsOf(request?: LlamaRequest): object {
  const { asked } = request ?? {}
  const limit = asked?.maxTokens ?? DEFAULT_MAX_TOKENS
  return {
    seed: asked?.seed ?? RANDOM_SEED,
    temperature: asked?.temperature ?? DEFAULT_TEMPERATURE,
    top_k: 0,
    top_p: asked?.topP ?? DEFAULT_TOP_P,
    min_p: 0,
    typical_p: 1,
    repeat_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    mirostat: 0,
    stop: asked?.stop ?? [],
    max_tokens: limit,
    n_predict: limit,
    n_keep: 0,
    n_discard: 0,
    ignore_eos: false,
    stream: asked?.stream ?? false,
    logit_bias: [],
    n_probs: asked?.topCount ?? 0,
    min_keep: 0,
    grammar: '',
    samplers: ['top_p', 'temperature'],
    timings_per_token: request?.timingsPerToken ?? false,
    post_sampling_probs: false,
    lora: [],
  }
}
