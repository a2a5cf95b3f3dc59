import type { Extraction } from '../imports.ts'
import { EXTERNAL, type LanguageResolver, NO_SOURCE, UNRESOLVED } from './answer.ts'
import type { ProjectFiles } from './project-files.ts'
import { type Crate, RustCrates } from './rust-crates.ts'
import { type ModulePlace, RustModules } from './rust-modules.ts'
import type { TreeIndex } from './tree-index.ts'

/** As many names that other `use`s bring in are followed. */
const MAX_ALIASES = 4

/**
 * Rust. `mod` leads to the file of the module; `use` to the file of the longest beginning of its path that is a
 * module, of this crate or of the library of another one in the tree. Names that a module only passes on (`pub use`)
 * are not followed beyond it.
 */
export class RustResolver implements LanguageResolver {
  #extractions: readonly (Extraction | null)[]
  readonly #index: TreeIndex
  readonly #crates: RustCrates
  readonly #modules: RustModules
  /** Of a file the names that its `use`s bring in, by module and name, as paths. */
  readonly #names = new Map<number, ReadonlyMap<string, string>>()

  constructor(index: TreeIndex, files: ProjectFiles, extractions: readonly (Extraction | null)[]) {
    this.#index = index
    this.#extractions = extractions
    this.#crates = new RustCrates(index, files)
    this.#modules = new RustModules(index, extractions, this.#crates)
  }

  resolve(from: number, specifier: string): number {
    if (specifier.startsWith('mod')) {
      const declared = this.#modules.declared(from, specifier)
      if (declared !== null) return declared
      return specifier.startsWith('mod?') || this.#isLeftOut(specifier) ? NO_SOURCE : UNRESOLVED
    }
    const use = readUse(specifier)
    if (use === null) return EXTERNAL
    const found = this.#place({ file: from, inline: use.inline }, use.path.split('::'), 0)
    return typeof found === 'number' ? found : found.file
  }

  update(extractions: readonly (Extraction | null)[]): void {
    this.#extractions = extractions
    this.#names.clear()
  }

  #isLeftOut(mod: string): boolean {
    const name = mod.split(' ')[1] ?? ''
    return this.#index.leavesOut(`${name}.rs`) || this.#index.leavesOut(`${name}/mod.rs`)
  }

  /** The module that a path leads into, or why there is none. */
  #place(
    at: ModulePlace,
    path: readonly string[],
    aliases: number,
  ): ModulePlace | typeof EXTERNAL | typeof NO_SOURCE {
    const start = this.#start(at, path, aliases)
    if (typeof start === 'number') return start
    let { place } = start
    for (const name of path.slice(start.used)) {
      const next = this.#modules.child(place, name)
      if (next === null) break
      place = next
    }
    return place
  }

  #start(at: ModulePlace, path: readonly string[], aliases: number) {
    const crate = this.#crates.of(at.file)
    const root: ModulePlace = { file: this.#modules.root(at.file), inline: '' }
    const first = path[0] as string
    if (first === 'crate' || first === '$crate') return { place: root, used: 1 }
    if (first === 'self' || first === 'super') return this.#relative(at, path)
    if (first === '') return this.#absolute(root, crate, path)
    const child = this.#modules.child(at, first)
    if (child !== null) return { place: child, used: 1 }
    const library = this.#crates.library(first, crate)
    if (library !== null) return { place: { file: library, inline: '' }, used: 1 }
    if (crate !== null && crate.manifest.edition === 2015) {
      const inRoot = this.#modules.child(root, first)
      if (inRoot !== null) return { place: inRoot, used: 1 }
    }
    return this.#named(at, first, aliases)
  }

  #relative(at: ModulePlace, path: readonly string[]) {
    let place: ModulePlace = at
    let used = path[0] === 'self' ? 1 : 0
    for (; path[used] === 'super'; used++) {
      const parent = this.#modules.parent(place)
      if (parent === null) return EXTERNAL
      place = parent
    }
    return { place, used }
  }

  /** `::a`: another crate, or in the edition of 2015 a module of the root. */
  #absolute(root: ModulePlace, crate: Crate | null, path: readonly string[]) {
    const name = path[1] ?? ''
    const inRoot = crate?.manifest.edition === 2015 ? this.#modules.child(root, name) : null
    if (inRoot !== null) return { place: inRoot, used: 2 }
    const library = this.#crates.library(name, crate)
    return library === null ? EXTERNAL : { place: { file: library, inline: '' }, used: 2 }
  }

  /** A path that begins with a name that another `use` of the same module brings in. */
  #named(at: ModulePlace, name: string, aliases: number) {
    let names = this.#names.get(at.file)
    if (names === undefined) {
      names = namesOf(this.#extractions[at.file] ?? null)
      this.#names.set(at.file, names)
    }
    const path = names.get(`${at.inline} ${name}`)
    if (path !== undefined && aliases < MAX_ALIASES) {
      const place = this.#place(at, path.split('::'), aliases + 1)
      if (typeof place !== 'number') return { place, used: 1 }
    }
    // Types begin with a capital: `use Colour::*` names the variants of an enum of this file.
    return /^\p{Lu}/u.test(name) ? NO_SOURCE : EXTERNAL
  }
}

/** Of `use@a::b c::d` the module that it stands in, `a::b`, and the path, `c::d`; null: it is no `use`. */
function readUse(specifier: string): { inline: string; path: string } | null {
  const space = specifier.indexOf(' ')
  if (!specifier.startsWith('use') || space < 0) return null
  return { inline: specifier.slice('use@'.length, space), path: specifier.slice(space + 1) }
}

function namesOf(extraction: Extraction | null): Map<string, string> {
  const names = new Map<string, string>()
  for (const { specifier } of extraction?.imports ?? []) {
    const use = readUse(specifier)
    const last = use === null ? -1 : use.path.lastIndexOf('::')
    if (use === null || last < 0) continue
    const key = `${use.inline} ${use.path.slice(last + 2)}`
    if (!names.has(key)) names.set(key, use.path)
  }
  return names
}
