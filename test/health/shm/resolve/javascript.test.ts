import { describe, expect, it } from 'vitest'
import { resolved, targets } from './small-tree.ts'

const npm = (name: string, folder: string) => ({ name, folder, kind: 'npm' as const })

describe('relative imports', () => {
  it('probes extensions and index files', () => {
    const sources = {
      'a/main.ts': [
        './b',
        './b.ts',
        './c',
        '../d',
        '..',
        '.',
        './',
        './e/',
        './e',
        './x.y',
        './/b',
        '../a/./b',
      ],
      'a/b.ts': [],
      'a/c/index.tsx': [],
      'a/e.ts': [],
      'a/e/index.ts': [],
      'a/index.ts': [],
      'a/x.y.ts': [],
      'd.js': [],
      'index.mjs': [],
    }
    expect(targets('a/main.ts', { sources })).toEqual([
      'a/b.ts',
      'a/b.ts',
      'a/c/index.tsx',
      'd.js',
      'index.mjs',
      'a/index.ts',
      'a/index.ts',
      'a/e/index.ts',
      'a/e.ts',
      'a/x.y.ts',
      'a/b.ts',
      'a/b.ts',
    ])
  })

  it('means the TypeScript source by the name of what it is compiled to, but not out of JavaScript that has it', () => {
    const sources = {
      'a.ts': ['./both.js', './view.js', './view.jsx', './esm.mjs', './common.cjs', './plain.js'],
      'a.js': [],
      'both.js': [],
      'both.ts': [],
      'common.cts': [],
      'esm.mts': [],
      'plain.js': [],
      'view.tsx': [],
    }
    const out = ['both.ts', 'view.tsx', 'view.tsx', 'esm.mts', 'common.cts', 'plain.js']
    expect(targets('a.ts', { sources })).toEqual(out)
    const swapped = { ...sources, 'a.ts': [], 'a.js': ['./both.js', './both', './view.js'] }
    expect(targets('a.js', { sources: swapped })).toEqual(['both.js', 'both.js', 'view.tsx'])
  })

  it('cuts queries', () => {
    const sources = { 'a.ts': ['./b.ts?raw', './b?worker&url'], 'b.ts': [] }
    expect(targets('a.ts', { sources })).toEqual(['b.ts', 'b.ts'])
  })

  it('takes the main file of a folder with a package.json, and no loop of them', () => {
    const sources = { 'a.ts': ['./lib', './x'], 'lib/entry/index.js': [], 'x/z.js': [], 'y/z.js': [] }
    const files = {
      'lib/package.json': '{"main":"./entry"}',
      'x/package.json': '{"main":"../y"}',
      'y/package.json': '{"main":"../x"}',
    }
    expect(targets('a.ts', { sources, files })).toEqual(['lib/entry/index.js', null])
  })

  it('lists what is missing, and neither what is no source nor what lies outside', () => {
    const imports = [
      './gone',
      './gone.js',
      './style.css',
      './data.json',
      './App.vue',
      './types',
      '../out',
      './a.py',
    ]
    const tree = { sources: { 'a.ts': imports, 'a.py': [] }, files: { 'types.d.ts': '' } }
    const { edges, unresolved, external } = resolved(tree)
    expect(edges).toEqual([])
    expect(unresolved).toEqual(['a.ts:1 ./gone', 'a.ts:2 ./gone.js', 'a.ts:8 ./a.py'])
    expect(external).toBe(1)
  })
})

describe('kinds', () => {
  it('leaves type-only imports out and dynamic ones in, and counts both', () => {
    const sources = {
      'a.ts': [
        { specifier: './b', line: 1, kind: 'type' as const },
        { specifier: './c', line: 2, kind: 'dynamic' as const },
        { specifier: './gone', line: 3, kind: 'type' as const },
        { specifier: './a', line: 4, kind: 'static' as const },
      ],
      'b.ts': [],
      'c.ts': [],
    }
    const { edges, typeOnly, dynamic, unresolved } = resolved({ sources })
    expect({ edges, typeOnly, dynamic, unresolved }).toEqual({
      edges: ['a.ts -> c.ts'],
      typeOnly: 1,
      dynamic: 1,
      unresolved: [],
    })
  })
})

