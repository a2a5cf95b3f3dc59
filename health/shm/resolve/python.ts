import { basename } from 'node:path'
import { EXTERNAL, type LanguageResolver, NO_SOURCE, UNRESOLVED } from './answer.ts'
import type { ProjectFiles } from './project-files.ts'
import { PYTHON_STANDARD_LIBRARY } from './python-standard-library.ts'
import { below, folderOf, nameOf, nearestOf, type TreeIndex } from './tree-index.ts'

/** Not where it was looked for. */
const MISSING = -9

/** Beside one of them a program starts, even where there is an `__init__.py`. */
const PROJECT_FILES = ['pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', 'Pipfile']

/**
 * Python. What an absolute import names is looked up from where Python would find it without anything being
 * installed: the folder that the importing file's own top package lies in, the folders above, then every folder that
 * holds a package, nearest first (workspaces, `src` layouts), namespace packages among them. An import of a package
 * leads to its `__init__.py`; `from a import b` to the module `a.b` if there is one, else to `a`. Names of the
 * standard library are looked up where a program would start only.
 */
export class PythonResolver implements LanguageResolver {
  readonly #index: TreeIndex
  /** By folder its `__init__.py`, and by path without `.py` the other modules. */
  readonly #packages = new Map<string, number>()
  readonly #modules = new Map<string, number>()
  /** Folders that programs start from: they hold modules that everyone can name. */
  readonly #starts = new Set<string>()
  /**
   * By dotted name, the packages and modules that everyone can name: the folders that they are found from, ascending.
   */
  readonly #known = new Map<string, string[]>()
  readonly #startOfFile: (string | null)[] = []
  /** Of absolute imports, by the folder that they start from. */
  readonly #answers = new Map<string | null, Map<string, number>>()
  /** How the root itself is called, where it is a package: `['a', 'b']` for `a.b`. */
  readonly #outer: readonly string[]

  constructor(index: TreeIndex, files: ProjectFiles) {
    this.#index = index
    for (const [file, { path, language }] of index.tree.files.entries()) {
      if (language !== 'python') continue
      if (nameOf(path) === '__init__.py') this.#packages.set(folderOf(path), file)
      else this.#modules.set(path.slice(0, -'.py'.length), file)
    }
    this.#outer = !this.#isPackage('') ? [] : outerNames(index.tree.root, files)
    this.#addStarts(files)
    this.#addKnown()
  }

  resolve(from: number, specifier: string): number {
    const colon = specifier.indexOf(':')
    const module = colon < 0 ? specifier : specifier.slice(0, colon)
    const name = colon < 0 ? null : specifier.slice(colon + 1)
    let dots = 0
    while (module.charCodeAt(dots) === DOT) dots++
    if (dots > 0) return this.#relative(folderOf(this.#index.path(from)), dots, module.slice(dots), name)
    let start = this.#startOfFile[from]
    if (start === undefined) {
      start = this.#startOf(folderOf(this.#index.path(from)))
      this.#startOfFile[from] = start
    }
    const known = this.#answersFrom(start)
    let answer = known.get(specifier)
    if (answer === undefined) {
      answer = this.#absolute(start, module, name)
      known.set(specifier, answer)
    }
    return answer
  }

