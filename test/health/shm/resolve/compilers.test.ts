import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resolveImports } from '../../../../health/shm/resolve/resolution.ts'
import { extraction, inWords, type SmallSource, sourceTree } from './small-tree.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'compilers-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function edgesOf(sources: Record<string, SmallSource>, packages: Parameters<typeof sourceTree>[2] = []) {
  const tree = sourceTree(root, Object.keys(sources).sort(), packages)
  const extractions = tree.files.map(({ path }) => extraction(sources[path] as SmallSource))
  return inWords(tree, resolveImports(tree, extractions))
}

describe.skipIf(!has('python3', '--version'))('Python itself (needs python3)', () => {
  // `find_spec` reads no file but those of the packages above, which are empty.
  const ORACLE = `
import importlib.util, json, os, sys
def origin(name):
    try: spec = importlib.util.find_spec(name)
    except (ImportError, ValueError): return None
    return spec.origin if spec and spec.has_location else None
answers = []
for root, names in json.load(sys.stdin):
    sys.path.insert(0, root)
    for name in list(sys.modules):
        if name.split('.')[0] in ('p', 'q', 'r'): del sys.modules[name]
    importlib.invalidate_caches()
    answers.append([os.path.relpath(o, root) if (o := origin(name)) else None for name in names])
    sys.path.pop(0)
print(json.dumps(answers))
`
  it('finds the same modules', () => {
    const part = fc.constantFrom('p', 'q', 'r')
    const dotted = fc.array(part, { minLength: 1, maxLength: 3 })
    const module = fc
      .tuple(dotted, fc.constantFrom('.py', '/__init__.py'))
      .map(([at, end]) => at.join('/') + end)
    const anyTree = fc.record({
      modules: fc.uniqueArray(module, { minLength: 1, maxLength: 8 }),
      names: fc.array(dotted, { minLength: 1, maxLength: 8 }),
    })
    const trees = fc.sample(anyTree, { numRuns: 300, seed: 4 })
    const questions = trees.map(({ modules, names }, i) => {
      for (const path of modules) write(`${i}/${path}`, '')
      return [join(root, String(i)), names.map(name => name.join('.'))]
    })
    const out = execFileSync('python3', ['-B', '-c', ORACLE], { input: JSON.stringify(questions) })
    const answers = JSON.parse(out.toString()) as (string | null)[][]
    let found = 0
    for (const [i, { modules, names }] of trees.entries()) {
      for (const [k, name] of names.entries()) {
        const sources = Object.fromEntries(modules.map(path => [path, []]))
        const { edges } = edgesOf({ ...sources, 'main.py': [name.join('.')] })
        const expected = answers[i]?.[k] ?? null
        const tree = `${name.join('.')} in ${modules.join(' ')}`
        const path = name.join('/')
        // Packages that lie elsewhere are found, too: they may well be installed.
        if (expected !== null) expect(edges, tree).toEqual([`main.py -> ${expected}`])
        else expect(edges, tree).not.toContainEqual(expect.stringMatching(`-> ${path}(/__init__)?.py$`))
        if (expected !== null) found++
      }
    }
    expect(found).toBeGreaterThan(100)
  })
})

