import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changedSince, readChurn } from '../../../../health/shm/scan/churn.ts'
import { partitionOf } from '../../../../health/shm/scan/partition.ts'
import { scanTree } from '../../../../health/shm/scan/scan-tree.ts'
import { Folder } from './folder.ts'

const HEAD = 1_700_000_000
const DAY = 86_400

async function churn(root: string) {
  const tree = await scanTree(root, { tests: false, config: null })
  const paths = tree.files.map(({ path }) => path)
  const { commits, cross, warnings } = await readChurn(root, paths, partitionOf(tree, null))
  return {
    commits,
    cross,
    warnings: warnings.map(({ code }) => code),
    messages: warnings.map(({ message }) => message),
  }
}

let folder: Folder

beforeEach(() => {
  folder = new Folder()
  folder.git(['init', '-q'])
})

afterEach(() => folder[Symbol.dispose]())

describe('the churn', () => {
  it('is the commits of the 90 days to the last one, and those across subsystems', async () => {
    folder.commit({ 'a/x.ts': '1', 'b/y.ts': '1' }, HEAD - 90 * DAY - 1)
    folder.commit({ 'a/x.ts': '2', 'b/y.ts': '2' }, HEAD - 90 * DAY)
    folder.commit({ 'a/x.ts': '3', 'a/z.ts': '3' }, HEAD - 3 * DAY)
    folder.commit({ 'README.md': '' }, HEAD - 2 * DAY)
    folder.commit({ 'a/x.ts': '4', 'README.md': 'b' }, HEAD - DAY)
    folder.commit({ 'b/y.ts': '5', 'a/z.ts': '5' }, HEAD)
    expect(await churn(folder.path)).toMatchObject({ commits: 4, cross: 2, warnings: [] })
  })

  it('counts the first commit of all, and what has a date after the last one not', async () => {
    folder.commit({ 'a/x.ts': '1' }, HEAD - DAY)
    folder.commit({ 'a/x.ts': '2' }, HEAD + DAY)
    folder.commit({ 'b/x.ts': '3' }, HEAD)
    expect(await churn(folder.path)).toMatchObject({ commits: 2, cross: 0 })
  })

  it('is without commits that touch more than 30 of the files, whatever else they touch', async () => {
    const files = (count: number, text: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i % 2 ? 'a' : 'b'}/${i}.ts`, text]))
    folder.commit(files(31, '1'))
    folder.commit(files(30, '2'))
    folder.commit({
      'a/1.ts': '3',
      ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.md`, ''])),
    })
    expect(await churn(folder.path)).toMatchObject({ commits: 2, cross: 1 })
  })

  it('is without merges, and with what they bring', async () => {
    folder.commit({ 'a/x.ts': '1', 'b/y.ts': '1' })
    folder.git(['checkout', '-q', '-b', 'side'])
    folder.commit({ 'a/x.ts': '2' }).commit({ 'b/y.ts': '2' })
    folder.git(['checkout', '-q', 'main'])
    folder.commit({ 'a/new.ts': '' })
    folder.git(['merge', '-q', '--no-ff', '-m', 'merge', 'side'])
    expect(await churn(folder.path)).toMatchObject({ commits: 4, cross: 1 })
  })

  it('knows files by any name, and forgets those that are gone', async () => {
    folder.commit({ 'a/\n.ts': '', 'a/"q" é.ts': '', 'b/ x.ts': '', 'c/gone.ts': '' })
    folder.commit({ 'b/ x.ts': '2', 'c/gone.ts': '2' })
    folder.commit({ 'a/\n.ts': '2', 'b/ x.ts': '3' })
    folder.git(['rm', '-q', 'c/gone.ts'])
    folder.git(['commit', '-q', '-m', 'x'])
    expect(await churn(folder.path)).toMatchObject({ commits: 3, cross: 2 })
  })

  it('takes a renamed file to be touched', async () => {
    folder.commit({ 'a/x.ts': 'long enough to be known again\n', 'b/y.ts': '' })
    folder.git(['mv', 'a/x.ts', 'b/x.ts'])
    folder.git(['commit', '-q', '-m', 'x'])
    expect(await churn(folder.path)).toMatchObject({ commits: 2, cross: 0 })
  })

  it('of a folder in a repository is that of its own files', async () => {
    folder.commit({ 'in/a/x.ts': '', 'in/b/y.ts': '', 'out/z.ts': '' })
    folder.commit({ 'in/a/x.ts': '1', 'out/z.ts': '1' })
    folder.commit({ 'out/z.ts': '2' })
    expect(await churn(join(folder.path, 'in'))).toMatchObject({ commits: 2, cross: 1 })
  })

  it('is the same whatever the settings of the repository and the shell are', async () => {
    folder.commit({ 'a/é.ts': '', 'b/y.ts': '' }).commit({ 'a/é.ts': '1' })
    const settings = {
      'log.showSignature': 'true',
      'log.showRoot': 'false',
      'log.decorate': 'full',
      'diff.orderFile': '/nowhere',
      'diff.external': 'false',
      'diff.noprefix': 'true',
      'diff.renames': 'copies',
      'core.quotePath': 'true',
      'core.pager': 'false',
      'color.ui': 'always',
      'format.pretty': 'fuller',
      'log.date': 'relative',
    }
    for (const [key, value] of Object.entries(settings)) folder.git(['config', key, value])
    process.env.GIT_DIR = '/nowhere'
    try {
      expect(await churn(folder.path)).toMatchObject({ commits: 2, cross: 1 })
    } finally {
      delete process.env.GIT_DIR
    }
  })

  it('is not known without git', async () => {
    using other = new Folder()
    other.touch('a/x.ts')
    const { commits, cross, warnings, messages } = await churn(other.path)
    expect({ commits, cross, warnings }).toEqual({ commits: null, cross: null, warnings: ['NO_GIT'] })
    expect(messages[0]).toMatch(/^How files change together is not known without git: not a git repository/)
  })

  it('is not known where git is not installed', async () => {
    folder.commit({ 'a/x.ts': '' })
    const path = process.env.PATH
    using empty = new Folder()
    // `env` must be found, git must not.
    execFileSync('ln', [
      '-s',
      execFileSync('which', ['env'], { encoding: 'utf8' }).trim(),
      join(empty.path, 'env'),
    ])
    process.env.PATH = empty.path
    try {
      const { warnings, messages } = await churn(folder.path)
      expect(warnings).toEqual(['NO_GIT'])
      expect(messages[0]).toBe('How files change together is not known without git: git is not installed.')
      process.env.PATH = join(empty.path, 'nowhere')
      expect((await churn(folder.path)).warnings).toEqual(['NO_GIT'])
    } finally {
      process.env.PATH = path
    }
  })

  it('is not known of a shallow clone', async () => {
    folder.commit({ 'a/x.ts': '' }).commit({ 'a/x.ts': '2' })
    using clone = new Folder()
    clone.git(['clone', '-q', '--depth', '1', `file://${folder.path}`, 'c'])
    expect(await churn(join(clone.path, 'c'))).toMatchObject({
      commits: null,
      cross: null,
      warnings: ['SHALLOW_CLONE'],
    })
  })

  it('is not known before the first commit, nor where commits touch no file of it', async () => {
    folder.touch('a/x.ts')
    expect(await churn(folder.path)).toMatchObject({ commits: null, cross: null, warnings: ['NO_HISTORY'] })
    folder.commit({ 'README.md': '' })
    expect(await churn(folder.path)).toMatchObject({
      commits: null,
      warnings: ['NO_HISTORY'],
      messages: ['No commit of the 90 days up to the last one touches 1 to 30 of the files.'],
    })
  })

  it('is not known where objects are missing', async () => {
    folder.commit({ 'a/x.ts': '1' })
    const tree = folder.git(['rev-parse', 'HEAD^{tree}']).trim()
    folder.commit({ 'a/x.ts': '2' })
    execFileSync('rm', ['-f', join(folder.path, '.git/objects', tree.slice(0, 2), tree.slice(2))])
    const { commits, warnings, messages } = await churn(folder.path)
    expect({ commits, warnings }).toEqual({ commits: null, warnings: ['NO_HISTORY'] })
    expect(messages[0]).toContain('git could not tell which files commits touch: ')
  })
})

