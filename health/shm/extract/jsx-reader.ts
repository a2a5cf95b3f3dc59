import { commentEnd, isNamePart, lineEnd, nameEnd, skipTrivia } from './javascript-text.ts'

/** Where a piece of JSX was left, and what was met there: `content`, behind a `>`; `end`, behind the element. */
export interface JsxStep {
  at: number
  met: 'brace' | 'tag' | 'content' | 'end' | 'nothing'
}

/** How far a list of types is looked through, in characters, and how deep. */
const LOOK_AHEAD = 400
const DEEPEST = 12

/** Reads the parts of JSX that are not code. It holds no state but the text. */
export class JsxReader {
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  /** If the `<` at `at`, where a value can stand, opens a tag and no list of type parameters. */
  opensAt(at: number): boolean {
    const source = this.#source
    const start = skipTrivia(source, at + 1)
    if (source[start] === '>') return true
    if (!isNamePart(source.charCodeAt(start))) return false
    const end = nameEnd(source, start)
    const next = skipTrivia(source, end)
    if (source[next] === ',' || source[next] === '=') return false
    const word = source.slice(next, nameEnd(source, next))
    if (word === 'extends' || source.slice(start, end) === 'const')
      return source[skipTrivia(source, next + 7)] === '='
    return source[next] !== '>' || !this.#isFunctionType(next + 1)
  }

  /** If parentheses follow that `=>` or `:` follows: `<T>(x: T) => T`, where `<b>(text)</b>` is JSX. */
  #isFunctionType(at: number): boolean {
    const source = this.#source
    const open = skipTrivia(source, at)
    if (source[open] !== '(') return false
    let depth = 0
    for (let i = open; i < Math.min(source.length, open + LOOK_AHEAD); i++) {
      const code = source.charCodeAt(i)
      if (code === 40) depth += 1
      else if (code === 41) depth -= 1
      if (depth > 0) continue
      const next = skipTrivia(source, i + 1)
      return source[next] === ':' || source.startsWith('=>', next)
    }
    return false
  }

  /** Behind a tag's name (and the types given to it, `<List<string>`); `at` is behind its `<`. */
  nameEnd(at: number): number {
    const source = this.#source
    let i = skipTrivia(source, at)
    while (isTagNamePart(source.charCodeAt(i))) i++
    if (source[i] !== '<') return i
    let depth = 0
    for (let j = i; j < Math.min(source.length, i + LOOK_AHEAD); j++) {
      const code = source.charCodeAt(j)
      if (code === 60) depth += 1
      else if (code === 62 && source.charCodeAt(j - 1) !== 61) depth -= 1
      if (depth === 0) return j + 1
      if (depth > DEEPEST) break
    }
    return i
  }

  /** Reads on inside a tag. */
  tagFrom(at: number): JsxStep {
    const source = this.#source
    for (let i = at; i < source.length; ) {
      const code = source.charCodeAt(i)
      if (code === 123) return { at: i, met: 'brace' }
      if (code === 60) return { at: i, met: 'tag' }
      if (code === 62) return { at: i + 1, met: 'content' }
      if (code === 34 || code === 39) {
        const close = source.indexOf(String.fromCharCode(code), i + 1)
        if (close === -1) break
        i = close + 1
      } else if (code === 47) {
        const next = source.charCodeAt(i + 1)
        if (next === 47) i = lineEnd(source, i)
        else if (next === 42) i = commentEnd(source, i)
        else {
          const close = skipTrivia(source, i + 1)
          if (source[close] === '>') return { at: close + 1, met: 'end' }
          i += 1
        }
      } else i += 1
    }
    return { at: source.length, met: 'nothing' }
  }

  /** Reads on between two tags, to behind the closing one if it comes next. */
  textFrom(at: number): JsxStep {
    const source = this.#source
    for (let i = at; i < source.length; i++) {
      const code = source.charCodeAt(i)
      if (code === 123) return { at: i, met: 'brace' }
      if (code !== 60) continue
      const next = skipTrivia(source, i + 1)
      if (source[next] !== '/') return { at: i, met: 'tag' }
      const close = source.indexOf('>', next)
      return close === -1 ? { at: source.length, met: 'nothing' } : { at: close + 1, met: 'end' }
    }
    return { at: source.length, met: 'nothing' }
  }
}

/** Of `a-b`, `a:b` and `a.b`, too. */
function isTagNamePart(code: number): boolean {
  return isNamePart(code) || code === 45 || code === 46 || code === 58
}
