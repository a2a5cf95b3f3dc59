import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TokenscopeError } from '../../../../events/errors.ts'
import { type Disk, LOCAL_DISK } from '../../../../health/shm/scan/disk.ts'
import { scanTree } from '../../../../health/shm/scan/scan-tree.ts'
import { Folder } from './folder.ts'

const plain = { tests: false, config: null }

async function scanned(root: string, disk?: Disk) {
  const { files, warnings } = await scanTree(root, plain, disk)
  return {
    files: files.map(({ path }) => path),
    warnings: warnings.map(({ code, path }) => `${code} ${path}`),
    messages: warnings.map(({ message }) => message),
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: not this time`), { code })
}

describe('a scan', () => {
  it('names links that lead back to where they are, and goes on', async () => {
    using folder = new Folder()
    folder.touch('a/b/x.ts')
    symlinkSync('..', join(folder.path, 'a/b/up'))
    symlinkSync('.', join(folder.path, 'here'))
    symlinkSync('/', join(folder.path, 'a/top'))
    symlinkSync('two', join(folder.path, 'one'))
    symlinkSync('one', join(folder.path, 'two'))
    symlinkSync('a', join(folder.path, 'aside'))
    expect(await scanned(folder.path)).toMatchObject({
      files: ['a/b/x.ts'],
      warnings: ['LINK_LOOP a/b/up', 'LINK_LOOP a/top', 'LINK_LOOP here', 'LINK_LOOP one', 'LINK_LOOP two'],
    })
    folder.write({ '.gitignore': 'up\nhere\none\ntwo\ntop\n' })
    expect((await scanned(folder.path)).warnings).toEqual([])
  })

  it('reads folders 10,000 deep as far as the system has paths for them', { timeout: 120_000 }, async () => {
    using folder = new Folder()
    folder.touch('near.ts')
    // Such a path can only be made, and removed, step by step.
    const program = `import os, sys
os.chdir(sys.argv[1])
for i in range(10000):
    if i % 50 == 0: open('x.ts', 'w').close()
    os.mkdir('d')
    os.chdir('d')`
    execFileSync('python3', ['-c', program, folder.path])
    try {
      const { files, warnings } = await scanned(folder.path)
      expect(files.length).toBeGreaterThan(37)
      expect(new Set(warnings.map(text => text.split(' ')[0]))).toEqual(new Set(['TOO_DEEP']))
      expect(warnings.length).toBeLessThan(4)
      expect(new Set(files).size).toBe(files.length)
    } finally {
      execFileSync('rm', ['-rf', join(folder.path, 'd')])
    }
  })

  it('reads rules of at most 64 files on one way', async () => {
    using folder = new Folder()
    const steps = Array.from({ length: 70 }, (_, depth) => 'd/'.repeat(depth))
    folder.write(
      Object.fromEntries(
        steps.flatMap(at => [
          [`${at}.gitignore`, 'y.ts\n'],
          [`${at}x.ts`, ''],
        ]),
      ),
    )
    const { files, warnings } = await scanned(folder.path)
    expect(files).toHaveLength(70)
    expect(warnings).toHaveLength(6)
    expect(warnings.every(text => text.startsWith('TOO_DEEP d/d/'))).toBe(true)
  })

  it('tells of folders that cannot be read', async () => {
    using folder = new Folder()
    folder.touch('a/x.ts', 'shut/y.ts')
    const disk = { ...LOCAL_DISK, list: failingAt('shut', 'EACCES', LOCAL_DISK.list) }
    const { files, warnings, messages } = await scanned(folder.path, disk)
    expect({ files, warnings }).toEqual({ files: ['a/x.ts'], warnings: ['UNREADABLE_FOLDER shut'] })
    expect(messages[0]).toBe('The folder shut cannot be read: EACCES: not this time.')
  })

  it('tells of folders and files that are gone when it comes to them', async () => {
    using folder = new Folder()
    folder.touch('a/x.ts', 'b/y.ts', 'gone/z.ts', 'went.ts')
    const disk: Disk = {
      ...LOCAL_DISK,
      list: path => {
        const entries = LOCAL_DISK.list(path)
        rmSync(join(folder.path, 'gone'), { recursive: true, force: true })
        rmSync(join(folder.path, 'went.ts'), { force: true })
        return entries
      },
    }
    expect(await scanned(folder.path, disk)).toEqual({
      files: ['a/x.ts', 'b/y.ts'],
      warnings: ['VANISHED_FILE gone', 'VANISHED_FILE went.ts'],
      messages: [
        'The folder gone was gone before it was read.',
        'The file went.ts was gone before it was read.',
      ],
    })
  })

  it('tells of files whose facts cannot be had', async () => {
    using folder = new Folder()
    folder.touch('x.ts', 'y.ts')
    const disk = { ...LOCAL_DISK, facts: failingAt('y.ts', 'EIO', LOCAL_DISK.facts) }
    expect(await scanned(folder.path, disk)).toMatchObject({
      files: ['x.ts'],
      warnings: ['UNREADABLE_FILE y.ts'],
    })
  })

  it('tells of names that are not UTF-8', async () => {
    using folder = new Folder()
    const name = Buffer.concat([Buffer.from(`${folder.path}/a`), Buffer.from([0xff]), Buffer.from('.ts')])
    writeFileSync(name, '')
    const { files, messages } = await scanned(folder.path)
    expect(files).toEqual([])
    expect(messages[1] ?? messages[0]).toContain('not UTF-8')
  })

  it('does without rules and manifests that cannot be read', async () => {
    using folder = new Folder()
    folder.touch('a/x.ts', 'b/x.ts', 'c/x.ts').write({ 'c/.gitignore': '# \n'.repeat(400_000) })
    folder.write({
      'b/.gitignore': 'x.ts',
      'Cargo.toml': '[package',
      'a/Cargo.toml': `#${' '.repeat(2 ** 20)}`,
    })
    symlinkSync('../b/.gitignore', join(folder.path, 'a/.gitignore'))
    const disk = { ...LOCAL_DISK, read: failingAt('b/.gitignore', 'EACCES', LOCAL_DISK.read) }
    expect(await scanned(folder.path, disk)).toMatchObject({
      files: ['a/x.ts', 'b/x.ts', 'c/x.ts'],
      warnings: ['SYNTAX_ERROR Cargo.toml', 'TOO_LARGE a/Cargo.toml', 'UNREADABLE_FILE b', 'TOO_LARGE c'],
    })
  })

  it('waits for nothing that is no file', async () => {
    using folder = new Folder()
    folder.touch('x.ts')
    for (const name of ['pipe.ts', '.gitignore', 'package.json', 'go.mod'])
      execFileSync('mkfifo', [join(folder.path, name)])
    mkdirSync(join(folder.path, 'folder.ts'))
    mkdirSync(join(folder.path, 'Cargo.toml'))
    expect(await scanned(folder.path)).toMatchObject({ files: ['x.ts'], warnings: [] })
  })

  it('says so where there is nothing', async () => {
    using folder = new Folder()
    expect(await scanned(folder.path)).toMatchObject({ files: [], warnings: ['NO_SOURCES null'] })
  })

  it('of what is no folder ends with what is wrong', async () => {
    using folder = new Folder()
    folder.touch('x.ts')
    const missing = scanTree(join(folder.path, 'missing'), plain)
    await expect(missing).rejects.toThrow(TokenscopeError)
    await expect(missing).rejects.toThrow(/missing cannot be scored: .*ENOENT/)
    await expect(scanTree(join(folder.path, 'x.ts'), plain)).rejects.toThrow('it is no folder')
  })
})

/** Fails for the one path that ends so. */
function failingAt<T>(end: string, code: string, call: (path: string) => T): (path: string) => T {
  return path => {
    if (path.endsWith(`/${end}`)) throw failure(code)
    return call(path)
  }
}
