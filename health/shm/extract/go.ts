import type { Extraction, FoundImport } from '../imports.ts'
import { extractC } from './c.ts'
import { LineCounter } from './line-counter.ts'

/**
 * The imports of a Go file, and its package clause as the one thing it declares.
 *
 * Imports stand before every other declaration (Go specification, "Source file organization"), so nothing behind them is read. A path
 * is told as it stands between its quotes. `import "C"` is told as `C`, and before it what the comment directly above it (the preamble of cgo)
 * includes. Where the text is no Go what was found so far is told; nothing is thrown. Takes time in proportion to the length.
 */
export function extractGo(source: string): Pick<Extraction, 'imports' | 'declares'> {
  return new GoFile(source).read()
}

/** A file that is being read, up to the first declaration that is no import. */
class GoFile {
  readonly #text: string
  readonly #lines: LineCounter
  readonly #imports: FoundImport[] = []
  #at = 0
  /** Where the comments that document what follows begin; -1: there are none. */
  #comment = -1

  constructor(text: string) {
    this.#text = text
    this.#lines = new LineCounter(text)
  }

  read(): Pick<Extraction, 'imports' | 'declares'> {
    this.#skipSpace()
    if (this.#word() !== 'package') return { imports: [], declares: [] }
    this.#skipSpace()
    const name = this.#word()
    this.#skipSemicolons()
    while (this.#word() === 'import' && this.#declaration()) this.#skipSemicolons()
    return { imports: this.#imports, declares: name === '' ? [] : [name] }
  }

  /** Reads what follows the word `import`; false: it is no import. */
  #declaration(): boolean {
    const comment = this.#comment
    this.#skipSpace()
    if (this.#text[this.#at] !== '(') return this.#spec(comment)
    this.#at++
    const before = this.#imports.length
    for (this.#skipSemicolons(); this.#text[this.#at] !== ')'; this.#skipSemicolons()) {
      // In a group of one the comment above the group counts as its own.
      const own = this.#comment < 0 && this.#imports.length === before ? comment : this.#comment
      if (!this.#spec(own)) return false
    }
    this.#at++
    return true
  }

  #spec(comment: number): boolean {
    if (this.#text[this.#at] === '.') this.#at++
    else this.#word()
    this.#skipSpace()
    const quote = this.#text[this.#at]
    if (quote !== '"' && quote !== '`') return false
    const start = this.#at + 1
    const end = this.#text.indexOf(quote, start)
    if (end < 0) return false
    const path = this.#text.slice(start, end)
    if (quote === '"' && path.includes('\n')) return false
    this.#at = end + 1
    if (path === 'C' && comment >= 0) this.#preamble(comment, start)
    if (path !== '') this.#imports.push({ specifier: path, line: this.#lines.lineAt(start), kind: 'static' })
    return true
  }

  /** Tells what the C in the comments from here to there includes. */
  #preamble(from: number, to: number): void {
    const text = this.#text
    let code = ''
    for (let at = from; at < to && (text[at] === '/' || isSpace(text.charCodeAt(at))); ) {
      const end = text[at] === '/' ? commentEnd(text, at) : at + 1
      if (text[at] !== '/') code += text[at]
      else code += text.slice(at + 2, text[at + 1] === '*' ? end - 2 : end)
      at = end
    }
    const line = this.#lines.lineAt(from)
    for (const found of extractC(code).imports) {
      this.#imports.push({ ...found, line: found.line + line - 1 })
    }
  }

  /** Reads a word; empty: there is none. */
  #word(): string {
    const start = this.#at
    while (isLetterOrDigit(this.#text.charCodeAt(this.#at))) this.#at++
    return this.#text.slice(start, this.#at)
  }

  #skipSemicolons(): void {
    this.#skipSpace()
    while (this.#text[this.#at] === ';') {
      this.#at++
      this.#skipSpace()
    }
  }

  /**
   * Skips white space and comments, and finds the comments that document what follows: those with no empty line between them nor
   * behind them, none of which begins on the line of what they follow (go/parser, `next`).
   */
  #skipSpace(): void {
    const text = this.#text
    let comment = -1
    let feeds = this.#at === 0 ? 1 : 0
    for (;;) {
      const code = text.charCodeAt(this.#at)
      if (code === LINE_FEED) {
        if (++feeds > 1) comment = -1
        this.#at++
      } else if (isSpace(code)) this.#at++
      else if (code === SLASH && (text[this.#at + 1] === '/' || text[this.#at + 1] === '*')) {
        if (comment < 0 && feeds > 0) comment = this.#at
        if (comment >= 0) feeds = 0
        this.#at = commentEnd(text, this.#at)
      } else break
    }
    this.#comment = comment
  }
}

const TAB = 9
const LINE_FEED = 10
const RETURN = 13
const SPACE = 32
const SLASH = 47
const BYTE_ORDER_MARK = 0xfeff

/** Behind a comment; of one that goes to the end of its line, at its line feed. */
function commentEnd(text: string, at: number): number {
  const general = text[at + 1] === '*'
  const end = general ? text.indexOf('*/', at + 2) : text.indexOf('\n', at)
  if (end < 0) return text.length
  return general ? end + 2 : end
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB || code === LINE_FEED || code === RETURN || code === BYTE_ORDER_MARK
}

/** `_` is a letter (Go specification, "Letters and digits"); what is beyond ASCII is taken for one, it stands nowhere else. */
function isLetterOrDigit(code: number): boolean {
  const folded = code | 32
  return (
    (folded >= 97 && folded <= 122) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    (code >= 128 && code !== BYTE_ORDER_MARK)
  )
}
