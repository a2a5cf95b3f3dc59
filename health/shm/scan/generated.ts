/** Generated files that only their first lines give away. */

/** How much of a file is enough for `isGenerated`, in characters. */
export const HEAD_LENGTH = 2048

const MARK = /(?:^|[^\w@])@generated\b/
const GENERATED = /\b(?:auto-?|automatically )?generated\b/i
const HANDS_OFF = /\b(?:do not|don't|please don't|not be) (?:manually )?(?:edit|modify|modified|edited)\b/i
const BLOCKS = [
  ['/*', '*/'],
  ['"""', '"""'],
  ["'''", "'''"],
  ['<!--', '-->'],
] as const

/**
 * Whether a file says at its beginning that a program wrote it: in the comments before its first line of code stands
 * `@generated`, or both that it is generated and that nobody should edit it, at most two lines apart (Go's "Code generated …
 * DO NOT EDIT.", protoc, Thrift, bindgen, OpenAPI and others say it so).
 *
 * @param head the beginning of the file; what comes after the first 2,048 characters is not looked at
 */
export function isGenerated(head: string): boolean {
  let said = Number.NEGATIVE_INFINITY
  let warned = Number.NEGATIVE_INFINITY
  let at = 0
  for (const line of leadingComments(head.slice(0, HEAD_LENGTH))) {
    if (MARK.test(line)) return true
    if (GENERATED.test(line)) said = at
    if (HANDS_OFF.test(line)) warned = at
    if (Math.abs(said - warned) <= 2) return true
    at++
  }
  return false
}

/** The lines before the first one that holds code; blank ones keep their place. Most files begin with code: nothing is cut ahead. */
function* leadingComments(head: string): Generator<string> {
  let end: string | null = null
  let start = head.charCodeAt(0) === 0xfeff ? 1 : 0
  for (let at = 0; start <= head.length; at++) {
    const stop = lineEnd(head, start)
    const text = head.slice(start, stop).trim()
    start = stop + (head.startsWith('\r\n', stop) ? 2 : 1)
    if (end !== null) {
      if (text.includes(end)) end = null
    } else {
      const block = BLOCKS.find(([mark]) => text.startsWith(mark))
      if (block !== undefined) {
        if (!text.slice(block[0].length).includes(block[1])) end = block[1]
      } else if (!isComment(text, at)) return
    }
    yield text
  }
}

/** Where the line ends that begins at `start`: at a line feed, a carriage return, or the end of the text. */
function lineEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at++
  return at
}

function isComment(text: string, at: number): boolean {
  if (text === '' || text.startsWith('//')) return true
  if (/^["']use \w+["'];?$/.test(text)) return true
  // `#include` and `#[allow(…)]` are code; what follows the comments of C and Rust headers.
  return text.startsWith('#') && (/^#(?:\s|#|$|-)/.test(text) || (at === 0 && /^#!(?!\[)/.test(text)))
}
