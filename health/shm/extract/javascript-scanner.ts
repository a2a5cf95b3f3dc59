import type { ImportKind } from '../imports.ts'
import { exportClauseAt, type ImportClause, importClauseAt } from './import-clause.ts'
import { keywordAt } from './javascript-keywords.ts'
import {
  commentEnd,
  isNamePart,
  lineEnd,
  nameEnd,
  regexEnd,
  skipTrivia,
  stringEnd,
} from './javascript-text.ts'
import { JsxReader } from './jsx-reader.ts'
import { importCallAt, requireCallAt } from './module-call.ts'
import * as state from './scan-state.ts'

/** An import and the offset where it is written. */
export interface PlacedImport {
  specifier: string
  at: number
  kind: ImportKind
}

/** What a scan found. */
export interface JavaScriptScan {
  imports: PlacedImport[]
  /** The offset of the first thing that no valid text has (a string that does not close, a bracket too many); or null. */
  brokenAt: number | null
}

/** After so many slashes that were taken for a regular expression in vain no other one is: each is looked at up to its line's end. */
const MISJUDGED = 64

/**
 * Finds the imports of JavaScript, TypeScript and JSX in one pass without a parser: knows strings, templates, comments,
 * regular expressions and JSX text, keeps its own stack, and so takes whatever nesting a file has. `require` and `import()` count
 * with a literal only. A `require` is `static` where it runs when the file does: outside of functions or in one called on
 * the spot. What it takes for a regular expression or JSX follows from what goes before, as in es-module-lexer.
 *
 * @param options.end how far it is read, as a rule up to its end, so that `brokenAt` is told wherever it is; behind
 * `lastOfInterest` are no imports
 */
export function scanJavaScript(
  source: string,
  { jsx, end = source.length }: { jsx: boolean; end?: number },
): JavaScriptScan {
  return new JavaScriptScanner(source, jsx).scan(end)
}

class JavaScriptScanner {
  readonly #source: string
  readonly #jsx: JsxReader | null
  readonly #stack: number[] = []
  /** Of each function that is open, how many imports had been found before it. */
  readonly #functions: number[] = []
  readonly #imports: (PlacedImport & { depth: number })[] = []
  #brokenAt: number | null = null
  #at = 0
  #before = state.STATEMENT
  /** The last sign; 0 for words, numbers and literals. */
  #sign = 0
  #newLine = false
  /** The next parentheses are a condition; the next braces a class. */
  #condition = false
  #class = false
  #await = false
  #typeof = false
  /** Slashes that should have begun a regular expression, and began none. */
  #misjudged = 0
  /** How deep the stack was at `):`, which the type of a function's result may follow; or −1. */
  #result = -1

  constructor(source: string, jsx: boolean) {
    this.#source = source
    this.#jsx = jsx ? new JsxReader(source) : null
    if (source.startsWith('#!')) this.#at = lineEnd(source, 0)
  }

  scan(end: number): JavaScriptScan {
    const { length } = this.#source
    this.#readUpTo(end)
    // Whether a function is called on the spot, and so runs what it imports, shows at its end.
    if (this.#imports.some(({ depth }) => depth > 0)) this.#readUpTo(length)
    if (this.#at >= length) {
      this.#endArrows()
      if (this.#stack.length > 0) this.#broken(length)
    }
    const imports = this.#imports.map(({ specifier, at, kind, depth }) => ({
      specifier,
      at,
      kind: kind === 'static' && depth > 0 ? ('dynamic' as const) : kind,
    }))
    return { imports, brokenAt: this.#brokenAt }
  }

