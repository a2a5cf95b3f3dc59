import { type CargoManifest, crateIdentifier, readCargoManifest } from './cargo-manifest.ts'
import type { ProjectFiles } from './project-files.ts'
import { below, folderOf, joined, nearestOf, type TreeIndex } from './tree-index.ts'

/** A package of Cargo. */
export interface Crate {
  /** From the top (see `ProjectFiles`). */
  folder: string
  manifest: CargoManifest
  /** How sources call its library. */
  identifier: string
  /** The file of its library; null: it has none, or not in the tree. */
  library: number | null
  /** Roots that its manifest names. */
  targets: ReadonlySet<string>
  /** Dependencies that it calls otherwise: its own and those of the workspaces above it. */
  renamed: ReadonlyMap<string, string>
}

/** Files that Cargo takes as the root of a crate, below the folder of their package. */
const ROOT = /^(?:src\/(?:lib|main)|build|(?:src\/bin|examples|tests|benches)\/[^/]+(?:\/main)?)\.rs$/

/**
 * The packages of Cargo in a tree, and the one that the tree lies in: each nearest Cargo.toml of a Rust file, and the
 * workspace's.
 */
export class RustCrates {
  readonly #index: TreeIndex
  readonly #files: ProjectFiles
  readonly #byFolder = new Map<string, Crate | null>()
  readonly #ofFile: (Crate | null)[] = []
  /** By identifier: the folders of the packages, ascending. */
  readonly #libraries = new Map<string, string[]>()

  constructor(index: TreeIndex, files: ProjectFiles) {
    this.#index = index
    this.#files = files
    for (const { kind, folder } of index.tree.packages) if (kind === 'cargo') this.#at(files.fromRoot(folder))
    for (const [file, { path, language }] of index.tree.files.entries()) {
      if (language === 'rust') this.#ofFile[file] = this.#nearest(files.fromRoot(folderOf(path)))
    }
    for (const crate of this.#byFolder.values()) {
      if (crate === null || crate.library === null) continue
      const folders = this.#libraries.get(crate.identifier) ?? []
      if (!folders.includes(crate.folder)) folders.push(crate.folder)
      this.#libraries.set(crate.identifier, folders.sort())
    }
  }

  /** The package that a file belongs to. */
  of(file: number): Crate | null {
    return this.#ofFile[file] ?? null
  }

  #at(folder: string): Crate | null {
    const known = this.#byFolder.get(folder)
    if (known !== undefined) return known
    const text = this.#files.text(below(folder, 'Cargo.toml'))
    const manifest = text === null ? null : readCargoManifest(text)
    const crate = manifest === null || manifest.name === null ? null : this.#crate(folder, manifest)
    this.#byFolder.set(folder, crate)
    return crate
  }

  /** The library that sources of a package mean by a name; null: none of the tree. */
  library(name: string, crate: Crate | null): number | null {
    const folders = this.#libraries.get(crate?.renamed.get(name) ?? name)
    if (folders === undefined) return null
    return this.#byFolder.get(nearestOf(folders, crate?.folder ?? ''))?.library ?? null
  }

  /** Whether a file is the root of a crate: 0 is that of a library, 1 another one; null: it is none. */
  rank(file: number): 0 | 1 | null {
    const crate = this.of(file)
    if (crate === null) return null
    if (crate.library === file) return 0
    const path = this.#files.fromRoot(this.#index.path(file))
    return crate.targets.has(path) || ROOT.test(path.slice(crate.folder === '' ? 0 : crate.folder.length + 1))
      ? 1
      : null
  }

  #nearest(start: string): Crate | null {
    for (let folder = start; ; folder = folderOf(folder)) {
      const crate = this.#at(folder)
      if (crate !== null || folder === '') return crate
    }
  }

  #crate(folder: string, manifest: CargoManifest): Crate {
    const path = joined(folder, manifest.lib.path ?? 'src/lib.rs')
    const inTree = path === null ? null : this.#files.toRoot(path)
    const library = inTree === null ? null : (this.#index.at(inTree) ?? null)
    const identifier = crateIdentifier(manifest.lib.name ?? manifest.name ?? '')
    const targets = new Set(manifest.targets.flatMap(target => joined(folder, target) ?? []))
    return { folder, manifest, identifier, library, targets, renamed: this.#renamed(folder, manifest) }
  }

  #renamed(folder: string, manifest: CargoManifest): Map<string, string> {
    const renamed = new Map(manifest.renamed)
    for (let at = folder; at !== ''; ) {
      at = folderOf(at)
      const text = this.#files.text(below(at, 'Cargo.toml'))
      const above = text === null ? null : readCargoManifest(text)
      if (above?.isWorkspace !== true) continue
      for (const [alias, name] of above.renamed) if (!renamed.has(alias)) renamed.set(alias, name)
      break
    }
    return renamed
  }
}
