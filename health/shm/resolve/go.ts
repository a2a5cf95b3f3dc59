import type { Extraction } from '../imports.ts'
import { readGoMod } from '../scan/manifests.ts'
import type { SourceTree } from '../source-tree.ts'
import { type Answer, EXTERNAL, type LanguageResolver, NO_SOURCE, UNRESOLVED } from './answer.ts'
import type { ProjectFiles } from './project-files.ts'
import { below, folderOf, joined, type TreeIndex } from './tree-index.ts'

/** Packages that lie beside the one that an import of the folder means. */
const BESIDE = new Set(['main', 'documentation'])

/**
 * Go. A package is a folder of a module (`go.mod`), and an import of it leads to each of its files that is no test:
 * they are compiled as one. Files of one package do not import each other.
 */
export class GoResolver implements LanguageResolver {
  readonly #index: TreeIndex
  /** By path: the folders of modules, from the top. */
  readonly #modules = new Map<string, string>()
  /** By folder, from the root. */
  readonly #packages: ReadonlyMap<string, readonly number[]>
  readonly #files: ProjectFiles
  /** For what a cgo comment includes. */
  readonly #c: LanguageResolver

  constructor(
    index: TreeIndex,
    files: ProjectFiles,
    extractions: readonly (Extraction | null)[],
    c: LanguageResolver,
  ) {
    this.#index = index
    this.#files = files
    this.#c = c
    for (const { kind, name, folder } of index.tree.packages) {
      if (kind === 'go' && name !== null) this.#modules.set(name, files.fromRoot(folder))
    }
    this.#addOuterModule()
    this.#packages = packagesOf(index.tree, extractions)
  }

  resolve(from: number, specifier: string): Answer {
    const first = specifier.charCodeAt(0)
    if (first === QUOTE || first === LESS_THAN) return this.#c.resolve(from, specifier)
    if (first === DOT) {
      const folder = joined(folderOf(this.#index.path(from)), specifier)
      return folder === null ? EXTERNAL : this.#package(folder)
    }
    for (let end = specifier.length; end > 0; end = specifier.lastIndexOf('/', end - 1)) {
      const module = this.#modules.get(specifier.slice(0, end))
      if (module === undefined) continue
      const folder = this.#files.toRoot(below(module, specifier.slice(end + 1)))
      // Of a module that the root lies in there are parts outside of the root.
      return folder === null ? EXTERNAL : this.#package(folder)
    }
    return EXTERNAL
  }

  #package(folder: string): Answer {
    return (
      this.#packages.get(folder) ?? (this.#index.leavesOut(below(folder, 'a.go')) ? NO_SOURCE : UNRESOLVED)
    )
  }

  #addOuterModule(): void {
    const folder = this.#files.nearest(this.#files.prefix, 'go.mod')
    const text = folder === null ? null : this.#files.text(below(folder, 'go.mod'))
    const name = text === null ? null : readGoMod(text).package?.name
    if (folder !== null && name != null && !this.#modules.has(name)) this.#modules.set(name, folder)
  }
}

/** The files that an import of a folder leads to, ascending. */
function packagesOf(tree: SourceTree, extractions: readonly (Extraction | null)[]): Map<string, number[]> {
  const all = new Map<string, number[]>()
  for (const [file, { path, language }] of tree.files.entries()) {
    if (language !== 'go' || path.endsWith('_test.go')) continue
    const folder = folderOf(path)
    const files = all.get(folder)
    if (files === undefined) all.set(folder, [file])
    else files.push(file)
  }
  for (const [folder, files] of all) {
    const imported = files.filter(file => !BESIDE.has(extractions[file]?.declares[0] ?? ''))
    if (imported.length > 0) all.set(folder, imported)
  }
  return all
}

const QUOTE = 34
const LESS_THAN = 60
const DOT = 46
