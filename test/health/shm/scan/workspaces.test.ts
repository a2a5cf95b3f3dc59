import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { scanTree } from '../../../../health/shm/scan/scan-tree.ts'
import { Folder } from './folder.ts'

/** `kind folder name`, with a star before those that a workspace names. */
async function packages(files: Readonly<Record<string, string>>): Promise<string[]> {
  using folder = new Folder()
  const tree = await scanTree(folder.write(files).path, { tests: false, config: null })
  return tree.packages.map(
    ({ kind, folder, name, member }) => `${member ? '*' : ''}${kind} ${folder || '.'} ${name ?? '-'}`,
  )
}

const npm = (name: string, more: object = {}) => JSON.stringify({ name, ...more })
const crate = (name: string, more = '') =>
  `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n${more}`

describe('packages of npm', () => {
  const members = {
    'packages/a/package.json': npm('@x/a'),
    'packages/b/package.json': npm('b'),
    'packages/deep/c/package.json': npm('c'),
    'apps/web/package.json': '{}',
    'tools/package.json': npm('tools'),
    'node_modules/z/package.json': npm('z'),
    'packages/a/test/fixture/package.json': npm('fixture'),
  }

  it.each([
    ['npm and yarn', { 'package.json': npm('root', { workspaces: ['packages/*', './apps/**'] }) }],
    ['older yarn', { 'package.json': npm('root', { workspaces: { packages: ['packages/*', 'apps/*/'] } }) }],
    [
      'pnpm',
      {
        'package.json': npm('root'),
        'pnpm-workspace.yaml': `onlyBuilt:\n  - x\npackages:  # ours\n\n  # all of these\n  - 'packages/*'\n  - "apps/web" # the page\ncatalog:\n  - tools\n`,
      },
    ],
    [
      'pnpm, in brackets',
      { 'package.json': npm('root'), 'pnpm-workspace.yaml': 'packages: [ "packages/*",\n  apps/web ] # x\n' },
    ],
  ])('are the members of a workspace of %s', async (_, root) => {
    expect(await packages({ ...members, ...root })).toEqual([
      '*npm . root',
      '*npm apps/web -',
      '*npm packages/a @x/a',
      '*npm packages/b b',
    ])
  })

  it('are without those that a `!` takes out', async () => {
    const yaml = "packages:\n- packages/**\n- '!packages/b'\n- '!**/deep/**'\n"
    expect(await packages({ ...members, 'pnpm-workspace.yaml': yaml })).toEqual(['*npm packages/a @x/a'])
  })

  it('are the root alone where no workspace is', async () => {
    expect(await packages({ ...members, 'package.json': npm('root') })).toEqual(['npm . root'])
    expect(await packages({ ...members, 'package.json': '\ufeff{"name":""}' })).toEqual(['npm . -'])
  })

  it('are found in a workspace further down, too', async () => {
    expect(
      await packages({
        'front/package.json': npm('front', { workspaces: ['*'] }),
        'front/[a]/package.json': npm('a'),
        'back/package.json': npm('back'),
      }),
    ).toEqual(['*npm front front', '*npm front/[a] a'])
  })
})

describe('packages of Cargo', () => {
  const tree = {
    'Cargo.toml': crate(
      'root',
      '[workspace]\nmembers = ["crates/*", "tools/gen"]\nexclude = ["crates/old"]\n[dependencies]\nby-path = { path = "inner/by-path" }\n',
    ),
    'src/lib.rs': '',
    'crates/a/Cargo.toml': crate('a-b', '[target."cfg(unix)".dependencies.sys]\npath = "../../inner/sys"\n'),
    'crates/a/src/lib.rs': '',
    'crates/b/Cargo.toml': crate('b'),
    'crates/b/src/main.rs': 'fn main() {}',
    'crates/old/Cargo.toml': crate('old'),
    'crates/old/src/lib.rs': '',
    'tools/gen/Cargo.toml': crate('gen'),
    'tools/gen/src/lib.rs': '',
    'inner/by-path/Cargo.toml': crate('by-path'),
    'inner/by-path/src/lib.rs': '',
    'inner/sys/Cargo.toml': crate('sys'),
    'inner/sys/src/lib.rs': '',
    'inner/alone/Cargo.toml': crate('alone', '[workspace]\n'),
    'inner/alone/src/lib.rs': '',
  }

  it('are all crates; those of a workspace are its members', async () => {
    expect(await packages(tree)).toEqual([
      '*cargo . root',
      '*cargo crates/a a-b',
      '*cargo crates/b b',
      'cargo crates/old old',
      '*cargo inner/alone alone',
      '*cargo inner/by-path by-path',
      '*cargo inner/sys sys',
      '*cargo tools/gen gen',
    ])
  })

  const hasCargo = spawnSync('cargo', ['--version']).status === 0
  it.skipIf(!hasCargo)('are the members that Cargo itself tells (needs cargo)', async () => {
    using folder = new Folder()
    folder.write(tree)
    const args = ['metadata', '--no-deps', '--offline', '--format-version', '1']
    const told = JSON.parse(execFileSync('cargo', args, { cwd: folder.path, encoding: 'utf8' }))
    const names: string[] = told.packages.map(({ name }: { name: string }) => name)
    const ours = (await packages(tree)).filter(text => text.startsWith('*')).map(text => text.split(' ')[2])
    // A workspace of its own is not told with the one around it.
    expect(ours.filter(name => name !== 'alone').sort()).toEqual(names.sort())
  })

  it('need no package at the root of a workspace', async () => {
    expect(
      await packages({ 'Cargo.toml': '[workspace]\nmembers = ["x"]\n', 'x/Cargo.toml': crate('x') }),
    ).toEqual(['*cargo x x'])
  })
})

