import { describe, expect, it } from 'vitest'
import { resolved, targets } from './small-tree.ts'

const python = (folder: string) => ({ name: null, folder, kind: 'python' as const })

describe('relative imports', () => {
  const others = { 'p/__init__.py': [], 'p/b.py': [], 'p/q/__init__.py': [], 'p/q/c.py': [], 'p/ns/d.py': [] }

  it('lead to modules and packages, a name in a module to the module', () => {
    const imports = [
      '.b',
      '.:b',
      '.b:Name',
      '.:q',
      '.q:c',
      '.q:Name',
      '.:Name',
      '.:*',
      '.q.c',
      '.ns.d',
      '.ns:d',
      '..:p',
    ]
    expect(targets('p/a.py', { sources: { ...others, 'p/a.py': imports } })).toEqual([
      'p/b.py',
      'p/b.py',
      'p/b.py',
      'p/q/__init__.py',
      'p/q/c.py',
      'p/q/__init__.py',
      'p/__init__.py',
      'p/__init__.py',
      'p/q/c.py',
      'p/ns/d.py',
      'p/ns/d.py',
      'p/__init__.py',
    ])
    const up = ['..b:x', '..:b', '...:p', '..q', '.:c', '.']
    expect(
      targets('p/q/__init__.py', { sources: { ...others, 'p/a.py': [], 'p/q/__init__.py': up } }),
    ).toEqual(['p/b.py', 'p/b.py', 'p/__init__.py', null, 'p/q/c.py', null])
  })

  it('are unresolved where nothing is, external where they leave the root', () => {
    const sources = { ...others, 'p/a.py': ['.gone', '.gone:x', '.ns:gone', '.ns', '...p.b', '....x'] }
    expect(resolved({ sources })).toMatchObject({
      edges: [],
      unresolved: ['p/a.py:1 .gone', 'p/a.py:2 .gone:x', 'p/a.py:3 .ns:gone'],
      external: 2,
    })
  })
})

describe('absolute imports', () => {
  it('start where the top package lies', () => {
    const imports = ['p.b', 'p', 'p.q.c', 'p:b', 'p.q:Name', 'os.path', 'numpy', 'p.gone', 'p:*']
    const sources = {
      'x/p/__init__.py': [],
      'x/p/b.py': [],
      'x/p/q/__init__.py': imports,
      'x/p/q/c.py': [],
      'p/__init__.py': [],
    }
    const from = 'x/p/q/__init__.py'
    const found = [
      'x/p/b.py',
      'x/p/__init__.py',
      'x/p/q/c.py',
      'x/p/b.py',
      null,
      null,
      null,
      null,
      'x/p/__init__.py',
    ]
    expect(targets(from, { sources })).toEqual(found)
    expect(resolved({ sources })).toMatchObject({ external: 2, unresolved: [`${from}:8 p.gone`] })
  })

  it('never mean a sibling in a package, nor one that is called as the standard library has it', () => {
    const sources = {
      'p/__init__.py': [],
      'p/redis.py': ['redis', 'redis:Redis'],
      'p/logging.py': [],
      'p/a.py': ['logging', 'redis.client', 'types'],
      'ns/cloud/logging/__init__.py': ['logging', 'logging:Logger'],
      'ns/cloud/types.py': ['types'],
      'redis/tool.py': [],
    }
    expect(resolved({ sources })).toMatchObject({ edges: [], unresolved: [] })
    expect(targets('p/redis.py', { sources })).toEqual([null, null])
  })

  it('of the standard library lead into the tree that is the standard library', () => {
    const sources = {
      'Lib/os.py': ['stat', 'abc:ABC'],
      'Lib/abc.py': [],
      'Lib/io.py': [],
      'Lib/stat.py': [],
      'x.py': ['os'],
    }
    expect(resolved({ sources }).edges).toEqual(['Lib/os.py -> Lib/abc.py', 'Lib/os.py -> Lib/stat.py'])
  })

  it('find packages in src layouts, workspaces and namespaces from anywhere', () => {
    const sources = {
      'one/src/cloud/a/__init__.py': [],
      'one/src/cloud/a/x.py': [],
      'one/src/single.py': [],
      'two/src/cloud/b/__init__.py': [],
      'two/tests/test_b.py': [
        'cloud.a.x',
        'cloud.b:y',
        'cloud:a',
        'single',
        'flat.m',
        'mod',
        'cloud.none',
        'loose',
      ],
      'three/flat/__init__.py': [],
      'three/flat/m.py': [],
      'four/mod.py': [],
      'five/loose.py': [],
    }
    expect(targets('two/tests/test_b.py', { sources, packages: [python('four')] })).toEqual([
      'one/src/cloud/a/x.py',
      'two/src/cloud/b/__init__.py',
      'one/src/cloud/a/__init__.py',
      'one/src/single.py',
      'three/flat/m.py',
      'four/mod.py',
      null,
      null,
    ])
    expect(resolved({ sources, packages: [python('four')] })).toMatchObject({ unresolved: [], external: 2 })
  })

  it('find modules without any __init__.py from the folders above', () => {
    const sources = {
      'models/net.py': ['utils.data:load', 'layers', 'utils'],
      'models/layers.py': [],
      'utils/data.py': [],
    }
    expect(targets('models/net.py', { sources })).toEqual(['utils/data.py', 'models/layers.py', null])
    expect(resolved({ sources })).toMatchObject({ unresolved: [], external: 1 })
  })

  it('prefer a package to a folder of its name', () => {
    const sources = {
      'test.py': ['foo', 'foo:bar', 'foo.bar'],
      'foo/foo/__init__.py': [],
      'foo/foo/bar.py': [],
      'foo/bar.py': [],
    }
    expect(targets('test.py', { sources })).toEqual([
      'foo/foo/__init__.py',
      'foo/foo/bar.py',
      'foo/foo/bar.py',
    ])
  })

  it('take the nearest of several packages of one name', () => {
    const sources = {
      'a/tests/t.py': ['util.x'],
      'b/tests/t.py': ['util.x'],
      'a/src/util/__init__.py': [],
      'a/src/util/x.py': [],
      'b/src/util/__init__.py': [],
      'b/src/util/x.py': [],
    }
    expect(resolved({ sources }).edges).toEqual([
      'a/tests/t.py -> a/src/util/x.py',
      'b/tests/t.py -> b/src/util/x.py',
    ])
  })

  it('know the name of a root that is a package, and what lies outside of it', () => {
    const files = { 'src/alchemy/__init__.py': '', 'src/alchemy/orm/__init__.py': '' }
    const imports = [
      'alchemy.orm.base',
      'alchemy.orm',
      'alchemy:orm',
      'alchemy.util',
      'base',
      'alchemy.orm.gone',
      '..:util',
      'alchemy.orm:base',
    ]
    const sources = { '__init__.py': [], 'a.py': imports, 'base.py': [] }
    const tree = { sources, files, root: 'src/alchemy/orm' }
    const own = '__init__.py'
    expect(targets('a.py', tree)).toEqual(['base.py', own, own, null, null, null, null, 'base.py'])
    expect(resolved(tree)).toMatchObject({ unresolved: ['a.py:6 alchemy.orm.gone'], external: 3 })
    const project = { ...tree, files: { ...files, 'src/alchemy/orm/setup.py': '' } }
    expect(targets('a.py', project)[4]).toBe('base.py')
  })
})
