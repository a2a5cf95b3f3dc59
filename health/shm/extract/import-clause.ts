import { isNamePart, literalAt, nameEnd, skipTrivia } from './javascript-text.ts'

/** What a declaration imports, and where it ends. */
export interface ImportClause {
  specifier: string
  /** All that it brings is types. */
  typeOnly: boolean
  end: number
}

/**
 * Reads an `import` declaration of JavaScript, TypeScript or Flow from behind its keyword, `import x = require('y')` too.
 * Null: it is none, or names no module.
 */
export function importClauseAt(source: string, at: number): ImportClause | null {
  const first = skipTrivia(source, at)
  const alone = literalAt(source, first)
  if (alone) return { specifier: alone.text, typeOnly: false, end: alone.end }
  const { at: start, said } = typeModifierAt(source, first)
  let i = start
  let types = said
  if (isNameStart(source, i)) {
    i = skipTrivia(source, nameEnd(source, i))
    if (source[i] === '=') return equalsClauseAt(source, i, said)
    if (isNameStart(source, i)) {
      const word = source.slice(i, nameEnd(source, i))
      // `import source x from`, `import defer * as x from`: the phase was taken for the name.
      if (word !== 'from' || isFromTwice(source, i)) i = skipTrivia(source, nameEnd(source, i))
    }
    if (source[i] !== ',' && source[i] !== '*') return moduleAt(source, i, types)
    if (source[i] === ',') i = skipTrivia(source, i + 1)
  }
  if (source[i] === '*') i = nameSpaceEnd(source, i)
  else if (source[i] === '{') {
    const list = nameListAt(source, i)
    if (!list) return null
    if (i === start) types ||= list.typeOnly
    i = list.end
  } else return null
  return moduleAt(source, i, types)
}

/** Reads `export * from` and `export { … } from`, with `type` or without, from behind the keyword. Null: it is neither. */
export function exportClauseAt(source: string, at: number): ImportClause | null {
  const { at: i, said } = typeModifierAt(source, skipTrivia(source, at))
  if (source[i] === '*') return moduleAt(source, nameSpaceEnd(source, i), said)
  if (source[i] !== '{') return null
  const list = nameListAt(source, i)
  return list && moduleAt(source, list.end, said || list.typeOnly)
}

/** From the end, so many exports are asked whether they are of another module. */
const MOST_EXPORTS = 64

/**
 * Behind the last place where an import could begin: most of a file need not be read. It looks for the rare endings of the three words,
 * from the front: V8 takes a sixth of the time for it that it takes to look for each of them from the end.
 */
export function lastOfInterest(source: string): number {
  let last = -1
  for (let at = source.indexOf('quire'); at >= 0; at = source.indexOf('quire', at + 5))
    if (source.startsWith('re', at - 2)) last = at - 2
  const exports: number[] = []
  for (let at = source.indexOf('port'); at >= 0; at = source.indexOf('port', at + 4)) {
    if (source.startsWith('ex', at - 2)) exports.push(at - 2)
    else if (source.startsWith('im', at - 2)) last = Math.max(last, at - 2)
  }
  for (let tries = 0; ; tries++) {
    const at = exports.pop() ?? -1
    if (at < last) return last + 1
    if (at < 0) return 0
    if (tries === MOST_EXPORTS || isOfModule(source, at + 'export'.length)) return at + 1
  }
}

/** Whether an export whose keyword ends here is one of another module. */
function isOfModule(source: string, at: number): boolean {
  const next = source.charCodeAt(at) === SPACE ? source.charCodeAt(at + 1) : SPACE
  // `export const`, `export function` and the like, which most are.
  if (next >= SMALL_A && next !== SMALL_T && next <= SMALL_Z) return false
  return exportClauseAt(source, at) !== null
}

const [SPACE, SMALL_A, SMALL_T, SMALL_Z] = [32, 97, 116, 122]

/** `type` (Flow: `typeof`), if it is a modifier and not a name; and what follows it. */
function typeModifierAt(source: string, at: number): { at: number; said: boolean } {
  const end = nameEnd(source, at)
  const word = source.slice(at, end)
  if (word !== 'type' && word !== 'typeof') return { at, said: false }
  const next = skipTrivia(source, end)
  const modifier =
    source[next] === '{' || source[next] === '*' || (isNameStart(source, next) && !isFrom(source, next))
  return modifier || isFromTwice(source, next) ? { at: next, said: true } : { at, said: false }
}

/** At a `from` that a module follows. */
function isFrom(source: string, at: number): boolean {
  if (source.slice(at, nameEnd(source, at)) !== 'from') return false
  return literalAt(source, skipTrivia(source, at + 4)) !== null
}

/** At a `from` that is a name: `import type from from 'x'`, `import type from = require('x')`. */
function isFromTwice(source: string, at: number): boolean {
  if (source.slice(at, nameEnd(source, at)) !== 'from') return false
  const next = skipTrivia(source, at + 4)
  return source[next] === '=' || isFrom(source, next)
}

function isNameStart(source: string, at: number): boolean {
  return at < source.length && isNamePart(source.charCodeAt(at))
}

/** `= require('x')`; null for the alias of a namespace. */
function equalsClauseAt(source: string, at: number, typeOnly: boolean): ImportClause | null {
  const word = skipTrivia(source, at + 1)
  const open = skipTrivia(source, nameEnd(source, word))
  if (source.slice(word, nameEnd(source, word)) !== 'require' || source[open] !== '(') return null
  const literal = literalAt(source, skipTrivia(source, open + 1))
  return literal && { specifier: literal.text, typeOnly, end: skipTrivia(source, literal.end) + 1 }
}

/** Behind `*` or `* as name`. */
function nameSpaceEnd(source: string, at: number): number {
  const word = skipTrivia(source, at + 1)
  if (source.slice(word, nameEnd(source, word)) !== 'as') return word
  const name = skipTrivia(source, word + 2)
  return skipTrivia(source, literalAt(source, name)?.end ?? nameEnd(source, name))
}

/** `{ a, type B, "c" as d }`: where it ends, and if each of its names, one at least, is a type. */
function nameListAt(source: string, at: number): { typeOnly: boolean; end: number } | null {
  let i = skipTrivia(source, at + 1)
  let names = 0
  let types = 0
  while (source[i] !== '}') {
    let words = 0
    let modified = false
    while (source[i] !== ',' && source[i] !== '}') {
      const end = literalAt(source, i)?.end ?? nameEnd(source, i)
      if (end === i) return null
      const word = source.slice(i, end)
      if (words === 0) modified = word === 'type' || word === 'typeof'
      words += 1
      i = skipTrivia(source, end)
    }
    names += 1
    // `type` alone and `type as x` are names; `type x`, `type as` and `type x as y` are types.
    if (modified && (words === 2 || words === 4)) types += 1
    if (source[i] === ',') i = skipTrivia(source, i + 1)
  }
  return { typeOnly: names > 0 && types === names, end: skipTrivia(source, i + 1) }
}

/** `from 'x'`. */
function moduleAt(source: string, at: number, typeOnly: boolean): ImportClause | null {
  if (source.slice(at, nameEnd(source, at)) !== 'from') return null
  const literal = literalAt(source, skipTrivia(source, at + 4))
  return literal && { specifier: literal.text, typeOnly, end: literal.end }
}
