/**
 * Which part of a text belongs to which of the tokens listed beside it. A listed token may be written
 * otherwise than it appears: half a character is an empty or a replacement string, an id may stand for a
 * text; entries can be missing, and there can be entries of what is not in the text, as the tags around
 * reasoning.
 */
import type { ListedToken } from './dialects/dialect.ts'

/**
 * Divides a text among the tokens listed for it, so that the pieces always give exactly the text.
 *
 * A character that several tokens make belongs to the last of them. What cannot be found where the entries say it
 * is goes to the next that can, and what is left to the last.
 */
export function divide(text: string, entries: readonly ListedToken[]): string[] {
  if (entries.length === 1) return [text]
  return asListed(text, entries) ?? byBytes(text, entries) ?? bySearch(text, entries)
}

/**
 * Shares entries out among texts that follow each other: each text has the entries from its beginning to that
 * of the next. Texts that the entries do not spell have none.
 *
 * @param otherwise index of the text that has all of them if they spell none
 * @returns a share for each text; together they are the entries, in order
 */
export function allot(
  texts: readonly string[],
  entries: readonly ListedToken[],
  otherwise: number,
): ListedToken[][] {
  const bytes = entries.map(bytesOf)
  const starts = startsIn(Buffer.concat(bytes), texts)
  const shares = texts.map((): ListedToken[] => [])
  const isSpelt = starts.some(start => start >= 0)
  let share = isSpelt ? starts.findIndex(start => start >= 0) : otherwise
  let end = 0
  entries.forEach((entry, i) => {
    end += (bytes[i] as Buffer).length
    for (let next = share + 1; next < texts.length; next++) {
      const start = starts[next] as number
      if (start >= 0 && start < end) share = next
    }
    shares[share]?.push(entry)
  })
  return shares
}

/** Where each text begins in the bytes, one after the other; −1 for one that is not there. */
function startsIn(all: Buffer, texts: readonly string[]): number[] {
  // Where the entries are those of one text and nothing else, another is not to be looked for in them.
  const only = texts.findIndex(text => text !== '' && all.equals(Buffer.from(text)))
  if (only !== -1) return texts.map((_, i) => (i === only ? 0 : -1))
  let from = 0
  return texts.map(text => {
    const start = text === '' ? -1 : all.indexOf(text, from)
    if (start >= 0) from = start + Buffer.byteLength(text)
    return start
  })
}

function asListed(text: string, entries: readonly ListedToken[]): string[] | null {
  let at = 0
  for (const entry of entries) {
    if (!text.startsWith(entry.text, at)) return null
    at += entry.text.length
  }
  return at === text.length ? entries.map(entry => entry.text) : null
}

/** By the bytes of the tokens, if the text is somewhere in them. */
function byBytes(text: string, entries: readonly ListedToken[]): string[] | null {
  const bytes = entries.map(bytesOf)
  const start = Buffer.concat(bytes).indexOf(text)
  if (start < 0) return null
  let at = 0
  let reached = start
  let end = 0
  return bytes.map(({ length }) => {
    end += length
    const begun = at
    while (at < text.length) {
      const codePoint = text.codePointAt(at) as number
      const size = utf8Length(codePoint)
      if (reached + size > end) break
      reached += size
      at += codePoint > 0xffff ? 2 : 1
    }
    return text.slice(begun, at)
  })
}

/** By looking for each token's text where the one before ended, or as far on as half characters can lie between. */
function bySearch(text: string, entries: readonly ListedToken[]): string[] {
  const pieces: string[] = []
  let rest = text
  /** Tokens before this one that have no text yet: each can be part of a character, of two code units at most. */
  let parts = 0
  for (const entry of entries) {
    const at = parts === 0 || entry.text === '' ? 0 : rest.indexOf(entry.text)
    if (at > 0 && at <= 2 * parts) {
      pieces[pieces.length - 1] = rest.slice(0, at)
      rest = rest.slice(at)
    }
    const piece = rest.startsWith(entry.text) ? entry.text : ''
    rest = rest.slice(piece.length)
    parts = piece === '' ? parts + 1 : 0
    pieces.push(piece)
  }
  if (pieces.length > 0) pieces[pieces.length - 1] += rest
  return pieces
}

function bytesOf({ text, bytes }: ListedToken): Buffer {
  return bytes === undefined || bytes === null ? Buffer.from(text) : Buffer.from(bytes)
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1
  if (codePoint < 0x800) return 2
  return codePoint < 0x10000 ? 3 : 4
}
