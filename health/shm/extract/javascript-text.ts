/** The smallest pieces of JavaScript text, for those who read it without a parser. */

const NAME_PARTS = Uint8Array.from({ length: 128 }, (_, code) =>
  /[\w$#\\]/.test(String.fromCharCode(code)) ? 1 : 0,
)

/**
 * If a character can be in a name or a number. `#` and `\` are taken for parts of names (private names, escapes), and all
 * beyond ASCII that is no space.
 */
export function isNamePart(code: number): boolean {
  if (code < 128) return NAME_PARTS[code] === 1
  return (
    code >= 128 && code !== 0xa0 && code !== 0xfeff && code !== 0x2028 && code !== 0x2029 && code !== 0x3000
  )
}

/** The offset behind the name at `at`, which may be empty. */
export function nameEnd(source: string, at: number): number {
  let end = at
  while (end < source.length && isNamePart(source.charCodeAt(end))) end++
  return end
}

/** The offset of what follows the spaces and comments at `at`; the text's end where a comment has none. */
export function skipTrivia(source: string, at: number): number {
  let i = at
  for (;;) {
    const code = source.charCodeAt(i)
    if (code <= 32 || (code >= 128 && !isNamePart(code))) i++
    else if (code === 47 && source.charCodeAt(i + 1) === 47) i = lineEnd(source, i)
    else if (code === 47 && source.charCodeAt(i + 1) === 42) i = commentEnd(source, i)
    else return Math.min(i, source.length)
  }
}

/** The offset of the next line feed, or the text's end. */
export function lineEnd(source: string, at: number): number {
  const feed = source.indexOf('\n', at)
  return feed === -1 ? source.length : feed
}

/** The offset behind the comment that opens at `at` with two characters; the text's end where it does not close. */
export function commentEnd(source: string, at: number): number {
  const close = source.indexOf('*/', at + 2)
  return close === -1 ? source.length : close + 2
}

/**
 * The offset behind the string at `at` (its opening quote). A string that its line does not close ends at the line's end:
 * so says a minus sign before the offset.
 */
export function stringEnd(source: string, at: number): number {
  const quote = source.charCodeAt(at)
  for (let i = at + 1; i < source.length; i++) {
    const code = source.charCodeAt(i)
    if (code === quote) return i + 1
    if (code === 92) i += source.charCodeAt(i + 1) === 13 && source.charCodeAt(i + 2) === 10 ? 2 : 1
    else if (code === 10) return -i
  }
  return -source.length
}

/** Behind the last slash of the regular expression at `at`; null: it is none, since its line ends first. */
export function regexEnd(source: string, at: number): number | null {
  let inClass = false
  for (let i = at + 1; i < source.length; i++) {
    const code = source.charCodeAt(i)
    if (code === 92) i += 1
    else if (code === 10) return null
    else if (code === 91) inClass = true
    else if (code === 93) inClass = false
    else if (code === 47 && !inClass) return i + 1
  }
  return null
}

/**
 * The text that a literal at `at` says (a string, or a template without holes), and the offset behind it; null: there is
 * none.
 */
export function literalAt(source: string, at: number): { text: string; end: number } | null {
  const quote = source.charCodeAt(at)
  if (quote === 39 || quote === 34) {
    const end = stringEnd(source, at)
    return end > 0 ? { text: unescaped(source.slice(at + 1, end - 1)), end } : null
  }
  if (quote !== 96) return null
  const end = source.indexOf('`', at + 1)
  const text = source.slice(at + 1, end)
  return end === -1 || text.includes('$') || text.includes('\\') ? null : { text, end: end + 1 }
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(?:u\{([\da-f]{1,6})\}|u([\da-f]{4})|x([\da-f]{2})|\r\n|([\s\S]))/gi, spoken)
}

function spoken(_: string, braced?: string, unicode?: string, hex?: string, one?: string): string {
  const digits = braced ?? unicode ?? hex
  if (digits !== undefined) {
    const code = Number.parseInt(digits, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : ''
  }
  const plain: Record<string, string> = {
    n: '\n',
    t: '\t',
    r: '\r',
    b: '\b',
    f: '\f',
    v: '\v',
    0: '\0',
    '\n': '',
  }
  return one === undefined ? '' : (plain[one] ?? one)
}
