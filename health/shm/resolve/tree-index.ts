import { isForeignFolder, isGeneratedName, isTestFolder, isTestName } from '../scan/names.ts'
import type { SourceTree } from '../source-tree.ts'

/** Finds the files of a tree by path, in memory. Paths are from the root, with `/`; `''` is the root. */
export class TreeIndex {
  readonly tree: SourceTree
  /** Every folder that holds a file of the tree, however far below. */
  readonly folders: ReadonlySet<string>
  readonly #files: ReadonlyMap<string, number>
  #hasTests: boolean | null = null

  constructor(tree: SourceTree) {
    this.tree = tree
    this.#files = new Map(tree.files.map(({ path }, file) => [path, file]))
    this.folders = foldersOf(tree)
  }

  /** The index of the file at this path; undefined if there is none. */
  at(path: string): number | undefined {
    return this.#files.get(path)
  }

  /**
   * Whether a file that is not in the tree is left out of it by its name: what others wrote, what tools wrote, and
   * tests if none is in.
   */
  leavesOut(path: string): boolean {
    if (isTest(path) && !this.#holdsTests()) return true
    return (
      isGeneratedName(nameOf(path)) ||
      path
        .split('/')
        .slice(0, -1)
        .some(name => isForeignFolder(name, NONE))
    )
  }

  #holdsTests(): boolean {
    this.#hasTests ??= this.tree.files.some(({ path }) => isTest(path))
    return this.#hasTests
  }

  path(file: number): string {
    return this.tree.files[file]?.path as string
  }
}

const NONE: ReadonlySet<string> = new Set()

function isTest(path: string): boolean {
  return isTestName(nameOf(path)) || path.split('/').slice(0, -1).some(isTestFolder)
}

function foldersOf({ files }: SourceTree): Set<string> {
  const folders = new Set([''])
  let last = ''
  for (const { path } of files) {
    // Files are sorted: most lie in the folder of the one before.
    let folder = folderOf(path)
    if (folder === last) continue
    last = folder
    while (!folders.has(folder)) {
      folders.add(folder)
      folder = folderOf(folder)
    }
  }
  return folders
}

/** The folder that a path lies in; `''` for what lies in the root, and for the root. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** What a path ends in, after its last `/`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A path below a folder; either may be `''`. */
export function below(folder: string, path: string): string {
  if (folder === '') return path
  return path === '' ? folder : `${folder}/${path}`
}

/** A relative path (`./a`, `../a/../b`, `a`), from a folder; null if it leads out of the root. */
export function joined(folder: string, relative: string): string | null {
  let base = folder
  let at = 0
  for (;;) {
    if (relative.startsWith('./', at)) at += 2
    else if (relative.startsWith('../', at)) {
      if (base === '') return null
      base = folderOf(base)
      at += 3
    } else if (relative.charCodeAt(at) === SLASH && at > 0) at++
    else break
  }
  const rest = at === 0 ? relative : relative.slice(at)
  if (rest === '' || rest === '.') return base
  if (rest !== '..' && !rest.includes('/.') && !rest.includes('//') && !rest.endsWith('/'))
    return below(base, rest)
  return joinedBySegment(base, rest)
}

function joinedBySegment(folder: string, relative: string): string | null {
  const segments = folder === '' ? [] : folder.split('/')
  for (const segment of relative.split('/')) {
    if (segment === '..') {
      if (segments.pop() === undefined) return null
    } else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return segments.join('/')
}

/** Of folders in ascending order the one that shares most with this one: a neighbour of where it would stand. */
export function nearestOf(sorted: readonly string[], folder: string): string {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as string) < folder) low = middle + 1
    else high = middle
  }
  const [before, after] = [sorted[low - 1], sorted[low]]
  if (before === undefined || after === undefined) return (before ?? after) as string
  return sharedDepth(before, folder) >= sharedDepth(after, folder) ? before : after
}

function sharedDepth(one: string, other: string): number {
  const [a, b] = [one.split('/'), other.split('/')]
  let depth = 0
  while (depth < a.length && depth < b.length && a[depth] === b[depth]) depth++
  return depth
}

const SLASH = 47
