import { objectOf, type ProjectFiles } from './project-files.ts'
import { below, folderOf, joined } from './tree-index.ts'

/**
 * What a tsconfig or jsconfig says about imports that are not relative. Paths are from the top (see `ProjectFiles`).
 */
export interface PathRules {
  /** Specifiers that are mapped as they stand. */
  exact: ReadonlyMap<string, readonly string[]>
  /** The others, longest prefix first, which is the one that counts. */
  patterns: readonly PathPattern[]
  /** Where specifiers are looked up as if they were relative; null: nowhere. */
  baseUrl: string | null
  /** Only files below this folder are meant; `''`: all that the file was found for. */
  scope: string
}

/** `prefix*suffix`, and where that leads to: paths with `*` for the part between. */
export interface PathPattern {
  prefix: string
  suffix: string
  targets: readonly string[]
}

/** An option, and the folder of the file that set it. */
interface Declared<T> {
  value: T
  folder: string
}

interface Options {
  paths: Declared<Record<string, unknown>> | null
  baseUrl: Declared<string> | null
}

/**
 * Reads `paths` and `baseUrl` out of tsconfig files: with comments, with `extends` to files and to packages of the
 * workspace, and with `references`, whose rules count for the files below them. What is installed is not looked at: a
 * base configuration out of `node_modules` would make the score depend on it.
 */
export class TsconfigReader {
  readonly #files: ProjectFiles
  readonly #packages: ReadonlyMap<string, string>
  readonly #rules = new Map<string, readonly PathRules[]>()
  readonly #options = new Map<string, Options>()

  /** @param packages folders of the workspace's packages, by name */
  constructor(files: ProjectFiles, packages: ReadonlyMap<string, string>) {
    this.#files = files
    this.#packages = packages
  }

  /**
   * The rules for files in this folder: those of the nearest configuration, which does not inherit from ones above
   * it.
   */
  rulesFor(folder: string): readonly PathRules[] {
    const known = this.#rules.get(folder)
    if (known !== undefined) return known
    let rules = this.#rulesIn(folder)
    if (rules === null) rules = folder === '' ? [] : this.rulesFor(folderOf(folder))
    this.#rules.set(folder, rules)
    return rules
  }

  #rulesIn(folder: string): readonly PathRules[] | null {
    for (const name of ['tsconfig.json', 'jsconfig.json']) {
      const path = below(folder, name)
      if (this.#files.text(path) !== null) return this.#rulesOf(path, '', new Set())
    }
    return null
  }

  #rulesOf(path: string, scope: string, seen: Set<string>): PathRules[] {
    if (seen.has(path)) return []
    seen.add(path)
    const folder = folderOf(path)
    const own = rulesFrom(this.#optionsOf(path, new Set()), folder, scope)
    const rules = own === null ? [] : [own]
    const references = objectOf(this.#files.json(path))?.references
    for (const reference of Array.isArray(references) ? references : []) {
      const to = objectOf(reference)?.path
      if (typeof to !== 'string') continue
      const target = joined(folder, to)
      if (target === null) continue
      const file = target.endsWith('.json') ? target : below(target, 'tsconfig.json')
      rules.push(...this.#rulesOf(file, folderOf(file), seen))
    }
    return rules
  }

  #optionsOf(path: string, seen: Set<string>): Options {
    const known = this.#options.get(path)
    if (known !== undefined) return known
    const options: Options = { paths: null, baseUrl: null }
    if (seen.has(path)) return options
    seen.add(path)
    const config = objectOf(this.#files.json(path))
    const bases = Array.isArray(config?.extends) ? config.extends : [config?.extends]
    for (const base of bases) {
      const file = typeof base === 'string' ? this.#baseFile(folderOf(path), base) : null
      if (file === null) continue
      const { paths, baseUrl } = this.#optionsOf(file, seen)
      options.paths = paths ?? options.paths
      options.baseUrl = baseUrl ?? options.baseUrl
    }
    const compiler = objectOf(config?.compilerOptions)
    const paths = objectOf(compiler?.paths)
    const folder = folderOf(path)
    if (paths !== null) options.paths = { value: paths, folder }
    if (typeof compiler?.baseUrl === 'string') options.baseUrl = { value: compiler.baseUrl, folder }
    this.#options.set(path, options)
    return options
  }

  #baseFile(folder: string, base: string): string | null {
    const path = base.startsWith('.') ? joined(folder, base) : this.#packageFile(base)
    if (path === null) return null
    const candidates = [path, `${path}.json`, below(path, 'tsconfig.json')]
    return candidates.find(candidate => this.#files.text(candidate) !== null) ?? null
  }

  #packageFile(base: string): string | null {
    const [name, rest] = packageParts(base)
    const folder = this.#packages.get(name)
    return folder === undefined ? null : joined(folder, rest)
  }
}

/**
 * The name of the package that a specifier begins with, and the rest without its slash: `@a/b/c/d` is `@a/b` and
 * `c/d`.
 */
export function packageParts(specifier: string): [name: string, rest: string] {
  let slash = specifier.indexOf('/')
  if (slash >= 0 && specifier.startsWith('@')) slash = specifier.indexOf('/', slash + 1)
  return slash < 0 ? [specifier, ''] : [specifier.slice(0, slash), specifier.slice(slash + 1)]
}

/** Where rules send a specifier, best first; the paths have no `*` any more. Null: no rule is for it. */
export function targetsOf(
  rules: PathRules,
  specifier: string,
): { paths: string[]; catchAll: boolean } | null {
  const exact = rules.exact.get(specifier)
  if (exact !== undefined) return { paths: [...exact], catchAll: false }
  for (const { prefix, suffix, targets } of rules.patterns) {
    if (specifier.length < prefix.length + suffix.length) continue
    if (!specifier.startsWith(prefix) || !specifier.endsWith(suffix)) continue
    const middle = specifier.slice(prefix.length, specifier.length - suffix.length)
    const paths = targets.map(target => joined('', withStar(target, middle))).filter(path => path !== null)
    return { paths, catchAll: prefix === '' }
  }
  return null
}

function withStar(pattern: string, middle: string): string {
  const star = pattern.indexOf('*')
  return star < 0 ? pattern : pattern.slice(0, star) + middle + pattern.slice(star + 1)
}

function rulesFrom({ paths, baseUrl }: Options, folder: string, scope: string): PathRules | null {
  const base = baseUrl === null ? null : placed(baseUrl.value, baseUrl.folder, folder)
  if (paths === null && base === null) return null
  const exact = new Map<string, string[]>()
  const patterns: PathPattern[] = []
  for (const [key, value] of Object.entries(paths?.value ?? {})) {
    const written = (Array.isArray(value) ? value : []).filter(target => typeof target === 'string')
    const targets = written
      .map(target => placed(target, base ?? (paths as Declared<unknown>).folder, folder))
      .filter(target => target !== null)
    const star = key.indexOf('*')
    if (star < 0) exact.set(key, targets)
    else patterns.push({ prefix: key.slice(0, star), suffix: key.slice(star + 1), targets })
  }
  patterns.sort((one, other) => other.prefix.length - one.prefix.length)
  return { exact, patterns, baseUrl: base, scope }
}

/** What TypeScript replaces with the folder of the configuration that is read, not of the one that wrote it. */
const CONFIG_DIR = `$\{configDir}`

function placed(path: string, from: string, configDir: string): string | null {
  return path.startsWith(CONFIG_DIR)
    ? joined(configDir, `.${path.slice(CONFIG_DIR.length)}`)
    : joined(from, path)
}
