/** What the demo says about its model, in the words that several vendors' lists of models ask for. */
import { createHash } from 'node:crypto'
import { type DemoModel, WINDOW_CHARACTERS } from '../model/demo-model.ts'

/**
 * The context length that the demo gives wherever one is asked for, in tokens. The model reads the last 65,536
 * characters of a prompt, and a character of English is one token at most.
 */
export const CONTEXT_LENGTH = WINDOW_CHARACTERS

/** Who made the model. */
export const PUBLISHER = 'tokenscope'

/** What kind of model it is. */
export const ARCHITECTURE = 'ngram'

/** What its numbers are, by the name that GGUF has for it: 64-bit floating point. */
export const NUMBER_FORMAT = 'F64'

/** How many parameters it has, for a person, as `41.9K`: an n-gram has one. */
export function parameterCount({ language }: DemoModel): string {
  return `${(language.ngrams / 1000).toFixed(1)}K`
}

/** The SHA-256 of what it has learned from, hexadecimal: the same passages give the same model. */
export function digestOf({ passages }: DemoModel): string {
  return createHash('sha256').update(JSON.stringify(passages)).digest('hex')
}
