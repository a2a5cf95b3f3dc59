import { type Import, parse } from 'es-module-lexer'
import type { FoundImport } from '../imports.ts'
import { exportClauseAt, importClauseAt, lastOfInterest } from './import-clause.ts'
import { type PlacedImport, scanJavaScript } from './javascript-scanner.ts'
import { LineCounter } from './line-counter.ts'

/** What a JavaScript or TypeScript file imports. */
export interface JavaScriptExtraction {
  imports: FoundImport[]
  declares: string[]
  /** The line of the first thing that is not the language, where something may have been missed; or null. */
  brokenLine: number | null
}

/**
 * es-module-lexer reads a file to its end, our own scanner up to the last word that could begin an import, and each of
 * its characters in about as much time as so many of the lexer's.
 */
const SCAN_COST = 3

/**
 * The imports of a JavaScript or TypeScript file, told by its path as one with JSX or without: of modules and, with
 * literals, `import()`, `require()` and `import x = require()`. es-module-lexer reads what it can; what has JSX or `require(`,
 * what imports at its beginning only, and what the lexer refuses, our own scanner. Imports of nothing but types are `type`, a
 * `require` inside of functions is `dynamic`.
 */
export function extractJavaScript(source: string, path: string): JavaScriptExtraction {
  const end = lastOfInterest(source)
  if (end === 0) return { imports: [], declares: [], brokenLine: null }
  const types = /\.[mc]?ts$/.test(path)
  const isShort = end * SCAN_COST < source.length
  const scans =
    isShort || /\.[jt]sx$/.test(path) || (!types && hasTags(source)) || /\brequire\s*\(/.test(source)
  const lexed = scans ? null : lex(source)
  if (lexed) return { imports: placed(source, lexed), declares: [], brokenLine: null }
  const { imports, brokenAt } = scanJavaScript(source, { jsx: !types, ...(scans ? { end } : {}) })
  if (brokenAt === null) return { imports: placed(source, imports), declares: [], brokenLine: null }
  // What the lexer takes is sound, and the scanner was led astray: both count.
  const other = lex(source)
  const known = new Set(other?.map(({ at }) => at))
  const both = [...(other ?? []), ...imports.filter(({ at }) => !known.has(at))]
  const brokenLine = other ? null : new LineCounter(source).lineAt(brokenAt)
  return { imports: placed(source, both), declares: [], brokenLine }
}

/** If there may be JSX: of `<p>it's</p><p>it's</p>` the lexer takes the middle for a string, and says nothing. */
function hasTags(source: string): boolean {
  return source.includes('</') || source.includes('/>')
}

/** Null: the lexer does not take the text. */
function lex(source: string): PlacedImport[] | null {
  let found: readonly Import[]
  try {
    found = parse(source)[0]
  } catch {
    return null
  }
  const imports: PlacedImport[] = []
  for (const one of found) {
    if (one.type === 'import-meta') continue
    if (one.type !== 'dynamic') {
      const type = one.typeOnly || bringsTypes(source, one.importStart, one.importEnd)
      imports.push({ specifier: one.specifier, at: one.importStart, kind: type ? 'type' : 'static' })
    } else if (one.specifier !== undefined && !one.glob)
      imports.push({
        specifier: one.specifier,
        at: one.importStart,
        kind: one.probablyTypeOnly ? 'type' : 'dynamic',
      })
  }
  return imports
}

/** `import { type A } from`: the lexer tells it of `import type { A } from` only. */
function bringsTypes(source: string, start: number, end: number): boolean {
  if (!source.slice(start, end).includes('type')) return false
  const clause = source.startsWith('import', start)
    ? importClauseAt(source, start + 'import'.length)
    : exportClauseAt(source, start + 'export'.length)
  return clause?.typeOnly ?? false
}

function placed(source: string, imports: PlacedImport[]): FoundImport[] {
  const lines = new LineCounter(source)
  return imports
    .sort((one, other) => one.at - other.at)
    .map(({ specifier, at, kind }) => ({ specifier, line: lines.lineAt(at), kind }))
}
