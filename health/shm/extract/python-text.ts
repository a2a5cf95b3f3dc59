/** The smallest pieces of Python text: spaces, words and strings. */

/** The offset behind the word at `at`, which may be empty. What is beyond ASCII counts as letters. */
export function wordEnd(source: string, at: number): number {
  let i = at
  for (; i < source.length; i++) {
    const code = source.charCodeAt(i)
    const letter = code >= 97 ? code <= 122 || code >= 128 : code >= 65 ? code <= 90 || code === 95 : false
    if (!letter && (code < 48 || code > 57)) break
  }
  return i
}

/** The offset of what follows the spaces at `at`, and the line ends that a backslash takes away. */
export function skipSpace(source: string, at: number): number {
  for (let i = at; ; i++) {
    const code = source.charCodeAt(i)
    if (code === 32 || code === 9 || code === 12) continue
    if (code !== 92) return i
    const next = source.charCodeAt(i + 1)
    if (next === 10) i += 1
    else if (next === 13) i += source.charCodeAt(i + 2) === 10 ? 2 : 1
    else return i
  }
}

/** If a string is at `start`, with the word up to `end` as its prefix or without one. */
export function stringOpens(source: string, start: number, end: number): boolean {
  const code = source.charCodeAt(end)
  if ((code !== 34 && code !== 39) || end - start > 2) return false
  for (let i = start; i < end; i++) if (!isPrefix(source.charCodeAt(i))) return false
  return true
}

/** `b`, `f`, `r`, `t` or `u`. */
function isPrefix(code: number): boolean {
  const lower = code | 32
  return lower === 98 || lower === 102 || lower === 114 || lower === 116 || lower === 117
}

/** A string that is open, and with `holes` an f-string or t-string. */
interface OpenString {
  quote: number
  /** Three quotes. */
  long: boolean
  holes: boolean
  /** Brackets that are open in its hole; or −1: it is text that is read. */
  depth: number
  /** Holes whose format (`{x:>{width}}`) is being read. */
  formats: number
}

/**
 * Reads the string at `at`, from its prefix, over other strings in the holes of f-strings and over what is in those. One that is
 * not closed ends where its line does, or the text.
 * @returns the offset behind it, and what it says if it says so literally, without escapes; else null
 */
export function stringAt(source: string, at: number): { end: number; text: string | null } {
  const stack = [openAt(source, at)]
  const outer = stack[0] as ReturnType<typeof openAt>
  let i = outer.at
  while (i < source.length) {
    const top = stack.at(-1) as ReturnType<typeof openAt>
    const { open } = top
    const code = source.charCodeAt(i)
    if (open.depth >= 0) i = inHole(source, i, code, open, stack)
    else if (code === 92) i = escapeEnd(source, i, open)
    else if (closes(source, i, code, open)) {
      i += open.long ? 3 : 1
      stack.pop()
      if (stack.length === 0) return { end: i, text: literal(source, outer, i) }
    } else if (!open.long && (code === 10 || code === 13)) return { end: i, text: null }
    else if (open.holes && code === 123) {
      const doubled = source.charCodeAt(i + 1) === 123 && open.formats === 0
      if (!doubled) open.depth = 0
      i += doubled ? 2 : 1
    } else {
      if (open.formats > 0 && code === 125) open.formats -= 1
      i += 1
    }
  }
  return { end: source.length, text: null }
}

/** Behind a backslash and what it takes the meaning from; a hole opens all the same. */
function escapeEnd(source: string, at: number, { holes }: OpenString): number {
  const next = source.charCodeAt(at + 1)
  if (holes && next === 123) return at + 1
  return next === 13 && source.charCodeAt(at + 2) === 10 ? at + 3 : at + 2
}

function closes(source: string, at: number, code: number, { quote, long }: OpenString): boolean {
  if (code !== quote) return false
  return !long || (source.charCodeAt(at + 1) === quote && source.charCodeAt(at + 2) === quote)
}

/** Reads one thing in the hole of an f-string; gives the offset behind it. */
function inHole(
  source: string,
  at: number,
  code: number,
  open: OpenString,
  stack: ReturnType<typeof openAt>[],
): number {
  switch (code) {
    case 34:
    case 39: {
      const inner = openAt(source, prefixStart(source, at))
      stack.push(inner)
      return inner.at
    }
    case 35: {
      const feed = source.indexOf('\n', at)
      return feed === -1 ? source.length : feed
    }
    case 40:
    case 91:
    case 123:
      open.depth += 1
      break
    case 41:
    case 93:
      if (open.depth > 0) open.depth -= 1
      break
    case 125:
      open.depth -= 1
      break
    case 58:
      if (open.depth === 0) {
        open.depth = -1
        open.formats += 1
      }
  }
  return at + 1
}

/** Where the prefix of the string begins whose quote is at `at`. */
function prefixStart(source: string, at: number): number {
  let start = at
  while (start > at - 2 && isPrefix(source.charCodeAt(start - 1))) start--
  const before = source.charCodeAt(start - 1)
  const word = before === 95 || (before >= 48 && before <= 57) || (before | 32) >= 97
  return word ? at : start
}

function openAt(source: string, at: number): { open: OpenString; at: number; start: number } {
  let holes = false
  let i = at
  for (; ; i++) {
    const lower = source.charCodeAt(i) | 32
    if (lower === 102 || lower === 116) holes = true
    else if (lower !== 98 && lower !== 114 && lower !== 117) break
  }
  const quote = source.charCodeAt(i)
  const long = source.charCodeAt(i + 1) === quote && source.charCodeAt(i + 2) === quote
  const start = i + (long ? 3 : 1)
  return { open: { quote, long, holes, depth: -1, formats: 0 }, at: start, start }
}

function literal(source: string, { open, start }: ReturnType<typeof openAt>, end: number): string | null {
  if (open.holes) return null
  const text = source.slice(start, end - (open.long ? 3 : 1))
  return text.includes('\\') ? null : text
}
