import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Extraction } from '../../../../health/shm/imports.ts'
import { ImportResolver, resolveImports } from '../../../../health/shm/resolve/resolution.ts'
import { extraction, inWords, resolved, type SmallSource, sourceTree } from './small-tree.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'resolution-'))
})
afterAll(() => rmSync(root, { recursive: true }))

const folder = fc.constantFrom('', 'a/', 'b/', 'a/b/', 'src/', 'a/include/')
const file = fc.constantFrom(
  'index.ts',
  'a.js',
  'b.tsx',
  '__init__.py',
  'a.py',
  'b.py',
  'lib.rs',
  'a.rs',
  'b.rs',
  'mod.rs',
  'a.go',
  'b.go',
  'a.c',
  'a.h',
  'b.hpp',
)
const written = fc.constantFrom(
  ...['./a', '../b', './a.js', '..', '.', '../a/b', 'pkg', 'pkg/b', 'react', './gone'],
  ...['a', 'b', 'a.b', '.a', '..:a', 'a:b', '.:b', 'os', 'a.b:a', 'b.gone'],
  ...[
    'mod a',
    'mod b',
    'mod@i a',
    'use crate::a::b',
    'use super::b',
    'use self::a',
    'use a::b',
    'mod a = b/b.rs',
    'use@i super::x',
  ],
  ...[
    'ex.org/m',
    'ex.org/m/a',
    'ex.org/m/b/gone',
    '"a.h"',
    '<a.h>',
    '"b/b.hpp"',
    '"include/a.h"',
    '<stdio.h>',
    '',
    '"',
    '::',
    '?',
  ],
)
const kind = fc.constantFrom('static' as const, 'dynamic' as const, 'type' as const)
const imports = fc.array(
  fc.record({
    specifier: fc.oneof(written, fc.string({ maxLength: 8 })),
    line: fc.integer({ min: 1, max: 9 }),
    kind,
  }),
  { maxLength: 6 },
)
const anyTree = fc.dictionary(
  fc.tuple(folder, file).map(parts => parts.join('')),
  fc.record({ imports, declares: fc.subarray(['i', 'a', 'main', 'i::a']) }),
  { minKeys: 1, maxKeys: 20 },
)
const packages = [
  { name: 'pkg', folder: 'a', kind: 'npm' as const },
  { name: 'ex.org/m', folder: '', kind: 'go' as const },
  { name: null, folder: 'b', kind: 'python' as const },
]

