import type { Edge } from '../graph.ts'
import type { Extraction } from '../imports.ts'
import type { Language, ScanWarning, SourceTree } from '../source-tree.ts'
import { type Answer, EXTERNAL, type LanguageResolver, UNRESOLVED } from './answer.ts'
import { CResolver } from './c.ts'
import { GoResolver } from './go.ts'
import { JavaScriptResolver } from './javascript.ts'
import { ProjectFiles } from './project-files.ts'
import { PythonResolver } from './python.ts'
import { RustResolver } from './rust.ts'
import { TreeIndex } from './tree-index.ts'

/** Where the imports of a tree lead. */
export interface Resolution {
  /**
   * Imports of files of the tree, those at run time only: each pair of files once, with its lowest line. By importing
   * file.
   */
  edges: Edge[]
  /**
   * Imports at run time that name something of the project and lead to no file of it. By importing file, in its
   * order.
   */
  unresolved: { file: number; line: number; specifier: string }[]
  /** Imports of other packages and of the language itself. */
  external: number
  /** Imports of files of the tree that are gone at run time: left out. */
  typeOnly: number
  /** Imports of files of the tree that are read when they are reached: among the edges. */
  dynamic: number
  /** Files that say how imports are meant and could not be read. */
  warnings: ScanWarning[]
}

export interface ResolveOptions {
  /** Folders that C and C++ headers are searched in, from the root. */
  includeDirs?: readonly string[]
}

/** Resolves every import of a tree (see `ImportResolver`). */
export function resolveImports(
  tree: SourceTree,
  extractions: readonly (Extraction | null)[],
  options: ResolveOptions = {},
): Resolution {
  return new ImportResolver(tree, options).resolve(extractions)
}

/**
 * Resolves the imports of a tree, again and again as its files are edited: what was found for an `Extraction` is kept
 * as long as the same object comes again. Files that come or go, and edits of `tsconfig.json` and the like, need a
 * new one.
 *
 * It looks at the tree's files in memory, and on the disk at what says how imports are meant (`package.json`,
 * `tsconfig.json`, `Cargo.toml`, `go.mod`), of the tree and above it up to the top of its repository. It never reads
 * `node_modules` or any other place that packages are installed in.
 */
export class ImportResolver {
  readonly #tree: SourceTree
  readonly #index: TreeIndex
  readonly #files: ProjectFiles
  readonly #includeDirs: readonly string[]
  readonly #resolvers: Partial<Record<Language, LanguageResolver>> = {}
  /** What was resolved last, by file. */
  #extractions: (Extraction | null | undefined)[] = []
  readonly #answers: (readonly Answer[] | undefined)[] = []

  constructor(tree: SourceTree, { includeDirs = [] }: ResolveOptions = {}) {
    this.#tree = tree
    this.#index = new TreeIndex(tree)
    this.#files = new ProjectFiles(tree.root)
    this.#includeDirs = includeDirs
  }

  /**
   * Resolves the imports of a file ahead of `resolve`, while others are still being read: where its language needs nothing but
   * to know which files there are.
   */
  prepare(file: number, extraction: Extraction): void {
    const language = this.#tree.files[file]?.language
    if (language === 'rust' || language === 'go') return
    this.#answers[file] = this.#resolveFile(file, extraction, [])
    this.#extractions[file] = extraction
  }

