import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import type { Extraction, FoundImport } from '../../../../health/shm/imports.ts'
import { type Resolution, resolveImports } from '../../../../health/shm/resolve/resolution.ts'
import type {
  Language,
  ScanWarning,
  SourceTree,
  WorkspacePackage,
} from '../../../../health/shm/source-tree.ts'

/** A source file by what it imports (line 1, 2, …, at run time if not told), and what it declares. */
export type SmallSource = (string | FoundImport)[] | { imports: (string | FoundImport)[]; declares: string[] }

export interface SmallTree {
  /** Not on the disk: resolving is done in memory. */
  sources: Record<string, SmallSource>
  /** On the disk, from the top; `.git` is there, too. */
  files?: Record<string, string>
  packages?: WorkspacePackage[]
  /** The folder that is scored, from the top. */
  root?: string
  includeDirs?: string[]
}

/** Where the imports of a small tree lead, in words. */
export interface SmallResolution {
  /** `a.ts -> b.ts`, sorted. */
  edges: string[]
  /** `a.ts:1 ./c`. */
  unresolved: string[]
  external: number
  typeOnly: number
  dynamic: number
  warnings: ScanWarning[]
}

const LANGUAGES: Record<string, Language> = {
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.tsx': 'typescript',
  '.py': 'python',
  '.rs': 'rust',
  '.go': 'go',
  '.c': 'c',
  '.h': 'c',
  '.cpp': 'cpp',
  '.hpp': 'cpp',
}

export function resolved(tree: SmallTree): SmallResolution {
  const top = mkdtempSync(join(tmpdir(), 'resolve-'))
  try {
    mkdirSync(join(top, '.git'))
    writeFileSync(join(top, '.git/HEAD'), 'ref: refs/heads/main\n')
    mkdirSync(join(top, tree.root ?? ''), { recursive: true })
    for (const [path, text] of Object.entries(tree.files ?? {})) {
      mkdirSync(dirname(join(top, path)), { recursive: true })
      writeFileSync(join(top, path), text)
    }
    const source = sourceTree(join(top, tree.root ?? ''), Object.keys(tree.sources).sort(), tree.packages)
    const extractions = source.files.map(({ path }) => extraction(tree.sources[path] as SmallSource))
    return inWords(source, resolveImports(source, extractions, { includeDirs: tree.includeDirs ?? [] }))
  } finally {
    rmSync(top, { recursive: true })
  }
}

export function sourceTree(
  root: string,
  paths: readonly string[],
  packages: WorkspacePackage[] = [],
): SourceTree {
  const files = paths.map(path => {
    return { path, language: LANGUAGES[extname(path)] ?? ('javascript' as const), size: 1, changedMs: 0 }
  })
  return { root, files, packages, warnings: [] }
}

export function extraction(source: SmallSource): Extraction {
  const { imports, declares } = Array.isArray(source) ? { imports: source, declares: [] } : source
  const found = imports.map((one, i) => {
    return typeof one === 'string' ? { specifier: one, line: i + 1, kind: 'static' as const } : one
  })
  return { imports: found, declares, lines: 1, hash: '', trouble: null }
}

export function inWords(tree: SourceTree, resolution: Resolution): SmallResolution {
  const path = (file: number) => tree.files[file]?.path
  return {
    ...resolution,
    edges: resolution.edges.map(({ from, to }) => `${path(from)} -> ${path(to)}`).sort(),
    unresolved: resolution.unresolved.map(
      ({ file, line, specifier }) => `${path(file)}:${line} ${specifier}`,
    ),
  }
}

/** Of a tree in which only one file imports, and each of its imports leads to one file: those files in that order. */
export function targets(from: string, tree: SmallTree): (string | null)[] {
  const source = tree.sources[from]
  const imports = Array.isArray(source) ? source : (source?.imports ?? [])
  return imports.map(one => {
    const declares = Array.isArray(source) || source === undefined ? [] : source.declares
    const { edges } = resolved({
      ...tree,
      sources: { ...tree.sources, [from]: { imports: [one], declares } },
    })
    const own = edges.find(edge => edge.startsWith(`${from} -> `))
    return own === undefined ? null : own.slice(from.length + 4)
  })
}
