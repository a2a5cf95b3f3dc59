import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rounds } from '../../../support/rounds.ts'
import { Folder, found } from './folder.ts'

/** What git itself would take into a repository: all that it does not ignore. */
function byGit(folder: Folder, under = ''): string[] {
  const paths = folder
    .git(['ls-files', '-z', '--others', '--exclude-standard', '--', under === '' ? '.' : under])
    .split('\0')
  return paths
    .filter(path => path.endsWith('.ts'))
    .map(path => (under === '' ? path : path.slice(under.length + 1)))
    .sort()
}

const FOLDERS = ['a', 'b', 'a b', '[c]', 'd!']
const FILES = ['x.ts', 'y.ts', 'x y.ts', '#z.ts', '*.ts']

const folderPath = fc.array(fc.constantFrom(...FOLDERS), { maxLength: 4 }).map(names => names.join('/'))
const filePath = fc
  .tuple(folderPath, fc.constantFrom(...FILES))
  .map(([folder, file]) => (folder === '' ? file : `${folder}/${file}`))
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(...FOLDERS, ...FILES, '*', '**', '*.ts', 'x*', '[a-b]', '\\[c\\]'),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[abxy*?[\]!\\. ]{1,5}$/) },
)
const rule = fc
  .tuple(
    often(['', '', '!'], ['\\#', '#']),
    fc.constantFrom('', '', '/'),
    fc.array(step, { minLength: 1, maxLength: 3 }),
    often(['', '', '/', '/**'], [' ', '\\ ', '\t', '\r']),
  )
  .map(([sign, root, steps, end]) => `${sign}${root}${steps.join('/')}${end}`)
const rules = fc.array(rule, { minLength: 1, maxLength: 5 }).map(lines => `${lines.join('\n')}\n`)

const tree = fc.record({
  files: fc.uniqueArray(filePath, { minLength: 1, maxLength: 12 }),
  rules: fc.array(fc.tuple(fc.oneof(fc.constant(''), folderPath), rules), { minLength: 1, maxLength: 4 }),
  exclude: fc.option(rules, { nil: '' }),
})

/** One of the odd ones one time out of ten. */
function often<T>(plain: readonly T[], odd: readonly T[]) {
  return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...plain) }, fc.constantFrom(...odd))
}

describe('what git ignores', () => {
  it('is what it ignores itself, on any tree, from its top and from within', {
    timeout: 600_000,
  }, async () => {
    const seen = { files: 0, kept: 0 }
    await fc.assert(
      fc.asyncProperty(tree, async ({ files, rules, exclude }) => {
        using folder = new Folder()
        folder.git(['init', '-q'])
        folder.touch(...files)
        folder.write(Object.fromEntries(rules.map(([at, text]) => [join(at, '.gitignore'), text])))
        folder.write({ '.git/info/exclude': exclude })
        const whole = byGit(folder)
        seen.files += files.length
        seen.kept += whole.length
        expect(await found(folder.path)).toEqual(whole)
        // A folder that is not ignored holds the same, looked at from within.
        const within = new Set(
          whole.filter(path => path.includes('/')).map(path => path.slice(0, path.lastIndexOf('/'))),
        )
        for (const at of within) expect(await found(join(folder.path, at))).toEqual(byGit(folder, `${at}`))
      }),
      { numRuns: rounds(2000) },
    )
    // Rules at random that ignore nothing, or all, would prove nothing.
    expect(seen.kept).toBeGreaterThan(seen.files / 20)
    expect(seen.kept).toBeLessThan((seen.files * 19) / 20)
  })

  it('may be kept again by a file further down, with all that is in it', async () => {
    using folder = new Folder()
    folder.git(['init', '-q'])
    folder.touch('a/out/x.ts', 'a/out/deep/y.ts', 'a/out/deep/y.gen2.ts', 'out/z.ts', 'a/b/out/w.ts')
    folder.write({ '.gitignore': 'out\n*.gen2.ts\n', 'a/.gitignore': '!/out/\n' })
    expect(await found(folder.path)).toEqual(['a/out/deep/y.ts', 'a/out/x.ts'])
    expect(byGit(folder)).toEqual(['a/out/deep/y.ts', 'a/out/x.ts'])
  })

  it('is no matter for a folder that is named itself', async () => {
    using folder = new Folder()
    folder.git(['init', '-q'])
    folder.touch('out/sub/x.ts', 'out/sub/y.skip.ts').write({ '.gitignore': 'out\n/out/sub\n*.skip.ts\n' })
    expect(await found(folder.path)).toEqual([])
    expect(await found(join(folder.path, 'out'))).toEqual([])
    expect(await found(join(folder.path, 'out/sub'))).toEqual(['x.ts'])
  })

  it('is told without git, too, but not from above the folder', async () => {
    using folder = new Folder()
    folder
      .touch('top/a.ts', 'top/b.ts', 'top/c.ts')
      .write({ '.gitignore': 'a.ts\n', 'top/.gitignore': 'b.ts\n' })
    expect(await found(folder.path)).toEqual(['top/c.ts'])
    expect(await found(join(folder.path, 'top'))).toEqual(['a.ts', 'c.ts'])
  })

  it('is told by a further work tree, too', async () => {
    using folder = new Folder()
    using other = new Folder()
    folder.git(['init', '-q'])
    folder.commit({ 'a.ts': '', 'b.ts': '', '.gitignore': '' }).write({ '.git/info/exclude': 'b.ts\n' })
    folder.git(['worktree', 'add', '-q', join(other.path, 'w')])
    expect(await found(join(other.path, 'w'))).toEqual(['a.ts'])
  })

  it('is not told by a folder that only looks like a repository', async () => {
    using folder = new Folder()
    folder.touch('a/b/x.ts').write({ '.gitignore': 'x.ts\n', 'a/.git/config': '' })
    expect(await found(join(folder.path, 'a/b'))).toEqual(['x.ts'])
  })
})
