import { EXTERNAL, type LanguageResolver, NO_SOURCE, UNRESOLVED } from './answer.ts'
import { isSystemHeader } from './c-system-headers.ts'
import { below, folderOf, joined, nameOf, type TreeIndex } from './tree-index.ts'

/** Folders that compilers are told to search, by habit. */
const SEARCHED = ['include', 'inc', 'src']
const SEARCHED_FOR_SYSTEM = ['include', 'inc']
/** What sources have as extension; headers of the C++ library have none. */
const SOURCE = /\.(?:[ch]|cc|cpp|cxx|hh|hpp|hxx|cu|cuh|ipp|inl)$|^[^.]*$/i

/**
 * C and C++. Build files are not read; a header is searched where compilers would be told to: for `"a.h"` beside the
 * file, then in the folders that were given, then in each folder above the file and its `include`, `inc` and `src`,
 * then anywhere, if only one file of the tree ends in that path. `<a.h>` is searched in the folders above last, and
 * if it is a header of the system only in the given folders and in those called `include` and `inc`.
 */
export class CResolver implements LanguageResolver {
  readonly #index: TreeIndex
  readonly #given: readonly string[]
  readonly #byName = new Map<string, number[]>()
  /** By folder, what was included there and where that is. */
  readonly #near = new Map<string, Map<string, number>>()
  readonly #anywhere = new Map<string, number>()

  /** @param given folders that are searched, from the root */
  constructor(index: TreeIndex, given: readonly string[]) {
    this.#index = index
    this.#given = given.flatMap(folder => joined('', folder) ?? [])
    for (const [file, { path, language }] of index.tree.files.entries()) {
      if (language !== 'c' && language !== 'cpp') continue
      const name = nameOf(path)
      const files = this.#byName.get(name)
      if (files === undefined) this.#byName.set(name, [file])
      else files.push(file)
    }
  }

  resolve(from: number, specifier: string): number {
    const folder = folderOf(this.#index.path(from))
    let near = this.#near.get(folder)
    if (near === undefined) {
      near = new Map()
      this.#near.set(folder, near)
    }
    let found = near.get(specifier)
    if (found === undefined) {
      found = this.#search(folder, specifier)
      near.set(specifier, found)
    }
    return found
  }

  #search(folder: string, specifier: string): number {
    const isSystem = specifier.startsWith('<')
    const path = specifier.slice(1, -1)
    if (path === '' || path.startsWith('/')) return EXTERNAL
    if (this.#byName.has(nameOf(path))) {
      const found = isSystem ? this.#systemHeader(folder, path) : this.#ownHeader(folder, path)
      if (found >= 0) return found
    }
    if (isSystem || isSystemHeader(path)) return EXTERNAL
    return SOURCE.test(nameOf(path)) && !this.#index.leavesOut(path) ? UNRESOLVED : NO_SOURCE
  }

  #ownHeader(folder: string, path: string): number {
    const beside = this.#in(folder, path)
    if (beside >= 0) return beside
    const given = this.#inGiven(path)
    if (given >= 0) return given
    const above = this.#above(folder, path, SEARCHED, true)
    return above >= 0 ? above : this.#unique(path)
  }

  #systemHeader(folder: string, path: string): number {
    const given = this.#inGiven(path)
    if (given >= 0) return given
    const isSystem = isSystemHeader(path)
    const searched = this.#above(folder, path, isSystem ? SEARCHED_FOR_SYSTEM : SEARCHED, false)
    if (searched >= 0 || isSystem) return searched
    const above = this.#above(folder, path, [], true)
    return above >= 0 ? above : this.#unique(path)
  }

  #inGiven(path: string): number {
    for (const folder of this.#given) {
      const found = this.#in(folder, path)
      if (found >= 0) return found
    }
    return -1
  }

  #above(folder: string, path: string, names: readonly string[], itself: boolean): number {
    for (let at = folder; ; at = folderOf(at)) {
      for (const name of names) {
        const searched = below(at, name)
        const found = this.#index.folders.has(searched) ? this.#in(searched, path) : -1
        if (found >= 0) return found
      }
      const found = itself ? this.#in(at, path) : -1
      if (found >= 0) return found
      if (at === '') return -1
    }
  }

  #in(folder: string, path: string): number {
    const full = joined(folder, path)
    const file = full === null ? undefined : this.#index.at(full)
    return file === undefined || !this.#isHeader(file) ? -1 : file
  }

  #isHeader(file: number): boolean {
    const language = this.#index.tree.files[file]?.language
    return language === 'c' || language === 'cpp'
  }

  /**
   * The only file that ends in this path, of those in folders that are searched by habit or else of all; -1: none or
   * several.
   */
  #unique(path: string): number {
    const plain = path.replace(/^(?:\.{1,2}\/+)+/, '')
    let found = this.#anywhere.get(plain)
    if (found === undefined) {
      const ending = (this.#byName.get(nameOf(plain)) ?? []).filter(file => this.#endsIn(file, plain))
      const searched = ending.filter(file => SEARCHED.includes(nameOf(this.#folderBefore(file, plain))))
      const candidates = searched.length > 0 ? searched : ending
      found = candidates.length === 1 ? (candidates[0] as number) : -1
      this.#anywhere.set(plain, found)
    }
    return found
  }

  #endsIn(file: number, path: string): boolean {
    const full = this.#index.path(file)
    return full === path || full.endsWith(`/${path}`)
  }

  #folderBefore(file: number, path: string): string {
    const full = this.#index.path(file)
    return full.slice(0, Math.max(0, full.length - path.length - 1))
  }
}
