import { formatCount } from './format.ts'

/** Marks upon one letter that no script needs, and that take a browser seconds to stack. */
const TOO_MANY_MARKS = /\p{M}{65}/u
const MARKS = 64

/**
 * The beginning of a text and words for the rest: an answer may come as one token of a million characters, and a
 * page that lays them all out stands still.
 *
 * @param most UTF-16 units that are shown at most, one fewer where a pair would be cut
 */
export function beginningOf(text: string, most: number): { shown: string; rest: string | null } {
  const marks = text.slice(0, most).search(TOO_MANY_MARKS)
  const wanted = marks === -1 ? most : marks + MARKS
  if (text.length <= wanted) return { shown: text, rest: null }
  const end = isFirstHalf(text.charCodeAt(wanted - 1)) ? wanted - 1 : wanted
  return { shown: text.slice(0, end), rest: `… and ${formatCount(text.length - end)} characters more` }
}

function isFirstHalf(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
