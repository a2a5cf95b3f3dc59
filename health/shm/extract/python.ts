import type { FoundImport, ImportKind } from '../imports.ts'
import { LineCounter } from './line-counter.ts'
import { skipSpace, stringAt, stringOpens, wordEnd } from './python-text.ts'

/**
 * The imports of a Python file, by the module that each names and, behind a colon, the name that it takes from it. Those in the
 * body of `if TYPE_CHECKING:` are `type`; `import_module('x')`, of importlib or by itself, and `__import__('x')` are
 * `dynamic`. What stands in strings and comments is none; f-strings are read as Python 3.12 does. It reads the text once and takes
 * any.
 */
export function extractPython(source: string): { imports: FoundImport[]; declares: string[] } {
  return { imports: new PythonScanner(source).scan(), declares: [] }
}

class PythonScanner {
  readonly #source: string
  readonly #lines: LineCounter
  readonly #imports: FoundImport[] = []
  readonly #dynamic: boolean
  #at = 0
  /** Brackets that are open. */
  #depth = 0
  /** The column of an `if TYPE_CHECKING:` whose body this is, or of an `if not TYPE_CHECKING:`; or −1. */
  #typing = -1
  #notTyping = -1
  /** The line itself is such a body: `if TYPE_CHECKING: import x`. */
  #inlineTyping = false

  constructor(source: string) {
    this.#source = source
    this.#lines = new LineCounter(source)
    this.#dynamic = source.includes('import_module') || source.includes('__import__')
  }

  scan(): FoundImport[] {
    // `from`, `import_module`, `__import__`: what comes behind the last such word is none.
    const end = this.#source.lastIndexOf('import') + 1
    while (this.#at < end) this.#logicalLine(end)
    return this.#imports
  }

  /** Reads a line, with those that continue it, up to there. */
  #logicalLine(end: number): void {
    const column = this.#indentation()
    const code = this.#source.charCodeAt(this.#at)
    if (Number.isNaN(code)) return
    if (code !== 10 && code !== 13 && code !== 35) {
      this.#inlineTyping = false
      this.#block(column)
      this.#statement()
    }
    while (this.#at < end && !this.#token()) {}
  }

  /** Tabs reach to the next multiple of 8, as in Python; a form feed begins anew. */
  #indentation(): number {
    let column = 0
    for (; ; this.#at++) {
      const code = this.#source.charCodeAt(this.#at)
      if (code === 32) column += 1
      else if (code === 9) column += 8 - (column % 8)
      else if (code === 12) column = 0
      else if (code !== 0xfeff) return column
    }
  }