  /** @param extractions by file, null for those that could not be read */
  resolve(extractions: readonly (Extraction | null)[]): Resolution {
    for (const language of ['rust', 'go'] as const) {
      if (this.#isOtherwise(language, extractions)) this.#forget(language)
      else this.#resolvers[language]?.update?.(extractions)
    }
    const sum: Resolution = { edges: [], unresolved: [], external: 0, typeOnly: 0, dynamic: 0, warnings: [] }
    const edgeTo = new EdgeList(this.#tree.files.length, sum.edges)
    for (const [file, extraction] of extractions.entries()) {
      if (extraction === null) continue
      let answers = this.#answers[file]
      if (answers === undefined || extraction !== this.#extractions[file]) {
        answers = this.#resolveFile(file, extraction, extractions)
        this.#answers[file] = answers
      }
      this.#add(sum, edgeTo, file, extraction, answers)
    }
    this.#extractions = [...extractions]
    sum.warnings = [...this.#files.warnings].sort((one, other) =>
      (one.path ?? '') < (other.path ?? '') ? -1 : 1,
    )
    return sum
  }

  #resolveFile(file: number, extraction: Extraction, extractions: readonly (Extraction | null)[]): Answer[] {
    const resolver = this.#resolverFor(this.#tree.files[file]?.language as Language, extractions)
    return extraction.imports.map(({ specifier }) => resolver.resolve(file, specifier))
  }

  #add(
    sum: Resolution,
    edgeTo: EdgeList,
    file: number,
    extraction: Extraction,
    answers: readonly Answer[],
  ): void {
    for (const [i, { kind, line, specifier }] of extraction.imports.entries()) {
      const answer = answers[i] as Answer
      if (answer === EXTERNAL) sum.external++
      else if (answer === UNRESOLVED) {
        if (kind !== 'type') sum.unresolved.push({ file, line, specifier })
      } else if (typeof answer !== 'number' || answer >= 0) {
        if (kind === 'type') sum.typeOnly++
        else {
          if (kind === 'dynamic') sum.dynamic++
          if (typeof answer === 'number') edgeTo.add(file, answer, line)
          else for (const to of answer) edgeTo.add(file, to, line)
        }
      }
    }
  }

  #resolverFor(language: Language, extractions: readonly (Extraction | null)[]): LanguageResolver {
    const known = this.#resolvers[language]
    if (known !== undefined) return known
    const resolver = this.#newResolver(language, extractions)
    this.#resolvers[language] = resolver
    return resolver
  }

  #newResolver(language: Language, extractions: readonly (Extraction | null)[]): LanguageResolver {
    const [index, files] = [this.#index, this.#files]
    switch (language) {
      case 'javascript':
        return this.#resolvers.typescript ?? new JavaScriptResolver(index, files)
      case 'typescript':
        return this.#resolvers.javascript ?? new JavaScriptResolver(index, files)
      case 'python':
        return new PythonResolver(index, files)
      case 'rust':
        return new RustResolver(index, files, extractions)
      case 'go':
        return new GoResolver(index, files, extractions, this.#resolverFor('c', extractions))
      case 'c':
        return this.#resolvers.cpp ?? new CResolver(index, this.#includeDirs)
      case 'cpp':
        return this.#resolvers.c ?? new CResolver(index, this.#includeDirs)
    }
  }

  /** Whether files of a language say anything else than the last time on which imports of other files depend. */
  #isOtherwise(language: 'rust' | 'go', extractions: readonly (Extraction | null)[]): boolean {
    if (this.#resolvers[language] === undefined) return false
    return this.#tree.files.some((file, i) => {
      if (file.language !== language) return false
      const [before, now] = [this.#extractions[i] ?? null, extractions[i] ?? null]
      return before !== now && shapeOf(before) !== shapeOf(now)
    })
  }

  #forget(language: Language): void {
    delete this.#resolvers[language]
    for (const [i, file] of this.#tree.files.entries())
      if (file.language === language) this.#answers[i] = undefined
  }
}

/** What others see of a file of Rust or Go: its modules, its package. */
function shapeOf(extraction: Extraction | null): string {
  if (extraction === null) return ''
  const modules = extraction.imports.filter(({ specifier }) => specifier.startsWith('mod'))
  return JSON.stringify([extraction.declares, modules.map(({ specifier }) => specifier)])
}

/** Edges without doubles, of files one after the other. */
class EdgeList {
  readonly #edges: Edge[]
  /** Of each file the place of the last edge to it, plus one. */
  readonly #last: Uint32Array

  constructor(files: number, edges: Edge[]) {
    this.#edges = edges
    this.#last = new Uint32Array(files)
  }

  add(from: number, to: number, line: number): void {
    if (from === to) return
    const last = this.#edges[(this.#last[to] as number) - 1]
    if (last === undefined || last.from !== from) this.#last[to] = this.#edges.push({ from, to, line })
    else if (line < last.line) last.line = line
  }
}
