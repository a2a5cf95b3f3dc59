/** Where the tokens of Rust end (The Rust Reference, "Lexical structure"). Each takes an index into the text and gives one. */

export const LINE_FEED = 10
const QUOTE = 34
const HASH = 35
const APOSTROPHE = 39
const STAR = 42
const SLASH = 47
const BACKSLASH = 92
const SPACES: ReadonlySet<number> = new Set([32, 0x85, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff])

/** The first character from here on that is neither white space nor in a comment. */
export function skipSpace(text: string, start: number): number {
  let at = start
  for (;;) {
    if (KINDS[text.charCodeAt(at)] === SPACE) at++
    else {
      const end = commentEnd(text, at)
      if (end < 0) return at
      at = end
    }
  }
}

/** Behind the comment that begins here, which may hold others; -1: none begins here. */
export function commentEnd(text: string, start: number): number {
  if (text.charCodeAt(start) !== SLASH) return -1
  const sign = text.charCodeAt(start + 1)
  if (sign === SLASH) {
    const end = text.indexOf('\n', start)
    return end < 0 ? text.length : end
  }
  if (sign !== STAR) return -1
  let depth = 1
  for (let at = start + 2; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === STAR && text.charCodeAt(at + 1) === SLASH) {
      at++
      if (--depth === 0) return at + 1
    } else if (code === SLASH && text.charCodeAt(at + 1) === STAR) {
      at++
      depth++
    }
  }
  return text.length
}

/** Behind the string whose quote is here; one that is not closed goes to the end. */
export function stringEnd(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    if (code === BACKSLASH) at++
  }
  return text.length
}

/**
 * Behind the raw string whose `#`s or quote are here, behind its `r`, `br` or `cr`; -1: it is none but a raw identifier, or no Rust.
 */
export function rawStringEnd(text: string, start: number): number {
  let quote = start
  while (text.charCodeAt(quote) === HASH) quote++
  if (text.charCodeAt(quote) !== QUOTE) return -1
  const close = `"${text.slice(start, quote)}`
  const end = text.indexOf(close, quote + 1)
  return end < 0 ? text.length : end + close.length
}

/** Behind the character or lifetime whose apostrophe is here. */
export function apostropheEnd(text: string, start: number): number {
  if (text.charCodeAt(start + 1) === BACKSLASH) {
    for (let at = start + 3; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === APOSTROPHE) return at + 1
      if (code === LINE_FEED) return at
    }
    return text.length
  }
  const character = (text.codePointAt(start + 1) ?? 0) > 0xffff ? 2 : 1
  if (text.charCodeAt(start + 1 + character) === APOSTROPHE) return start + character + 2
  return wordEnd(text, start + 1)
}

export function wordEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && KINDS[text.charCodeAt(at)] === WORD) at++
  return at
}

/** The name that begins here, without its `r#`, and where it ends; empty: there is none. */
export function nameAt(text: string, start: number): { name: string; end: number } {
  const begin = text.startsWith('r#', start) ? start + 2 : start
  const end = wordEnd(text, begin)
  return end === begin ? { name: '', end: start } : { name: text.slice(begin, end), end }
}

/** The word before this place, with white space between them; empty: there is none. */
export function wordBefore(text: string, at: number): string {
  let end = at
  while (end > 0 && KINDS[text.charCodeAt(end - 1)] === SPACE) end--
  let start = end
  while (start > 0 && KINDS[text.charCodeAt(start - 1)] === WORD) start--
  return text.slice(start, end)
}

/** Where the last one of these words begins that stands by itself; −1: there is none. */
export function lastWord(text: string, words: readonly string[]): number {
  let last = -1
  for (const word of words) {
    let at = text.lastIndexOf(word)
    while (at > last && !isWhole(text, at, at + word.length))
      at = at === 0 ? -1 : text.lastIndexOf(word, at - 1)
    last = Math.max(last, at)
  }
  return last
}

function isWhole(text: string, start: number, end: number): boolean {
  return KINDS[text.charCodeAt(start - 1)] !== WORD && KINDS[text.charCodeAt(end)] !== WORD
}

export const SPACE = 1
export const WORD = 2

/**
 * Of each character whether it is white space (Pattern_White_Space, and the mark that some texts begin with) or part of a word: a letter,
 * a digit, `_`, or anything else beyond ASCII, which stands in no other token. Else 0.
 */
export const KINDS: Readonly<Uint8Array> = Uint8Array.from({ length: 65_536 }, (_, code) => {
  if ((code >= 9 && code <= 13) || SPACES.has(code)) return SPACE
  const folded = code | 32
  const isAscii = (folded >= 97 && folded <= 122) || code === 95 || (code >= 48 && code <= 57)
  return code >= 128 || isAscii ? WORD : 0
})
