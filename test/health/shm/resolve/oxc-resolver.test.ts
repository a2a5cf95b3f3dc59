import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import fc from 'fast-check'
import { ResolverFactory } from 'oxc-resolver'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { resolveImports } from '../../../../health/shm/resolve/resolution.ts'
import { extraction, inWords, sourceTree } from './small-tree.ts'

let top: string
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'oxc-'))
})
afterEach(() => rmSync(top, { recursive: true }))

const OPTIONS = {
  extensions: ['.ts', '.tsx', '.js', '.jsx', '.mts', '.cts', '.mjs', '.cjs'],
  extensionAlias: {
    '.js': ['.ts', '.tsx', '.js'],
    '.jsx': ['.tsx', '.jsx'],
    '.mjs': ['.mts', '.mjs'],
    '.cjs': ['.cts', '.cjs'],
  },
  modules: [],
  symlinks: false,
}

const folder = fc.constantFrom('', 'a/', 'b/', 'a/b/', 'src/', 'src/a/')
const stem = fc.constantFrom('a', 'b', 'index', 'x.y')
const path = fc
  .tuple(folder, stem, fc.constantFrom('.ts', '.tsx', '.js', '.mts', '.cjs'))
  .map(parts => parts.join(''))

function made(run: number, files: Record<string, string>): string {
  const root = join(top, String(run))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return root
}

function ours(root: string, paths: string[], from: string, specifier: string): string | null {
  const packages = [{ name: 'pkg', folder: '', kind: 'npm' as const }]
  const tree = sourceTree(root, paths.toSorted(), packages)
  const extractions = tree.files.map(file => extraction(file.path === from ? [specifier] : []))
  return inWords(tree, resolveImports(tree, extractions)).edges[0]?.split(' -> ')[1] ?? null
}

it('finds what oxc-resolver finds by relative paths and by paths of a tsconfig', () => {
  const base = fc.constantFrom(
    './',
    '../',
    './a/',
    '../a/b/',
    '~/',
    '~/a/',
    '@b/',
    'exact',
    '',
    'a/',
    './src/',
  )
  const end = fc.constantFrom(
    '',
    'a',
    'b',
    'index',
    'x.y',
    'a.js',
    'a.ts',
    'b.mjs',
    'index.cjs',
    'x.y.js',
    'b/',
    'gone',
  )
  const specifier = fc
    .tuple(base, end)
    .map(parts => parts.join(''))
    // It is not of one mind about a slash at the end of a name. `..` is not asked: it may be a file to it, and is a
    // folder to Node and TypeScript.
    .filter(one => /^(?:[^.].*[^/]|[^./]|\.{1,2}(?:\/.*)?)$/.test(one))
  const compilerOptions = fc.record(
    {
      baseUrl: fc.constantFrom('.', './src', 'a'),
      paths: fc.dictionary(
        fc.constantFrom('~/*', '~/a/*', '@b/*', 'exact', '@b/x*', '*'),
        fc.array(fc.constantFrom('./src/*', './a/*', './b/*.ts', './a', './src/a/*'), {
          minLength: 1,
          maxLength: 2,
        }),
      ),
    },
    { requiredKeys: [] },
  )
  let run = 0
  let found = 0
  const property = fc.property(
    fc.uniqueArray(path, { minLength: 6, maxLength: 16 }),
    folder.map(at => `${at}main.ts`),
    fc.array(specifier, { minLength: 1, maxLength: 8 }),
    fc.option(compilerOptions),
    fc.boolean(),
    (others, from, specifiers, options, extended) => {
      const paths = [...others, from]
      const files = Object.fromEntries(paths.map(one => [one, '']))
      const config = JSON.stringify({ compilerOptions: options })
      if (options !== null && extended) {
        files['config/base.json'] = config.replaceAll('"./', '"../')
        files['tsconfig.json'] = '{"extends":"./config/base.json"}'
      } else if (options !== null) files['tsconfig.json'] = config
      const root = made(run++, files)
      const oxc = new ResolverFactory({ ...OPTIONS, tsconfig: 'auto' })
      for (const one of specifiers) {
        const answer = oxc.resolveFileSync(join(root, from), one).path
        const expected = answer === undefined ? null : relative(root, answer)
        const told = `${one} from ${from} of ${paths} with ${config}`
        expect(ours(root, paths, from, one), told).toBe(expected === from ? null : expected)
        if (expected !== null) found++
      }
    },
  )
  fc.assert(property, { numRuns: 200 })
  expect(found).toBeGreaterThan(20)
})

it('finds what oxc-resolver finds by exports and imports of a package whose files are there', () => {
  const target = fc.constantFrom(
    './src/a.ts',
    './src/*.ts',
    './a/*.js',
    './b/*/index.ts',
    './gone.js',
    './a/b.ts',
  )
  const value = fc.oneof(
    target,
    fc.array(target, { minLength: 1, maxLength: 2 }),
    fc.dictionary(fc.constantFrom('types', 'import', 'require', 'node', 'default', 'browser'), target, {
      minKeys: 1,
    }),
  )
  const key = fc.constantFrom('.', './a', './b', './*', './src/*', './*.js', './src/a*')
  const manifest = fc.record({
    exports: fc.dictionary(key, value, { minKeys: 1 }),
    imports: fc.dictionary(fc.constantFrom('#a', '#*', '#src/*', '#src/*.js'), value),
  })
  const specifier = fc.constantFrom(
    'pkg',
    'pkg/a',
    'pkg/b',
    'pkg/src/a',
    'pkg/src/ab',
    'pkg/a.js',
    'pkg/src/a.js',
    '#a',
    '#src/a',
    '#src/b.js',
    '#b',
  )
  let run = 0
  let found = 0
  const property = fc.property(
    fc.uniqueArray(path, { minLength: 4, maxLength: 14 }),
    manifest,
    fc.array(specifier, { minLength: 2, maxLength: 6 }),
    (others, { exports, imports }, specifiers) => {
      const paths = [...others, 'main.ts']
      const text = JSON.stringify({ name: 'pkg', exports, imports })
      const root = made(run++, { ...Object.fromEntries(paths.map(one => [one, ''])), 'package.json': text })
      const conditionNames = ['source', 'development', 'node', 'import', 'module', 'default', 'require']
      const oxc = new ResolverFactory({ ...OPTIONS, conditionNames })
      for (const one of specifiers) {
        const answer = oxc.sync(root, one).path
        // Where it finds nothing, ours goes on by convention: the tree need not be built.
        if (answer === undefined) continue
        expect(ours(root, paths, 'main.ts', one), `${one} of ${paths} with ${text}`).toBe(
          relative(root, answer),
        )
        found++
      }
    },
  )
  fc.assert(property, { numRuns: 300 })
  expect(found).toBeGreaterThan(10)
})
