import { createHash } from 'node:crypto'
import type { GenerationState } from '../events/generation.ts'

/** Text as a TEXT column and the index of words can hold it: without half surrogate pairs and without NUL. */
export function storedText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** The beginning of a text, at most `units` UTF-16 units, with no surrogate pair cut in two. */
export function beginningOf(text: string, units: number): string {
  if (text.length <= units) return text
  const last = text.charCodeAt(units - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? units - 1 : units)
}

/** The word by which `words.facets` holds a state. */
export function stateFacet(state: GenerationState): string {
  return `s${state.replaceAll('_', '')}`
}

/** The word by which `words.facets` holds a model: a name may be anything. */
export function modelFacet(model: string): string {
  return `m${createHash('sha256').update(storedText(model)).digest('hex').slice(0, 16)}`
}
