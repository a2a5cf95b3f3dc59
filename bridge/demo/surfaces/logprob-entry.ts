/** The entry of a token's log-probability, in the form that OpenAI gave it and most others took over. */
import type { TokenChance } from '../model/generation.ts'

/** A token as one of several: its text, natural logarithm and bytes. */
export function chanceEntry({ text, logprob, bytes }: TokenChance): object {
  return { token: text, logprob, bytes }
}
