/** How many columns text takes in a grid of equal columns, as terminals count them. */
import { eastAsianWidth } from 'get-east-asian-width'

const PLAIN = /^[\x20-\x7e]*$/
/** Marks, joiners, variation selectors and what else has no shape of its own. */
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\p{Cf}\p{M}]+$/u
/** What a cluster may begin with that is not drawn. */
const IGNORED = /^[\p{Default_Ignorable_Code_Point}\p{Cf}]+/u
const EMOJI = /^\p{RGI_Emoji}$/v
/** Half of a flag, or a whole one. */
const REGIONAL = /^\p{Regional_Indicator}/u

let segmenter: Intl.Segmenter | undefined

/** Whether every UTF-16 unit of `text` is a character of one column. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

/** Divides text into grapheme clusters (UAX #29); made when it is first needed: that takes a process some 20 ms. */
export function graphemes(): Intl.Segmenter {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter
}

/** What a reader takes for one character each: an emoji of several code points, a letter and its marks. */
export function clustersOf(text: string): string[] {
  return isPlain(text) ? text.split('') : Array.from(graphemes().segment(text), ({ segment }) => segment)
}

/**
 * Columns of a code point that is a cluster of its own: 2 for the wide and fullwidth ones of Unicode's East Asian
 * Width (UAX #11), else 1; control characters take 1.
 */
export function codePointColumns(codePoint: number): 1 | 2 {
  return codePoint < 0x1100 ? 1 : eastAsianWidth(codePoint)
}

/** Columns of a grapheme cluster: 0 if nothing of it is seen, 2 for emoji and wide characters, else 1. */
export function columnsOf(cluster: string): 0 | 1 | 2 {
  if (cluster.length === 1 && cluster >= ' ' && cluster <= '~') return 1
  if (INVISIBLE.test(cluster)) return 0
  if (REGIONAL.test(cluster) || EMOJI.test(cluster)) return 2
  return codePointColumns(cluster.replace(IGNORED, '').codePointAt(0) as number)
}