describe('resolving', () => {
  it('does not depend on the order of the files', () => {
    const property = fc.property(
      anyTree,
      fc.infiniteStream(fc.nat()),
      (sources: Record<string, SmallSource>, order) => {
        const resolveIn = (paths: string[]) => {
          const tree = sourceTree(root, paths, packages)
          const extractions = paths.map(path => extraction(sources[path] as SmallSource))
          const words = inWords(tree, resolveImports(tree, extractions))
          return { ...words, unresolved: words.unresolved.sort() }
        }
        const paths = Object.keys(sources).sort()
        const keys = new Map(paths.map(path => [path, order.next().value ?? 0]))
        const shuffled = paths.toSorted((one, other) => (keys.get(one) ?? 0) - (keys.get(other) ?? 0))
        expect(resolveIn(shuffled)).toEqual(resolveIn(paths))
      },
    )
    fc.assert(property, { numRuns: 300 })
  })

  it('gives each pair of files once, with its lowest line, never a file with itself, and accounts for every import', () => {
    const property = fc.property(anyTree, (sources: Record<string, SmallSource>) => {
      const paths = Object.keys(sources).sort()
      const tree = sourceTree(root, paths, packages)
      const extractions = paths.map(path => extraction(sources[path] as SmallSource))
      const { edges, unresolved, external, typeOnly, dynamic } = resolveImports(tree, extractions)
      const pairs = edges.map(({ from, to }) => `${from} ${to}`)
      expect(new Set(pairs).size).toBe(pairs.length)
      for (const { from, to, line } of edges) {
        expect(from).not.toBe(to)
        expect(paths[to]).toBeDefined()
        const lines = extractions[from]?.imports.map(one => one.line)
        expect(lines).toContain(line)
        const alone = resolveImports(
          tree,
          extractions.map((one, i) => (i === from ? one : null)),
        )
        expect(alone.edges.every(edge => edge.from === from)).toBe(true)
      }
      const count = extractions.reduce((sum, { imports }) => sum + imports.length, 0)
      expect(unresolved.length + external + typeOnly + dynamic).toBeLessThanOrEqual(count)
    })
    fc.assert(property, { numRuns: 100 })
  })

  it('gives the same when files were prepared, whichever and in whatever order', () => {
    const property = fc.property(
      anyTree.chain(sources => {
        const paths = Object.keys(sources).sort()
        return fc.tuple(fc.constant({ sources, paths }), fc.shuffledSubarray([...paths.keys()]))
      }),
      ([{ sources, paths }, prepared]) => {
        const tree = sourceTree(root, paths, packages)
        const extractions = paths.map(path => extraction(sources[path] as SmallSource))
        const resolver = new ImportResolver(tree)
        for (const file of prepared) resolver.prepare(file, extractions[file] as Extraction)
        expect(resolver.resolve(extractions)).toEqual(resolveImports(tree, extractions))
      },
    )
    fc.assert(property, { numRuns: 300 })
  })

  it('again, of edited files, gives what a new resolver gives', () => {
    const property = fc.property(
      anyTree,
      fc.array(fc.tuple(fc.nat(), imports, fc.subarray(['i', 'main'])), { maxLength: 5 }),
      (sources: Record<string, SmallSource>, edits) => {
        const paths = Object.keys(sources).sort()
        const tree = sourceTree(root, paths, packages)
        let extractions = paths.map(path => extraction(sources[path] as SmallSource))
        const kept = new ImportResolver(tree)
        expect(kept.resolve(extractions)).toEqual(resolveImports(tree, extractions))
        for (const [at, imports, declares] of edits) {
          extractions = extractions.with(at % paths.length, extraction({ imports, declares }))
          expect(kept.resolve(extractions)).toEqual(resolveImports(tree, extractions))
        }
      },
    )
    fc.assert(property, { numRuns: 200 })
  })
})

it('passes over files that could not be read', () => {
  const tree = sourceTree(root, ['a.ts', 'b.ts'])
  const { edges } = resolveImports(tree, [extraction(['./b', './b']), null])
  expect(edges).toEqual([{ from: 0, to: 1, line: 1 }])
})

it('keeps the lowest line of several imports of one file', () => {
  const tree = sourceTree(root, ['a.ts', 'b.ts'])
  const found = [7, 3, 5].map(line => ({ specifier: './b', line, kind: 'static' as const }))
  expect(resolveImports(tree, [extraction(found), null]).edges).toEqual([{ from: 0, to: 1, line: 3 }])
})

it('takes a tree of no files', () => {
  expect(resolveImports(sourceTree(root, []), [])).toMatchObject({ edges: [], unresolved: [], external: 0 })
})

it('does not list what is left out of the tree by its name: tests if none is in, and what tools or others wrote', () => {
  const sources = {
    'a.ts': ['./test/help', './a.test', './api.generated', './b', './vendor/c.js'],
    'p/__init__.py': [],
    'p/a.py': ['p.tests:x', '.vendored.six', '.a_pb2', 'p._vendor:y', '.b'],
    'a.c': ['"third_party/x.h"', '"x.pb.h"', '"y.h"'],
    'lib.rs': ['mod tests', 'mod x_generated', 'mod y'],
    'a.go': ['./testdata', './z'],
  }
  const missing = ['a.ts:4 ./b', 'p/a.py:5 .b', 'a.c:3 "y.h"', 'lib.rs:3 mod y', 'a.go:2 ./z'].sort()
  expect(resolved({ sources }).unresolved.sort()).toEqual(missing)
  const { unresolved } = resolved({ sources: { ...sources, 'test/a.ts': [] } })
  expect(unresolved).toContain('a.ts:1 ./test/help')
  expect(unresolved).not.toContain('a.ts:3 ./api.generated')
})
