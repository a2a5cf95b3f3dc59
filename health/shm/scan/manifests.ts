/** What the manifests of packages and workspaces say, each in its own format. */
import { readToml, type TomlTable, type TomlValue, tableAt, textAt, textsAt } from './toml.ts'

const MANIFESTS: ReadonlySet<string> = new Set([
  'package.json',
  'pnpm-workspace.yaml',
  'Cargo.toml',
  'go.mod',
  'go.work',
  'pyproject.toml',
  'setup.cfg',
  'setup.py',
])

/** The members of a workspace. */
export interface Members {
  /** Globs from its folder. */
  in: string[]
  out: string[]
}

/** What one manifest says. */
export interface Manifest {
  /** The package that it makes of its folder; null: none. */
  package: { name: string | null } | null
  /** The workspace that it declares; null: none. */
  workspace: Members | null
  /** Cargo: folders of other packages that it depends on, from its own. */
  needs: string[]
}

const NOTHING: Manifest = { package: null, workspace: null, needs: [] }

/** Whether a file of this name is read for packages and workspaces. */
export function isManifest(name: string): boolean {
  return MANIFESTS.has(name)
}

/** Reads package.json, with the `workspaces` of npm, yarn and bun; null: it is not JSON. */
export function readPackageJson(text: string): Manifest | null {
  let content: unknown
  try {
    content = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return null
  }
  if (typeof content !== 'object' || content === null) return null
  const { name, workspaces } = content as Record<string, unknown>
  const globs = Array.isArray(workspaces)
    ? workspaces
    : (workspaces as { packages?: unknown } | null | undefined)?.packages
  return {
    package: { name: typeof name === 'string' && name !== '' ? name : null },
    workspace: Array.isArray(globs) ? membersOf(globs.filter(glob => typeof glob === 'string')) : null,
    needs: [],
  }
}

/**
 * Reads the list `packages` of pnpm-workspace.yaml: the list that is written line by line (`- 'a/*'`) and the one in brackets.
 * Anchors and texts over several lines, which nobody uses there, are not read.
 */
export function readPnpmWorkspace(text: string): Manifest {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  const start = lines.findIndex(line => /^(?:packages|"packages"|'packages')[ \t]*:/.test(line))
  if (start === -1) return { ...NOTHING, workspace: { in: [], out: [] } }
  const first = (lines[start] as string).replace(/^[^:]*:/, '')
  const items: string[] = []
  if (first.trimStart().startsWith('[')) {
    const flow = [first, ...lines.slice(start + 1)].map(withoutComment).join(' ')
    for (const [item] of flow.slice(flow.indexOf('[') + 1).matchAll(/"[^"]*"|'[^']*'|\]|[^\s,\]]+/g)) {
      if (item === ']') break
      items.push(unquoted(item))
    }
  } else {
    for (const line of lines.slice(start + 1)) {
      const bare = withoutComment(line)
      if (bare.trim() === '') continue
      const item = /^[ \t]*-[ \t]+(.*)$/.exec(bare)?.[1]
      if (item === undefined) break
      items.push(unquoted(item))
    }
  }
  return { ...NOTHING, workspace: membersOf(items) }
}

/** Reads Cargo.toml; null: it is not TOML. */
export function readCargo(text: string): Manifest | null {
  const table = readToml(text)
  if (table === null) return null
  const workspace = table.get('workspace')
  return {
    package: table.has('package') ? { name: textAt(tableAt(table, 'package'), 'name') } : null,
    workspace:
      workspace instanceof Map
        ? { in: textsAt(workspace, 'members'), out: textsAt(workspace, 'exclude') }
        : null,
    needs: [table, ...[...tableAt(table, 'target').values()].filter(isTable)].flatMap(neededFolders),
  }
}

/** Reads go.mod: its package's name is the module's path. */
export function readGoMod(text: string): Manifest {
  const [path] = goDirectives(text, 'module')
  return path === undefined ? NOTHING : { ...NOTHING, package: { name: path } }
}

