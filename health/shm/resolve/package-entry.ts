import { objectOf } from './project-files.ts'
import { below, joined } from './tree-index.ts'

/** Conditions under which a package runs on a server; `source` is how packages name what they are built from. */
const CONDITIONS = new Set(['source', 'development', 'node', 'import', 'module', 'default', 'require'])
/** Folders that builds write into, and the ones that they put inside of those. */
const BUILT = new Set(['dist', 'build', 'lib', 'out', 'output', 'es', 'esm', 'cjs', 'umd', 'mjs', 'types'])
const SOURCES = ['src', '', 'source', 'lib']
const EXTENSION = /(?:\.d)?\.[cm]?[jt]sx?$/

/** A package as it is found in the tree. */
export interface PackageFolder {
  /** From the top (see `ProjectFiles`). */
  folder: string
  /** Its package.json; null if it has none that can be read. */
  manifest: Record<string, unknown> | null
}

/** Finds a source file as an import of this path would, with or without extension; -1: there is none. */
export type Probe = (path: string) => number

/**
 * The source file that an import of a package leads to; -1 if there is none. The package need be neither installed
 * nor built: where its manifest names what a build writes (`./dist/esm/a.js`), the source of the same name is taken
 * (`src/a.ts`), by convention.
 *
 * Conditions and patterns of `exports` are those of Node (https://nodejs.org/api/packages.html, "Resolution algorithm
 * specification"); a path that they do not list is looked up as a file of the package.
 *
 * @param subpath behind the package's name, without its slash; `''` for the package itself
 */
export function packageEntry({ folder, manifest }: PackageFolder, subpath: string, probe: Probe): number {
  const exports = manifest?.exports
  const written = exports === undefined ? [] : exportTargets(exports, subpath === '' ? '.' : `./${subpath}`)
  if (exports === undefined && subpath === '') {
    for (const field of ['source', 'module', 'main', 'types']) {
      const value = manifest?.[field]
      if (typeof value === 'string') written.push(value)
    }
  }
  const named = firstSource(folder, written, probe)
  if (named >= 0) return named
  if (subpath !== '') return firstSource(folder, [subpath], probe)
  for (const source of SOURCES) {
    for (const name of ['index', 'main']) {
      const found = probe(below(below(folder, source), name))
      if (found >= 0) return found
    }
  }
  return -1
}

/** Where `imports` of a package send a specifier (`#a`), best first: paths (`./…`) or names of other packages. */
export function importTargets(manifest: Record<string, unknown>, specifier: string): string[] {
  const imports = objectOf(manifest.imports)
  return imports === null ? [] : mappedTargets(imports, specifier)
}

/** The source for the first of some paths of a package that has one; -1: none has. */
export function firstSource(folder: string, paths: readonly string[], probe: Probe): number {
  for (const path of paths) {
    const full = joined(folder, path)
    const found = full === null ? -1 : probe(full)
    if (found >= 0) return found
  }
  for (const path of paths) {
    for (const source of sourcesOf(path)) {
      const found = probe(below(folder, source))
      if (found >= 0) return found
    }
  }
  return -1
}

/** What may be the source of a file that a build wrote, from the package's folder, without extension. */
function sourcesOf(path: string): string[] {
  const plain = joined('', path)?.replace(EXTENSION, '')
  if (plain === undefined) return []
  const rests = [plain]
  for (let rest = plain; BUILT.has(rest.slice(0, Math.max(0, rest.indexOf('/')))); ) {
    rest = rest.slice(rest.indexOf('/') + 1)
    rests.push(rest)
  }
  return rests.flatMap(rest => SOURCES.map(source => below(source, rest)))
}

function exportTargets(exports: unknown, subpath: string): string[] {
  const map = objectOf(exports)
  const bySubpath = map !== null && Object.keys(map).some(key => key.startsWith('.'))
  if (!bySubpath) return subpath === '.' ? leavesOf(exports) : []
  return mappedTargets(map, subpath)
}

/** The targets of a key, or of the pattern with the longest beginning that fits. */
function mappedTargets(map: Record<string, unknown>, key: string): string[] {
  if (Object.hasOwn(map, key) && !key.includes('*')) return leavesOf(map[key])
  let best: { pattern: string; prefix: string; middle: string } | null = null
  for (const pattern of Object.keys(map)) {
    const star = pattern.indexOf('*')
    // A folder (`./a/`) is what patterns were before there were any.
    const isFolder = star < 0 && pattern.endsWith('/')
    if (star < 0 && !isFolder) continue
    const prefix = isFolder ? pattern : pattern.slice(0, star)
    const suffix = isFolder ? '' : pattern.slice(star + 1)
    if (key.length < prefix.length + suffix.length || !key.startsWith(prefix) || !key.endsWith(suffix))
      continue
    const isBetter =
      best === null ||
      prefix.length > best.prefix.length ||
      (prefix.length === best.prefix.length && pattern.length > best.pattern.length)
    if (isBetter) best = { pattern, prefix, middle: key.slice(prefix.length, key.length - suffix.length) }
  }
  if (best === null) return []
  const { pattern, middle } = best
  return leavesOf(map[pattern]).map(target =>
    target.endsWith('/') ? target + middle : target.replaceAll('*', () => middle),
  )
}

/** The strings in a target, those under conditions that hold first. */
function leavesOf(target: unknown): string[] {
  const holding: string[] = []
  const others: string[] = []
  const collect = (value: unknown, into: string[], depth: number): void => {
    if (typeof value === 'string') into.push(value)
    if (depth > 8) return
    if (Array.isArray(value)) for (const one of value) collect(one, into, depth + 1)
    const conditions = objectOf(value)
    if (conditions === null) return
    for (const [condition, one] of Object.entries(conditions)) {
      collect(one, CONDITIONS.has(condition) ? into : others, depth + 1)
    }
  }
  collect(target, holding, 0)
  return [...holding, ...others]
}
