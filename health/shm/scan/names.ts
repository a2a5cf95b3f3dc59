/** What the name of a file or a folder tells: its language, whether it is a test, and whether somebody wrote it here. */
import type { Language } from '../source-tree.ts'

const LANGUAGE_OF: ReadonlyMap<string, Language> = new Map(
  (
    [
      ['javascript', 'js mjs cjs jsx'],
      ['typescript', 'ts mts cts tsx'],
      ['python', 'py'],
      ['rust', 'rs'],
      ['go', 'go'],
      ['c', 'c h'],
      ['cpp', 'cc cpp cxx hpp hh hxx cu cuh ipp inl'],
    ] as const
  ).flatMap(([language, endings]) => endings.split(' ').map(ending => [ending, language] as const)),
)

/** Folders of what others wrote, or of what tools put there. */
const FOREIGN_FOLDERS: ReadonlySet<string> = new Set([
  'node_modules',
  'bower_components',
  'jspm_packages',
  'web_modules',
  'vendor',
  'vendored',
  '_vendor',
  'third_party',
  'third-party',
  'thirdparty',
  'Godeps',
  'site-packages',
  '__pycache__',
  '__pypackages__',
])

/** Folders that builds write, by what lies beside them. */
const BUILT_BESIDE: ReadonlyMap<string, readonly string[]> = new Map([
  ['target', ['Cargo.toml', 'pom.xml']],
  ['dist', ['package.json', 'setup.py', 'pyproject.toml']],
])

const TEST_FOLDERS: ReadonlySet<string> = new Set([
  'test',
  'tests',
  '__tests__',
  'spec',
  'specs',
  'testdata',
  '__mocks__',
  'fixtures',
  '__fixtures__',
  '__snapshots__',
  'e2e',
])

const TEST_FILE =
  /\.(?:test|spec|e2e|cy)\.[cm]?[jt]sx?$|_(?:test|unittest)\.(?:go|py|rs|c|cc|cpp|cxx|cu)$|^test_.*\.(?:py|rs|c|cc|cpp|cxx|cu)$|^(?:conftest\.py|tests\.py|tests?\.rs)$/
const GENERATED_FILE = /\.(?:min|generated|gen|pb)\.|^[^.]*_(?:pb|pb2|pb2_grpc|generated)\.|^zz_generated\./
const DECLARATIONS = /\.d\.(?:[^.]+\.)?[cm]?ts$/

/** The language of a file by the ending of its name; null: it is no source file. `.h` is C, and lower case is meant. */
export function languageOf(name: string): Language | null {
  const dot = name.lastIndexOf('.')
  return dot === -1 ? null : (LANGUAGE_OF.get(name.slice(dot + 1)) ?? null)
}

/**
 * Whether nobody of the project wrote this file, as its name says: minified scripts, declarations without code (`.d.ts`),
 * what protoc, flatc and others of their kind write. What only a file's first lines say, `isGenerated` knows.
 */
export function isGeneratedName(name: string): boolean {
  return GENERATED_FILE.test(name) || DECLARATIONS.test(name)
}

/**
 * Whether a folder holds what others wrote or what a build left, by its name and what lies beside it: dependencies
 * (`node_modules`, `vendor`, `third_party`, …), `target` beside a Cargo.toml, `dist` beside a package.json. `build`,
 * `out` and `lib` are often written by hand and stay, unless git ignores them.
 *
 * @param siblings whether a file of this name lies in the same folder
 */
export function isForeignFolder(name: string, siblings: { has(name: string): boolean }): boolean {
  if (FOREIGN_FOLDERS.has(name)) return true
  return BUILT_BESIDE.get(name)?.some(sibling => siblings.has(sibling)) ?? false
}

/**
 * Whether a folder says of itself that a tool made it, by a file that lies in it: a virtual environment of Python, a
 * cache (the Cache Directory Tagging Specification), a build of CMake outside its sources.
 */
export function isToolFolder(names: { has(name: string): boolean }): boolean {
  if (names.has('pyvenv.cfg') || names.has('CACHEDIR.TAG')) return true
  return names.has('CMakeCache.txt') && !names.has('CMakeLists.txt')
}

/** Whether a folder holds tests, by its name. */
export function isTestFolder(name: string): boolean {
  return TEST_FOLDERS.has(name.toLowerCase())
}

/** Whether a source file is a test, by its name. */
export function isTestName(name: string): boolean {
  return TEST_FILE.test(name)
}