describe.skipIf(!has('rustc', '--version'))('the Rust compiler (needs rustc)', () => {
  interface Module {
    name: string
    style: 'beside' | 'folder' | 'path' | 'inline'
    children: Module[]
  }
  const anyModule = (depth: number): fc.Arbitrary<Module> =>
    fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      style: fc.constantFrom('beside', 'folder', 'path', 'inline'),
      children: depth === 0 ? fc.constant([]) : modules(depth - 1),
    })
  const modules = (depth: number) =>
    fc.uniqueArray(anyModule(depth), { maxLength: 3, selector: ({ name }) => name })

  it('reads the same files for modules, and finds the modules that are used', () => {
    const crates = fc.sample(fc.tuple(modules(2), modules(2)), { numRuns: 8, seed: 7 })
    for (const [one, other] of crates) {
      const sources: Record<string, { imports: string[]; declares: string[] }> = {}
      /** Files of modules by path from the crate. */
      const files = new Map([['crate', 'src/lib.rs']])
      let counter = 0
      // What a file says, as text and as an extractor tells it. `folder` is where the files of the child modules lie.
      const lay = (list: Module[], file: string, folder: string, path: string, inline: string[]): string => {
        const own = sources[file] as { imports: string[]; declares: string[] }
        const at = inline.length === 0 ? '' : `@${inline.join('::')}`
        return list
          .map(({ name: letter, style, children }) => {
            const name = `${letter}${counter}`
            const inner = `${path}::${name}`
            const below = join(folder, ...inline)
            if (style === 'inline') {
              own.declares.push([...inline, name].join('::'))
              files.set(inner, file)
              return `pub mod ${name} {\n${lay(children, file, folder, inner, [...inline, name])}}\n`
            }
            const odd = `odd${counter++}.rs`
            const target = join(
              below,
              style === 'path' ? odd : style === 'folder' ? `${name}/mod.rs` : `${name}.rs`,
            )
            // In inline modules a path counts from the folder of the modules in them.
            const sign =
              style !== 'path'
                ? ''
                : inline.length > 0
                  ? ` ~ ${join(...inline, odd)}`
                  : ` = ${relative(dirname(file), target)}`
            own.imports.push(`mod${at} ${name}${sign}`)
            files.set(inner, target)
            const childFolder = style === 'beside' ? join(below, name) : dirname(target)
            sources[target] = { imports: [], declares: [] }
            write(target, lay(children, target, childFolder, inner, []))
            const attribute =
              style === 'path'
                ? `#[path = "${inline.length > 0 ? odd : relative(dirname(file), target)}"] `
                : ''
            return `${attribute}pub mod ${name};\n`
          })
          .join('')
      }
      rmSync(join(root, 'src'), { recursive: true, force: true })
      sources['src/lib.rs'] = { imports: [], declares: [] }
      const list = [...new Map([...one, ...other].map(module => [module.name, module])).values()]
      const text = lay(list, 'src/lib.rs', 'src', 'crate', [])
      const uses = [...files.keys()].filter(path => path !== 'crate')
      write('src/lib.rs', `${text}mod uses;\n`)
      write('src/uses.rs', uses.map(path => `#[allow(unused_imports)] use ${path} as _;\n`).join(''))
      const dep = join(root, 'out.d')
      const args = [
        '--crate-type',
        'lib',
        '--edition',
        '2021',
        `--emit=dep-info=${dep}`,
        join(root, 'src/lib.rs'),
      ]
      execFileSync('rustc', args, { stdio: 'pipe' })
      const checked = [
        '--crate-type',
        'lib',
        '--edition',
        '2021',
        '--emit=metadata',
        '-o',
        join(root, 'out.rmeta'),
      ]
      execFileSync('rustc', [...checked, join(root, 'src/lib.rs')], { stdio: 'pipe' })
      const read = execFileSync('cat', [dep])
        .toString()
        .matchAll(/^(.+\.rs):$/gm)
      sources['src/lib.rs'].imports.push('mod uses')
      sources['src/uses.rs'] = { imports: uses.map(path => `use ${path}`), declares: [] }
      const { edges, unresolved } = edgesOf(sources)
      expect(unresolved).toEqual([])
      const told = edges.filter(edge => !edge.startsWith('src/uses.rs')).map(edge => edge.split(' -> ')[1])
      expect([...told, 'src/lib.rs'].sort()).toEqual(
        [...read].map(([, path]) => relative(root, path as string)).sort(),
      )
      const used = edges.filter(edge => edge.startsWith('src/uses.rs')).map(edge => edge.split(' -> ')[1])
      expect(used).toEqual([...new Set(uses.map(path => files.get(path)))].sort())
    }
  })
})

