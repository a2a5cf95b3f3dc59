import { literalAt, nameEnd, skipTrivia } from './javascript-text.ts'

/** What `import(…)`, `import.source(…)` or `import.defer(…)` reads. */
export interface ImportCall {
  /** Null: it is no literal. */
  specifier: string | null
  /** What it gives is used as only a type can be: `import('x').Name`, where a promise has `then` and its like. */
  typeUse: boolean
}

/** Reads a call of `import` from behind that word. Null: it is not called. */
export function importCallAt(source: string, at: number): ImportCall | null {
  let open = skipTrivia(source, at)
  if (source[open] === '.') {
    const start = skipTrivia(source, open + 1)
    const end = nameEnd(source, start)
    const phase = source.slice(start, end)
    if (phase !== 'source' && phase !== 'defer') return { specifier: null, typeUse: false }
    open = skipTrivia(source, end)
  }
  if (source[open] !== '(') return null
  const argument = argumentAt(source, open + 1)
  return { specifier: argument?.text ?? null, typeUse: argument !== null && isTypeUse(source, argument.end) }
}

/** What `require('x')` reads, from behind that word. Null: it is no call with one literal. */
export function requireCallAt(source: string, at: number): string | null {
  const open = skipTrivia(source, at)
  const argument = source[open] === '(' ? argumentAt(source, open + 1) : null
  return argument && source[argument.end] === ')' ? argument.text : null
}

/** A literal that is all of an argument; `end` is where the `)` or the comma is. */
function argumentAt(source: string, at: number): { text: string; end: number } | null {
  const literal = literalAt(source, skipTrivia(source, at))
  if (!literal) return null
  const end = skipTrivia(source, literal.end)
  return source[end] === ')' || source[end] === ',' ? { text: literal.text, end } : null
}

function isTypeUse(source: string, close: number): boolean {
  const next = source[close] === ')' ? skipTrivia(source, close + 1) : close
  if (source[next] === '[') return literalAt(source, skipTrivia(source, next + 1)) !== null
  if (source[next] !== '.') return false
  const start = skipTrivia(source, next + 1)
  const name = source.slice(start, nameEnd(source, start))
  return name !== '' && name !== 'then' && name !== 'catch' && name !== 'finally'
}