describe('what changed since', () => {
  it('are files changed, new and removed, committed or not, from the folder that is asked about', async () => {
    folder.commit({
      'in/a.ts': '',
      'in/b.ts': '',
      'in/c.ts': '',
      'in/same.ts': '',
      'out.ts': '',
      '.gitignore': 'skip.ts\n',
    })
    folder.git(['tag', 'before'])
    folder.commit({ 'in/a.ts': '1', 'out.ts': '1' })
    folder.git(['rm', '-q', 'in/b.ts'])
    folder.write({ 'in/c.ts': '1', 'in/new "\n.ts': '', 'in/skip.ts': '' })
    const changed = await changedSince(join(folder.path, 'in'), 'before')
    expect(changed).toEqual(['a.ts', 'b.ts', 'c.ts', 'new "\n.ts'])
    expect(await changedSince(folder.path, 'HEAD')).toEqual(['in/b.ts', 'in/c.ts', 'in/new "\n.ts'])
  })

  it('is asked of where a branch was left, not of what came to it since', async () => {
    folder.commit({ 'a.ts': '', 'b.ts': '' })
    folder.git(['checkout', '-q', '-b', 'side'])
    folder.commit({ 'a.ts': '1' })
    folder.git(['checkout', '-q', 'main'])
    folder.commit({ 'b.ts': '1' })
    folder.git(['checkout', '-q', 'side'])
    expect(await changedSince(folder.path, 'main')).toEqual(['a.ts'])
  })

  it.each(['nowhere', '-p', '--output=x', 'HEAD~9', '', 'a\0b', 'HEAD:a.ts'])(
    '%j is no revision',
    async revision => {
      folder.commit({ 'a.ts': '' })
      const asked = changedSince(folder.path, revision)
      await expect(asked).rejects.toMatchObject({ code: 'CONFIG' })
      await expect(asked).rejects.toThrow('is no revision that git knows')
      expect(await scanTree(folder.path, { tests: false, config: null })).toMatchObject({
        files: [{ path: 'a.ts' }],
      })
    },
  )

  it('is not known without git', async () => {
    using other = new Folder()
    await expect(changedSince(other.path, 'HEAD')).rejects.toThrow('not a git repository')
  })
})
