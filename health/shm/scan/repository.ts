/** Where a folder lies in a git repository, as far as ignoring files needs to know. */
import { dirname, resolve } from 'node:path'
import type { Disk } from './disk.ts'

/** A repository with files. */
export interface Repository {
  /** Its top folder, absolute. */
  top: string
  /** The file of rules that are not shared. */
  exclude: string
}

/** The repository that a folder is in; null: none. */
export function repositoryAround(folder: string, disk: Disk): Repository | null {
  for (let top = folder; ; top = dirname(top)) {
    const found = repositoryAt(top, disk)
    if (found !== null || top === dirname(top)) return found
  }
}

/** The repository whose top a folder is; null: it is none's, as git itself would say. */
export function repositoryAt(top: string, disk: Disk): Repository | null {
  const dotGit = resolve(top, '.git')
  try {
    const folder = disk.facts(dotGit).isDirectory() ? dotGit : linkedFolder(top, disk.read(dotGit))
    if (folder === null) return null
    disk.facts(resolve(folder, 'HEAD'))
    return { top, exclude: resolve(commonFolder(folder, disk), 'info/exclude') }
  } catch {
    // Not there, or not to be read: git would find no repository either.
    return null
  }
}

/** What the `.git` file of a further work tree or of a submodule leads to. */
function linkedFolder(top: string, text: string): string | null {
  const told = /^gitdir: (.+?)[\r\n]*$/s.exec(text)?.[1]
  return told === undefined ? null : resolve(top, told)
}

function commonFolder(folder: string, disk: Disk): string {
  try {
    return resolve(folder, disk.read(resolve(folder, 'commondir')).trimEnd())
  } catch {
    return folder
  }
}
