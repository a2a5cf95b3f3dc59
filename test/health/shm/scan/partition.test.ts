import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partitionHash, partitionOf, partitionWarnings } from '../../../../health/shm/scan/partition.ts'
import type { PasConfig } from '../../../../health/shm/scan/pas-config.ts'
import type { SourceTree, WorkspacePackage } from '../../../../health/shm/source-tree.ts'

function treeOf(paths: readonly string[], members: readonly string[] = []): SourceTree {
  return {
    root: '/r',
    files: [...paths].sort().map(path => ({ path, language: 'typescript', size: 0, changedMs: 0 })),
    packages: members.map(
      (folder): WorkspacePackage => ({ name: folder, folder, kind: 'npm', member: true }),
    ),
    warnings: [],
  }
}

function parts(tree: SourceTree, config: PasConfig | null = null): [string, Record<string, string[]>] {
  const { by, subsystems } = partitionOf(tree, config)
  const pathOf = (file: number) => tree.files[file]?.path ?? ''
  return [by, Object.fromEntries(subsystems.map(({ name, files }) => [name, files.map(pathOf)]))]
}

describe('a partition', () => {
  it('is the folders right in the deepest one that holds all files', () => {
    expect(parts(treeOf(['p/src/a/x.ts', 'p/src/a/b/y.ts', 'p/src/c/z.ts', 'p/src/main.ts']))).toEqual([
      'folders',
      { '.': ['p/src/main.ts'], a: ['p/src/a/b/y.ts', 'p/src/a/x.ts'], c: ['p/src/c/z.ts'] },
    ])
  })

  it.each([
    [['src/a.ts', 'srcs/b.ts'], { src: ['src/a.ts'], srcs: ['srcs/b.ts'] }],
    [['a/b/x.ts'], { '.': ['a/b/x.ts'] }],
    [['a/x.ts', 'a/y.ts'], { '.': ['a/x.ts', 'a/y.ts'] }],
    [['a/x.ts', 'b.ts'], { '.': ['b.ts'], a: ['a/x.ts'] }],
    [['a/b/c/x.ts', 'a/b/d/x.ts', 'a/b2/x.ts'], { b: ['a/b/c/x.ts', 'a/b/d/x.ts'], b2: ['a/b2/x.ts'] }],
    [[], {}],
  ])('of %j is %j', (paths, expected) => {
    expect(parts(treeOf(paths))).toEqual(['folders', expected])
  })

  it('is the packages of workspaces, the innermost for each file', () => {
    const paths = ['main.ts', 'p/a/x.ts', 'p/a/in/y.ts', 'p/ab/z.ts', 'p/loose.ts']
    expect(parts(treeOf(paths, ['', 'p/a', 'p/a/in', 'p/ab', 'p/none']))).toEqual([
      'workspaces',
      {
        '.': ['main.ts', 'p/loose.ts'],
        'p/a': ['p/a/x.ts'],
        'p/a/in': ['p/a/in/y.ts'],
        'p/ab': ['p/ab/z.ts'],
      },
    ])
  })

  it('is not the packages where a single one holds files, or no workspace names them', () => {
    expect(parts(treeOf(['a/x.ts', 'b/y.ts', 'c.ts'], ['', 'a', 'z']))[0]).toBe('folders')
    const unnamed = treeOf(['a/x.ts', 'b/y.ts'])
    unnamed.packages = ['a', 'b'].map(folder => ({ name: folder, folder, kind: 'go' }))
    expect(parts(unnamed)[0]).toBe('folders')
  })

  it('is what the config declares: the first subsystem with a glob for it takes a file', () => {
    const tree = treeOf(['a/x.ts', 'a/y.ts', 'b/z.ts', 'c.ts'], ['a', 'b'])
    const config = {
      subsystems: { second: ['**/y.ts'], first: ['a/**'], empty: ['q/**', 'a/x.ts'], b: ['b'] },
    }
    expect(parts(tree, config)).toEqual([
      'declared',
      { '.': ['c.ts'], b: ['b/z.ts'], first: ['a/x.ts'], second: ['a/y.ts'] },
    ])
    expect(partitionWarnings(partitionOf(tree, config), config)).toEqual([
      {
        code: 'EMPTY_SUBSYSTEM',
        path: null,
        message:
          'No file is in the subsystem empty: its globs mean none, or earlier subsystems take them all.',
      },
    ])
    expect(parts(tree, { subsystems: {} })[0]).toBe('workspaces')
    expect(partitionWarnings(partitionOf(tree, null), null)).toEqual([])
  })

  it('has every file in exactly one part, by name, none of them empty', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'a.b', '__proto__')
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => `${names.join('/')}.ts`)
    const globs = fc.array(fc.constantFrom('a/**', '**/b.ts', 'c', '*.ts', 'a.b/*'), { minLength: 1 })
    fc.assert(
      fc.property(
        fc.uniqueArray(path, { maxLength: 20 }),
        fc.uniqueArray(fc.constantFrom('a', 'b', 'a/b', 'c/a')),
        fc.option(fc.dictionary(fc.constantFrom('one', 'two', 'a'), globs)),
        (paths, members, subsystems) => {
          const tree = treeOf(paths, members)
          const partition = partitionOf(tree, subsystems === null ? null : { subsystems })
          const names = partition.subsystems.map(({ name }) => name)
          expect(names).toEqual([...new Set(names)].sort())
          expect(partition.subsystems.flatMap(({ files }) => files).sort((a, b) => a - b)).toEqual(
            paths.map((_, i) => i),
          )
          for (const [part, { files }] of partition.subsystems.entries()) {
            expect(files.length).toBeGreaterThan(0)
            expect(files).toEqual([...files].sort((a, b) => a - b))
            for (const file of files) expect(partition.of[file]).toBe(part)
          }
        },
      ),
    )
  })
})

describe('the hash of a partition', () => {
  const hash = (paths: string[], config: PasConfig | null = null, members: string[] = []) => {
    const tree = treeOf(paths, members)
    return partitionHash(partitionOf(tree, config))
  }

  it('stays while the parts stay', () => {
    const before = hash(['a/x.ts', 'b/y.ts'])
    expect(before).toMatch(/^[0-9a-f]{64}$/)
    expect(hash(['a/x.ts', 'a/new.ts', 'b/moved.ts'])).toBe(before)
    expect(hash(['src/a/x.ts', 'src/b/y.ts'])).toBe(before)
  })

  it('is another for other parts, and for parts that came about otherwise', () => {
    const hashes = [
      hash(['a/x.ts', 'b/y.ts']),
      hash(['a/x.ts', 'c/y.ts']),
      hash(['a/x.ts', 'b/y.ts', 'z.ts']),
      hash(['a/x.ts', 'b/y.ts'], { subsystems: { a: ['a/**'], b: ['b/**'] } }),
      hash(['a/x.ts', 'b/y.ts'], null, ['a', 'b']),
      hash(['a,b/x.ts', 'c/y.ts']),
      hash([]),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})