/** Reads go.work. */
export function readGoWork(text: string): Manifest {
  return { ...NOTHING, workspace: { in: goDirectives(text, 'use'), out: [] } }
}

/** Reads pyproject.toml, with the workspaces of uv; null: it is not TOML. One that only sets tools makes no package. */
export function readPyproject(text: string): Manifest | null {
  const table = readToml(text)
  if (table === null) return null
  const poetry = tableAt(table, 'tool', 'poetry')
  const isPackage = table.has('project') || table.has('build-system') || poetry.size > 0
  const name = textAt(tableAt(table, 'project'), 'name') ?? textAt(poetry, 'name')
  const workspace = tableAt(table, 'tool', 'uv', 'workspace')
  return {
    package: isPackage ? { name } : null,
    workspace: workspace.has('members')
      ? { in: textsAt(workspace, 'members'), out: textsAt(workspace, 'exclude') }
      : null,
    needs: [],
  }
}

/** Reads setup.cfg, which makes a package if it has the section `metadata`. */
export function readSetupCfg(text: string): Manifest {
  let section = ''
  let name: string | null = null
  let isPackage = false
  for (const line of text.split(/\r?\n/)) {
    section = /^\[(\w[\w.: -]*)\]/.exec(line)?.[1] ?? section
    if (section !== 'metadata') continue
    isPackage = true
    name ??= /^name[ \t]*[=:][ \t]*(\S+)/.exec(line)?.[1] ?? null
  }
  return isPackage ? { ...NOTHING, package: { name } } : NOTHING
}

/** Reads setup.py, as far as the name is written out as a text; it makes a package if it calls `setup`. */
export function readSetupPy(text: string): Manifest {
  if (!/\bsetup\s*\(/.test(text)) return NOTHING
  return { ...NOTHING, package: { name: /\bname\s*=\s*["']([\w.-]+)["']/.exec(text)?.[1] ?? null } }
}

function membersOf(globs: readonly string[]): Members {
  const wanted = globs.filter(glob => glob !== '')
  return {
    in: wanted.filter(glob => !glob.startsWith('!')),
    out: wanted.filter(glob => glob.startsWith('!')).map(glob => glob.slice(1)),
  }
}

/** Behind a `#` with a space before it, outside of quotes, nothing counts. */
function withoutComment(line: string): string {
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const sign = line[at] as string
    if (quote !== '') {
      if (sign === quote) quote = ''
    } else if (sign === '#' && (at === 0 || /\s/.test(line[at - 1] as string))) return line.slice(0, at)
    // A quote in the middle of a word is part of it.
    else if ((sign === '"' || sign === "'") && (at === 0 || /[\s,[]/.test(line[at - 1] as string)))
      quote = sign
  }
  return line
}

function unquoted(item: string): string {
  const text = item.trim()
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text
}

function neededFolders(table: TomlTable): string[] {
  return ['dependencies', 'dev-dependencies', 'build-dependencies']
    .flatMap(kind => [...tableAt(table, kind).values()])
    .filter(isTable)
    .map(dependency => textAt(dependency, 'path'))
    .filter(path => path !== null)
}

function isTable(value: TomlValue): value is TomlTable {
  return value instanceof Map
}

/** The arguments of a directive of go.mod or go.work, alone or in a block. */
function goDirectives(text: string, verb: string): string[] {
  const found: string[] = []
  let block: string | null = null
  for (const line of text.split(/\r?\n/)) {
    const words = line
      .replace(/\/\/.*$/, '')
      .trim()
      .split(/\s+/)
    if (words[0] === ')') block = null
    else if (words[1] === '(') block = words[0] as string
    else {
      const argument =
        block === null ? (words[0] === verb ? words[1] : undefined) : block === verb ? words[0] : undefined
      if (argument !== undefined && argument !== '') found.push(argument.replace(/^(["`])(.*)\1$/, '$2'))
    }
  }
  return found
}
