/** llama.cpp's `timings`: what was measured, in milliseconds and tokens per second. */
import type { Outcome } from '../surface.ts'
import { generatedCount, rate } from './outcomes.ts'

/**
 * The timings so far of an answer, or of one choice: llama.cpp has a slot for each, and counts by slots. Nothing of a
 * prompt is ever cached.
 */
export function timingsOf(outcome: Outcome, choice: number | null = null): object {
  const { prefillMs, generateMs } = outcome.timing
  const prompt = outcome.prompt.length
  const predicted = choice === null ? generatedCount(outcome) : (outcome.choices[choice]?.count ?? 0)
  const promptMs = prefillMs ?? 0
  return {
    cache_n: 0,
    prompt_n: prompt,
    prompt_ms: promptMs,
    prompt_per_token_ms: prompt === 0 ? 0 : promptMs / prompt,
    prompt_per_second: rate(prompt, promptMs),
    predicted_n: predicted,
    predicted_ms: generateMs,
    predicted_per_token_ms: predicted === 0 ? 0 : generateMs / predicted,
    predicted_per_second: rate(predicted, generateMs),
  }
}
