import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { scanTree } from '../../../../health/shm/scan/scan-tree.ts'

/** A folder of its own for a test, removed at the end of its block. */
export class Folder implements Disposable {
  readonly path: string

  constructor() {
    this.path = realpathSync(mkdtempSync(join(tmpdir(), 'shm-scan-')))
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  /** Writes files, by path; folders come with them. */
  write(files: Readonly<Record<string, string>>): this {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.path, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    return this
  }

  /** Empty source files. */
  touch(...paths: string[]): this {
    return this.write(Object.fromEntries(paths.map(path => [path, ''])))
  }

  git(args: readonly string[], date = 1_700_000_000): string {
    const at = `${date} +0000`
    return execFileSync('git', ['-c', 'init.defaultBranch=main', ...args], {
      cwd: this.path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@example.com',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@example.com',
        GIT_AUTHOR_DATE: at,
        GIT_COMMITTER_DATE: at,
      },
    })
  }

  /** Writes these files and commits them, and nothing else. */
  commit(files: Readonly<Record<string, string>>, date?: number): this {
    this.write(files)
    this.git(['add', '-f', '--', ...Object.keys(files)])
    this.git(['commit', '-q', '-m', 'x'], date)
    return this
  }
}

/** What a scan of a folder finds, by path. */
export async function found(
  root: string,
  options: { tests?: boolean; exclude?: string[] } = {},
): Promise<string[]> {
  const config = options.exclude === undefined ? null : { exclude: options.exclude }
  return (await scanTree(root, { tests: options.tests ?? false, config })).files.map(({ path }) => path)
}
