/** Characters that print nothing, or nothing that can be told apart, and the sign shown instead. */
const SIGNS = new Map<string, string>([
  [' ', '·'],
  ['\n', '↵'],
  ['\r', '␍'],
  ['\t', '⇥'],
  ['\u00a0', '⍽'],
  ['\u200b', '⟨ZWSP⟩'],
  ['\u200c', '⟨ZWNJ⟩'],
  ['\u200d', '⟨ZWJ⟩'],
  ['\u2060', '⟨WJ⟩'],
  ['\ufeff', '⟨BOM⟩'],
  ['\u00ad', '⟨SHY⟩'],
  ['\ufffd', '\ufffd'],
])

// Controls, format characters (bidi marks and overrides among them), odd spaces, lone surrogates.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Cs}\p{Co}\ufffd]/gu
// A joiner inside an emoji belongs to it, also after a skin tone or a variation selector.
const JOINED = /\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\ufe0f)?\u200d$/u
/** UTF-16 units that the end of an emoji before its joiner has at most: a pictograph and a skin tone. */
const EMOJI_END = 4

/** A piece of a token's text: as it is, or a sign that stands for a character one would not see. */
export interface VisiblePiece {
  text: string
  sign: boolean
}

/** Makes what is invisible in `text` visible, as pieces that tell the signs from the text. */
export function visiblePieces(text: string): VisiblePiece[] {
  const pieces: VisiblePiece[] = []
  let from = 0
  for (const match of text.matchAll(HIDDEN)) {
    const hidden = match[0]
    const before = Math.max(0, match.index - EMOJI_END)
    if (hidden === '\u200d' && JOINED.test(text.slice(before, match.index + 1))) continue
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), sign: false })
    pieces.push({ text: signOf(hidden), sign: true })
    from = match.index + hidden.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from), sign: false })
  return pieces
}

/** The same as one string, for where there is no room to tell them apart. */
export function visibleText(text: string): string {
  return visiblePieces(text)
    .map(piece => piece.text)
    .join('')
}

function signOf(character: string): string {
  const known = SIGNS.get(character)
  if (known !== undefined) return known
  const code = character.codePointAt(0) as number
  // The control pictures of Unicode stand in the order of the controls themselves.
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '␡'
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
}