  /** Follows in and out of what only type checkers read. */
  #block(column: number): void {
    const word = this.#source.slice(this.#at, wordEnd(this.#source, this.#at))
    const sibling = column === this.#notTyping && word === 'else'
    if (column <= this.#typing) this.#typing = -1
    if (column <= this.#notTyping) this.#notTyping = -1
    if (this.#typing !== -1) return
    if (sibling) this.#typing = column
    else if (word === 'if' || word === 'elif') {
      const negated = typeCheckingAt(this.#source, this.#at + word.length)
      if (negated === false) this.#typing = column
      else if (negated) this.#notTyping = column
    } else return
    this.#inlineTyping = this.#typing === column
  }

  /** Reads an import, if the statement that begins here is one. */
  #statement(): void {
    const source = this.#source
    this.#at = skipSpace(source, this.#at)
    const code = source.charCodeAt(this.#at)
    if (code === 105 && isWord(source, this.#at, 'import')) this.#import()
    else if (code === 102 && isWord(source, this.#at, 'from')) this.#from()
  }

  /** Reads the next token; true: it ends the line. */
  #token(): boolean {
    const source = this.#source
    const code = source.charCodeAt(this.#at)
    switch (code) {
      case 10: // LF
        this.#at += 1
        return this.#depth === 0
      case 13: // CR
        this.#at += 1
        if (source.charCodeAt(this.#at) === 10) this.#at += 1
        return this.#depth === 0
      case 35: // #
        this.#at = commentEnd(source, this.#at)
        return false
      case 92: // \
        this.#at += source.charCodeAt(this.#at + 1) === 13 && source.charCodeAt(this.#at + 2) === 10 ? 3 : 2
        return false
      case 34: // "
      case 39: // '
        this.#at = stringAt(source, this.#at).end
        return false
      case 40: // (
      case 91: // [
      case 123: // {
        this.#depth += 1
        break
      case 41: // )
      case 93: // ]
      case 125: // }
        if (this.#depth > 0) this.#depth -= 1
        break
      case 58: // :
      case 59: // ;
        this.#at += 1
        if (this.#depth === 0) this.#statement()
        return false
      default:
        if (code >= 65) {
          this.#word()
          return false
        }
    }
    this.#at += 1
    return false
  }

  #word(): void {
    const source = this.#source
    const start = this.#at
    const end = Math.max(wordEnd(source, start), start + 1)
    if (stringOpens(source, start, end)) {
      this.#at = stringAt(source, start).end
      return
    }
    this.#at = end
    if (!this.#dynamic || end - start < 10) return
    const word = source.slice(start, end)
    if (word === '__import__' || word === 'import_module') this.#call(start, end, word)
  }

  /** `import_module('x')`: with a literal it is told. */
  #call(start: number, end: number, word: string): void {
    const source = this.#source
    const owned = source.charCodeAt(start - 1) === 46
    const place = owned ? start - 'importlib.'.length : start
    if (owned && (word !== 'import_module' || !isWord(source, place, 'importlib'))) return
    if (/[\w.]/.test(source.charAt(place - 1))) return
    let at = skipSpace(source, end)
    if (source[at] !== '(') return
    at = skipBlank(source, at + 1)
    let name = ''
    let parts = 0
    while (stringOpens(source, at, wordEnd(source, at))) {
      const { end: behind, text } = stringAt(source, at)
      if (text === null) return
      name += text
      parts += 1
      at = skipBlank(source, behind)
    }
    if (parts > 0 && (source[at] === ')' || source[at] === ',') && /^\.*[\w.]+$/.test(name))
      this.#found(name, place, 'dynamic')
  }

  #found(specifier: string, at: number, kind: ImportKind): void {
    const type = this.#inlineTyping || this.#typing !== -1
    this.#imports.push({ specifier, line: this.#lines.lineAt(at), kind: type ? 'type' : kind })
  }

  /** `import a.b as c, d`. */
  #import(): void {
    const source = this.#source
    const start = this.#at
    let at = start + 'import'.length
    for (;;) {
      const name = this.#dotted(skipSpace(source, at))
      if (name.text === '') break
      this.#found(name.text, start, 'static')
      at = this.#alias(name.end)
      if (source[at] !== ',') break
      at += 1
    }
    this.#at = at
  }

  /** `from ..a.b import (c as d, e)`. */
  #from(): void {
    const source = this.#source
    const start = this.#at
    let at = skipSpace(source, start + 'from'.length)
    let dots = ''
    for (; source[at] === '.'; at = skipSpace(source, at + 1)) dots += '.'
    const module = isWord(source, at, 'import') ? { text: '', end: at } : this.#dotted(at)
    at = skipSpace(source, module.end)
    const named = dots + module.text
    if (named === '' || !isWord(source, at, 'import')) {
      this.#at = Math.max(start + 'from'.length, at)
      return
    }
    at = skipSpace(source, at + 'import'.length)
    const listed = source[at] === '('
    if (listed) at = skipBlank(source, at + 1)
    if (source[at] === '*') {
      this.#found(`${named}:*`, start, 'static')
      at += 1
    }
    for (let end = wordEnd(source, at); end > at; end = wordEnd(source, at)) {
      this.#found(`${named}:${source.slice(at, end)}`, start, 'static')
      at = this.#alias(end, listed)
      if (source[at] !== ',') break
      at = listed ? skipBlank(source, at + 1) : skipSpace(source, at + 1)
    }
    if (listed && source[at] === ')') at += 1
    else if (listed) this.#depth += 1
    this.#at = at
  }

  /** A name with dots, between which spaces may stand. */
  #dotted(at: number): { text: string; end: number } {
    const source = this.#source
    let end = wordEnd(source, at)
    if (end === at) return { text: '', end: at }
    let text = source.slice(at, end)
    for (let dot = skipSpace(source, end); source[dot] === '.'; dot = skipSpace(source, end)) {
      const start = skipSpace(source, dot + 1)
      end = wordEnd(source, start)
      text += `.${source.slice(start, end)}`
    }
    return { text, end }
  }

  /** Behind `as name`, if it stands here. */
  #alias(at: number, listed = false): number {
    const skip = listed ? skipBlank : skipSpace
    const word = skip(this.#source, at)
    if (!isWord(this.#source, word, 'as')) return word
    return skip(this.#source, wordEnd(this.#source, skip(this.#source, word + 'as'.length)))
  }
}

/** If `TYPE_CHECKING`, of a module or not, is all that is asked; true: its opposite. Null: something else is. */
function typeCheckingAt(source: string, at: number): boolean | null {
  const asked = /\s*(?:(not)\b\s*)?(\(\s*)?(?:[A-Za-z_]\w{0,99}\s?\.\s?){0,9}TYPE_CHECKING\s*(\))?\s*:/y
  asked.lastIndex = at
  const found = asked.exec(source)
  if (!found || (found[2] === undefined) !== (found[3] === undefined)) return null
  return found[1] !== undefined
}

function isWord(source: string, at: number, word: string): boolean {
  return source.startsWith(word, at) && wordEnd(source, at) === at + word.length
}

function commentEnd(source: string, at: number): number {
  for (let i = at; i < source.length; i++) {
    const code = source.charCodeAt(i)
    if (code === 10 || code === 13) return i
  }
  return source.length
}

/** As `skipSpace`, and over line ends and comments: between brackets. */
function skipBlank(source: string, at: number): number {
  for (let i = skipSpace(source, at); ; i = skipSpace(source, i)) {
    const code = source.charCodeAt(i)
    if (code === 10 || code === 13) i += 1
    else if (code === 35) i = commentEnd(source, i)
    else return i
  }
}
