import { TokenscopeError } from '../../events/errors.ts'
import type { GenerationState } from '../../events/generation.ts'
import { modelFacet, stateFacet } from '../stored-text.ts'

/** Words and phrases that a search looks for at most. */
const MAX_TERMS = 64
/** A phrase, whose end may lack its quote, or what stands between spaces and quotes. NUL would end the query. */
const TERM = /"([^"]*)"?|([^\s"\0]+)/gu
/** What words are made of, as the tokenizer `unicode61` has it. */
const WORD = /[\p{L}\p{N}\p{Co}]/u
/** The last word in a text, without what stands behind it. */
const LAST_WORD = /[\p{L}\p{N}\p{Co}\p{M}]+(?=[^\p{L}\p{N}\p{Co}\p{M}]*$)/u
/**
 * Bytes of UTF-8 that a beginning has: three Latin letters, or a character of Chinese. All that begins with less is
 * in nearly every text, and would take a second to put together among a million.
 */
const BEGINNING_BYTES = 3

/**
 * The FTS5 expression for what somebody looks for: all of its words, each wherever it stands in name, tags, note,
 * prompt or text. `"…"` is a phrase and `word*` a beginning, unless it is very short; everything else stands for
 * itself.
 *
 * @throws TokenscopeError BAD_REQUEST (param `q`) if there is no word in it, or over 64
 */
export function matchOf(q: string, state: GenerationState | null, model: string | null): string {
  const terms = new Set<string>()
  for (const [, phrase, word] of q.matchAll(TERM)) {
    const text = phrase ?? (word as string)
    // What has no word is nothing that a text could hold.
    if (!WORD.test(text)) continue
    const isBeginning = word?.endsWith('*') && beginningBytes(word) >= BEGINNING_BYTES
    terms.add(`${quoted(text)}${isBeginning ? '*' : ''}`)
  }
  if (terms.size === 0) throw bad('There is no word in it to look for: q needs a letter or a digit.')
  if (terms.size > MAX_TERMS)
    throw bad(`It looks for ${terms.size} words; at most ${MAX_TERMS} are looked for at a time.`)
  const facets = [state === null ? null : stateFacet(state), model === null ? null : modelFacet(model)]
  const parts = [`{name tags note prompt text} : (${[...terms].join(' AND ')})`]
  for (const facet of facets) if (facet !== null) parts.push(`facets : ${quoted(facet)}`)
  return parts.join(' AND ')
}

function beginningBytes(word: string): number {
  return Buffer.byteLength(LAST_WORD.exec(word)?.[0] ?? '')
}

/** A string of FTS5: nothing in it is an operator. NUL would end the query. */
function quoted(text: string): string {
  return `"${text.toWellFormed().replaceAll('\0', ' ').replaceAll('"', '""')}"`
}

function bad(message: string): TokenscopeError {
  return new TokenscopeError('BAD_REQUEST', message, { param: 'q' })
}