describe('packages of Go', () => {
  const tree = {
    'go.work': 'go 1.22\n\nuse (\n\t./svc // the service\n\t"./lib"\n)\nuse ./one\nreplace x => ../y\n',
    'svc/go.mod': '// x\nmodule example.com/m/svc // why\n\ngo 1.22\n',
    'lib/go.mod': 'module "example.com/m/lib"\n\ngo 1.22\n\nrequire (\n\tmodule v1\n)\n',
    'one/go.mod': 'module example.com/one\n\ngo 1.22\n',
    'other/go.mod': 'module example.com/other\n\ngo 1.22\n',
  }

  it('are all modules; those that go.work uses are members', async () => {
    expect(await packages(tree)).toEqual([
      '*go lib example.com/m/lib',
      '*go one example.com/one',
      'go other example.com/other',
      '*go svc example.com/m/svc',
    ])
    expect(await packages({ 'go.mod': 'module m\n' })).toEqual(['go . m'])
  })

  const hasGo = spawnSync('go', ['version']).status === 0
  it.skipIf(!hasGo)('have the members that Go itself tells (needs go)', async () => {
    using folder = new Folder()
    folder.write({ ...tree, 'go.work': tree['go.work'].replace(/replace.*\n/, '') })
    folder.write({ 'lib/go.mod': 'module "example.com/m/lib"\n\ngo 1.22\n' })
    const env = {
      ...process.env,
      GOFLAGS: '',
      GOPROXY: 'off',
      GOTOOLCHAIN: 'local',
      GOWORK: `${folder.path}/go.work`,
    }
    const told = execFileSync('go', ['list', '-m', '-f', '{{.Path}}'], {
      cwd: folder.path,
      encoding: 'utf8',
      env,
    })
    const ours = (await packages(tree)).filter(text => text.startsWith('*')).map(text => text.split(' ')[2])
    expect(ours.sort()).toEqual(told.trim().split('\n').sort())
  })
})

describe('packages of Python', () => {
  it('are told by any of its manifests', async () => {
    expect(
      await packages({
        'pyproject.toml':
          '[project]\nname = "root"\n[tool.uv.workspace]\nmembers = ["libs/*"]\nexclude = ["libs/x"]\n',
        'libs/a/pyproject.toml': '[tool.poetry]\nname = "a"\n',
        'libs/b/pyproject.toml': '[build-system]\nrequires = []\n',
        'libs/b/setup.cfg': '[options]\nname = no\n[metadata]\nname = b\n',
        'libs/x/setup.py': 'from setuptools import setup\nsetup(\n  name="x-y",\n)\n',
        'libs/tools/pyproject.toml': '[tool.ruff]\nline-length = 100\n',
        'libs/odd/setup.py': 'setup(name=NAME)\n',
        'libs/no/setup.py': 'print("hello")\n',
      }),
    ).toEqual([
      '*python . root',
      '*python libs/a a',
      '*python libs/b b',
      '*python libs/odd -',
      'python libs/x x-y',
    ])
  })
})

describe('manifests', () => {
  it.each([
    ['package.json', '{"name": '],
    ['package.json', '[]x'],
    ['Cargo.toml', '[package]\nname = "a'],
    ['pyproject.toml', 'a = = 1'],
  ])('that cannot be understood are named: %s', async (name, text) => {
    using folder = new Folder()
    folder.touch('x.ts').write({ [`a/${name}`]: text })
    const { warnings, packages } = await scanTree(folder.path, { tests: false, config: null })
    expect(packages).toEqual([])
    expect(warnings).toMatchObject([{ code: 'SYNTAX_ERROR', path: `a/${name}` }])
  })

  it.each([
    'null',
    '[]',
    '{"name":1,"workspaces":{"packages":"x"}}',
    '{"workspaces":[1,null,"../../out","/","",".."]}',
  ])('may hold what nobody writes: %s', async text => {
    expect((await packages({ 'package.json': text })).length).toBeLessThan(2)
  })

  it('of several kinds may lie in one folder', async () => {
    expect(
      await packages({
        'a/Cargo.toml': crate('r'),
        'a/go.mod': 'module g',
        'package.json': npm('j', { workspaces: ['a'] }),
        'a/package.json': npm('n'),
      }),
    ).toEqual(['*npm . j', 'cargo a r', 'go a g', '*npm a n'])
  })
})
