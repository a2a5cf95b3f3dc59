import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { extractJavaScript } from '../../../../health/shm/extract/javascript.ts'
import { scanJavaScript } from '../../../../health/shm/extract/javascript-scanner.ts'
import { LineCounter } from '../../../../health/shm/extract/line-counter.ts'
import { sourceFiles } from '../../../house/source-files.ts'
import { JSX_CORPUS } from './jsx-corpus.ts'
import { oxcImports } from './oxc-imports.ts'

const HERE = fileURLToPath(new URL('../../../..', import.meta.url))

/** Of packages: CommonJS, ES modules, TypeScript, JSX-like comparisons, minified code. */
const PACKAGES = [
  'fastify',
  'undici',
  'openai',
  'preact',
  'piscina',
  'uplot',
  'typebox',
  'oxc-parser',
  'vitest',
]

describe('extractJavaScript on real files', () => {
  it('finds what a parser finds in the sources of this project', async () => {
    const files = (await sourceFiles(HERE, ['.ts', '.tsx'])).map(path => join(HERE, path))
    expect(files.filter(file => file.endsWith('.tsx')).length).toBeGreaterThan(50)
    expect(files.length).toBeGreaterThan(500)
    expect(differences(files)).toEqual([])
  })

  it('finds what a parser finds in published packages', () => {
    const files = PACKAGES.flatMap(name => {
      const folder = join(HERE, 'node_modules', name)
      return sourcesOf(folder).slice(0, 150)
    })
    expect(files.length).toBeGreaterThan(400)
    expect(differences(files)).toEqual([])
  })

  it.each(JSX_CORPUS)('finds what a parser finds in awkward JSX: %s', (_, source) => {
    const truth = oxcImports(source, 'a.tsx')
    expect(truth).not.toBeNull()
    expect(truth?.size).toBeGreaterThan(0)
    expect(difference(source, 'a.tsx')).toBeNull()
  })
})

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && /(?<!\.d)\.[mc]?[jt]sx?$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !dirname(file).slice(folder.length).includes('node_modules'))
    .sort()
}

function differences(files: readonly string[]): string[] {
  const told: string[] = []
  for (const file of files) {
    const source = readFileSync(file, 'utf8')
    const different = source.length < 400_000 ? difference(source, file) : null
    if (different) told.push(`${file}: ${different}`)
  }
  return told
}

/** Where either way of reading differs from the parser; null: nowhere. What only types need the parser does not tell. */
function difference(source: string, path: string): string | null {
  const truth = oxcImports(source, path)
  if (!truth) return null
  const lines = new LineCounter(source)
  const scan = scanJavaScript(source, { jsx: !/\.[mc]?ts$/.test(path) })
  const scanned = scan.imports.map(({ at, ...found }) => ({ ...found, line: lines.lineAt(at) }))
  const extracted = extractJavaScript(source, path)
  if (scan.brokenAt !== null || extracted.brokenLine !== null) return `broken at ${scan.brokenAt}`
  for (const found of [scanned, extracted.imports]) {
    const mine = new Set(found.map(({ kind, line, specifier }) => `${kind} ${line} ${specifier}`))
    const missing = [...truth].filter(one => !mine.has(one))
    const invented = [...mine].filter(one => !truth.has(one) && !isTypeCall(source, one))
    if (missing.length + invented.length > 0)
      return `missing ${missing.join(', ')}; invented ${invented.join(', ')}`
  }
  return null
}

/** `typeof import('x')`: no import when it runs, and so none for the parser. */
function isTypeCall(source: string, found: string): boolean {
  const [kind, line] = found.split(' ')
  return kind === 'type' && /\bimport\s*\(/.test(source.split('\n')[Number(line) - 1] ?? '')
}
