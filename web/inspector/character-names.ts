import { visiblePieces } from '../invisible.ts'

const NAMES = new Map<number, string>([
  [0x00, 'null'],
  [0x07, 'bell'],
  [0x08, 'backspace'],
  [0x09, 'tab'],
  [0x0a, 'line feed'],
  [0x0b, 'vertical tab'],
  [0x0c, 'form feed'],
  [0x0d, 'carriage return'],
  [0x1b, 'escape'],
  [0x20, 'space'],
  [0x7f, 'delete'],
  [0x85, 'next line'],
  [0xa0, 'no-break space'],
  [0xad, 'soft hyphen'],
  [0x061c, 'Arabic letter mark'],
  [0x2002, 'en space'],
  [0x2003, 'em space'],
  [0x2007, 'figure space'],
  [0x2008, 'punctuation space'],
  [0x2009, 'thin space'],
  [0x200a, 'hair space'],
  [0x200b, 'zero width space'],
  [0x200c, 'zero width non-joiner'],
  [0x200d, 'zero width joiner'],
  [0x200e, 'left-to-right mark'],
  [0x200f, 'right-to-left mark'],
  [0x2028, 'line separator'],
  [0x2029, 'paragraph separator'],
  [0x202a, 'left-to-right embedding'],
  [0x202b, 'right-to-left embedding'],
  [0x202c, 'pop directional formatting'],
  [0x202d, 'left-to-right override'],
  [0x202e, 'right-to-left override'],
  [0x202f, 'narrow no-break space'],
  [0x205f, 'medium mathematical space'],
  [0x2060, 'word joiner'],
  [0x2066, 'left-to-right isolate'],
  [0x2067, 'right-to-left isolate'],
  [0x2068, 'first strong isolate'],
  [0x2069, 'pop directional isolate'],
  [0x3000, 'ideographic space'],
  [0xfe0e, 'text variation selector'],
  [0xfe0f, 'emoji variation selector'],
  [0xfeff, 'byte order mark'],
  [0xfffd, 'replacement character'],
])

/** What a character is, where it has no name of its own here: the first that holds. */
const KINDS: readonly [RegExp, string][] = [
  [/\p{Cc}/u, 'control'],
  [/\p{Cf}/u, 'format character'],
  [/\p{Cs}/u, 'half of a pair'],
  [/\p{Co}/u, 'private use'],
  [/\p{Cn}/u, 'not assigned'],
  [/\p{Z}/u, 'space'],
  [/\p{M}/u, 'combining mark'],
  [/\p{Nd}/u, 'digit'],
  [/\p{N}/u, 'number'],
  [/\p{Extended_Pictographic}/u, 'pictograph'],
  [/\p{Script=Han}/u, 'Han character'],
  [/\p{Lu}/u, 'capital letter'],
  [/\p{Ll}/u, 'small letter'],
  [/\p{L}/u, 'letter'],
  [/\p{P}/u, 'punctuation'],
  [/\p{S}/u, 'symbol'],
]

/** A character of a text, as Unicode numbers it. */
export interface CodePoint {
  /** What is shown for it: itself, or a sign. */
  shown: string
  /** `U+0041`. */
  code: string
  /** Its name, or what kind of character it is. */
  name: string
}

/** A sign that stands in a text for what one would not see, what that is, and how often. */
export interface NamedSign {
  sign: string
  name: string
  count: number
}

/** How many characters a text has; half of a pair that stands alone is one, too. */
export function countOf(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** The characters of a text, one by one, `most` at most from its beginning on. */
export function codePointsOf(text: string, most = Number.POSITIVE_INFINITY): CodePoint[] {
  // A character has two units at most.
  const characters = [...text.slice(0, 2 * most)].slice(0, most)
  return characters.map(character => ({
    shown: visiblePieces(character)[0]?.text ?? character,
    code: codeOf(character),
    name: nameOf(character),
  }))
}

/** The signs that a text is shown with, each once, in the order in which they come. */
export function namedSigns(text: string): NamedSign[] {
  const found = new Map<string, NamedSign>()
  /** A text has few characters that differ, however long it is. */
  const plain = new Set<string>()
  for (const character of text) {
    const known = found.get(character)
    if (known !== undefined) known.count++
    if (known !== undefined || plain.has(character)) continue
    const [piece] = visiblePieces(character)
    if (piece?.sign) found.set(character, { sign: piece.text, name: nameOf(character), count: 1 })
    else plain.add(character)
  }
  return [...found.values()]
}

/** The name of a character where it has one here, else what kind of character it is. */
function nameOf(character: string): string {
  const known = NAMES.get(character.codePointAt(0) as number)
  return known ?? KINDS.find(([pattern]) => pattern.test(character))?.[1] ?? 'character'
}

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`
}
