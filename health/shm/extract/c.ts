import type { Extraction, FoundImport } from '../imports.ts'
import { Conditions } from './c-conditions.ts'
import { LineCounter } from './line-counter.ts'

/**
 * The headers that a C or C++ file includes, `"a.h"` or `<a.h>`, as they are written; it declares nothing.
 *
 * Told are `#include` and `#import`, and `import <a.h>;` and `import "a.h";` of C++20. Not told is what says no name (`#include MACRO`), what
 * depends on where this file was found itself (`#include_next`), names of modules (`import a.b;`), and what stands in comments, strings or
 * raw strings, or where a condition that is written as a bare 0, 1, true or false leaves it out; no other condition is judged, so the
 * headers of every platform are told. Lines are joined at a backslash as the standard says (C++ [lex.phases], gcc's white space behind the backslash
 * allowed). Nothing is thrown, whatever the text is. Takes time in proportion to the length.
 */
export function extractC(source: string): Pick<Extraction, 'imports' | 'declares'> {
  return { imports: new CFile(source).read(), declares: [] }
}

/** A file that is being read, up to its last word that could make an import. */
class CFile {
  readonly #text: string
  readonly #end: number
  readonly #lines: LineCounter
  readonly #conditions = new Conditions()
  readonly #imports: FoundImport[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#end = lastOfInterest(text)
    this.#lines = new LineCounter(text)
  }

  read(): FoundImport[] {
    const text = this.#text
    // Whether nothing but white space and comments came on this line.
    let first = true
    while (this.#at < this.#end) {
      const at = this.#at
      const code = text.charCodeAt(at)
      if (isLetter(code)) {
        this.#at = wordEnd(text, at)
        if (text.charCodeAt(this.#at) === QUOTE && isRawPrefix(text, at, this.#at))
          this.#at = rawStringEnd(text, this.#at)
        else if (first && (code === SMALL_I || code === SMALL_E)) this.#moduleImport(at)
        first = false
      } else if (code === LINE_FEED) {
        first = true
        this.#at++
      } else if (isBlank(code)) this.#at++
      else if (code === HASH && first) {
        first = false
        this.#at++
        this.#directive(at)
      } else {
        const comment = code === SLASH ? commentEnd(text, at) : -1
        const splice = code === BACKSLASH ? spliceEnd(text, at) : -1
        this.#at = comment >= 0 ? comment : splice >= 0 ? splice : tokenEnd(text, at, code)
        if (comment < 0 && splice < 0) first = false
      }
    }
    return this.#imports
  }

  /** Reads the words of a directive that matter; what is behind them is text as any other. */
  #directive(start: number): void {
    this.#skipBlanks()
    const word = this.#word()
    if (word === 'include' || word === 'import') {
      this.#skipBlanks()
      this.#tell(this.#header(), start)
    } else if (word === 'if' || word === 'elif') this.#conditions[word](this.#condition())
    else if (word === 'ifdef' || word === 'ifndef') this.#conditions.if(null)
    else if (word === 'elifdef' || word === 'elifndef') this.#conditions.elif(null)
    else if (word === 'else') this.#conditions.else()
    else if (word === 'endif') this.#conditions.endif()
  }

  /** The words `import` and `export import` at the beginning of a line (C++20 [cpp.import]), the first of which was read. */
  #moduleImport(start: number): void {
    if (this.#text.startsWith('export', start) && this.#at - start === 6) {
      this.#skipBlanks()
      start = this.#at
      this.#word()
    }
    if (this.#at - start !== 6 || !this.#text.startsWith('import', start)) return
    this.#skipBlanks()
    const header = this.#header()
    this.#skipBlanks()
    if (this.#text[this.#at] === ';') this.#tell(header, start)
  }

  #tell(specifier: string, start: number): void {
    if (specifier === '' || this.#conditions.leaveOut) return
    this.#imports.push({ specifier, line: this.#lines.lineAt(start), kind: 'static' })
  }

  /** What a condition says for sure; null: that is not known here. */
  #condition(): boolean | null {
    this.#skipBlanks()
    const word = this.#word()
    this.#skipBlanks()
    const next = this.#text.charCodeAt(this.#at)
    if (next !== LINE_FEED && this.#at < this.#text.length) return null
    if (word === '0' || word === 'false') return false
    return word === '1' || word === 'true' ? true : null
  }

  /** Reads a header's name with its signs; empty: there is none. No sign in it means anything but its end. */
  #header(): string {
    const text = this.#text
    const sign = text[this.#at]
    if (sign !== '"' && sign !== '<') return ''
    const close = sign === '<' ? GREATER : QUOTE
    let spliced = false
    for (let at = this.#at + 1; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === close) {
        const name = text.slice(this.#at, at + 1)
        this.#at = at + 1
        if (name.length === 2) return ''
        return spliced ? name.replace(/\\[ \t\v\f\r]*\n/g, '') : name
      }
      if (code === LINE_FEED) break
      const splice = code === BACKSLASH ? spliceEnd(text, at) : -1
      if (splice >= 0) {
        at = splice - 1
        spliced = true
      }
    }
    return ''
  }

  /** Reads a word or a number, which a backslash at the end of a line does not end; empty: there is none. */
  #word(): string {
    const text = this.#text
    let word = ''
    for (;;) {
      const end = wordEnd(text, this.#at)
      word += text.slice(this.#at, end)
      const splice = text[end] === '\\' ? spliceEnd(text, end) : -1
      this.#at = splice < 0 ? end : splice
      if (splice < 0) return word
    }
  }

  /** Skips white space and comments within a line. */
  #skipBlanks(): void {
    const text = this.#text
    for (;;) {
      const code = text.charCodeAt(this.#at)
      let next = -1
      if (isBlank(code)) next = this.#at + 1
      else if (code === SLASH) next = commentEnd(text, this.#at)
      else if (code === BACKSLASH) next = spliceEnd(text, this.#at)
      if (next < 0) return
      this.#at = next
    }
  }
}

const LINE_FEED = 10
const QUOTE = 34
const HASH = 35
const APOSTROPHE = 39
const SLASH = 47
const GREATER = 62
const BACKSLASH = 92
const SMALL_E = 101
const SMALL_I = 105

/** Behind the last place that an import could begin at or go on: most of a file need not be read. */
function lastOfInterest(text: string): number {
  let last = 0
  for (const word of ['include', 'import', '\\\n', '\\\r\n']) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length))
      last = Math.max(last, at + word.length)
  }
  return last
}

/** Behind the token that begins here and is no word. */
function tokenEnd(text: string, at: number, code: number): number {
  if (code === QUOTE || code === APOSTROPHE) return quotedEnd(text, at, code)
  if (code >= 48 && code <= 57) return numberEnd(text, at)
  return at + 1
}

/** Behind a string or character; one that is not closed ends with its line, as compilers have it. */
function quotedEnd(text: string, start: number, quote: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) return at + 1
    if (code === LINE_FEED) return at
    if (code === BACKSLASH) {
      const splice = spliceEnd(text, at)
      at = splice >= 0 ? splice - 1 : at + 1
    }
  }
  return text.length
}

