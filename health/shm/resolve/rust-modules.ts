import type { Extraction } from '../imports.ts'
import type { RustCrates } from './rust-crates.ts'
import { below, folderOf, joined, nameOf, type TreeIndex } from './tree-index.ts'

/** A module: a file, and a path of modules written inside of it (`''`: the file's own module). */
export interface ModulePlace {
  file: number
  inline: string
}

interface Known {
  /** The module that declares this one; null: it is the root of a crate. */
  parent: ModulePlace | null
  root: number
  /** Whether its child modules lie beside it, and not in a folder of its name. */
  isFolder: boolean
}

const MODULE = /^mod\??(?:@(\S+))? ([^\s]+)(?: (=|~|in) (.+))?$/

/**
 * The modules of a tree's crates: from each root along `mod`, and for files that none leads to (declared by a macro,
 * or not at all) by where they lie.
 */
export class RustModules {
  readonly #index: TreeIndex
  readonly #extractions: readonly (Extraction | null)[]
  readonly #crates: RustCrates
  readonly #known = new Map<number, Known>()
  /** Of each file its modules that are files, by path inside of it. */
  readonly #children = new Map<number, Map<string, number>>()
  readonly #inline = new Map<number, ReadonlySet<string>>()

  constructor(index: TreeIndex, extractions: readonly (Extraction | null)[], crates: RustCrates) {
    this.#index = index
    this.#extractions = extractions
    this.#crates = crates
    const files = [...index.tree.files.entries()].filter(([, { language }]) => language === 'rust')
    const rust = files
      .map(([file]) => file)
      .sort((one, other) => (index.path(one) < index.path(other) ? -1 : 1))
    const ranks = rust.map(file => crates.rank(file))
    for (const rank of [0, 1]) {
      for (const [i, file] of rust.entries()) if (ranks[i] === rank) this.#follow(file, null)
    }
    for (const file of rust) this.#placeByLayout(file)
  }

  /** The root file of the crate that a file belongs to. */
  root(file: number): number {
    return this.#known.get(file)?.root ?? file
  }

  parent({ file, inline }: ModulePlace): ModulePlace | null {
    if (inline !== '') return { file, inline: beforeLast(inline) }
    return this.#known.get(file)?.parent ?? null
  }

  /** A module in another one; null: there is none of the name. */
  child({ file, inline }: ModulePlace, name: string): ModulePlace | null {
    const path = inside(inline, name)
    const child = this.#children.get(file)?.get(path)
    if (child !== undefined) return { file: child, inline: '' }
    let declared = this.#inline.get(file)
    if (declared === undefined) {
      declared = new Set(this.#extractions[file]?.declares)
      this.#inline.set(file, declared)
    }
    return declared.has(path) ? { file, inline: path } : null
  }

  /** The file that a `mod` leads to (see `FoundImport`); null: there is none. */
  declared(file: number, specifier: string): number | null {
    return this.#declaration(file, specifier)?.file ?? null
  }

  #follow(start: number, parent: ModulePlace | null, isFolder = true): void {
    const waiting = [{ file: start, parent, isFolder }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { file } = next
      if (this.#known.has(file)) continue
      const root = next.parent === null ? file : this.root(next.parent.file)
      this.#known.set(file, { parent: next.parent, root, isFolder: next.isFolder })
      const found = []
      for (const { specifier } of this.#extractions[file]?.imports ?? []) {
        if (!specifier.startsWith('mod')) continue
        const declaration = this.#declaration(file, specifier)
        if (declaration === null || declaration.file === file) continue
        this.#addChild(file, declaration.path, declaration.file)
        const place = { file, inline: beforeLast(declaration.path) }
        found.push({ file: declaration.file, parent: place, isFolder: declaration.isFolder })
      }
      waiting.push(...found.reverse())
    }
  }

  #addChild(file: number, path: string, child: number): void {
    let children = this.#children.get(file)
    if (children === undefined) {
      children = new Map()
      this.#children.set(file, children)
    }
    if (!children.has(path)) children.set(path, child)
  }

  #declaration(file: number, specifier: string): { file: number; path: string; isFolder: boolean } | null {
    const match = MODULE.exec(specifier)
    if (match === null) return null
    const [, inline = '', name = '', sign, written = ''] = match
    const own = folderOf(this.#index.path(file))
    const ofChildren = this.#childFolder(file)
    const path = inside(inline, name)
    if (sign === '=' || sign === '~') {
      const found = this.#rust(joined(sign === '=' ? own : ofChildren, written))
      return found === null ? null : { file: found, path, isFolder: true }
    }
    const folder = sign === 'in' ? joined(own, written) : below(ofChildren, inline.replaceAll('::', '/'))
    if (folder === null) return null
    const beside = this.#rust(below(folder, `${name}.rs`))
    if (beside !== null) return { file: beside, path, isFolder: false }
    const within = this.#rust(below(folder, `${name}/mod.rs`))
    return within === null ? null : { file: within, path, isFolder: true }
  }

  #rust(path: string | null): number | null {
    const file = path === null ? undefined : this.#index.at(path)
    return file !== undefined && this.#index.tree.files[file]?.language === 'rust' ? file : null
  }

  #childFolder(file: number): string {
    const path = this.#index.path(file)
    const known = this.#known.get(file)
    const isFolder = known === undefined ? nameOf(path) === 'mod.rs' : known.isFolder
    return isFolder ? folderOf(path) : path.replace(/\.rs$/, '')
  }

  /** Files above one that is not placed come first, so that it finds its crate. */
  #placeByLayout(file: number): void {
    const chain: number[] = []
    for (let at: number | null = file; at !== null && !this.#known.has(at) && !chain.includes(at); ) {
      chain.push(at)
      at = this.#above(at)
    }
    for (const one of chain.reverse()) {
      if (this.#known.has(one)) continue
      const above = this.#above(one)
      const path = this.#index.path(one)
      const isFolder = nameOf(path) === 'mod.rs'
      const name = nameOf(isFolder ? folderOf(path) : path).replace(/\.rs$/, '')
      if (above !== null && above !== one) this.#addChild(above, name, one)
      this.#follow(one, above === null ? null : { file: above, inline: '' }, isFolder || above === null)
    }
  }

  /** The file whose module a file would be in, by where it lies; null: it would be a root. */
  #above(file: number): number | null {
    const path = this.#index.path(file)
    const name = nameOf(path)
    if (this.#crates.rank(file) !== null || name === 'lib.rs' || name === 'main.rs') return null
    const folder = name === 'mod.rs' ? folderOf(folderOf(path)) : folderOf(path)
    if (name === 'mod.rs' && folderOf(path) === '') return null
    for (const candidate of [
      below(folder, 'mod.rs'),
      `${folder}.rs`,
      below(folder, 'lib.rs'),
      below(folder, 'main.rs'),
    ]) {
      const found = this.#rust(candidate)
      if (found !== null && found !== file) return found
    }
    return null
  }
}

/** A module's path in a file, as one inside of another. */
function inside(inline: string, name: string): string {
  return inline === '' ? name : `${inline}::${name}`
}

function beforeLast(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('::')))
}