describe('other packages', () => {
  it('are external, installed or not', () => {
    const imports = [
      'react',
      'node:fs',
      'fs',
      '@a/b/c',
      'https://x.y/z.js',
      'virtual:x',
      '#nothing',
      '/etc/x.js',
      '',
      '.x',
    ]
    const installed = { 'node_modules/react/package.json': '{"main":"../../b.ts"}' }
    const tree = { sources: { 'a.ts': imports, 'b.ts': [] } }
    expect(resolved({ ...tree, files: installed })).toEqual(resolved(tree))
    expect(resolved(tree)).toMatchObject({ edges: [], unresolved: [], external: 10 })
  })

  it('of the workspace lead to their sources, built or not', () => {
    const packages = [npm('@w/core', 'core'), npm('util', 'util'), npm('bare', 'bare'), npm('app', 'app')]
    const files = {
      'core/package.json': JSON.stringify({
        exports: {
          '.': { types: './dist/index.d.ts', import: './dist/esm/index.mjs', require: './dist/index.cjs' },
          './deep/*': { default: './dist/deep/*.js' },
          './deep/special': './src/other.ts',
          './features/*.js': './src/*/*.ts',
          './style.css': './dist/style.css',
        },
      }),
      'util/package.json': '{"main":"lib/main.js","source":"./code/start.ts"}',
    }
    const imports = [
      '@w/core',
      '@w/core/deep/x',
      '@w/core/deep/special',
      '@w/core/features/f.js',
      'util',
      'util/code/more',
    ]
    const sources = {
      'app/a.ts': [...imports, 'bare', 'bare/two', '@w/core/src/other.ts'],
      'bare/src/index.ts': [],
      'bare/src/two.ts': [],
      'core/src/deep/x.ts': [],
      'core/src/f/f.ts': [],
      'core/src/index.ts': [],
      'core/src/other.ts': [],
      'util/code/more.ts': [],
      'util/code/start.ts': [],
    }
    expect(targets('app/a.ts', { sources, files, packages })).toEqual([
      'core/src/index.ts',
      'core/src/deep/x.ts',
      'core/src/other.ts',
      'core/src/f/f.ts',
      'util/code/start.ts',
      'util/code/more.ts',
      'bare/src/index.ts',
      'bare/src/two.ts',
      'core/src/other.ts',
    ])
    const missing = { ...sources, 'app/a.ts': ['@w/core/none', '@w/core/style.css', 'utility'] }
    expect(resolved({ sources: missing, files, packages })).toMatchObject({
      edges: [],
      unresolved: ['app/a.ts:1 @w/core/none'],
      external: 1,
    })
  })

  it('may be the own one, by its name and its imports, even where the root lies inside of it', () => {
    const files = {
      'p/package.json': JSON.stringify({
        name: 'self',
        exports: { './x': './src/x.ts' },
        imports: {
          '#x': './src/x.ts',
          '#in/*': { node: './src/in/*.ts' },
          '#dep': 'self/x',
          '#gone': './src/gone.ts',
        },
      }),
    }
    const imports = ['self/x', '#x', '#in/y', '#dep', '#gone', '/src/x.ts']
    const sources = { 'p/src/a.ts': imports, 'p/src/x.ts': [], 'p/src/in/y.ts': [] }
    const found = ['p/src/x.ts', 'p/src/x.ts', 'p/src/in/y.ts', 'p/src/x.ts', null, 'p/src/x.ts']
    expect(targets('p/src/a.ts', { sources, files })).toEqual(found)
    expect(resolved({ sources, files }).unresolved).toEqual(['p/src/a.ts:5 #gone'])
    const inside = { 'a.ts': imports, 'x.ts': [], 'in/y.ts': [] }
    const below = ['x.ts', 'x.ts', 'in/y.ts', 'x.ts', null, 'x.ts']
    expect(targets('a.ts', { sources: inside, files, root: 'p/src' })).toEqual(below)
  })

  it('of one name twice mean the upper one', () => {
    const packages = [npm('twice', 'b/twice'), npm('twice', 'c'), npm('twice', 'd')]
    const sources = { 'a.ts': ['twice'], 'b/twice/index.ts': [], 'c/index.ts': [], 'd/index.ts': [] }
    expect(targets('a.ts', { sources, packages })).toEqual(['c/index.ts'])
    expect(targets('a.ts', { sources, packages: packages.toReversed() })).toEqual(['c/index.ts'])
  })
})
