import type { Language } from '../source-tree.ts'
import { EXTERNAL, type LanguageResolver, NO_SOURCE, UNRESOLVED } from './answer.ts'
import { firstSource, importTargets, type PackageFolder, packageEntry } from './package-entry.ts'
import { objectOf, type ProjectFiles } from './project-files.ts'
import { below, folderOf, joined, type TreeIndex } from './tree-index.ts'
import { type PathRules, packageParts, TsconfigReader, targetsOf } from './tsconfig.ts'

const TYPESCRIPT_FIRST = ['.ts', '.tsx', '.js', '.jsx', '.mts', '.cts', '.mjs', '.cjs']
const JAVASCRIPT_FIRST = ['.js', '.jsx', '.mjs', '.cjs', '.ts', '.tsx', '.mts', '.cts']
/** What TypeScript is written as where an import names what it is compiled to. */
const WRITTEN_AS: ReadonlyMap<string, readonly string[]> = new Map([
  ['.js', ['.ts', '.tsx']],
  ['.jsx', ['.tsx']],
  ['.mjs', ['.mts']],
  ['.cjs', ['.cts']],
])
/** Files that modules import and that are no modules: what a bundler turns into one. */
const ASSET =
  /\.(?:css|scss|sass|less|styl|pcss|json[5c]?|ya?ml|toml|txt|md|mdx|html?|xml|svg|png|jpe?g|gif|webp|avif|ico|mp[34]|webm|ogg|wav|woff2?|ttf|otf|eot|vue|svelte|astro|graphql|gql|wasm|node|glsl|wgsl|vert|frag|csv|d\.[cm]?ts)$/i

/**
 * JavaScript and TypeScript. In this order: relative paths, as bundlers and TypeScript probe them; `paths` and
 * `baseUrl` of the nearest tsconfig; `#names` of the nearest package.json; packages of the workspace and the package
 * itself, by name. Any other name is that of another package, whether it is installed or not: `node_modules` is never
 * read.
 */
export class JavaScriptResolver implements LanguageResolver {
  readonly #index: TreeIndex
  readonly #files: ProjectFiles
  readonly #tsconfigs: TsconfigReader
  /** Folders of the workspace's packages, from the top. */
  readonly #packages = new Map<string, string>()
  readonly #manifests = new Map<string, PackageFolder | null>()
  /** By folder of the package and path in it. */
  readonly #entries = new Map<string, number>()
  readonly #probeInPackage = (path: string): number => this.#probeFromTop(path, TYPESCRIPT_FIRST)

  constructor(index: TreeIndex, files: ProjectFiles) {
    this.#index = index
    this.#files = files
    for (const { kind, name, folder } of index.tree.packages) {
      if (kind !== 'npm' || name === null) continue
      const known = this.#packages.get(name)
      // Two of one name: the upper one, whatever order they are told in.
      const place = files.fromRoot(folder)
      if (
        known === undefined ||
        place.length < known.length ||
        (place.length === known.length && place < known)
      )
        this.#packages.set(name, place)
    }
    this.#tsconfigs = new TsconfigReader(files, this.#packages)
  }

  resolve(from: number, specifier: string): number {
    const { path, language } = this.#index.tree.files[from] as { path: string; language: Language }
    const folder = folderOf(path)
    const extensions = language === 'typescript' ? TYPESCRIPT_FIRST : JAVASCRIPT_FIRST
    const query = specifier.indexOf('?')
    const plain = query > 0 ? specifier.slice(0, query) : specifier
    if (isRelative(plain)) return this.#relative(folder, plain, extensions)
    if (plain === '') return EXTERNAL
    if (plain.startsWith('/')) return this.#absolute(folder, plain, extensions)
    return this.#bare(folder, plain, extensions)
  }

