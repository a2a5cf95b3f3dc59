import { readFileSync, type Stats, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { LOCAL_DISK } from '../scan/disk.ts'
import { repositoryAround } from '../scan/repository.ts'
import type { ScanWarning } from '../source-tree.ts'
import { below, folderOf } from './tree-index.ts'

const MAX_BYTES = 1024 * 1024

/**
 * The files beside the sources that say how imports are meant: `tsconfig.json`, `package.json`, `Cargo.toml`,
 * `go.mod`. They are read at most once. Paths are from the top: the top of the git repository that the root lies in,
 * so that a folder inside a project is read as its project means it; the root where there is no repository.
 */
export class ProjectFiles {
  /** From the top to the root: `''` where they are one. */
  readonly prefix: string
  /** Files that are not what their name says. */
  readonly warnings: ScanWarning[] = []
  readonly #top: string
  readonly #texts = new Map<string, string | null>()
  readonly #parsed = new Map<string, unknown>()

  /** @param root absolute */
  constructor(root: string) {
    this.#top = repositoryAround(root, LOCAL_DISK)?.top ?? root
    this.prefix = relative(this.#top, root).split(sep).join('/')
  }

  /** A path from the root, told from the top. */
  fromRoot(path: string): string {
    return below(this.prefix, path)
  }

  /** A path from the top, told from the root; null if it lies outside. */
  toRoot(path: string): string | null {
    if (this.prefix === '') return path
    if (path === this.prefix) return ''
    return path.startsWith(`${this.prefix}/`) ? path.slice(this.prefix.length + 1) : null
  }

  exists(path: string): boolean {
    return statOf(join(this.#top, path))?.isFile() === true
  }

  /** The text of a file; null if there is none, if it cannot be read, or if it is larger than 1 MiB. */
  text(path: string): string | null {
    const known = this.#texts.get(path)
    if (known !== undefined) return known
    const text = textOf(join(this.#top, path))
    this.#texts.set(path, text)
    return text
  }

  /** The value that a JSON file holds, comments and trailing commas allowed; null if there is none or it is broken. */
  json(path: string): unknown {
    if (this.#parsed.has(path)) return this.#parsed.get(path)
    const text = this.text(path)
    let value: unknown = null
    if (text !== null) {
      try {
        value = parseLenient(text)
      } catch {
        const message = `${this.toRoot(path) ?? path} is not JSON: what it says about imports was not taken.`
        this.warnings.push({ code: 'SYNTAX_ERROR', path: this.toRoot(path), message })
      }
    }
    this.#parsed.set(path, value)
    return value
  }

  /** The nearest folder, this one or one above it, that holds a file of such a name; null if none does. */
  nearest(folder: string, name: string): string | null {
    for (let at = folder; ; at = folderOf(at)) {
      if (this.text(below(at, name)) !== null) return at
      if (at === '') return null
    }
  }
}

/** An object as JSON has it; null for anything else. */
export function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

/**
 * Parses JSON with comments and trailing commas, as tsconfig files have them.
 *
 * @throws SyntaxError
 */
export function parseLenient(text: string): unknown {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text
  try {
    return JSON.parse(plain)
  } catch {
    return JSON.parse(withoutComments(plain))
  }
}

function withoutComments(text: string): string {
  const pieces: string[] = []
  // Where the last comma stands, as long as nothing but space has come after it.
  let comma = -1
  for (let at = 0; at < text.length; ) {
    const next = text[at] as string
    let end = at + 1
    if (text.startsWith('//', at)) end = lengthTo(text, '\n', at)
    else if (text.startsWith('/*', at)) end = lengthTo(text, '*/', at + 2) + 2
    else {
      if (next === '"') end = stringEnd(text, at)
      if ((next === '}' || next === ']') && comma >= 0) pieces[comma] = ''
      if (next === ',') comma = pieces.length
      else if (!/\s/.test(next)) comma = -1
      pieces.push(text.slice(at, end))
    }
    at = end
  }
  return pieces.join('')
}

function lengthTo(text: string, what: string, from: number): number {
  const found = text.indexOf(what, from)
  return found < 0 ? text.length : found
}

function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function textOf(path: string): string | null {
  const stat = statOf(path)
  // Not a pipe or a device that a link leads to: reading those may never end.
  if (stat === undefined || !stat.isFile() || stat.size > MAX_BYTES) return null
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
