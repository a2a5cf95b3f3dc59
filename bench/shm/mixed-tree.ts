/**
 * Made-up source trees of any size: packages of some dozens of files in seven languages, with manifests, each file in a
 * layer above those that it imports. What is to be found in one is known beforehand, import by import.
 */
import { posix } from 'node:path'
import { between, oneOf, randomFrom } from '../../test/support/random.ts'
import type { FileGraph } from './comparison.ts'
import { STYLES } from './mixed-languages.ts'
import type { MixedStyle } from './mixed-styles.ts'
import { MixedText } from './mixed-text.ts'

/** How an import is written. `missing` leads nowhere, `outside` to another package or the language itself. */
export type PlannedKind = 'static' | 'dynamic' | 'type' | 'missing' | 'outside'

export interface PlannedImport {
  kind: PlannedKind
  /** The file that is named; null where there is none. */
  to: PlannedFile | null
  /** For Go: the files of the folder that is named. */
  all?: readonly PlannedFile[]
}

export interface PlannedFile {
  /** From the root of the tree, with `/`. */
  path: string
  package: PlannedPackage
  imports: PlannedImport[]
  /** Its place among the files of its package: it imports files of lower places. */
  place: number
  /** Folders of a package are layers. */
  layer: number
}

export interface PlannedPackage {
  style: MixedStyle
  /** As its manifest and the imports of others have it. */
  name: string
  folder: string
  /** Packages of the highest tier import those of the others. */
  tier: number
  files: PlannedFile[]
  /** What others import as a rule: it names some of the other files. */
  readonly entry: PlannedFile
  /** Packages that its files may import. */
  needs: readonly PlannedPackage[]
}

export interface MixedTree {
  packages: readonly PlannedPackage[]
  files: readonly PlannedFile[]
  /** What is in each file and manifest, by path, made when it is asked for. */
  contents(): IterableIterator<[path: string, text: string]>
}

/** What a tree holds, by its plan. */
export interface Expected {
  graph: FileGraph
  /** Imports of each kind, as they are written. */
  counts: Readonly<Record<PlannedKind, number>>
}

const TIERS = 5
const SMALLEST_PACKAGE = 60
const LARGEST_PACKAGE = 100
/** Chances of … */
const CHANCE = {
  /** … a file to import from another package; */
  cross: 0.35,
  /** … such an import to name the entry and not a file deeper in it; */
  entry: 0.4,
  /** … an import to be of types only, or dynamic, where a language has that; */
  type: 0.18,
  dynamic: 0.03,
  /** … a package to have a cycle; */
  cycle: 0.12,
  /** … a file to import what is not there. */
  missing: 0.0005,
} as const

/** @param count of source files; one seed makes one tree */
export function planMixedTree(count: number, seed = 1): MixedTree {
  const random = randomFrom(seed)
  const text = new MixedText(randomFrom(seed + 1))
  const packages = plannedPackages(count, random, text)
  for (const one of packages) for (const file of one.files) planImports(file, random)
  for (const one of packages) if (random() < CHANCE.cycle) closeCycle(one, random)
  return {
    packages,
    files: packages.flatMap(({ files }) => files),
    contents: () => contentsOf(packages, text),
  }
}

/** What is to be found in it. */
export function expectedOf({ files }: MixedTree): Expected {
  const graph = new Map<string, Set<string>>()
  const counts = { static: 0, dynamic: 0, type: 0, missing: 0, outside: 0 }
  for (const { path, imports } of files) {
    const targets = new Set<string>()
    graph.set(path, targets)
    for (const { kind, to, all } of imports) {
      counts[kind]++
      if (to === null || kind === 'type') continue
      for (const one of all ?? [to]) targets.add(one.path)
    }
  }
  return { graph, counts }
}

function plannedPackages(count: number, random: () => number, text: MixedText): PlannedPackage[] {
  const packages: PlannedPackage[] = []
  for (let left = count; left > 0; ) {
    const wanted = between(random, SMALLEST_PACKAGE, LARGEST_PACKAGE + 1)
    // Too few for a package of their own go with the last one.
    const size = left - wanted < SMALLEST_PACKAGE / 2 ? left : wanted
    packages.push(plannedPackage(packages, size, random, text))
    left -= size
  }
  return packages
}