/** Behind a number; an apostrophe in it parts its digits (C++ [lex.ppnumber]). */
function numberEnd(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    const code = text.charCodeAt(at)
    if (isLetter(code) || isDigit(code) || code === 46) at++
    else if (code === APOSTROPHE && (isLetter(text.charCodeAt(at + 1)) || isDigit(text.charCodeAt(at + 1))))
      at += 2
    else return at
  }
}

function isRawPrefix(text: string, start: number, end: number): boolean {
  if (text[end - 1] !== 'R' || end - start > 3) return false
  const prefix = text.slice(start, end - 1)
  return prefix === '' || prefix === 'u8' || prefix === 'u' || prefix === 'U' || prefix === 'L'
}

/** Behind a raw string, whose quote is here (C++ [lex.string]); one that is not closed goes to the end of the text. */
function rawStringEnd(text: string, quote: number): number {
  let at = quote + 1
  while (at - quote <= 17 && !/[\s()\\"]/.test(text[at] ?? ' ')) at++
  if (text[at] !== '(') return quotedEnd(text, quote, QUOTE)
  const close = `)${text.slice(quote + 1, at)}"`
  const end = text.indexOf(close, at)
  return end < 0 ? text.length : end + close.length
}

/** Behind a comment; of one that goes to the end of its line, at its line feed. -1: here begins none. */
function commentEnd(text: string, start: number): number {
  const sign = text[start + 1]
  if (sign === '*') {
    const end = text.indexOf('*/', start + 2)
    return end < 0 ? text.length : end + 2
  }
  if (sign !== '/') return -1
  for (let at = start; ; ) {
    const feed = text.indexOf('\n', at)
    if (feed < 0) return text.length
    let last = feed - 1
    while (last > start && isBlank(text.charCodeAt(last))) last--
    if (text.charCodeAt(last) !== BACKSLASH) return feed
    at = feed + 1
  }
}

/** Behind the line feed that a backslash takes away; -1: it takes none. */
function spliceEnd(text: string, backslash: number): number {
  let at = backslash + 1
  while (isBlank(text.charCodeAt(at))) at++
  return text.charCodeAt(at) === LINE_FEED ? at + 1 : -1
}

function wordEnd(text: string, start: number): number {
  let at = start
  while (isLetter(text.charCodeAt(at)) || isDigit(text.charCodeAt(at))) at++
  return at
}

/** `_` and `$` are letters, and so is what is beyond ASCII. */
function isLetter(code: number): boolean {
  const folded = code | 32
  return (folded >= 97 && folded <= 122) || code === 95 || code === 36 || (code >= 128 && code !== 0xfeff)
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** White space but the line feed, and the mark that some texts begin with. */
function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13 && code !== LINE_FEED) || code === 0xfeff
}
