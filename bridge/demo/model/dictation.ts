/**
 * What decides which token comes, in place of drawing it. The model's own probabilities are told all the
 * same (teacher forcing), so a dictated text shows what the model thought of each of its tokens.
 */
import type { Tokenizer } from './tokenizer.ts'

/**
 * Asked once for each token: the token that must come, or null if the model may draw. `between` says whether
 * the text so far ends between two characters.
 */
export type Dictation = (between: boolean) => number | null

// One for each length in UTF-8 that has more than one byte, none of them in the demo's essays.
const STRANGE_CHARACTERS = ['🦉', '漢', 'ж', '🎻', '字', 'ß']

/** Dictates a text to its end. Lone surrogates become U+FFFD. */
export function recite(tokenizer: Tokenizer, text: string): Dictation {
  const ids = tokenizer.encode(text).values()
  return () => ids.next().value ?? tokenizer.end
}

/**
 * Puts a character that is spread over several tokens, one for each of its bytes, after every `every` tokens
 * of `rest` (drawn ones if it is not given).
 */
export function sprinkle(every: number, rest: Dictation = () => null): Dictation {
  let bytes: number[] = []
  let since = 0
  let next = 0
  return between => {
    const byte = bytes.shift()
    if (byte !== undefined) return byte
    if (between && since >= every) {
      since = 0
      // The first 256 tokens are the bytes.
      bytes = [...Buffer.from(STRANGE_CHARACTERS[next++ % STRANGE_CHARACTERS.length] as string)]
      return bytes.shift() as number
    }
    since++
    return rest(between)
  }
}