function plannedPackage(
  before: readonly PlannedPackage[],
  size: number,
  random: () => number,
  text: MixedText,
): PlannedPackage {
  const style = styleOf(before)
  const tier = between(random, 0, TIERS)
  const number = before.length
  const lower = before.filter(one => one.style.family === style.family && one.tier < tier)
  const needs = [
    ...new Set(
      Array.from({ length: lower.length === 0 ? 0 : between(random, 1, 4) }, () => oneOf(random, lower)),
    ),
  ]
  const folder = `${style.family}/p${number}`
  const paths = style.paths(`p${number}`, size, () => text.name())
  const one: PlannedPackage = {
    style,
    name: style.nameOf(`p${number}`),
    folder,
    tier,
    needs,
    files: [],
    get entry() {
      return this.files.at(-1) as PlannedFile
    },
  }
  for (const [place, { path, layer }] of paths.entries())
    one.files.push({ path: `${folder}/${path}`, layer, place, imports: [], package: one })
  return one
}

/** The style that lacks most of its share. */
function styleOf(before: readonly PlannedPackage[]): MixedStyle {
  const lack = (of: MixedStyle) =>
    of.share * (before.length + 1) - before.filter(({ style }) => style === of).length
  return STYLES.reduce((most, style) => (lack(style) > lack(most) ? style : most))
}

/** Imports of one file: those that its language demands, then some of its own package, of others and from outside. */
function planImports(file: PlannedFile, random: () => number): void {
  const { style, files, entry, needs } = file.package
  const isEntry = file === entry
  const taken = new Set<PlannedFile>([file])
  const add = (kind: PlannedKind, to: PlannedFile) => {
    const all = style.folderOf?.(to)
    if (taken.has(to) || all?.some(one => taken.has(one))) return
    for (const one of all ?? [to]) taken.add(one)
    file.imports.push({ kind, to, ...(all === undefined ? {} : { all }) })
  }
  for (const to of style.demanded(file)) add('static', to)
  if (!style.isLeaf(file)) {
    const own = files.filter(other => style.mayImport(file, other))
    const wanted = own.length === 0 ? 0 : between(random, ...(isEntry ? ([5, 10] as const) : style.imports))
    for (let i = 0; i < wanted; i++) {
      // What is near is imported more often than what is far.
      const back = Math.floor(random() ** 2 * own.length)
      add(kindOf(style, random), own[own.length - 1 - back] as PlannedFile)
    }
    if (needs.length > 0 && random() < CHANCE.cross) {
      const other = oneOf(random, needs)
      const open = other.files.filter(one => style.isOpen(one))
      add(kindOf(style, random), random() < CHANCE.entry ? other.entry : oneOf(random, open))
    }
  }
  for (let i = between(random, 0, 3); i > 0; i--) file.imports.push({ kind: 'outside', to: null })
  if (random() < CHANCE.missing) file.imports.push({ kind: 'missing', to: null })
}

function kindOf({ kinds }: MixedStyle, random: () => number): PlannedKind {
  const at = random()
  if (at < CHANCE.type) return kinds.includes('type') ? 'type' : 'static'
  return at < CHANCE.type + CHANCE.dynamic && kinds.includes('dynamic') ? 'dynamic' : 'static'
}

/** Lets one file be imported by one that it imports: the two of them, and what lies between, are in a cycle then. */
function closeCycle({ style, files }: PlannedPackage, random: () => number): void {
  if (!style.hasCycles) return
  const closable = files.flatMap(file =>
    file.imports.flatMap(({ kind, to }) => {
      const isOne =
        kind === 'static' && to?.package === file.package && !style.isLeaf(to) && style.isOpen(file)
      return isOne && !to.imports.some(back => back.to === file) ? [{ file, to }] : []
    }),
  )
  if (closable.length === 0) return
  const { file, to } = oneOf(random, closable)
  to.imports.push({ kind: 'static', to: file })
}

function* contentsOf(
  packages: readonly PlannedPackage[],
  text: MixedText,
): IterableIterator<[path: string, text: string]> {
  yield ['.gitignore', 'out/\n*.log\n/coverage\n']
  for (const family of new Set(packages.map(({ style }) => style.family))) {
    const members = packages.filter(({ style }) => style.family === family)
    yield* Object.entries((members[0] as PlannedPackage).style.workspace(members))
  }
  for (const one of packages) {
    const { style, folder, entry } = one
    for (const [name, content] of Object.entries(style.manifests(one))) yield [`${folder}/${name}`, content]
    // Git ignores it: it is no file of the tree.
    yield [`${folder}/out/built${posix.extname(entry.path)}`, text.body(style.kindOf(entry))]
    for (const file of one.files) {
      const imports = file.imports.map((found, i) => style.statement(file, found, i))
      yield [file.path, style.text(file, imports, text.body(style.kindOf(file)))]
    }
  }
}
