import { describe, expect, it } from 'vitest'
import { resolved, targets } from './small-tree.ts'

const paths = (map: Record<string, string[]>, more: object = {}) =>
  JSON.stringify({ compilerOptions: { paths: map, ...more } })

describe('paths of a tsconfig', () => {
  it('map names, the longest prefix first, with comments and trailing commas', () => {
    const text = `\uFEFF// mine
      { /* "paths" */ "compilerOptions": { "paths": {
        "~/*": ["./src/*",], "~/deep/*": ["./gone/*", "./other/*"], "exact": ["./src/a.ts"], "*.js": ["./src/*.ts"],
        "not//a//comment": ["./src/b.ts"],
      }, }, }`
    const sources = {
      'app/m.ts': ['~/a', '~/deep/c', 'exact', 'b.js', 'not//a//comment', '~/none', 'exactly', '~/a.css'],
      'src/a.ts': [],
      'src/b.ts': [],
      'src/deep/c.ts': [],
      'other/c.ts': [],
    }
    const files = { 'tsconfig.json': text }
    const found = ['src/a.ts', 'other/c.ts', 'src/a.ts', 'src/b.ts', 'src/b.ts', null, null, null]
    expect(targets('app/m.ts', { sources, files })).toEqual(found)
    expect(resolved({ sources, files })).toMatchObject({ unresolved: ['app/m.ts:6 ~/none'], external: 1 })
  })

  it('come from bases: files, packages of the workspace, several, in a circle; those that are installed are not read', () => {
    const packages = [{ name: '@w/config', folder: 'config', kind: 'npm' as const }]
    const files = {
      'config/base.json': paths({ 'shared/*': ['../shared/*'], 'here/*': [`\${configDir}/here/*`] }),
      'x/tsconfig.json': '{"extends":["@tsconfig/node20/tsconfig.json","@w/config/base.json"]}',
      'y/base.json': `{"extends":"./tsconfig","compilerOptions":{"paths":{"y/*":["./lib/*"]}}}`,
      'y/tsconfig.json': '{"extends":"./base"}',
      'node_modules/@tsconfig/node20/tsconfig.json': paths({ 'shared/*': ['./wrong/*'] }),
    }
    const sources = {
      'x/a.ts': ['shared/s', 'here/h', 'y/l'],
      'x/here/h.ts': [],
      'y/a.ts': [],
      'y/lib/l.ts': [],
      'shared/s.ts': [],
    }
    expect(targets('x/a.ts', { sources, files, packages })).toEqual(['shared/s.ts', 'x/here/h.ts', null])
    const fromY = { ...sources, 'x/a.ts': [], 'y/a.ts': ['y/l', 'shared/s'] }
    expect(targets('y/a.ts', { sources: fromY, files, packages })).toEqual(['y/lib/l.ts', null])
  })

  it('are relative to baseUrl, which is searched, too', () => {
    const files = { 'tsconfig.json': paths({ 'm/*': ['mods/*'] }, { baseUrl: './src' }) }
    const sources = {
      'src/a.ts': ['m/x', 'lib/y', 'react'],
      'src/mods/x.ts': [],
      'src/lib/y.ts': [],
      'react.ts': [],
    }
    expect(targets('src/a.ts', { sources, files })).toEqual(['src/mods/x.ts', 'src/lib/y.ts', null])
  })

  it('are those of the nearest one, of a jsconfig, and of what it refers to for the files below', () => {
    const files = {
      'tsconfig.json': '{"files":[],"references":[{"path":"./app"},{"path":"./tsconfig.lib.json"}]}',
      'app/tsconfig.app.json': paths({ '@/*': ['./wrong/*'] }),
      'tsconfig.lib.json': paths({ '@/*': ['./lib/*'] }),
      'near/tsconfig.json': '{}',
      'plain/jsconfig.json': paths({ '@/*': ['./*'] }),
    }
    const sources = {
      'b.ts': ['@/x'],
      'near/c.ts': ['@/x'],
      'lib/x.ts': [],
      'plain/d.js': ['@/e'],
      'plain/e.js': [],
    }
    expect(resolved({ sources, files }).edges).toEqual(['b.ts -> lib/x.ts', 'plain/d.js -> plain/e.js'])
  })

  it('are found above the root, up to the top of the repository', () => {
    const files = { 'p/tsconfig.json': paths({ '~/*': ['./src/*'] }) }
    expect(targets('a.ts', { sources: { 'a.ts': ['~/b'], 'b.ts': [] }, files, root: 'p/src' })).toEqual([
      'b.ts',
    ])
  })

  it('that send everything or something else claim nothing', () => {
    const files = {
      'tsconfig.json': paths({
        '*': ['./types/*'],
        react: ['./node_modules/preact'],
        x: ['./x.d.ts'],
        y: ['../y'],
      }),
    }
    expect(resolved({ sources: { 'a.ts': ['any', 'react', 'x', 'y'] }, files })).toMatchObject({
      unresolved: [],
      external: 4,
    })
  })

  it('of a broken file are named in a warning, once', () => {
    const files = { 'tsconfig.json': '{"compilerOptions": {]' }
    const { warnings } = resolved({ sources: { 'a.ts': ['x', 'y'], 'b/c.ts': ['z'] }, files })
    expect(warnings).toMatchObject([{ code: 'SYNTAX_ERROR', path: 'tsconfig.json' }])
  })
})