  #readUpTo(end: number): void {
    while (this.#at < end) {
      const top = this.#stack.at(-1)
      if (top === state.TAG || top === state.CHILDREN) this.#markup(top)
      else this.#code(end)
    }
  }

  /** Reads up to there, or to a place where JSX begins or goes on. */
  #code(end: number): void {
    const source = this.#source
    while (this.#at < end) {
      const code = source.charCodeAt(this.#at)
      if (code <= 32) {
        if (code === 10) this.#newLine = true
        this.#at += 1
      } else if (isNamePart(code)) this.#word()
      else if (code >= 128) this.#at += 1
      else if (this.#punctuation(code)) return
    }
  }

  /** True: what follows is JSX. */
  #punctuation(code: number): boolean {
    const next = this.#source.charCodeAt(this.#at + 1)
    switch (code) {
      case 34: // "
      case 39: // '
        this.#string()
        return false
      case 96: // `
        this.#at += 1
        this.#template()
        return false
      case 47: // /
        if (next === 47) this.#at = lineEnd(this.#source, this.#at)
        else if (next === 42) this.#at = this.#ended(commentEnd(this.#source, this.#at))
        else this.#slash()
        return false
      case 40: // (
        this.#stack.push(this.#condition ? state.CONDITION : state.PAREN)
        this.#condition = false
        break
      case 91: // [
        this.#stack.push(state.BRACKET)
        break
      case 123: // {
        this.#openBrace()
        return false
      case 41: // )
        this.#endArrows()
        if (this.#stack.at(-1) !== state.CONDITION) return this.#close(code, state.PAREN, state.CLOSED)
        return this.#close(code, state.CONDITION, state.STATEMENT)
      case 93: // ]
        this.#endArrows()
        return this.#close(code, state.BRACKET, state.VALUE)
      case 125: // }
        return this.#closeBrace()
      case 44: // ,
      case 59: // ;
        this.#endArrows()
        if (this.#result === this.#stack.length) this.#result = -1
        return this.#follow(code, code === 59 ? state.STATEMENT : state.OPERATOR)
      case 58: // :
        if (this.#before === state.CLOSED) this.#result = this.#stack.length
        break
      case 61: // =
        if (next === 62) return this.#arrow()
        if (this.#result === this.#stack.length) this.#result = -1
        break
      case 46: // .
        if (next === 46 && this.#source.charCodeAt(this.#at + 2) === 46) {
          this.#at += 2
          return this.#follow(0, state.OPERATOR)
        }
        break
      case 43: // +
      case 45: // -
        if (next === code) {
          this.#at += 1
          return this.#follow(code, this.#before <= state.CLOSED ? this.#before : state.OPERATOR)
        }
        break
      case 33: // !
        if (next !== 61 && this.#before <= state.CLOSED) return this.#follow(code, this.#before)
        break
      case 60: // <
        if (this.#before >= state.OPERATOR && this.#jsx?.opensAt(this.#at)) return this.#openTag()
        if (next === 60) this.#at += 1
        break
    }
    return this.#follow(code, state.OPERATOR)
  }

  #follow(sign: number, before: number): false {
    this.#at += 1
    this.#sign = sign
    this.#before = before
    this.#newLine = false
    this.#await = false
    this.#typeof = false
    return false
  }

  #value(end: number): void {
    this.#at = end - 1
    this.#follow(0, state.VALUE)
  }

  #string(): void {
    const end = stringEnd(this.#source, this.#at)
    if (end < 0) this.#broken(this.#at)
    this.#value(Math.abs(end))
  }

  /** Reads a template from behind its opening sign or a hole's brace. */
  #template(): void {
    const source = this.#source
    for (let i = this.#at; i < source.length; i++) {
      const code = source.charCodeAt(i)
      if (code === 92) i += 1
      else if (code === 96) {
        this.#value(i + 1)
        return
      } else if (code === 36 && source.charCodeAt(i + 1) === 123) {
        this.#stack.push(state.TEMPLATE)
        this.#at = i + 1
        this.#follow(code, state.OPERATOR)
        return
      }
    }
    this.#broken(this.#at)
    this.#value(source.length)
  }

  #slash(): void {
    const regex = this.#before >= state.OPERATOR && this.#misjudged < MISJUDGED
    const end = regex ? regexEnd(this.#source, this.#at) : null
    if (regex && end === null) this.#misjudged += 1
    if (end === null) this.#follow(47, state.OPERATOR)
    else this.#value(nameEnd(this.#source, end))
  }

  #openBrace(): void {
    let kind = this.#before === state.OPERATOR ? state.OBJECT : state.BLOCK
    if (this.#class) kind = state.BLOCK
    else if (this.#before === state.BODY || this.#before === state.CLOSED) kind = state.FUNCTION
    else if (this.#result === this.#stack.length && (this.#before === state.VALUE || this.#sign === 62))
      kind = state.FUNCTION
    this.#class = false
    if (this.#result >= this.#stack.length && kind !== state.OBJECT) this.#result = -1
    if (kind === state.FUNCTION) this.#functions.push(this.#imports.length)
    this.#stack.push(kind)
    this.#follow(123, kind === state.OBJECT ? state.OPERATOR : state.STATEMENT)
  }

  /** True: what follows is JSX. */
  #closeBrace(): boolean {
    this.#endArrows()
    const top = this.#stack.pop()
    if (top === state.TEMPLATE) {
      this.#at += 1
      this.#template()
      return false
    }
    if (top === state.HOLE) {
      this.#at += 1
      return true
    }
    if (top === state.FUNCTION) this.#closeFunction()
    else if (top !== state.BLOCK && top !== state.OBJECT) {
      if (top !== undefined) this.#stack.push(top)
      this.#broken(this.#at)
    }
    return this.#follow(125, top === state.OBJECT ? state.VALUE : state.STATEMENT)
  }

  /** What a function imports that is called on the spot, `(function () { … })()`, is imported by who holds it. */
  #closeFunction(): void {
    const first = this.#functions.pop() ?? 0
    const next = skipTrivia(this.#source, this.#at + 1)
    const closes = this.#source[next] === ')'
    const after = closes ? skipTrivia(this.#source, next + 1) : next
    const applied = this.#source.startsWith('.call(', after) || this.#source.startsWith('.apply(', after)
    if (!applied && !(this.#source[after] === '(' && (closes || after === this.#at + 1))) return
    for (let i = first; i < this.#imports.length; i++) {
      const found = this.#imports[i]
      if (found) found.depth -= 1
    }
  }

  #arrow(): false {
    this.#at += 1
    this.#follow(62, state.BODY)
    if (this.#source[skipTrivia(this.#source, this.#at)] !== '{') {
      this.#stack.push(state.ARROW)
      this.#functions.push(this.#imports.length)
      this.#before = state.OPERATOR
    }
    return false
  }

  #endArrows(): void {
    while (this.#stack.at(-1) === state.ARROW) {
      this.#stack.pop()
      this.#functions.pop()
    }
  }

  #close(sign: number, kind: number, before: number): false {
    if (this.#stack.at(-1) === kind) this.#stack.pop()
    else this.#broken(this.#at)
    return this.#follow(sign, before)
  }

  #openTag(): true {
    this.#stack.push(state.TAG)
    this.#at = this.#jsx?.nameEnd(this.#at + 1) ?? this.#at + 1
    return true
  }

  #markup(top: number): void {
    const jsx = this.#jsx as JsxReader
    const { at, met } = top === state.TAG ? jsx.tagFrom(this.#at) : jsx.textFrom(this.#at)
    this.#at = at
    if (met === 'tag') this.#openTag()
    else if (met === 'brace') {
      this.#stack.push(state.HOLE)
      this.#follow(123, state.OPERATOR)
    } else {
      this.#stack.pop()
      if (met === 'content') this.#stack.push(state.CHILDREN)
      else if (met === 'end') this.#value(at)
      else this.#broken(at)
    }
  }

  #word(): void {
    const source = this.#source
    const start = this.#at
    let end = start + 1
    while (end < source.length && isNamePart(source.charCodeAt(end))) end++
    const role = this.#sign === 46 ? null : keywordAt(source, start, end)
    if (this.#newLine && this.#before <= state.CLOSED && role !== 'infix') this.#endArrows()
    const awaited = this.#await
    const inType = this.#typeof
    const condition = this.#condition && role === 'await'
    this.#value(end)
    this.#condition = condition || role === 'condition'
    switch (role) {
      case null:
      case 'condition':
        break
      case 'import':
        this.#import(start, end, awaited, inType)
        break
      case 'export':
        if (this.#stack.length === 0) this.#declared(start, exportClauseAt(source, end))
        break
      case 'require':
        this.#require(start, end)
        break
      case 'class':
        this.#class = true
        break
      default:
        this.#before = role === 'statement' ? state.STATEMENT : state.OPERATOR
        this.#await = role === 'await'
        this.#typeof = role === 'typeof'
    }
  }

  #import(start: number, end: number, awaited: boolean, inType: boolean): void {
    const call = importCallAt(this.#source, end)
    if (!call && this.#stack.length === 0) this.#declared(start, importClauseAt(this.#source, end))
    const specifier = call?.specifier
    if (!call || typeof specifier !== 'string') return
    const kind = inType || (!awaited && call.typeUse) ? 'type' : 'dynamic'
    this.#imports.push({ specifier, at: start, kind, depth: 0 })
  }

  #declared(start: number, clause: ImportClause | null): void {
    if (!clause) return
    const kind = clause.typeOnly ? 'type' : 'static'
    this.#imports.push({ specifier: clause.specifier, at: start, kind, depth: 0 })
    this.#value(clause.end)
  }

  #require(start: number, end: number): void {
    const specifier = requireCallAt(this.#source, end)
    if (specifier === null) return
    this.#imports.push({ specifier, at: start, kind: 'static', depth: this.#functions.length })
  }

  #ended(end: number): number {
    if (end === this.#source.length && !this.#source.endsWith('*/')) this.#broken(this.#at)
    if (this.#source.slice(this.#at, end).includes('\n')) this.#newLine = true
    return end
  }

  #broken(at: number): void {
    this.#brokenAt ??= at
  }
}