  #relative(folder: string, specifier: string, extensions: readonly string[]): number {
    const path = joined(folder, specifier)
    if (path === null) return EXTERNAL
    const isFolder = specifier.endsWith('/') || specifier === '.' || specifier.endsWith('..')
    const found = isFolder ? this.#folder(path, extensions) : this.#probe(path, extensions)
    if (found >= 0) return found
    return this.#isNoSource(specifier) || this.#isDeclared(path) ? NO_SOURCE : UNRESOLVED
  }

  /** From the root of the site, as Vite means it: that of the package, else of the tree. */
  #absolute(folder: string, specifier: string, extensions: readonly string[]): number {
    const inPackage = this.#packageOf(folder)?.folder
    for (const base of inPackage === undefined ? [this.#files.prefix] : [inPackage, this.#files.prefix]) {
      const path = joined(base, `.${specifier}`)
      const found = path === null ? -1 : this.#probeFromTop(path, extensions)
      if (found >= 0) return found
    }
    return EXTERNAL
  }

  #bare(folder: string, specifier: string, extensions: readonly string[]): number {
    const isFolder = specifier.endsWith('/')
    const probe = (path: string): number => this.#probeFromTop(path, extensions, isFolder)
    let isOurs = false
    for (const rules of this.#tsconfigs.rulesFor(this.#files.fromRoot(folder))) {
      if (rules.scope !== '' && !isBelow(this.#files.fromRoot(folder), rules.scope)) continue
      const mapped = this.#mapped(rules, specifier, probe)
      if (mapped >= 0) return mapped
      isOurs ||= mapped === UNRESOLVED
    }
    const named = specifier.startsWith('#')
      ? this.#ownImport(folder, specifier)
      : this.#package(folder, specifier)
    if (named !== EXTERNAL) return named
    if (!isOurs) return EXTERNAL
    return this.#isNoSource(specifier) ? NO_SOURCE : UNRESOLVED
  }

  /** By the rules of a tsconfig: UNRESOLVED where they name a place in the tree and nothing is there. */
  #mapped(rules: PathRules, specifier: string, probe: (path: string) => number): number {
    const targets = targetsOf(rules, specifier)
    for (const path of targets?.paths ?? []) {
      const found = probe(path)
      if (found >= 0) return found
    }
    if (rules.baseUrl !== null) {
      const path = joined(rules.baseUrl, specifier)
      const found = path === null ? -1 : probe(path)
      if (found >= 0) return found
    }
    if (targets === null || targets.catchAll) return EXTERNAL
    return targets.paths.some(path => this.#isInTree(path)) ? UNRESOLVED : EXTERNAL
  }

  #isInTree(path: string): boolean {
    return (
      this.#files.toRoot(path) !== null &&
      !path.split('/').includes('node_modules') &&
      !/\.d\.[cm]?ts$/.test(path)
    )
  }

  #ownImport(folder: string, specifier: string): number {
    const own = this.#packageOf(folder)
    const targets = own?.manifest == null ? [] : importTargets(own.manifest, specifier)
    if (own === null || targets.length === 0) return EXTERNAL
    const paths = targets.filter(isRelative)
    const found = firstSource(own.folder, paths, this.#probeInPackage)
    if (found >= 0) return found
    for (const target of targets) {
      if (isRelative(target)) continue
      const named = this.#package(folder, target)
      if (named !== EXTERNAL) return named
    }
    if (paths.length === 0) return EXTERNAL
    return paths.some(path => this.#isNoSource(path)) ? NO_SOURCE : UNRESOLVED
  }

  #package(folder: string, specifier: string): number {
    const [name, subpath] = packageParts(specifier)
    const place = this.#packages.get(name)
    let found = place === undefined ? null : (this.#manifest(place) ?? { folder: place, manifest: null })
    if (found === null) {
      const own = this.#packageOf(folder)
      if (own?.manifest?.name === name) found = own
    }
    if (found === null) return EXTERNAL
    const key = `${found.folder}\n${subpath}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = packageEntry(found, subpath, this.#probeInPackage)
      if (entry < 0) entry = this.#isNoSource(subpath) ? NO_SOURCE : UNRESOLVED
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** The nearest package that files of a folder belong to; null: there is none. */
  #packageOf(folder: string): PackageFolder | null {
    return this.#nearestPackage(this.#files.fromRoot(folder))
  }

  #nearestPackage(folder: string): PackageFolder | null {
    const known = this.#manifests.get(folder)
    if (known !== undefined) return known
    const nearest = this.#manifest(folder) ?? (folder === '' ? null : this.#nearestPackage(folderOf(folder)))
    this.#manifests.set(folder, nearest)
    return nearest
  }

  #manifest(folder: string): PackageFolder | null {
    const manifest = objectOf(this.#files.json(below(folder, 'package.json')))
    return manifest === null ? null : { folder, manifest }
  }

  #probeFromTop(path: string, extensions: readonly string[], isFolder = false): number {
    const inTree = this.#files.toRoot(path)
    if (inTree === null) return -1
    return isFolder ? this.#folder(inTree, extensions) : this.#probe(inTree, extensions)
  }

  #probe(path: string, extensions: readonly string[]): number {
    const found = this.#file(path, extensions)
    return found >= 0 ? found : this.#folder(path, extensions)
  }

  #file(path: string, extensions: readonly string[]): number {
    const dot = path.lastIndexOf('.')
    const sources = dot > path.lastIndexOf('/') ? WRITTEN_AS.get(path.slice(dot)) : undefined
    // An import of a.js out of TypeScript means a.ts, even where what it was compiled to lies beside it.
    const exactLast = sources !== undefined && extensions === TYPESCRIPT_FIRST
    let found = exactLast ? -1 : this.#module(path)
    for (let i = 0; found < 0 && i < (sources?.length ?? 0); i++) {
      found = this.#module(path.slice(0, dot) + sources?.[i])
    }
    if (found < 0 && exactLast) found = this.#module(path)
    for (let i = 0; found < 0 && i < extensions.length; i++) found = this.#module(path + extensions[i])
    return found
  }

  #folder(path: string, extensions: readonly string[]): number {
    if (!this.#index.folders.has(path)) return -1
    const index = this.#file(below(path, 'index'), extensions)
    if (index >= 0) return index
    const manifest = this.#manifest(this.#files.fromRoot(path))?.manifest
    const main = manifest?.main ?? manifest?.module
    const target = typeof main === 'string' ? joined(path, main) : null
    if (target === null) return -1
    const found = this.#file(target, extensions)
    return found >= 0 ? found : this.#file(below(target, 'index'), extensions)
  }

  #module(path: string): number {
    const file = this.#index.at(path)
    if (file === undefined) return -1
    const language = this.#index.tree.files[file]?.language
    return language === 'typescript' || language === 'javascript' ? file : -1
  }

  #isNoSource(path: string): boolean {
    return ASSET.test(path) || this.#index.leavesOut(/\.[cm]?[jt]sx?$/.test(path) ? path : `${path}.ts`)
  }

  /** A declaration beside where the module would be: types without code. */
  #isDeclared(path: string): boolean {
    const plain = this.#files.fromRoot(path.replace(/\.[cm]?js$/, ''))
    return this.#files.exists(`${plain}.d.ts`) || this.#files.exists(below(plain, 'index.d.ts'))
  }
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('./') || specifier.startsWith('../') || specifier === '.' || specifier === '..'
}

function isBelow(folder: string, scope: string): boolean {
  return folder === scope || folder.startsWith(`${scope}/`)
}
