import { expect, it } from 'vitest'
import { resolved } from './small-tree.ts'

const go = (name: string, folder: string) => ({ name, folder, kind: 'go' as const })
const declaring = (name: string, imports: string[] = []) => ({ imports, declares: [name] })

it('leads to every file of a package that is no test', () => {
  const sources = {
    'main.go': declaring('main', ['ex.org/m/p', 'fmt', 'ex.org/other', 'ex.org/m/none', 'ex.org/mm/p']),
    'other.go': declaring('main'),
    'p/a.go': declaring('p', ['ex.org/m']),
    'p/a_test.go': declaring('p', ['ex.org/m/p/q']),
    'p/b.go': declaring('p'),
    'p/gen.go': declaring('main'),
    'p/q/c.go': declaring('q'),
  }
  expect(resolved({ sources, packages: [go('ex.org/m', '')] })).toMatchObject({
    edges: [
      'main.go -> p/a.go',
      'main.go -> p/b.go',
      'p/a.go -> main.go',
      'p/a.go -> other.go',
      'p/a_test.go -> p/q/c.go',
    ],
    unresolved: ['main.go:4 ex.org/m/none'],
    external: 3,
  })
})

it('takes the longest module path, and modules in modules', () => {
  const sources = {
    'a/a.go': declaring('a', ['ex.org/m/v2/x', 'ex.org/m/x', 'ex.org/tools']),
    'v2/x/x.go': declaring('x'),
    'x/x.go': declaring('x'),
    'tools/t.go': declaring('tools', ['./../x', '../../out', './none']),
  }
  const packages = [go('ex.org/m', ''), go('ex.org/m/v2', 'v2'), go('ex.org/tools', 'tools')]
  expect(resolved({ sources, packages })).toMatchObject({
    edges: ['a/a.go -> tools/t.go', 'a/a.go -> v2/x/x.go', 'a/a.go -> x/x.go', 'tools/t.go -> x/x.go'],
    unresolved: ['tools/t.go:3 ./none'],
    external: 1,
  })
})

it('knows the module that the root lies in', () => {
  const sources = {
    'a/a.go': declaring('a', ['ex.org/m/internal/b', 'ex.org/m/cmd']),
    'b/b.go': declaring('b'),
  }
  const files = { 'go.mod': '// a\nmodule "ex.org/m" // b\ngo 1.22\n' }
  expect(resolved({ sources, files, root: 'internal' })).toMatchObject({
    edges: ['a/a.go -> b/b.go'],
    unresolved: [],
    external: 1,
  })
})

it('includes C as cgo does', () => {
  const sources = { 'p/a.go': declaring('p', ['C', '"x.h"', '<stdio.h>']), 'p/x.h': [] }
  expect(resolved({ sources })).toMatchObject({ edges: ['p/a.go -> p/x.h'], external: 2, unresolved: [] })
})
