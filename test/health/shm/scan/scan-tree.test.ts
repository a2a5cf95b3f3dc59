import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LOCAL_DISK } from '../../../../health/shm/scan/disk.ts'
import { scanTree } from '../../../../health/shm/scan/scan-tree.ts'
import type { SourceFile } from '../../../../health/shm/source-tree.ts'
import { Folder, found } from './folder.ts'

const plain = { tests: false, config: null }

describe('the files of a tree', () => {
  it('are those in a language that is known, sorted by code unit, with their sizes and times', async () => {
    using folder = new Folder()
    const names =
      'a.js b.mjs c.cjs d.jsx e.ts f.mts g.cts h.tsx i.py j.rs k.go l.c m.h n.cc o.hpp p.cu'.split(' ')
    folder.touch(
      ...names,
      'é.ts',
      'a/z.ts',
      'a-b/z.ts',
      'README.md',
      'x.pyi',
      'y.vue',
      'ts',
      'Makefile',
      '.ts',
    )
    folder.write({ 'e.ts': 'x\n' })
    const { root, files, warnings, packages } = await scanTree(folder.path, plain)
    expect(root).toBe(folder.path)
    expect(files.map(({ path }) => path)).toEqual([
      'a-b/z.ts',
      ...names.slice(0, 1),
      'a/z.ts',
      ...names.slice(1),
      'é.ts',
    ])
    expect(Object.fromEntries(files.map(({ path, language }) => [path, language]))).toMatchObject({
      'a.js': 'javascript',
      'd.jsx': 'javascript',
      'g.cts': 'typescript',
      'h.tsx': 'typescript',
      'i.py': 'python',
      'j.rs': 'rust',
      'k.go': 'go',
      'm.h': 'c',
      'n.cc': 'cpp',
      'p.cu': 'cpp',
    })
    const e = files.find(({ path }) => path === 'e.ts')
    expect(e?.size).toBe(2)
    expect(Math.abs(Date.now() - (e?.changedMs ?? 0))).toBeLessThan(3_600_000)
    expect({ warnings, packages }).toEqual({ warnings: [], packages: [] })
  })

  it('have any name that the system takes', async () => {
    using folder = new Folder()
    const odd = [
      'a b.ts',
      'a\nb.ts',
      '"q".ts',
      "it's.ts",
      '\\n.ts',
      '..a/x.ts',
      ' .ts',
      '$(x).ts',
      '-rf.ts',
      '漢.ts',
      '*.ts',
    ]
    folder.touch(...odd)
    // A name that begins with a dot is hidden.
    expect(await found(folder.path)).toEqual(odd.filter(path => !path.startsWith('.')).sort())
  })

  it('are not those of others, of tools and of builds', async () => {
    using folder = new Folder()
    folder.touch(
      ...[
        'node_modules/a/x.js',
        'src/vendor/x.go',
        'third_party/x.c',
        'a/__pycache__/x.py',
        '.hidden/x.ts',
        '.eslintrc.js',
      ],
      ...[
        'env/lib/x.py',
        'env/pyvenv.cfg',
        'cache/CACHEDIR.TAG',
        'cache/x.js',
        'cm/CMakeCache.txt',
        'cm/x.c',
      ],
      ...['crate/target/x.rs', 'crate/Cargo.toml', 'pkg/dist/x.js', 'pkg/package.json'],
      ...[
        'jquery.min.js',
        'a.d.ts',
        'a.d.mts',
        'style.d.css.ts',
        'a_pb2.py',
        'a.pb.go',
        'a.pb.cc',
        'a_pb.ts',
        'x.generated.ts',
      ],
      ...['zz_generated.deepcopy.go', 'schema_generated.h', 'routes.gen.ts'],
    )
    const own = [
      'build/x.ts',
      'dist/x.ts',
      'in/CMakeCache.txt',
      'in/CMakeLists.txt',
      'in/x.c',
      'out/x.ts',
      'target/x.rs',
    ]
    folder.touch(...own, 'mind.ts', 'regenerated.ts', 'd.ts', 'pb.go')
    const sources = own.filter(path => !path.includes('CMake'))
    const expected = [...sources, 'd.ts', 'mind.ts', 'pb.go', 'regenerated.ts'].sort()
    expect(await found(folder.path, { tests: true })).toEqual(expected)
  })

  it('are without tests, unless they are asked for', async () => {
    using folder = new Folder()
    const tests = [
      ...[
        'test/a.ts',
        'src/Tests/a.ts',
        'src/__tests__/a.ts',
        'spec/a.ts',
        'testdata/a.go',
        'e2e/a.ts',
        'fixtures/a.py',
      ],
      ...[
        'a.test.ts',
        'a.spec.tsx',
        'a.e2e.js',
        'a_test.go',
        'a_test.py',
        'test_a.py',
        'conftest.py',
        'src/tests.rs',
      ],
      ...['a_test.rs', 'a_unittest.cc'],
    ]
    const others = [
      'attest.ts',
      'contest/a.ts',
      'latest.py',
      'protest_a.py',
      'ab_test.ts',
      'test.py',
      'testing/a.go',
    ]
    folder.touch(...tests, ...others)
    expect(await found(folder.path)).toEqual([...others].sort())
    const all = [...tests, ...others].sort()
    expect(await found(folder.path, { tests: true })).toEqual(all)
    const byConfig = await scanTree(folder.path, { tests: false, config: { include_tests: true } })
    expect(byConfig.files.map(({ path }) => path)).toEqual(all)
  })

  it('are counted from the folder that is named, whatever it is called', async () => {
    using folder = new Folder()
    folder.touch('vendor/test/.x/a.ts', 'vendor/test/.x/test/b.ts')
    expect(await found(join(folder.path, 'vendor/test/.x'))).toEqual(['a.ts'])
  })

  it('are without what the config excludes, and its packages go with it', async () => {
    using folder = new Folder()
    folder.touch('a/x.ts', 'b/c/x.ts', 'b/x.ts', 'keep/x.ts', 'keep/y.legacy.ts', 'd/x.ts')
    folder.write({ 'b/Cargo.toml': '[package]\nname = "b"\n', 'd/go.mod': 'module d\n' })
    const config = { exclude: ['a/**', 'b', '**/*.legacy.ts', 'd/*'] }
    const tree = await scanTree(folder.path, { tests: false, config })
    expect(tree.files.map(({ path }) => path)).toEqual(['keep/x.ts'])
    expect(tree.packages).toEqual([])
  })

  it('are without those of a repository inside of the repository, as git has it', async () => {
    using folder = new Folder()
    using loose = new Folder()
    for (const { path } of [folder, loose]) {
      mkdirSync(join(path, 'sub'))
      execFileSync('git', ['init', '-q'], { cwd: join(path, 'sub') })
      writeFileSync(join(path, 'sub/.git/info/exclude'), 'skip.ts\n')
    }
    folder.git(['init', '-q'])
    expect(await found(folder.touch('sub/x.ts', 'a.ts').path)).toEqual(['a.ts'])
    // In a folder of clones each is one of its own.
    expect(await found(loose.touch('sub/x.ts', 'sub/skip.ts', 'a.ts').path)).toEqual(['a.ts', 'sub/x.ts'])
  })

  it('are not reached by links', async () => {
    using folder = new Folder()
    using other = new Folder()
    other.touch('far/x.ts')
    folder.touch('a/x.ts')
    symlinkSync('a/x.ts', join(folder.path, 'y.ts'))
    symlinkSync('a', join(folder.path, 'b'))
    symlinkSync(other.path, join(folder.path, 'c'))
    symlinkSync('nowhere', join(folder.path, 'd.ts'))
    const { files, warnings } = await scanTree(folder.path, plain)
    expect(files.map(({ path }) => path)).toEqual(['a/x.ts'])
    expect(warnings).toEqual([])
  })

  it('are found through a folder that is a link itself', async () => {
    using folder = new Folder()
    folder.git(['init', '-q'])
    folder.touch('a/x.ts', 'a/y.ts').write({ '.gitignore': '/a/y.ts\n' })
    symlinkSync('a', join(folder.path, 'l'))
    expect(await found(join(folder.path, 'l'))).toEqual(['x.ts'])
  })

  it('are told of while they are found, in the end all', async () => {
    using folder = new Folder()
    folder.touch('a/x.ts', 'y.ts')
    const told: SourceFile[] = []
    const { files } = await scanTree(folder.path, { ...plain, onFound: some => told.push(...some) })
    expect(files.length).toBe(2)
    expect(new Set(told)).toEqual(new Set(files))
    expect(told.length).toBe(2)
  })

  it('are the same at every scan, and for every order in which the system lists them', async () => {
    using folder = new Folder()
    folder.touch('b/x.ts', 'a/y.ts', 'c.ts', 'a/b/c/d.ts')
    const reversed = { ...LOCAL_DISK, list: (path: string) => LOCAL_DISK.list(path).reverse() }
    expect(await scanTree(folder.path, plain, reversed)).toEqual(await scanTree(folder.path, plain))
  })
})
