/** Token counts of an answer, in the form of OpenAI. */
import type { Outcome, ServerKind } from '../surface.ts'
import { generatedCount } from './outcomes.ts'

/** Counts of a request and all its choices so far. */
export function usageOf(kind: ServerKind, outcome: Outcome): object {
  const prompt = outcome.prompt.length
  const completion = generatedCount(outcome)
  const counts = {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  }
  if (kind === 'llamacpp') return { ...counts, prompt_tokens_details: { cached_tokens: 0 } }
  if (kind !== 'lmstudio') return counts
  const thought = outcome.choices
    .flatMap(({ parts }) => parts)
    .filter(({ part }) => part.kind === 'reasoning')
    .reduce((sum, { tokens }) => sum + tokens.length, 0)
  return { ...counts, completion_tokens_details: { reasoning_tokens: thought } }
}