  #answersFrom(start: string | null): Map<string, number> {
    let answers = this.#answers.get(start)
    if (answers === undefined) {
      answers = new Map()
      this.#answers.set(start, answers)
    }
    return answers
  }

  #relative(folder: string, dots: number, module: string, name: string | null): number {
    let base = folder
    for (let up = 1; up < dots; up++) {
      if (base === '') return EXTERNAL
      base = folderOf(base)
    }
    const found = this.#target(base, module.replaceAll('.', '/'), name)
    return found === MISSING ? this.#missing(module, name) : found
  }

  #absolute(start: string | null, module: string, name: string | null): number {
    const end = module.indexOf('.')
    const top = end < 0 ? module : module.slice(0, end)
    const path = module.replaceAll('.', '/')
    if (top === this.#outer[0]) return this.#fromOuter(module, name)
    if (PYTHON_STANDARD_LIBRARY.has(top)) {
      if (start === null || !this.#starts.has(start) || !this.#holds(start, top)) return EXTERNAL
      return this.#found(this.#target(start, path, name), module, name)
    }
    // A folder without __init__.py is a package where no other one has the name, wherever it lies.
    let namespaced = MISSING
    for (let at = start; at !== null; at = at === '' ? null : folderOf(at)) {
      if (this.#isPackage(at) && !this.#starts.has(at)) continue
      const found = this.#target(at, path, name)
      if (this.#holds(at, top)) {
        if (found !== MISSING) return found
        if (this.#isPackage(below(at, top))) return this.#missing(module, name)
      } else if (namespaced < 0 && found >= 0) namespaced = found
    }
    if (namespaced >= 0 && !this.#known.has(top)) return namespaced
    return this.#fromAnywhere(start ?? '', module, name)
  }

  #fromOuter(module: string, name: string | null): number {
    const outer = this.#outer.join('.')
    const whole = name === null || name === '*' ? module : `${module}.${name}`
    if (module === outer) return this.#found(this.#target('', '', name), module, name)
    if (module.startsWith(`${outer}.`))
      return this.#found(
        this.#target('', module.slice(outer.length + 1).replaceAll('.', '/'), name),
        module,
        name,
      )
    return whole === outer ? (this.#packages.get('') as number) : EXTERNAL
  }

  /** By the shortest beginning of the name that is a package or a module somewhere and holds the rest. */
  #fromAnywhere(start: string, module: string, name: string | null): number {
    const whole = name === null || name === '*' ? module : `${module}.${name}`
    const path = module.replaceAll('.', '/')
    let answer: number = EXTERNAL
    for (let end = whole.indexOf('.'); ; end = whole.indexOf('.', end + 1)) {
      const known = end < 0 ? whole : whole.slice(0, end)
      const roots = this.#known.get(known)
      if (roots !== undefined) {
        // The parts of one package may lie in several folders.
        for (const root of [nearestOf(roots, start), ...roots]) {
          const found = this.#target(root, path, name)
          if (found !== MISSING) return found
          if (this.#isPackage(below(root, known.replaceAll('.', '/')))) answer = this.#missing(module, name)
        }
      }
      if (end < 0) return answer
    }
  }

  #found(answer: number, module: string, name: string | null): number {
    return answer === MISSING ? this.#missing(module, name) : answer
  }

  #missing(module: string, name: string | null): number {
    const path = below(module.replaceAll('.', '/'), name ?? '')
    return this.#index.leavesOut(`${path}.py`) || this.#index.leavesOut(`${folderOf(path)}.py`)
      ? NO_SOURCE
      : UNRESOLVED
  }

  /** @param module with slashes, from a folder; `''` for the folder as a package */
  #target(folder: string, module: string, name: string | null): number {
    // What lies in a folder that a module beside it hides by its name cannot be imported.
    for (let end = module.indexOf('/'); end >= 0; end = module.indexOf('/', end + 1)) {
      const above = below(folder, module.slice(0, end))
      if (this.#modules.has(above) && !this.#isPackage(above)) return MISSING
    }
    const path = below(folder, module)
    const own = this.#packages.get(path)
    if (own === undefined) {
      const file = module === '' ? undefined : this.#modules.get(path)
      if (file !== undefined) return file
      if (!this.#index.folders.has(path)) return MISSING
    }
    if (name !== null && name !== '*') {
      const part = below(path, name)
      const found = this.#packages.get(part) ?? this.#modules.get(part)
      if (found !== undefined) return found
      if (own === undefined) return this.#index.folders.has(part) ? NO_SOURCE : MISSING
    }
    return own ?? NO_SOURCE
  }

  /** The folder that the top package of files in this folder lies in; null: it lies outside of the root. */
  #startOf(folder: string): string | null {
    let at = folder
    while (this.#isPackage(at) && !this.#starts.has(at)) {
      if (at === '') return null
      at = folderOf(at)
    }
    return at
  }

  #isPackage(folder: string): boolean {
    return this.#packages.has(folder)
  }

  #holds(folder: string, top: string): boolean {
    const path = below(folder, top)
    return this.#modules.has(path) || this.#packages.has(path)
  }

  #addStarts(files: ProjectFiles): void {
    const isProject = PROJECT_FILES.some(name => files.exists(files.fromRoot(name)))
    if (this.#outer.length === 0 || isProject) this.#starts.add('')
    const folders = this.#index.tree.packages
      .filter(({ kind }) => kind === 'python')
      .map(({ folder }) => folder)
    for (const folder of this.#index.folders) {
      if (nameOf(folder) === 'src' || this.#isStandardLibrary(folder)) folders.push(folder)
    }
    for (const folder of folders) if (!this.#isPackage(folder)) this.#starts.add(folder)
  }

  #isStandardLibrary(folder: string): boolean {
    return ['os', 'abc', 'io'].every(name => this.#modules.has(below(folder, name)))
  }

  #addKnown(): void {
    const packages = new Set<string>()
    for (const { path, language } of this.#index.tree.files) {
      if (language !== 'python') continue
      const folder = folderOf(path)
      if (!this.#isPackage(folder)) this.#addName(folder, nameOf(path).slice(0, -3), false)
      else if (!packages.has(folder) && folder !== '' && !this.#isPackage(folderOf(folder))) {
        packages.add(folder)
        this.#addName(folderOf(folder), nameOf(folder), true)
      }
    }
    for (const roots of this.#known.values()) roots.sort()
  }

  /**
   * A package is known from the folder that it lies in; both are known, with namespaces before them, from where
   * programs start.
   */
  #addName(folder: string, name: string, isPackage: boolean): void {
    let dotted = name
    for (let at = folder; ; at = folderOf(at)) {
      if (this.#starts.has(at) || (isPackage && at === folder)) {
        const roots = this.#known.get(dotted)
        if (roots === undefined) this.#known.set(dotted, [at])
        else roots.push(at)
      }
      if (at === '') return
      dotted = `${nameOf(at)}.${dotted}`
    }
  }
}

function outerNames(root: string, files: ProjectFiles): string[] {
  const names = [basename(root)]
  for (let at = files.prefix; at !== ''; ) {
    at = folderOf(at)
    if (!files.exists(below(at, '__init__.py'))) break
    names.unshift(nameOf(at))
  }
  return names.filter(name => name !== '')
}

const DOT = 46