describe.skipIf(!has('go', 'version'))('the Go command (needs go)', () => {
  it('finds the same packages and files', () => {
    write('go.mod', 'module ex.org/m\n\ngo 1.21\n')
    const lib = ['p', 'p/q', 'internal/r', 's']
    const sources: Record<string, SmallSource> = {}
    for (const [i, folder] of lib.entries()) {
      const name = folder.split('/').at(-1) as string
      const imports = ['fmt', ...lib.slice(i + 1).map(other => `ex.org/m/${other}`)]
      for (const file of ['one', 'two']) {
        const path = `${folder}/${file}.go`
        write(path, `package ${name}\n${imports.map(one => `import _ "${one}"\n`).join('')}`)
        sources[path] = { imports, declares: [name] }
      }
      write(`${folder}/one_test.go`, `package ${name}\n`)
      sources[`${folder}/one_test.go`] = { imports: [], declares: [name] }
      write(`${folder}/gen.go`, '//go:build ignore\n\npackage main\n')
      sources[`${folder}/gen.go`] = { imports: [], declares: ['main'] }
    }
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local' }
    const format = '{{.ImportPath}} {{join .GoFiles ","}} {{join .Imports ","}}'
    const out = execFileSync('go', ['list', '-f', format, './...'], {
      cwd: root,
      env,
      stdio: 'pipe',
    }).toString()
    const packages = out
      .trim()
      .split('\n')
      .map(line => line.split(' ').map(part => part.split(',')))
    const files = new Map(
      packages.map(([path, names]) => [path?.[0], names?.map(name => `${path?.[0]?.slice(9)}/${name}`)]),
    )
    const expected = packages.flatMap(([path, , imports]) =>
      (files.get(path?.[0]) ?? []).flatMap(from =>
        (imports ?? []).flatMap(one => (files.get(one) ?? []).map(to => `${from} -> ${to}`)),
      ),
    )
    expect(expected.length).toBe(24)
    const { edges } = edgesOf(sources, [{ name: 'ex.org/m', folder: '', kind: 'go' }])
    expect(edges).toEqual(expected.sort())
  })
})

describe.skipIf(!has('cc', '--version'))('the C compiler (needs cc)', () => {
  it('finds the same headers', () => {
    const sources: Record<string, string[]> = {
      'src/net/a.c': [
        '"b.h"',
        '"../up.h"',
        '"lib/x.h"',
        '<lib/y.h>',
        '"both.h"',
        '<both.h>',
        '"here/../b.h"',
        '<stddef.h>',
      ],
      'src/net/b.h': [],
      'src/net/both.h': [],
      'src/net/here/z.h': [],
      'src/up.h': ['"net/deep.h"', '"lib/x.h"'],
      'src/net/deep.h': ['"both.h"'],
      'include/lib/x.h': ['"y.h"'],
      'include/lib/y.h': [],
      'include/both.h': [],
    }
    for (const [path, imports] of Object.entries(sources)) {
      write(path, imports.map(one => `#include ${one}\n`).join(''))
    }
    const out = execFileSync('cc', ['-MM', '-H', '-Iinclude', 'src/net/a.c'], {
      cwd: root,
      stdio: 'pipe',
    }).toString()
    const read = out
      .replace(/\\\n/g, ' ')
      .split(/\s+/)
      .slice(1)
      .filter(path => path !== '')
    const { edges } = edgesOf(sources)
    const reached = new Set(['src/net/a.c'])
    for (const from of reached) {
      for (const edge of edges) if (edge.startsWith(`${from} -> `)) reached.add(edge.slice(from.length + 4))
    }
    expect([...reached].sort()).toEqual([...new Set(read.map(path => join(path)))].sort())
    expect(edges).toContain('src/net/a.c -> src/net/both.h')
  })
})
