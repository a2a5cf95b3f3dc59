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
  for (const [at, line] of leadingComments(head.slice(0, HEAD_LENGTH)).entries()) {
    if (MARK.test(line)) return true
    if (GENERATED.test(line)) said = at
    if (HANDS_OFF.test(line)) warned = at
    if (Math.abs(said - warned) <= 2) return true
  }
  return false
}

/** The lines before the first one that holds code; blank ones keep their place. */
function leadingComments(head: string): string[] {
  const comments: string[] = []
  let end: string | null = null
  for (const [at, line] of head
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const text = line.trim()
    if (end !== null) {
      if (text.includes(end)) end = null
    } else {
      const block = BLOCKS.find(([start]) => text.startsWith(start))
      if (block !== undefined) {
        if (!text.slice(block[0].length).includes(block[1])) end = block[1]
      } else if (!isComment(text, at)) break
    }
    comments.push(text)
  }
  return comments
}

function isComment(text: string, at: number): boolean {
  if (text === '' || text.startsWith('//')) return true
  if (/^["']use \w+["'];?$/.test(text)) return true
  // `#include` and `#[allow(…)]` are code; what follows the comments of C and Rust headers.
  return text.startsWith('#') && (/^#(?:\s|#|$|-)/.test(text) || (at === 0 && /^#!(?!\[)/.test(text)))
}
